//! `match` of a VirtualService's HTTP route.

use super::order::{Condition, Match};
use crate::convert::ledger::Cursor;
use crate::convert::written::escaped;
use crate::model::pattern;

/// A match, and whether its path was a prefix; `None` where it can't be said, which was reported:
/// a match with one condition less would match too much.
pub(super) fn read(cursor: &Cursor<'_>) -> Option<Match> {
    let mut found = Match::default();
    let mut said = true;
    cursor.get("name").inspect(Cursor::take);
    if let Some(uri) = cursor.get("uri") {
        match path(&uri) {
            Some(path) => {
                found.path = Some(path).filter(|path| *path != ("PathPrefix", "/".to_owned()))
            }
            None => said = false,
        }
    }
    if let Some(case) = cursor.get("ignoreUriCase")
        && case.boolean() == Some(true)
    {
        let path = found.path.take();
        found.path = path.map(|(kind, value)| match kind {
            "RegularExpression" => (kind, format!("(?i){value}")),
            "Exact" => ("RegularExpression", format!("(?i){}", escaped(&value))),
            _ => {
                ("RegularExpression", format!("(?i){}(/.*)?", escaped(value.trim_end_matches('/'))))
            }
        });
    }
    if let Some(method) = cursor.get("method") {
        match method.get("exact").and_then(|exact| exact.text()) {
            Some(exact) => found.method = Some(exact.to_owned()),
            None => said = refuse(&method, "a method is matched as a whole"),
        }
    }
    for (name, condition) in cursor.get("headers").map(|all| all.entries()).unwrap_or_default() {
        match condition_of(name, &condition) {
            Some(one) => found.headers.push(one),
            None => said = false,
        }
    }
    for (name, condition) in cursor.get("queryParams").map(|all| all.entries()).unwrap_or_default()
    {
        match condition_of(name, &condition) {
            Some(one) => found.query.push(one),
            None => said = false,
        }
    }
    const UNKNOWN: [(&str, &str); 7] = [
        ("withoutHeaders", "a header that is not there can't be asked for"),
        ("authority", "hosts are the whole route's"),
        ("scheme", "listeners know whether it is http or https"),
        ("port", "ports are those of listeners"),
        ("sourceLabels", "callers are not known by their labels"),
        ("sourceNamespace", "callers are not known by their namespace"),
        ("gateways", "Gateways are the whole route's"),
    ];
    for (field, why) in UNKNOWN {
        if let Some(condition) = cursor.get(field) {
            said = refuse(&condition, why);
        }
    }
    if !said {
        cursor.take();
    }
    said.then_some(found)
}

fn refuse(cursor: &Cursor<'_>, why: &str) -> bool {
    let help = "the match is left out: its requests go to another rule, or to none";
    cursor.lost(why, help);
    false
}

fn path(uri: &Cursor<'_>) -> Option<(&'static str, String)> {
    let plain = |text: &str| {
        let bytes =
            text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-/._~!$&'()*+,;=:@%".contains(&b));
        bytes
            && text.starts_with('/')
            && !["//", "/./", "/../"].iter().any(|odd| text.contains(odd))
    };
    if let Some(exact) = uri.get("exact") {
        let text = exact.text()?;
        return plain(text).then(|| ("Exact", text.to_owned())).or_else(|| {
            refuse(&exact, "this is not a path that can be matched");
            None
        });
    }
    if let Some(regex) = uri.get("regex") {
        return expression(&regex).map(|text| ("RegularExpression", text));
    }
    let Some(prefix) = uri.get("prefix") else {
        refuse(uri, "a path is `exact`, a `prefix` or a `regex`");
        return None;
    };
    let text = prefix.text()?;
    if !plain(text) {
        refuse(&prefix, "this is not a path that can be matched");
        return None;
    }
    if !text.ends_with('/') {
        prefix.differs(
            format!("`{text}` matched longer names as well, as of `/shopping` for `/shop`"),
            "here a prefix ends at a `/`, and `/shop/` is the same prefix as `/shop`",
        );
    }
    Some(("PathPrefix", text.to_owned()))
}

/// An expression that can be used here: Istio's and ours are RE2's, about the whole text.
fn expression(cursor: &Cursor<'_>) -> Option<String> {
    let text = cursor.text()?;
    match pattern::read(text) {
        Ok(_) => Some(text.to_owned()),
        Err(why) => {
            refuse(cursor, &format!("the expression can't be used here: {why}"));
            None
        }
    }
}

fn condition_of(name: &str, cursor: &Cursor<'_>) -> Option<Condition> {
    if name.starts_with(':') {
        refuse(cursor, "method, path and host are no headers here");
        return None;
    }
    let (kind, value) = if cursor.is_empty() {
        // It is there, whatever it says.
        ("RegularExpression", ".*".to_owned())
    } else if let Some(exact) = cursor.get("exact") {
        ("Exact", exact.text()?.to_owned())
    } else if let Some(prefix) = cursor.get("prefix") {
        ("RegularExpression", format!("{}.*", escaped(prefix.text()?)))
    } else if let Some(regex) = cursor.get("regex") {
        ("RegularExpression", expression(&regex)?)
    } else {
        refuse(cursor, "a condition is `exact`, a `prefix` or a `regex`");
        return None;
    };
    if value.is_empty() {
        refuse(cursor, "an empty value can't be matched");
        return None;
    }
    Some((kind, name.to_owned(), value))
}
