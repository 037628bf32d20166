//! Rewriting host and path.

use crate::model::{PathMatch, PathRewrite, Rewrite};
use crate::proxy::message::{RequestHead, Target};

/// Rewrites in place; the query stays as it is.
pub(super) fn rewrite(rewrite: &Rewrite, matched: &PathMatch, head: &mut RequestHead) {
    if let Some(hostname) = &rewrite.hostname {
        head.authority.clear();
        head.authority.push_str(hostname.as_str());
    }
    if let Some(path) = &rewrite.path {
        let path = rewritten(path, matched, &head.target);
        let query = head.target.query().map(str::to_owned);
        head.target.set(&path, query.as_deref());
    }
}

/// The new path. A replaced prefix ends where a segment does, so exactly one slash stands between
/// the replacement and the rest, and an empty result is `/`, as the Gateway API's table of
/// examples has it.
pub(super) fn rewritten(rewrite: &PathRewrite, matched: &PathMatch, target: &Target) -> String {
    match rewrite {
        PathRewrite::Full(path) if path.is_empty() => "/".to_owned(),
        PathRewrite::Full(path) => path.to_string(),
        PathRewrite::Prefix(replacement) => {
            let prefix = match matched {
                PathMatch::Prefix(prefix) => prefix.len(),
                // Lowering lets no other match stand beside a prefix replacement.
                PathMatch::Exact(_) | PathMatch::Regex(_) => 0,
            };
            let rest = target.path().get(prefix..).unwrap_or_default();
            let replacement = replacement.strip_suffix('/').unwrap_or(replacement);
            match (replacement.is_empty(), rest.is_empty()) {
                (true, true) => "/".to_owned(),
                _ => format!("{replacement}{rest}"),
            }
        }
    }
}
