//! Rules: where they hold, what they ask of a request, where it goes.

use std::time::Duration;

use super::check::{all, header_name, hostname, invalid, nanoseconds, path, regex, some, token};
use super::messages::{self, Value};
use super::numbers::Numbered;
use super::{WireError, filter, key};
use crate::limits;
use crate::model::{
    Attachment, HeaderMatch, Match, PartKind, PathMatch, QueryMatch, RetryPolicy, RouteProtocol,
    Rule, RuleOrder, SessionCookie, SessionPersistence, Timeouts, WeightedBackend,
};

pub(super) fn write(rule: &Rule) -> messages::Rule {
    let Rule {
        key,
        protocol,
        order: RuleOrder { created, namespace, name, rule },
        attachments,
        matches,
        filters,
        backends,
        timeouts: Timeouts { request, backend_request, stream_idle },
        retry: RetryPolicy { attempts, backoff, statuses, on_failure },
        session_persistence,
    } = rule;
    messages::Rule {
        key: Some(key::write(key)),
        protocol: protocol.number(),
        order: Some(messages::RuleOrder {
            created: *created,
            namespace: namespace.to_string(),
            name: name.to_string(),
            rule: *rule,
        }),
        attachments: attachments.iter().map(write_attachment).collect(),
        matches: matches.iter().map(write_match).collect(),
        filters: filters.iter().map(filter::write).collect(),
        backends: backends.iter().map(write_backend).collect(),
        timeouts: Some(messages::Timeouts {
            request: request.map(nanoseconds),
            backend_request: backend_request.map(nanoseconds),
            stream_idle: stream_idle.map(nanoseconds),
        }),
        retry: Some(messages::RetryPolicy {
            attempts: *attempts,
            backoff: backoff.map(nanoseconds),
            statuses: statuses.iter().copied().map(u32::from).collect(),
            on_failure: *on_failure,
        }),
        session_persistence: session_persistence.as_ref().map(write_session),
    }
}

pub(super) fn read(rule: messages::Rule) -> Result<Rule, WireError> {
    let messages::Rule {
        key,
        protocol,
        order,
        attachments,
        matches,
        filters,
        backends,
        timeouts,
        retry,
        session_persistence,
    } = rule;
    let messages::RuleOrder { created, namespace, name, rule } = some("order", order)?;
    let messages::Timeouts { request, backend_request, stream_idle } = some("timeouts", timeouts)?;
    if matches.is_empty() {
        return Err(WireError::Missing("match"));
    }
    if backends.len() > limits::BACKEND_REFS {
        return Err(invalid("list of backends", format!("{} are too many", backends.len())));
    }
    Ok(Rule {
        key: key::read_of(key, PartKind::Rule)?,
        protocol: RouteProtocol::from_number(protocol)?,
        order: RuleOrder { created, namespace: namespace.into(), name: name.into(), rule },
        attachments: all(attachments, read_attachment)?,
        matches: all(matches, read_match)?,
        filters: all(filters, filter::read)?,
        backends: all(backends, read_backend)?,
        timeouts: Timeouts {
            request: request.map(Duration::from_nanos),
            backend_request: backend_request.map(Duration::from_nanos),
            stream_idle: stream_idle.map(Duration::from_nanos),
        },
        retry: read_retry(some("retries", retry)?)?,
        session_persistence: session_persistence.map(read_session).transpose()?,
    })
}

fn write_attachment(attachment: &Attachment) -> messages::Attachment {
    let Attachment { listener, hostname } = attachment;
    messages::Attachment {
        listener: Some(key::write(listener)),
        hostname: hostname.as_ref().map(ToString::to_string),
    }
}

fn read_attachment(attachment: messages::Attachment) -> Result<Attachment, WireError> {
    let messages::Attachment { listener, hostname: host } = attachment;
    Ok(Attachment {
        listener: key::read_of(listener, PartKind::Listener)?,
        hostname: host.as_deref().map(hostname).transpose()?,
    })
}

fn write_match(one: &Match) -> messages::Match {
    let Match { path, method, headers, query } = one;
    let header = |header: &HeaderMatch| match header {
        HeaderMatch::Exact { name, value } => value_match(name, Value::Exact(value.to_string())),
        HeaderMatch::Regex { name, pattern } => {
            value_match(name, Value::Regex(pattern.as_str().to_owned()))
        }
    };
    let parameter = |parameter: &QueryMatch| match parameter {
        QueryMatch::Exact { name, value } => value_match(name, Value::Exact(value.to_string())),
        QueryMatch::Regex { name, pattern } => {
            value_match(name, Value::Regex(pattern.as_str().to_owned()))
        }
    };
    messages::Match {
        path: Some(match path {
            PathMatch::Exact(path) => messages::PathMatch::Exact(path.to_string()),
            PathMatch::Prefix(path) => messages::PathMatch::Prefix(path.to_string()),
            PathMatch::Regex(pattern) => messages::PathMatch::Regex(pattern.as_str().to_owned()),
        }),
        method: method.as_ref().map(ToString::to_string),
        headers: headers.iter().map(header).collect(),
        query: query.iter().map(parameter).collect(),
    }
}

