//! What an HTTP route of a VirtualService does with the requests that it matches.

use serde_json::{Value, json};

use super::super::destinations::Destinations;
use super::closed;
use crate::config::duration;
use crate::convert::ledger::Cursor;
use crate::convert::made::{Made, push};
use crate::convert::written::escaped;
use crate::limits;

/// A rule without matches and without the rewrite of its path.
pub(super) fn read(
    http: &Cursor<'_>,
    namespace: Option<&str>,
    destinations: &mut Destinations<'_>,
    made: &mut Made,
) -> Value {
    let mut rule = json!({});
    headers(http, &mut rule);
    if let Some(host) = http.get("rewrite").and_then(|rewrite| rewrite.text_of("authority")) {
        rewrite(&mut rule, "hostname", host.to_ascii_lowercase().into());
    }
    mirrors(http, namespace, destinations, made, &mut rule);
    if let Some(cors) = http.get("corsPolicy").and_then(|cors| cors_of(&cors)) {
        push(&mut rule, "filters", json!({"type": "CORS", "cors": cors}));
    }
    if let Some(redirect) = http.get("redirect") {
        let filter = json!({"type": "RequestRedirect", "requestRedirect": redirect_of(&redirect)});
        push(&mut rule, "filters", filter);
        if let Some(filters) = rule["filters"].as_array_mut() {
            filters.retain(|filter| filter["type"] != "URLRewrite");
        }
        return rule;
    }
    for (field, why) in [
        ("directResponse", "no answer is made here"),
        ("delegate", "a VirtualService that others take rules from is not read"),
    ] {
        if let Some(cursor) = http.get(field) {
            cursor.lost(why, "write the rule by hand; its requests are answered with 500");
            return closed();
        }
    }
    http.get("name").inspect(Cursor::take);
    backends(http, namespace, destinations, made, &mut rule);
    times(http, &mut rule);
    rule
}

/// A piece of the rule's one URLRewrite.
pub(super) fn rewrite(rule: &mut Value, field: &str, value: Value) {
    let filters = rule["filters"].as_array_mut();
    let found =
        filters.and_then(|filters| filters.iter_mut().find(|one| one["type"] == "URLRewrite"));
    match found {
        Some(filter) => filter["urlRewrite"][field] = value,
        None => push(rule, "filters", json!({"type": "URLRewrite", "urlRewrite": {field: value}})),
    }
}

fn backends(
    http: &Cursor<'_>,
    namespace: Option<&str>,
    destinations: &mut Destinations<'_>,
    made: &mut Made,
    rule: &mut Value,
) {
    let routes = http.list("route");
    let several = routes.len() > 1;
    if routes.len() > limits::BACKEND_REFS {
        http.lost(format!("a rule has {} backends", limits::BACKEND_REFS), "divide it");
    }
    let mut references = Vec::new();
    for route in routes.iter().take(limits::BACKEND_REFS) {
        let weight = route.get("weight").and_then(|weight| weight.number());
        let Some(destination) = route.get("destination") else {
            route.unreadable("a route without a destination", "write `destination`");
            continue;
        };
        let Some(mut reference) = destinations.reference(&destination, namespace, made) else {
            route.take();
            continue;
        };
        if several {
            reference["weight"] = weight.unwrap_or(0).into();
        }
        headers(route, &mut reference);
        references.push(reference);
    }
    if !references.is_empty() {
        rule["backendRefs"] = references.into();
    }
}

/// `headers.request` and `headers.response`, of a rule or of a destination.
fn headers(owner: &Cursor<'_>, object: &mut Value) {
    let Some(headers) = owner.get("headers") else { return };
    for (side, kind, member) in [
        ("request", "RequestHeaderModifier", "requestHeaderModifier"),
        ("response", "ResponseHeaderModifier", "responseHeaderModifier"),
    ] {
        let Some(edit) = headers.get(side) else { continue };
        let mut modifier = json!({});
        for operation in ["set", "add"] {
            for (name, value) in edit.get(operation).map(|all| all.entries()).unwrap_or_default() {
                let Some(text) = value.text() else { continue };
                if text.contains('%') {
                    value.lost(
                        "what Envoy fills in between `%` is not filled in here",
                        "write the text itself",
                    );
                } else if operation == "set" && name.eq_ignore_ascii_case("host") {
                    rewrite(object, "hostname", text.to_ascii_lowercase().into());
                } else {
                    push(&mut modifier, operation, json!({"name": name, "value": text}));
                }
            }
        }
        let removed: Vec<&str> =
            edit.list("remove").iter().filter_map(|name| name.text()).collect();
        if !removed.is_empty() {
            modifier["remove"] = json!(removed);
        }
        if modifier.as_object().is_some_and(|map| !map.is_empty()) {
            push(object, "filters", json!({"type": kind, member: modifier}));
        }
    }
}

