//! The conditions of an HTTPRoute's rules. A match that is not valid takes its whole rule along:
//! a rule with one condition less would match too much.

use std::collections::BTreeSet;

use super::view::View;
use super::{codes, pattern};
use crate::config::raw::{At, HttpMatch, Object, ValueMatch};
use crate::model::{HeaderMatch, Match, Name, PathMatch, QueryMatch};

/// What holds when no match is written.
pub(super) fn everything() -> Match {
    Match {
        path: PathMatch::Prefix("".into()),
        method: None,
        headers: Vec::new(),
        query: Vec::new(),
    }
}

/// The rule's matches, never none. `None` when one of them is not valid: reported.
pub(super) fn http(
    view: &mut View<'_>,
    object: &Object,
    written: &[HttpMatch],
) -> Option<Vec<Match>> {
    if written.is_empty() {
        return Some(vec![everything()]);
    }
    // All are looked at, so that all mistakes are told in one pass.
    let matches: Vec<_> = written.iter().map(|one| http_match(view, object, one)).collect();
    matches.into_iter().collect()
}

fn http_match(view: &mut View<'_>, object: &Object, written: &HttpMatch) -> Option<Match> {
    let path = match &written.path {
        Some((kind, value)) => path(view, object, kind, value),
        None => Some(everything().path),
    };
    let method = match &written.method {
        Some(method) if !is_token(&method.value) => {
            let message = format!("`{}` is not a method", method.value);
            view.error(object, codes::BAD_MATCH, method, message);
            None
        }
        method => Some(method.as_ref().map(|method| method.value.clone())),
    };
    let headers = headers(view, object, &written.headers);
    let query = query(view, object, &written.query_params);
    Some(Match { path: path?, method: method?, headers: headers?, query: query? })
}

fn path(
    view: &mut View<'_>,
    object: &Object,
    kind: &At<Name>,
    value: &At<Name>,
) -> Option<PathMatch> {
    let plain = match &*kind.value {
        "Exact" | "PathPrefix" => check_path(&value.value),
        "RegularExpression" => {
            return pattern::checked(view, object, value).map(PathMatch::Regex);
        }
        other => {
            let message = format!("`{other}` is no kind of path match");
            view.error(object, codes::BAD_MATCH, kind, message)
                .help("use Exact, PathPrefix or RegularExpression");
            return None;
        }
    };
    if let Err(why) = plain {
        let message = format!("path `{}` can't be matched: {why}", value.value);
        view.error(object, codes::BAD_MATCH, value, message);
        return None;
    }
    Some(if &*kind.value == "Exact" {
        PathMatch::Exact(value.value.clone())
    } else {
        PathMatch::Prefix(value.value.strip_suffix('/').unwrap_or(&value.value).into())
    })
}

/// What the Gateway API demands of exact paths and prefixes. A path that normalisation would
/// change could never match.
fn check_path(path: &str) -> Result<(), &'static str> {
    if !path.starts_with('/') {
        return Err("it does not start with `/`");
    }
    if path.contains("//") {
        return Err("it has two `/` in a row");
    }
    if path.split('/').any(|segment| segment == "." || segment == "..") {
        return Err("`.` and `..` are resolved before routing");
    }
    let lower = path.to_ascii_lowercase();
    if lower.contains("%2f") || lower.contains("%00") || lower.contains("%5c") {
        return Err("`%2f`, `%5c` and `%00` are never matched");
    }
    if path.contains(['#', '?']) {
        return Err("query and fragment are no part of a path");
    }
    if !path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
        return Err("it holds a character that a path can't have; write it percent-encoded");
    }
    Ok(())
}

/// Names are folded; of several conditions on one name only the first counts (Gateway API).
pub(super) fn headers(
    view: &mut View<'_>,
    object: &Object,
    written: &[ValueMatch],
) -> Option<Vec<HeaderMatch>> {
    let name = |view: &mut View<'_>, one: &ValueMatch| {
        let name: Name = one.name.value.to_ascii_lowercase().into();
        if is_token(&name) {
            return Some(name);
        }
        let message = format!("`{}` is not a header name", one.name.value);
        view.error(object, codes::BAD_MATCH, &one.name, message);
        None
    };
    conditions(view, object, written, name, |name, value| match value {
        Value::Exact(value) => HeaderMatch::Exact { name, value },
        Value::Regex(pattern) => HeaderMatch::Regex { name, pattern },
    })
}

fn query(view: &mut View<'_>, object: &Object, written: &[ValueMatch]) -> Option<Vec<QueryMatch>> {
    let name = |view: &mut View<'_>, one: &ValueMatch| {
        let name = one.name.value.clone();
        if !name.is_empty() {
            return Some(name);
        }
        view.error(object, codes::BAD_MATCH, &one.name, "a query parameter needs a name");
        None
    };
    conditions(view, object, written, name, |name, value| match value {
        Value::Exact(value) => QueryMatch::Exact { name, value },
        Value::Regex(pattern) => QueryMatch::Regex { name, pattern },
    })
}

/// One condition per name, the first; `None` when one isn't valid.
fn conditions<T>(
    view: &mut View<'_>,
    object: &Object,
    written: &[ValueMatch],
    name: impl Fn(&mut View<'_>, &ValueMatch) -> Option<Name>,
    condition: impl Fn(Name, Value) -> T,
) -> Option<Vec<T>> {
    let mut seen = BTreeSet::new();
    let mut matches = Some(Vec::new());
    for one in written {
        let Some(name) = name(view, one) else {
            matches = None;
            continue;
        };
        if !seen.insert(name.clone()) {
            told_twice(view, object, one);
            continue;
        }
        let valid = value_match(view, object, one).map(|value| condition(name, value));
        matches = push(matches, valid);
    }
    matches
}

fn push<T>(list: Option<Vec<T>>, item: Option<T>) -> Option<Vec<T>> {
    let mut list = list?;
    list.push(item?);
    Some(list)
}

fn told_twice(view: &mut View<'_>, object: &Object, one: &ValueMatch) {
    let message = format!("`{}` is matched above: this condition does not count", one.name.value);
    view.warning(object, codes::BAD_MATCH, &one.name, message);
}

enum Value {
    Exact(Name),
    Regex(crate::model::Pattern),
}

fn value_match(view: &mut View<'_>, object: &Object, one: &ValueMatch) -> Option<Value> {
    match &*one.kind.value {
        "Exact" => Some(Value::Exact(one.value.value.clone())),
        "RegularExpression" => pattern::checked(view, object, &one.value).map(Value::Regex),
        other => {
            let message = format!("`{other}` is no kind of match");
            view.error(object, codes::BAD_MATCH, &one.kind, message)
                .help("use Exact or RegularExpression");
            None
        }
    }
}

/// A token of RFC 9110 §5.6.2: methods, header and cookie names.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