fn value_match(name: &str, value: Value) -> messages::ValueMatch {
    messages::ValueMatch { name: name.to_owned(), value: Some(value) }
}

fn read_match(one: messages::Match) -> Result<Match, WireError> {
    let messages::Match { path, method, headers, query } = one;
    let header = |one: messages::ValueMatch| {
        let messages::ValueMatch { name, value } = one;
        let name = header_name(&name)?;
        Ok(match some("value of a header", value)? {
            Value::Exact(value) => HeaderMatch::Exact { name, value: value.into() },
            Value::Regex(text) => HeaderMatch::Regex { name, pattern: regex(&text)? },
        })
    };
    let parameter = |one: messages::ValueMatch| {
        let messages::ValueMatch { name, value } = one;
        if name.is_empty() {
            return Err(WireError::Missing("name of a query parameter"));
        }
        let name = name.into();
        Ok(match some("value of a query parameter", value)? {
            Value::Exact(value) => QueryMatch::Exact { name, value: value.into() },
            Value::Regex(text) => QueryMatch::Regex { name, pattern: regex(&text)? },
        })
    };
    Ok(Match {
        path: read_path(some("path", path)?)?,
        method: method.as_deref().map(|method| token("method", method)).transpose()?,
        headers: all(headers, header)?,
        query: all(query, parameter)?,
    })
}

fn read_path(written: messages::PathMatch) -> Result<PathMatch, WireError> {
    Ok(match written {
        messages::PathMatch::Exact(text) => PathMatch::Exact(path(&text)?),
        messages::PathMatch::Prefix(text) if text.is_empty() => PathMatch::Prefix("".into()),
        messages::PathMatch::Prefix(text) if text.ends_with('/') => {
            return Err(invalid("prefix", format!("`{text}` ends with `/`")));
        }
        messages::PathMatch::Prefix(text) => PathMatch::Prefix(path(&text)?),
        messages::PathMatch::Regex(text) => PathMatch::Regex(regex(&text)?),
    })
}

fn write_backend(backend: &WeightedBackend) -> messages::WeightedBackend {
    let WeightedBackend { weight, backend, filters } = backend;
    messages::WeightedBackend {
        weight: *weight,
        backend: Some(key::write_reference(backend)),
        filters: filters.iter().map(filter::write).collect(),
    }
}

fn read_backend(backend: messages::WeightedBackend) -> Result<WeightedBackend, WireError> {
    let messages::WeightedBackend { weight, backend, filters } = backend;
    if weight > limits::WEIGHT {
        return Err(invalid("weight", format!("{weight} is above {}", limits::WEIGHT)));
    }
    Ok(WeightedBackend {
        weight,
        backend: key::read_reference(some("backend", backend)?, PartKind::Backend)?,
        filters: all(filters, filter::read)?,
    })
}

fn read_retry(retry: messages::RetryPolicy) -> Result<RetryPolicy, WireError> {
    let messages::RetryPolicy { attempts, backoff, statuses, on_failure } = retry;
    if attempts > limits::RETRY_ATTEMPTS {
        return Err(invalid("number of retries", attempts.to_string()));
    }
    let status = |number: u32| {
        let status = u16::try_from(number).ok().filter(|status| (400..=599).contains(status));
        status.ok_or_else(|| invalid("status to try again", number.to_string()))
    };
    Ok(RetryPolicy {
        attempts,
        backoff: backoff.map(Duration::from_nanos),
        statuses: all(statuses, status)?,
        on_failure,
    })
}

fn write_session(session: &SessionPersistence) -> messages::SessionPersistence {
    let SessionPersistence { name, cookie, absolute_timeout, idle_timeout } = session;
    messages::SessionPersistence {
        name: name.to_string(),
        permanent_cookie: cookie.as_ref().map(|SessionCookie { permanent }| *permanent),
        absolute_timeout: absolute_timeout.map(nanoseconds),
        idle_timeout: idle_timeout.map(nanoseconds),
    }
}

fn read_session(session: messages::SessionPersistence) -> Result<SessionPersistence, WireError> {
    let messages::SessionPersistence { name, permanent_cookie, absolute_timeout, idle_timeout } =
        session;
    Ok(SessionPersistence {
        name: token("name of a session", &name)?,
        cookie: permanent_cookie.map(|permanent| SessionCookie { permanent }),
        absolute_timeout: absolute_timeout.map(Duration::from_nanos),
        idle_timeout: idle_timeout.map(Duration::from_nanos),
    })
}
