//! Conditions, filters and reasons in words, credentials masked.

use super::NotHere;
use crate::model::{
    BackendPolicy, Balance, Cause, Filter, HashSource, HeaderEdit, HeaderMatch, Listener, Match,
    PathMatch, PathRewrite, QueryMatch, Redirect, Rewrite, Rule,
};
use crate::proxy::control::unless_secret;
use crate::snapshot::{Miss, Near, Precedence, Wanted};

/// `path prefix /cart, method GET, header x-user = 1`
pub(super) fn match_of(of: &Match) -> String {
    let mut words = vec![path(&of.path)];
    words.extend(of.method.iter().map(|method| format!("method {method}")));
    words.extend(of.headers.iter().map(|header| match header {
        HeaderMatch::Exact { name, value } => {
            format!("header {name} = {}", unless_secret(name, value))
        }
        HeaderMatch::Regex { name, pattern } => {
            format!("header {name} ~ {}", unless_secret(name, pattern.as_str()))
        }
    }));
    words.extend(of.query.iter().map(|parameter| match parameter {
        QueryMatch::Exact { name, value } => {
            format!("query {name} = {}", unless_secret(name, value))
        }
        QueryMatch::Regex { name, pattern } => {
            format!("query {name} ~ {}", unless_secret(name, pattern.as_str()))
        }
    }));
    words.join(", ")
}

fn path(path: &PathMatch) -> String {
    match path {
        PathMatch::Exact(path) => format!("path = {path}"),
        PathMatch::Prefix(path) if path.is_empty() => "any path".to_owned(),
        PathMatch::Prefix(path) => format!("path prefix {path}"),
        PathMatch::Regex(pattern) => format!("path ~ {}", pattern.as_str()),
    }
}

/// Each filter as what it does.
pub(super) fn filter(filter: &Filter) -> Vec<String> {
    match filter {
        Filter::RequestHeaders(edit) => header_edit("request", edit),
        Filter::ResponseHeaders(edit) => header_edit("response", edit),
        Filter::Redirect(redirect) => vec![redirect_of(redirect)],
        Filter::Rewrite(Rewrite { hostname, path }) => {
            let host = hostname.iter().map(|host| format!("rewrites the host to {host}"));
            host.chain(path.iter().map(|path| format!("rewrites {}", rewrite(path)))).collect()
        }
        Filter::Mirror(mirror) => {
            let share = &mirror.fraction;
            let to = reference(&mirror.backend);
            vec![format!("copies {} of {} requests to {to}", share.numerator, share.denominator)]
        }
        Filter::Cors(_) => vec!["answers preflights and marks responses (CORS)".to_owned()],
        Filter::Refuse(cause) => vec![format!("refuses every request: {}", cause.word())],
    }
}

fn header_edit(side: &str, HeaderEdit { set, add, remove }: &HeaderEdit) -> Vec<String> {
    let set = set.iter().map(|(name, value)| {
        format!("sets the {side} header {name}: {}", unless_secret(name, value))
    });
    let add = add.iter().map(|(name, value)| {
        format!("adds the {side} header {name}: {}", unless_secret(name, value))
    });
    let remove = remove.iter().map(|name| format!("removes the {side} header {name}"));
    set.chain(add).chain(remove).collect()
}

fn redirect_of(Redirect { scheme, hostname, path, port, status }: &Redirect) -> String {
    let mut words = format!("redirects with {status}");
    let parts = [
        scheme.as_ref().map(|scheme| format!("scheme {scheme}")),
        hostname.as_ref().map(|hostname| format!("host {hostname}")),
        port.map(|port| format!("port {port}")),
        path.as_ref().map(rewrite),
    ];
    for (position, part) in parts.into_iter().flatten().enumerate() {
        words.push_str(if position == 0 { " to " } else { ", " });
        words.push_str(&part);
    }
    words
}

fn rewrite(rewrite: &PathRewrite) -> String {
    match rewrite {
        PathRewrite::Full(path) => format!("the path to {path}"),
        PathRewrite::Prefix(path) => format!("the matched prefix to {path}"),
    }
}

fn reference(backend: &Result<crate::model::PartKey, Cause>) -> String {
    match backend {
        Ok(key) => key.to_string(),
        Err(cause) => format!("nobody ({})", cause.word()),
    }
}

/// What holds for every request of the rule, whichever backend it goes to.
pub(super) fn policy_of_rule(rule: &Rule) -> Vec<String> {
    let timeouts = &rule.timeouts;
    let mut words = Vec::new();
    words.extend(timeouts.request.map(|time| format!("request timeout {time:?}")));
    words.extend(timeouts.backend_request.map(|time| format!("timeout of each try {time:?}")));
    words.extend(timeouts.stream_idle.map(|time| format!("stream idle timeout {time:?}")));
    words.push(match rule.retry.attempts {
        0 => "no retry".to_owned(),
        1 => "1 retry".to_owned(),
        n => format!("{n} retries"),
    });
    if !rule.retry.statuses.is_empty() {
        let statuses: Vec<String> = rule.retry.statuses.iter().map(ToString::to_string).collect();
        words.push(format!("on status {}", statuses.join(", ")));
    }
    words.extend(rule.session_persistence.as_ref().map(|session| {
        let by = if session.cookie.is_some() { "cookie" } else { "header" };
        format!("sessions by the {by} {}", session.name)
    }));
    words
}

