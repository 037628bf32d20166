//! Why a try brought no answer, and whether another may be made.

use http::Method;

use crate::model::Cause;
use crate::proxy::codec::{Fault, Upstream};

/// Why a try brought no answer.
pub(super) struct Failed {
    pub(super) cause: Cause,
    pub(super) sentence: String,
    pub(super) safety: Safety,
}

/// What a failed try may have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Safety {
    /// Nothing was sent, or the peer says that it did nothing.
    Untouched,
    /// A kept connection closed without a byte of an answer: most likely it was closed while
    /// the request was on its way. Idempotent requests are sent again (RFC 9110 §9.2.2).
    Stale,
    /// The request may have been acted on.
    Unknown,
    /// Not the endpoint's fault: no other would do better.
    Final,
}

/// RFC 9110 §9.2.2.
pub(super) fn is_idempotent(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE)
}

pub(super) fn has_heard(upstream: &Upstream) -> bool {
    match upstream {
        Upstream::H1(conn) => conn.has_heard(),
        Upstream::H2(_) => false,
    }
}

pub(super) fn safety_of(fault: &Fault, fresh: bool, heard: bool) -> Safety {
    match fault {
        Fault::Refused => Safety::Untouched,
        Fault::Closed | Fault::Reset(_) if !fresh && !heard => Safety::Stale,
        _ => Safety::Unknown,
    }
}

pub(super) fn upstream_fault(fault: &Fault, fresh: bool, safety: Safety) -> Failed {
    let cause = match fault {
        Fault::Closed => Cause::UpstreamClosed,
        Fault::Reset(_) | Fault::Refused => Cause::UpstreamReset,
        Fault::Protocol(_) => Cause::UpstreamProtocolError,
        Fault::TooLarge => Cause::UpstreamHeadTooLarge,
    };
    let kept = if fresh { "" } else { " (on a kept connection)" };
    Failed { cause, sentence: format!("{fault}{kept}"), safety }
}

pub(super) fn client_fault(fault: &Fault) -> Failed {
    let cause = match fault {
        Fault::Protocol(_) | Fault::TooLarge => Cause::BadRequest,
        _ => Cause::ClientDisconnected,
    };
    Failed { cause, sentence: fault.to_string(), safety: Safety::Final }
}

pub(super) fn timed_out(cause: Cause, safety: Safety) -> Failed {
    // Only an attempt's own time leaves time for another.
    let safety = if cause == Cause::BackendRequestTimeout { safety } else { Safety::Final };
    Failed { cause, sentence: cause.summary().to_owned(), safety }
}

pub(super) fn final_cause(cause: Cause) -> Failed {
    Failed { cause, sentence: cause.summary().to_owned(), safety: Safety::Final }
}
