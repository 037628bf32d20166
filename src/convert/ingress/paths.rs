//! Paths of an Ingress, as ingress-nginx understands them, into matches and rewrites.

use serde_json::{Value, json};

use crate::model::pattern;

#[cfg(test)]
mod tests;

/// What a path becomes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Translated {
    /// (type, value) of an HTTPRoute's path match.
    pub(super) kind: &'static str,
    pub(super) value: String,
    /// The `path` of a URLRewrite.
    pub(super) rewrite: Option<Value>,
    /// What the match does otherwise than nginx did.
    pub(super) differs: Option<String>,
}

/// How the rest of a path is written behind a literal prefix: the text, the group that holds the
/// rest, and what a prefix that ends at a `/` does otherwise.
const TAILS: &[(&str, Option<u8>, Option<&str>)] = &[
    ("(/|$)(.*)", Some(2), None),
    ("(/|$)", None, None),
    ("(/.*)?", Some(1), None),
    ("/(.*)", Some(1), Some("it did not match the prefix itself, without a `/` behind it")),
    ("/.*", None, Some("it did not match the prefix itself, without a `/` behind it")),
    ("/?(.*)", Some(1), Some("it matched longer names as well, as of `/shopping` for `/shop`")),
    ("(.*)", Some(1), Some("it matched longer names as well, as of `/shopping` for `/shop`")),
    (".*", None, Some("it matched longer names as well, as of `/shopping` for `/shop`")),
];

/// `regex`: ingress-nginx takes the paths for expressions, because of `use-regex` or of a rewrite.
/// The error says why there is no such match.
pub(super) fn translate(
    path: &str,
    path_type: &str,
    rewrite: Option<&str>,
    regex: bool,
) -> Result<Translated, String> {
    if path_type == "Exact" && rewrite.is_none_or(|rewrite| !rewrite.contains('$')) {
        let kind = "Exact";
        return plain(path, kind, rewrite.map(full), None);
    }
    if !regex && rewrite.is_none() {
        let string_prefix = path_type != "Prefix" && !path.ends_with('/');
        let differs = string_prefix.then(|| longer(path));
        return plain(path, "PathPrefix", None, differs);
    }
    if let Some(found) = TAILS.iter().find_map(|tail| with_tail(path, rewrite, tail)) {
        return found;
    }
    match (rewrite, literal(path)) {
        (rewrite, Some(literal)) => {
            let differs = (!literal.ends_with('/')).then(|| longer(&literal));
            let rewrite = rewrite.map(|rewrite| full(&without_groups(rewrite)));
            plain(&literal, "PathPrefix", rewrite, differs)
        }
        (Some(rewrite), None) if rewrite.contains('$') => Err(format!(
            "the rewrite to `{rewrite}` takes pieces of `{path}` that are no prefix of it"
        )),
        (rewrite, None) => expression(path, rewrite),
    }
}

fn with_tail(
    path: &str,
    rewrite: Option<&str>,
    (tail, rest, differs): &(&str, Option<u8>, Option<&str>),
) -> Option<Result<Translated, String>> {
    let literal = literal(path.strip_suffix(tail)?)?;
    let prefix = if literal.is_empty() { "/" } else { &literal };
    let modifier = match rewrite {
        None => None,
        Some(rewrite) if !rewrite.contains('$') => Some(full(rewrite)),
        Some(rewrite) => {
            let group = format!("${}", (*rest)?);
            let new = rewrite.strip_suffix(&group).filter(|new| !new.contains('$'))?;
            let new = if new.is_empty() { "/" } else { new };
            let same = new.trim_end_matches('/') == prefix.trim_end_matches('/');
            let value = if new.len() > 1 { new.trim_end_matches('/') } else { new };
            (!same).then(|| json!({"type": "ReplacePrefixMatch", "replacePrefixMatch": value}))
        }
    };
    // Behind the prefix `/` there is no longer name.
    let differs = differs
        .filter(|_| prefix != "/")
        .map(|how| format!("`{path}` {}", how.trim_start_matches("it ")));
    Some(plain(prefix, "PathPrefix", modifier, differs))
}

/// Groups that the path doesn't have were nothing to nginx.
fn without_groups(rewrite: &str) -> String {
    let mut text = String::with_capacity(rewrite.len());
    let mut rest = rewrite.chars().peekable();
    while let Some(c) = rest.next() {
        if c == '$' && rest.peek().is_some_and(char::is_ascii_digit) {
            rest.next();
        } else {
            text.push(c);
        }
    }
    text
}

fn full(path: &str) -> Value {
    json!({"type": "ReplaceFullPath", "replaceFullPath": path})
}

fn longer(path: &str) -> String {
    format!("`{path}` matched longer names as well, as of `/shopping` for `/shop`")
}

/// A path that is compared as it stands.
fn plain(
    path: &str,
    kind: &'static str,
    rewrite: Option<Value>,
    differs: Option<String>,
) -> Result<Translated, String> {
    let lower = path.to_ascii_lowercase();
    let odd = ["//", "/./", "/../", "%2f", "%5c", "%00", "#", "?"];
    let bytes =
        path.bytes().all(|b| b.is_ascii_alphanumeric() || b"-/._~!$&'()*+,;=:@%".contains(&b));
    if !path.starts_with('/') || !bytes || odd.iter().any(|part| lower.contains(part)) {
        return Err(format!("`{path}` is not a path that can be matched"));
    }
    Ok(Translated { kind, value: path.to_owned(), rewrite, differs })
}

/// The expression's text, if it stands for itself alone.
fn literal(expression: &str) -> Option<String> {
    let text = expression.strip_prefix('^').unwrap_or(expression).replace("\\.", ".");
    let text = text.replace("\\-", "-").replace("\\/", "/");
    let stands = |b: u8| b.is_ascii_alphanumeric() || b"/-_.~%".contains(&b);
    text.bytes().all(stands).then_some(text)
}

/// nginx anchors the beginning and no end, and doesn't look at case.
fn expression(path: &str, rewrite: Option<&str>) -> Result<Translated, String> {
    let text = path.strip_prefix('^').unwrap_or(path);
    let value = match text.strip_suffix('$') {
        Some(whole) => format!("(?i){whole}"),
        None if text.ends_with(".*") => format!("(?i){text}"),
        None => format!("(?i){text}.*"),
    };
    match pattern::read(&value) {
        Ok(_) => {
            let rewrite = rewrite.map(full);
            Ok(Translated { kind: "RegularExpression", value, rewrite, differs: None })
        }
        Err(why) => Err(format!("`{path}` is no expression that can be used here: {why}")),
    }
}
