//! Why a request, a connection or a part failed, in words.
//!
//! One table from cause to status, metric label, response header and help text. A cause reads as
//! words, never as three letters.

/// Every way in which the product itself answers, refuses or gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Cause {
    // The request was not acceptable.
    BadRequest,
    BadPath,
    HeadTooLarge,
    TargetTooLong,
    MethodNotAllowed,
    UnsupportedVersion,
    ExpectationFailed,
    RequestHeadTimeout,
    RequestBodyTimeout,
    MisdirectedRequest,
    // No way was configured for it.
    ListenerNotFound,
    RouteNotFound,
    NoBackend,
    BackendNotFound,
    BackendNotPermitted,
    BackendKindUnknown,
    BackendAddressRefused,
    FilterUnknown,
    FilterInvalid,
    BackendTlsInvalid,
    NoEndpoint,
    NoHealthyEndpoint,
    LoopDetected,
    // The way was there and failed.
    UpstreamConnectRefused,
    UpstreamConnectTimeout,
    UpstreamConnectFailed,
    UpstreamTlsFailed,
    UpstreamReset,
    UpstreamClosed,
    UpstreamProtocolError,
    UpstreamHeadTooLarge,
    UpstreamOverloaded,
    BackendRequestTimeout,
    RequestTimeout,
    StreamIdleTimeout,
    DnsFailed,
    // Nobody's fault, or the client's choice.
    ClientDisconnected,
    ClientTooSlow,
    TooManyResets,
    Draining,
    ListenerRemoved,
    Overloaded,
    CertificateMissing,
    CertificateInvalid,
    ClientCertificateRefused,
    TlsHandshakeFailed,
    TlsHandshakeTimeout,
    ProxyProtocolInvalid,
    IdleTimeout,
    Panic,
}

/// Whom a request's end is laid to, where a backend was chosen for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The backend, or the way to it: it was not to be reached, broke off or took too long.
    Backend,
    /// The client sent something wrong, or not in time.
    Client,
    /// The client didn't wait for the answer.
    Cancelled,
    /// The product itself, which stops, is at its limit or has a bug.
    Own,
}

/// One row of the table.
struct Row {
    cause: Cause,
    /// The word in metrics, logs, `Meshctl-Cause` and `meshctl explain`.
    word: &'static str,
    /// The HTTP status that the client gets where one can still be sent.
    status: u16,
    /// What happened, as a sentence without a full stop.
    summary: &'static str,
    /// What to do about it.
    help: &'static str,
}

impl Cause {
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.cause)
    }

    pub fn word(self) -> &'static str {
        self.row().word
    }

    /// 499 (nginx's number) stands in logs and metrics for a client that left.
    pub fn status(self) -> u16 {
        self.row().status
    }

    pub fn summary(self) -> &'static str {
        self.row().summary
    }

    pub fn help(self) -> &'static str {
        self.row().help
    }

    /// Whether it says something about the backend.
    pub fn fault(self) -> Fault {
        match self {
            Self::BadRequest
            | Self::BadPath
            | Self::HeadTooLarge
            | Self::TargetTooLong
            | Self::MethodNotAllowed
            | Self::UnsupportedVersion
            | Self::ExpectationFailed
            | Self::RequestHeadTimeout
            | Self::RequestBodyTimeout
            | Self::MisdirectedRequest
            | Self::ListenerNotFound
            | Self::RouteNotFound
            | Self::ClientCertificateRefused
            | Self::TlsHandshakeFailed
            | Self::TlsHandshakeTimeout
            | Self::ProxyProtocolInvalid => Fault::Client,
            Self::NoBackend
            | Self::BackendNotFound
            | Self::BackendNotPermitted
            | Self::BackendKindUnknown
            | Self::BackendAddressRefused
            | Self::FilterUnknown
            | Self::FilterInvalid
            | Self::BackendTlsInvalid
            | Self::NoEndpoint
            | Self::NoHealthyEndpoint
            | Self::LoopDetected
            | Self::UpstreamConnectRefused
            | Self::UpstreamConnectTimeout
            | Self::UpstreamConnectFailed
            | Self::UpstreamTlsFailed
            | Self::UpstreamReset
            | Self::UpstreamClosed
            | Self::UpstreamProtocolError
            | Self::UpstreamHeadTooLarge
            | Self::UpstreamOverloaded
            | Self::BackendRequestTimeout
            | Self::RequestTimeout
            | Self::StreamIdleTimeout
            | Self::DnsFailed => Fault::Backend,
            Self::ClientDisconnected | Self::ClientTooSlow | Self::TooManyResets => {
                Fault::Cancelled
            }
            Self::Draining
            | Self::ListenerRemoved
            | Self::Overloaded
            | Self::CertificateMissing
            | Self::CertificateInvalid
            | Self::IdleTimeout
            | Self::Panic => Fault::Own,
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.word == word).map(|row| row.cause)
    }

    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

