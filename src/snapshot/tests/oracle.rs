//! The Gateway API's text, read literally: all matches of all rules that are attached to the
//! listener, those that hold, sorted by precedence, the first.

use std::cmp::Reverse;
use std::sync::Mutex;

use super::*;

type Place<'a> = (&'a Rule, usize, Option<&'a Hostname>);

pub(super) fn find<'a>(
    rules: impl IntoIterator<Item = &'a Rule>,
    listener: &PartKey,
    request: &Asked,
) -> Option<(PartKey, usize)> {
    let mut holding: Vec<Place<'_>> = Vec::new();
    for rule in rules {
        for attachment in rule.attachments.iter().filter(|a| a.listener == *listener) {
            let hostname = attachment.hostname.as_ref();
            if hostname.is_some_and(|hostname| !hostname.matches(&request.host)) {
                continue;
            }
            let matches = rule.matches.iter().enumerate();
            holding.extend(
                matches
                    .filter(|(_, m)| holds(m, request))
                    .map(|(position, _)| (rule, position, hostname)),
            );
        }
    }
    let first = holding.into_iter().min_by(|a, b| rank(a).cmp(&rank(b)))?;
    Some((first.0.key.clone(), first.1))
}

fn rank<'a>(&(rule, position, hostname): &Place<'a>) -> impl Ord + use<'a> {
    let m = &rule.matches[position];
    let host = match hostname {
        Some(name) if name.is_wildcard() => (1, Reverse(name.as_str().len())),
        Some(_) => (0, Reverse(0)),
        None => (2, Reverse(0)),
    };
    let path = match &m.path {
        PathMatch::Exact(_) => (0, Reverse(0)),
        PathMatch::Regex(_) => (1, Reverse(0)),
        PathMatch::Prefix(prefix) => (2, Reverse(prefix.len())),
    };
    let more = (Reverse(m.method.is_some()), Reverse(m.headers.len()), Reverse(m.query.len()));
    (host, path, more, &rule.order, &rule.key, position)
}

fn holds(m: &Match, request: &Asked) -> bool {
    path_holds(&m.path, &request.path)
        && m.method.as_ref().is_none_or(|method| **method == *request.method)
        && m.headers.iter().all(|header| {
            let named = request.headers.iter().filter(|(name, _)| *name == **header.name());
            let values: Vec<&str> = named.map(|(_, value)| &**value).collect();
            let joined = values.join(", ");
            !values.is_empty()
                && match header {
                    HeaderMatch::Exact { value, .. } => joined == **value,
                    HeaderMatch::Regex { pattern, .. } => full_match(pattern, &joined),
                }
        })
        && m.query.iter().all(|parameter| match parameter {
            QueryMatch::Exact { name, value } => {
                parameter_of(request, name).is_some_and(|first| first == **value)
            }
            QueryMatch::Regex { name, pattern } => {
                parameter_of(request, name).is_some_and(|first| full_match(pattern, &first))
            }
        })
}

fn path_holds(path: &PathMatch, asked: &str) -> bool {
    match path {
        PathMatch::Exact(path) => asked == &**path,
        PathMatch::Prefix(prefix) if prefix.is_empty() => true,
        PathMatch::Prefix(prefix) => asked == &**prefix || asked.starts_with(&format!("{prefix}/")),
        PathMatch::Regex(pattern) => full_match(pattern, asked),
    }
}

fn full_match(pattern: &Pattern, text: &str) -> bool {
    static COMPILED: Mutex<BTreeMap<Pattern, ::regex::Regex>> = Mutex::new(BTreeMap::new());
    let mut compiled = COMPILED.lock().expect("no panic while it is held");
    let regex = compiled.entry(pattern.clone()).or_insert_with(|| {
        let anchored = format!("^(?:{})$", pattern.as_str());
        ::regex::Regex::new(&anchored).expect("the patterns of tests compile")
    });
    regex.is_match(text)
}

fn parameter_of(request: &Asked, name: &str) -> Option<String> {
    let decode = |text: &str| {
        let mut decoded = text.replace('+', " ");
        for (escape, character) in [("%20", " "), ("%31", "1"), ("%71", "q")] {
            decoded = decoded.replace(escape, character);
        }
        decoded
    };
    request.query.as_ref()?.split('&').filter(|pair| !pair.is_empty()).find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(key) == name).then(|| decode(value))
    })
}