fn mirrors(
    http: &Cursor<'_>,
    namespace: Option<&str>,
    destinations: &mut Destinations<'_>,
    made: &mut Made,
    rule: &mut Value,
) {
    let mut copies = Vec::new();
    if let Some(mirror) = http.get("mirror") {
        let percent = http.get("mirrorPercentage").and_then(|one| one.get("value"));
        let percent = percent.and_then(|value| value.float());
        let old = ["mirrorPercent", "mirror_percent"].iter().find_map(|field| http.get(field));
        #[expect(clippy::cast_precision_loss, reason = "percentages are small")]
        let old = old.and_then(|value| value.number()).map(|value| value as f64);
        copies.push((mirror, percent.or(old)));
    }
    for mirror in http.list("mirrors") {
        let percent = mirror.get("percentage").and_then(|one| one.get("value"));
        let percent = percent.and_then(|value| value.float());
        copies.extend(mirror.get("destination").map(|destination| (destination, percent)));
    }
    for (destination, percent) in copies {
        let Some(reference) = destinations.reference(&destination, namespace, made) else {
            continue;
        };
        let mut mirror = json!({"backendRef": reference});
        match percent {
            None => {}
            Some(percent) if percent.fract() == 0.0 && (0.0..=100.0).contains(&percent) => {
                mirror["percent"] = json!(percent.round() as i64);
            }
            Some(percent) => {
                let parts = (percent.clamp(0.0, 100.0) * 10_000.0).round();
                mirror["fraction"] = json!({"numerator": parts as i64, "denominator": 1_000_000});
            }
        }
        push(rule, "filters", json!({"type": "RequestMirror", "requestMirror": mirror}));
    }
}

fn redirect_of(redirect: &Cursor<'_>) -> Value {
    let mut found = json!({});
    if let Some(scheme) = redirect.text_of("scheme") {
        found["scheme"] = scheme.into();
    }
    if let Some(authority) = redirect.text_of("authority") {
        let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
        found["hostname"] = host.to_ascii_lowercase().into();
        if let Ok(port) = port.parse::<u16>() {
            found["port"] = port.into();
        }
    }
    if let Some(port) = redirect.port_of("port") {
        found["port"] = port.into();
    }
    if let Some(uri) = redirect.get("uri")
        && let Some(text) = uri.text()
    {
        if text.contains('%') || !text.starts_with('/') {
            uri.lost(
                "pieces of the old path can't stand in a redirect",
                "use a `path` of type ReplacePrefixMatch",
            );
        } else {
            found["path"] = json!({"type": "ReplaceFullPath", "replaceFullPath": text});
        }
    }
    let code = redirect.get("redirectCode").and_then(|code| Some((code.clone(), code.number()?)));
    match code {
        Some((cursor, code)) if ![301, 302, 303, 307, 308].contains(&code) => {
            cursor.lost(format!("a redirect can't have status {code}"), "it has 302");
        }
        Some((_, code)) => found["statusCode"] = code.into(),
        // Istio's default; the Gateway API's is 302.
        None => found["statusCode"] = 301.into(),
    }
    found
}

/// A duration as Go writes it.
fn time(cursor: &Cursor<'_>) -> Option<String> {
    let text = cursor.text()?;
    let millis = go_duration(text);
    if millis.is_none() {
        cursor.unreadable(format!("`{text}` is not a duration"), "write it as in `1s` or `1m30s`");
    }
    millis.map(crate::convert::written::duration)
}

/// `1.5s`, `1h30m`: in milliseconds.
pub(in crate::convert::istio) fn go_duration(text: &str) -> Option<u64> {
    if let Ok(found) = duration::parse(text) {
        return u64::try_from(found.as_millis()).ok();
    }
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let units =
            rest[digits..].find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len() - digits);
        let factor = match &rest[digits..digits + units] {
            "h" => 3_600_000.0,
            "m" => 60_000.0,
            "s" => 1_000.0,
            "ms" => 1.0,
            _ => return None,
        };
        total += number * factor;
        rest = &rest[digits + units..];
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "no sign is read, and what is too large saturates"
    )]
    (!text.is_empty()).then_some(total.round() as u64)
}

