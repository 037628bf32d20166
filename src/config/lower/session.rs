//! Timeouts, retries and session persistence of a rule.

use std::time::Duration;

use xxhash_rust::xxh64::xxh64;

use super::codes;
use super::matches::is_token;
use super::unit::TrafficShape;
use super::view::View;
use crate::config::raw::{self, At, Object};
use crate::model::{
    Name, PartKey, PartKind, RetryPolicy, SessionCookie, SessionPersistence, Timeouts,
};
use crate::{limits, names};

/// The rule's own timeouts, else the route's policy, else the Gateway's. Zero is no limit, except
/// of idleness, which always has one.
pub(super) fn timeouts(
    written: &raw::Timeouts,
    policy: Option<&TrafficShape>,
    gateway: Timeouts,
) -> Timeouts {
    let own = |timeout: &Option<At<Duration>>| {
        timeout.as_ref().map(|timeout| Some(timeout.value).filter(|time| !time.is_zero()))
    };
    let request = own(&written.request)
        .or_else(|| policy.and_then(|policy| policy.request))
        .unwrap_or(gateway.request);
    let mut backend_request = own(&written.backend_request)
        .or_else(|| policy.and_then(|policy| policy.backend_request))
        .unwrap_or(gateway.backend_request);
    if let (Some(whole), Some(one)) = (request, backend_request)
        && one > whole
    {
        // In one rule the decoder refuses it; a policy and a rule may well meet like this.
        backend_request = Some(whole);
    }
    // The Gateway's is its listeners' setting: it holds before the route is known, too.
    let stream_idle = policy.and_then(|policy| policy.stream_idle);
    Timeouts { request, backend_request, stream_idle }
}

pub(super) fn retry(
    view: &mut View<'_>,
    object: &Object,
    written: Option<&raw::Retry>,
) -> RetryPolicy {
    let Some(written) = written else { return RetryPolicy::standard() };
    let mut statuses = Vec::new();
    for code in &written.codes {
        if (400..=599).contains(&code.value) {
            statuses.push(code.value);
        } else {
            let message = format!("status {} is never tried again", code.value);
            view.error(object, codes::BAD_RETRY, &code.place, message)
                .help("use codes from 400 to 599");
        }
    }
    statuses.sort_unstable();
    statuses.dedup();
    let mut attempts = written.attempts.as_ref().map_or(1, |attempts| attempts.value);
    if attempts > limits::RETRY_ATTEMPTS {
        let place = written.attempts.as_ref().map_or(object.meta.place, |attempts| attempts.place);
        let most = limits::RETRY_ATTEMPTS;
        let message = format!("{attempts} retries are too many: {most} are made");
        view.warning(object, codes::BAD_RETRY, &place, message);
        attempts = most;
    }
    let backoff = written.backoff.as_ref().map(|backoff| backoff.value);
    RetryPolicy { attempts, backoff, statuses, on_failure: true }
}

pub(super) fn persistence(
    view: &mut View<'_>,
    object: &Object,
    section: &str,
    written: Option<&raw::SessionPersistence>,
) -> Option<SessionPersistence> {
    let written = written?;
    let name = match &written.session_name {
        Some(name) if is_token(&name.value) => Some(name.value.clone()),
        Some(name) => {
            let message = format!("`{}` can't be the name of a cookie or header", name.value);
            view.error(object, codes::BAD_SESSION, name, message);
            None
        }
        None if &*written.kind.value == "Cookie" => Some(own_cookie(object, section)),
        None => Some(names::SESSION.into()),
    };
    let permanent = match &*written.cookie_lifetime.value {
        "Session" => Some(false),
        "Permanent" if written.absolute_timeout.is_some() => Some(true),
        "Permanent" => {
            let message = "a permanent cookie needs `absoluteTimeout`";
            view.error(object, codes::BAD_SESSION, &written.cookie_lifetime, message);
            None
        }
        other => {
            let message = format!("`{other}` is no lifetime of a cookie");
            view.error(object, codes::BAD_SESSION, &written.cookie_lifetime, message)
                .help("use Session or Permanent");
            None
        }
    };
    let (name, cookie) = match (&*written.kind.value, name, permanent) {
        ("Cookie", Some(name), Some(permanent)) => (name, Some(SessionCookie { permanent })),
        ("Header", Some(name), _) => (name.to_ascii_lowercase().into(), None),
        ("Cookie" | "Header", ..) => return None,
        (other, ..) => {
            let message = format!("`{other}` can't carry a session");
            view.error(object, codes::BAD_SESSION, &written.kind, message)
                .help("use Cookie or Header");
            return None;
        }
    };
    let some = |timeout: &Option<At<Duration>>| {
        timeout.as_ref().map(|timeout| timeout.value).filter(|timeout| !timeout.is_zero())
    };
    Some(SessionPersistence {
        name,
        cookie,
        absolute_timeout: some(&written.absolute_timeout),
        idle_timeout: some(&written.idle_timeout),
    })
}

/// A cookie's name of the rule's own. Every cookie has the path `/`, so under one name a browser
/// would keep the session of the rule that answered last and lose all others'.
fn own_cookie(object: &Object, section: &str) -> Name {
    let rule = PartKey::new(PartKind::Rule, object.key.clone(), section);
    let hash = xxh64(rule.to_string().as_bytes(), 0) as u32;
    format!("{}-{hash:08x}", names::SESSION).into()
}