/// Where a backend's policy isn't what holds without one.
pub(super) fn policy(policy: &BackendPolicy) -> Vec<String> {
    let standard = BackendPolicy::standard();
    let mut words = Vec::new();
    let mut unless = |same: bool, word: String| words.extend((!same).then_some(word));
    unless(
        policy.balance == standard.balance,
        match &policy.balance {
            Balance::LeastRequest => "least request".to_owned(),
            Balance::RoundRobin => "round robin".to_owned(),
            Balance::Random => "random".to_owned(),
            Balance::ConsistentHash(source) => match source {
                HashSource::ClientAddress => "by hash of the client's address".to_owned(),
                HashSource::Header(name) => format!("by hash of the header {name}"),
                HashSource::Cookie(name) => format!("by hash of the cookie {name}"),
                HashSource::Path => "by hash of the path".to_owned(),
            },
        },
    );
    let connect = policy.connect_timeout;
    unless(connect == standard.connect_timeout, format!("connect timeout {connect:?}"));
    let budget = &policy.retry_budget;
    let words_of_budget =
        format!("retry budget {} %, at least {}/s", budget.percent, budget.floor_per_second);
    unless(*budget == standard.retry_budget, words_of_budget);
    let ejection = match policy.ejection.consecutive_failures {
        0 => "no ejection".to_owned(),
        n => format!("ejects after {n} failures for {:?}", policy.ejection.base),
    };
    unless(policy.ejection == standard.ejection, ejection);
    let most = policy.max_requests;
    unless(most == standard.max_requests, format!("at most {most} requests at once"));
    let idle = policy.max_idle_per_endpoint;
    unless(idle == standard.max_idle_per_endpoint, format!("keeps {idle} idle connections"));
    let slow = policy.slow_start.map(|slow| format!("slow start over {:?}", slow.window));
    unless(slow.is_none(), slow.unwrap_or_default());
    let header = policy.proxy_protocol.map(|version| format!("PROXY protocol {version:?}"));
    unless(header.is_none(), header.unwrap_or_default());
    words
}

/// Why a listener isn't the one.
pub(super) fn not_here(why: NotHere, listener: &Listener) -> String {
    match why {
        NotHere::Port => format!("it is on port {}", port(listener)),
        NotHere::Tls => "it speaks TLS, and the request comes without".to_owned(),
        NotHere::NoTls => "it speaks no TLS".to_owned(),
        NotHere::Hostname => match &listener.hostname {
            Some(hostname) => format!("it is for {hostname}"),
            None => "it is for other hosts".to_owned(),
        },
        NotHere::LessSpecific => "another listener's hostname is more specific".to_owned(),
        NotHere::ServerName => {
            "the handshake was with another listener, by its server name".to_owned()
        }
        NotHere::NoCertificate => "it has no certificate to show".to_owned(),
    }
}

/// `8080`, or `80, here 8080` where it was moved.
pub(super) fn port(listener: &Listener) -> String {
    match (listener.port, listener.bind.port) {
        (port, here) if port == here => port.to_string(),
        (port, here) => format!("{port}, here {here}"),
    }
}

/// Why a match isn't the one.
pub(super) fn misses(near: &Near<'_>) -> Vec<String> {
    near.misses.iter().map(|miss| one_miss(miss, near)).collect()
}

fn one_miss(miss: &Miss<'_>, near: &Near<'_>) -> String {
    let rule = &near.rule.rule;
    match miss {
        Miss::Unattached => "no Gateway lets the route in: `meshctl check` says why".to_owned(),
        Miss::Listener => {
            let mut others: Vec<String> =
                rule.attachments.iter().map(|on| on.listener.to_string()).collect();
            others.dedup();
            format!("it is attached to {}", others.join(", "))
        }
        Miss::Hostname => {
            let hosts = rule.attachments.iter().filter_map(|on| on.hostname.as_ref());
            let mut hosts: Vec<String> = hosts.map(ToString::to_string).collect();
            hosts.sort();
            hosts.dedup();
            format!("it is for {}", hosts.join(", "))
        }
        Miss::Path => format!("it wants {}", path(&rule.matches[near.matched].path)),
        Miss::Method { wanted } => format!("it wants method {wanted}"),
        Miss::Header { name, wanted, has } => condition("header", name, *wanted, has.as_deref()),
        Miss::Query { name, wanted, has } => condition("query", name, *wanted, has.as_deref()),
        Miss::Later(reason) => format!("it would take the request, but {}", before(*reason)),
    }
}

fn condition(what: &str, name: &str, wanted: Wanted<'_>, has: Option<&str>) -> String {
    let sign = if matches!(wanted, Wanted::Exact(_)) { '=' } else { '~' };
    let wanted = unless_secret(name, wanted.text());
    match has {
        None => format!("it wants {what} {name} {sign} {wanted}, and the request has none"),
        Some(has) => {
            let has = unless_secret(name, has);
            format!("it wants {what} {name} {sign} {wanted}, and the request has {has}")
        }
    }
}

fn before(reason: Precedence) -> &'static str {
    match reason {
        Precedence::Hostname => "the other's hostname is more specific",
        Precedence::Path => "the other's path is more specific",
        Precedence::Method => "the other names the method",
        Precedence::Headers => "the other names more headers",
        Precedence::Query => "the other names more query parameters",
        Precedence::Age => "the other's route is older",
        Precedence::Name => "the other's route comes first by name",
        Precedence::Position => "the other stands above it",
    }
}