fn times(http: &Cursor<'_>, rule: &mut Value) {
    let request = http.get("timeout").and_then(|timeout| time(&timeout));
    if let Some(timeout) = &request {
        rule["timeouts"]["request"] = timeout.as_str().into();
    }
    let Some(retries) = http.get("retries") else { return };
    let mut retry = json!({});
    if let Some(cursor) = retries.get("attempts") {
        match cursor.number() {
            Some(0) => {
                cursor.lost(
                    "a second try can't be forbidden for one route",
                    "what was not sent is tried once more, on another endpoint; a TrafficPolicy with `retryBudget` of 0 forbids it",
                );
            }
            Some(attempts) => {
                retry["attempts"] = attempts.clamp(1, limits::RETRY_ATTEMPTS.into()).into()
            }
            None => {}
        }
    }
    if let Some(cursor) = retries.get("retryOn") {
        let codes = codes_of(&cursor);
        if !codes.is_empty() {
            retry["codes"] = json!(codes);
        }
    }
    if let Some(backoff) = retries.get("backoff").and_then(|backoff| time(&backoff)) {
        retry["backoff"] = backoff.into();
    }
    if let Some(cursor) = retries.get("perTryTimeout")
        && let Some(each) = time(&cursor)
    {
        let millis = |text: &String| go_duration(text).unwrap_or(0);
        match &request {
            Some(whole) if millis(whole) > 0 && millis(&each) > millis(whole) => {
                cursor
                    .differs("one try is not longer than all of them", "`timeout` holds for both");
            }
            _ => rule["timeouts"]["backendRequest"] = each.into(),
        }
    }
    if retry.as_object().is_some_and(|map| !map.is_empty()) {
        rule["retry"] = retry;
    }
}

/// The statuses of `retryOn`. What failed before it was answered is tried again in any case.
fn codes_of(cursor: &Cursor<'_>) -> Vec<u16> {
    let Some(text) = cursor.text() else { return Vec::new() };
    let mut codes: Vec<u16> = Vec::new();
    for word in text.split(',').map(str::trim) {
        match word {
            "connect-failure"
            | "refused-stream"
            | "reset"
            | "reset-before-request"
            | "unavailable"
            | "cancelled"
            | "deadline-exceeded"
            | "internal"
            | "resource-exhausted" => {}
            "gateway-error" => codes.extend([502, 503, 504]),
            "5xx" => codes.extend([500, 502, 503, 504]),
            "retriable-4xx" => codes.push(409),
            word => match word.parse() {
                Ok(code @ 400..=599) => codes.push(code),
                _ => cursor
                    .lost(format!("`{word}` is no reason for another try here"), "write statuses"),
            },
        }
    }
    codes.sort_unstable();
    codes.dedup();
    codes
}

fn cors_of(cors: &Cursor<'_>) -> Option<Value> {
    let mut origins: Vec<String> = Vec::new();
    for origin in cors.list("allowOrigins") {
        if let Some(exact) = origin.get("exact").and_then(|exact| exact.text()) {
            origins.push(exact.to_owned());
        } else if let Some(regex) = origin.get("regex").and_then(|regex| regex.text()) {
            match wildcard(regex) {
                Some(origin) => origins.push(origin),
                None => {
                    origin.lost("origins are no expressions here", "write `https://*.example.com`")
                }
            }
        } else {
            origin.lost("an origin is not matched by its beginning", "write it as a whole");
        }
    }
    origins.extend(cors.list("allowOrigin").iter().filter_map(|one| Some(one.text()?.to_owned())));
    if origins.is_empty() {
        cors.lost("no origin is left that may ask", "write `allowOrigins`");
        return None;
    }
    if origins.iter().any(|origin| origin == "*") {
        origins = vec!["*".to_owned()];
    }
    let mut found = json!({"allowOrigins": origins});
    for field in ["allowMethods", "allowHeaders", "exposeHeaders"] {
        let texts: Vec<&str> = cors.list(field).iter().filter_map(|one| one.text()).collect();
        if !texts.is_empty() {
            found[field] = json!(texts);
        }
    }
    if let Some(true) = cors.get("allowCredentials").and_then(|one| one.boolean()) {
        found["allowCredentials"] = true.into();
    }
    if let Some(age) = cors.get("maxAge").and_then(|age| go_duration(age.text()?)) {
        found["maxAge"] = (age / 1000).max(1).into();
    }
    Some(found)
}

/// `https://.*\.example\.com` as `https://*.example.com`.
fn wildcard(regex: &str) -> Option<String> {
    let (scheme, rest) = regex.trim_start_matches('^').trim_end_matches('$').split_once("://")?;
    let parent = rest.strip_prefix(".*\\.").or_else(|| rest.strip_prefix(".+\\."))?;
    let plain = parent.replace("\\.", ".");
    let same = escaped(&plain).replace("\\-", "-") == parent || plain == parent;
    (same && !plain.contains(['*', '(', '[', '\\'])).then(|| format!("{scheme}://*.{plain}"))
}
