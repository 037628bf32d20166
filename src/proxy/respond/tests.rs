use super::*;

fn request(content_type: &str) -> RequestHead {
    let mut head = RequestHead::default();
    head.fields.push(b"content-type", content_type.as_bytes());
    head
}

#[test]
fn a_failure_says_its_cause_in_words_and_the_request_id() {
    let id = RequestId::new(&mut fastrand::Rng::with_seed(1));
    let cause = Cause::UpstreamConnectTimeout;
    let (head, body) = failure(&request("text/html"), cause, cause.summary(), &id);
    assert_eq!(head.status, 504);
    assert_eq!(head.body, BodyLength::Sized(body.len() as u64));
    assert_eq!(
        body,
        format!(
            "upstream_connect_timeout: the endpoint did not accept a connection in time\nrequest {id}\n"
        )
    );
}

#[test]
fn grpc_clients_get_a_grpc_status() {
    let id = RequestId::new(&mut fastrand::Rng::with_seed(1));
    for (cause, status) in [
        (Cause::RouteNotFound, "12"),
        (Cause::NoHealthyEndpoint, "14"),
        (Cause::RequestTimeout, "4"),
        (Cause::FilterUnknown, "13"),
        // grpcroute_types.go, `backendRefs`: what an invalid one would have been sent.
        (Cause::NoBackend, "14"),
        (Cause::BackendNotFound, "14"),
        (Cause::BackendNotPermitted, "14"),
        (Cause::BackendKindUnknown, "14"),
        (Cause::BackendAddressRefused, "14"),
        (Cause::BackendTlsInvalid, "14"),
    ] {
        let (head, body) = failure(&request("application/grpc+proto"), cause, "why", &id);
        assert_eq!(head.status, 200);
        assert_eq!(head.fields.get_str("grpc-status"), Some(status), "{cause}");
        assert!(body.is_empty());
    }
}

/// The media type is gRPC's with any message format, and is not the beginning of another
/// protocol's: gRPC-Web reads its status elsewhere.
#[test]
fn only_grpc_is_grpc() {
    for (content_type, expected) in [
        ("application/grpc", true),
        ("application/grpc+proto", true),
        ("application/grpc;charset=utf-8", true),
        ("Application/gRPC", true),
        ("application/grpc-web", false),
        ("application/grpc-web+proto", false),
        ("application/grpc-web-text", false),
        ("application/grpcx", false),
        ("application/grp", false),
        ("text/plain", false),
    ] {
        assert_eq!(is_grpc(&request(content_type)), expected, "{content_type}");
    }
    assert!(!is_grpc(&RequestHead::default()));
}
