//! Paths of redirects and rewrites.

use crate::config::codes;
use crate::config::lower::view::View;
use crate::config::raw::{At, Object, PathModifier};
use crate::model::{Match, Name, PathMatch, PathRewrite};

/// The outer `None` is a mistake.
#[expect(clippy::option_option, reason = "absent is valid, invalid is not absent")]
pub(super) fn path(
    view: &mut View<'_>,
    object: &Object,
    written: Option<&PathModifier>,
    matches: &[Match],
) -> Option<Option<PathRewrite>> {
    let Some(written) = written else { return Some(None) };
    let (text, rewrite): (_, fn(Name) -> PathRewrite) = match written {
        PathModifier::ReplaceFullPath(text) => (text, PathRewrite::Full),
        PathModifier::ReplacePrefixMatch(text) => {
            if !matches.iter().all(|one| matches!(one.path, PathMatch::Prefix(_))) {
                let message = "ReplacePrefixMatch needs a PathPrefix in every match of the rule";
                view.error(object, codes::FILTER_INVALID, text, message);
                return None;
            }
            (text, PathRewrite::Prefix)
        }
        PathModifier::Unknown(kind) => {
            let message = format!("`{}` is no way to change a path", kind.value);
            view.error(object, codes::FILTER_INVALID, kind, message)
                .help("use ReplaceFullPath or ReplacePrefixMatch");
            return None;
        }
    };
    check(view, object, text, matches!(written, PathModifier::ReplacePrefixMatch(_)))?;
    Some(Some(rewrite(text.value.clone())))
}

/// A prefix may be empty; what is there starts with `/` and is what a path may be.
fn check(view: &mut View<'_>, object: &Object, text: &At<Name>, prefix: bool) -> Option<()> {
    let path = &*text.value;
    let fine = |byte: u8| byte.is_ascii_graphic() && !b"\\?#".contains(&byte);
    let why = if !(path.starts_with('/') || (prefix && path.is_empty())) {
        "it does not start with `/`"
    } else if !path.bytes().all(fine) {
        "it holds a character that a path can't have; write it percent-encoded"
    } else {
        return Some(());
    };
    let message = format!("path `{path}` can't be used: {why}");
    view.error(object, codes::FILTER_INVALID, text, message);
    None
}
