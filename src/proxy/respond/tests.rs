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
    ] {
        let (head, body) = failure(&request("application/grpc+proto"), cause, "why", &id);
        assert_eq!(head.status, 200);
        assert_eq!(head.fields.get_str("grpc-status"), Some(status), "{cause}");
        assert!(body.is_empty());
    }
}