macro_rules! table {
    ($($cause:ident $word:literal $status:literal $summary:literal $help:literal)*) => {
        /// In the order of the enum; a test holds the two together.
        const TABLE: &[Row] = &[$(Row {
            cause: Cause::$cause, word: $word, status: $status, summary: $summary, help: $help,
        }),*];
    };
}

table! {
    BadRequest "bad_request" 400 "the request is not valid HTTP"
        "The response body and the log line name the rule that it breaks; mend the client."
    BadPath "bad_path" 400 "the path holds a character or an escape that hides where it leads"
        "Backslashes, %5c, %00 and control bytes are refused so that routing, policy and backend see one path."
    HeadTooLarge "head_too_large" 431 "the header fields are larger than the limit"
        "Send fewer or smaller headers (often cookies), or raise spec.limits in the MeshConfig."
    TargetTooLong "target_too_long" 414 "the request target is longer than the limit"
        "Send data in the body instead of the query."
    MethodNotAllowed "method_not_allowed" 405 "the method is never proxied"
        "TRACE and CONNECT are not forwarded."
    UnsupportedVersion "unsupported_version" 505 "the HTTP version is not supported"
        "Use HTTP/1.0, HTTP/1.1 or HTTP/2."
    ExpectationFailed "expectation_failed" 417 "the request expects something other than 100-continue"
        "Leave the Expect header out, or send exactly `Expect: 100-continue`."
    RequestHeadTimeout "request_head_timeout" 408 "the request head did not arrive in time"
        "The client is slow, stuck or an attacker; a head has 30 s in all."
    RequestBodyTimeout "request_body_timeout" 408 "the request body stalled"
        "The client stopped sending; look at its network or its own timeouts."
    MisdirectedRequest "misdirected_request" 421 "the Host belongs to another listener than the TLS server name"
        "The client reused a connection for a host with other TLS settings; it should open a new one."
    ListenerNotFound "listener_not_found" 404 "no listener takes this host"
        "Add a listener with this hostname, or one without a hostname."
    RouteNotFound "route_not_found" 404 "no route matches"
        "`meshctl check` lists the routes; compare hostnames, path, method and headers."
    NoBackend "no_backend" 500 "the matched rule has no backend that could be used"
        "Add a backendRef to the rule, or give one a weight above 0."
    BackendNotFound "backend_not_found" 500 "the chosen backendRef names an object that does not exist"
        "Create the Service or Backend, or correct its name, namespace or port."
    BackendNotPermitted "backend_not_permitted" 500 "no ReferenceGrant allows the backendRef into the other namespace"
        "Create a ReferenceGrant in the backend's namespace."
    BackendKindUnknown "backend_kind_unknown" 500 "the chosen backendRef is of a kind that can't be served"
        "Use a Service or a Backend of meshctl.dev."
    BackendAddressRefused "backend_address_refused" 500 "the chosen backendRef leads to an address that no route of a cluster may reach"
        "Loopback, link-local and Unix sockets, the API server and ExternalName Services need the administrator's leave."
    FilterUnknown "filter_unknown" 500 "the matched rule has a filter that is not known here"
        "Remove the filter or upgrade meshctl: a filter may be a protection, so it is never skipped."
    FilterInvalid "filter_invalid" 500 "the matched rule has a filter that is not valid"
        "`meshctl check` names the filter and the mistake."
    BackendTlsInvalid "backend_tls_invalid" 502 "the backend's TLS settings are missing or broken, and plain text would be unsafe"
        "`meshctl check` names the BackendTLSPolicy and the missing reference."
    NoEndpoint "no_endpoint" 503 "the backend has no endpoints"
        "Add an EndpointSlice, or on a laptop `--endpoint SERVICE=HOST:PORT`."
    NoHealthyEndpoint "no_healthy_endpoint" 503 "no endpoint of the backend is ready"
        "Look at the backend's own health and at the ejections in /metrics."
    LoopDetected "loop_detected" 508 "the request has passed this proxy too often"
        "A backend or route leads back to the proxy; its Via header names every pass."
    UpstreamConnectRefused "upstream_connect_refused" 502 "the endpoint refused the connection"
        "Nothing listens there: is the backend running, is the port right?"
    UpstreamConnectTimeout "upstream_connect_timeout" 504 "the endpoint did not accept a connection in time"
        "A firewall, a wrong address or a full backlog."
    UpstreamConnectFailed "upstream_connect_failed" 502 "the connection to the endpoint could not be made"
        "The log line carries the operating system's reason."
    UpstreamTlsFailed "upstream_tls_failed" 502 "the TLS handshake with the endpoint failed"
        "Compare the certificate with the BackendTLSPolicy's hostname, subjectAltNames and CA."
    UpstreamReset "upstream_reset" 502 "the endpoint reset the connection before it answered"
        "The backend crashed or closed in the middle; look at its log."
    UpstreamClosed "upstream_closed" 502 "the endpoint closed the connection before its answer was complete"
        "The backend crashed, or its keep-alive is shorter than the proxy's."
    UpstreamProtocolError "upstream_protocol_error" 502 "the endpoint's answer is not valid HTTP"
        "The log line names the rule that it breaks; is the protocol right (appProtocol)?"
    UpstreamHeadTooLarge "upstream_head_too_large" 502 "the endpoint's response head is larger than the limit"
        "Send fewer or smaller response headers."
    UpstreamOverloaded "upstream_overloaded" 503 "the queue for the backend is full"
        "The backend is slower than its traffic; add endpoints or raise the limits of its TrafficPolicy."
    BackendRequestTimeout "backend_request_timeout" 504 "the endpoint's answer was not complete within backendRequest"
        "The backend is slow, or timeouts.backendRequest is too short."
    RequestTimeout "request_timeout" 504 "the request took longer than its timeout"
        "The backend is slow, or timeouts.request is too short."
    StreamIdleTimeout "stream_idle_timeout" 504 "no byte moved in either direction for the stream's idle time"
        "Send keep-alive data, or raise streamIdle in the TrafficPolicy."
    DnsFailed "dns_failed" 503 "the backend's name has never been resolved"
        "Check the name and the machine's resolver."
    ClientDisconnected "client_disconnected" 499 "the client went away before the answer was complete"
        "Usually a client's own timeout."
    ClientTooSlow "client_too_slow" 499 "the client did not read its answer"
        "The connection was closed to free its buffers."
    TooManyResets "too_many_resets" 499 "the client gave up too many requests as soon as it had sent them"
        "An attack, or a client whose own timeout is far too short."
    Draining "draining" 503 "the proxy is shutting down"
        "Retry on another connection."
    ListenerRemoved "listener_removed" 404 "the listener of this connection was removed or its TLS settings changed"
        "Open a new connection."
    Overloaded "overloaded" 503 "the proxy is at its limit"
        "Look at connections and memory; raise spec.limits or add capacity."
    CertificateMissing "certificate_missing" 503 "the listener has no usable certificate"
        "`meshctl check` names the Secret that is missing or not permitted."
    CertificateInvalid "certificate_invalid" 503 "the certificate or key can't be read, or they don't belong together"
        "`meshctl check` names the Secret and the mistake."
    ClientCertificateRefused "client_certificate_refused" 403 "the client's certificate is missing or not trusted"
        "Compare it with the Gateway's tls.frontend validation."
    TlsHandshakeFailed "tls_handshake_failed" 400 "the TLS handshake with the client failed"
        "The log line carries the reason."
    TlsHandshakeTimeout "tls_handshake_timeout" 408 "the TLS handshake did not finish in time"
        "A handshake has 10 s in all."
    ProxyProtocolInvalid "proxy_protocol_invalid" 400 "the connection did not start with a valid PROXY header"
        "Only listed sources may, and then must, send one: spec.proxyProtocol in the MeshConfig."
    IdleTimeout "idle_timeout" 408 "the connection was idle for too long"
        "Nothing to do: an idle connection was closed."
    Panic "panic" 500 "a bug in meshctl ended this request"
        "Please report it with the log line."
}
