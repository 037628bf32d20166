//! What a document tells that can't be read: where its mistake most likely is, and which object it
//! was going to be, so that nobody hears that the object does not exist.
//!
//! This module must not make an object of what it guesses.

use super::served;
use crate::config::raw::{Origin, Place};
use crate::config::{Code, Diagnostic, codes};
use crate::model::{Kind, ObjectKey, Store};
use crate::names;
use crate::yaml::{self, YamlError, YamlErrorKind};

#[cfg(test)]
mod tests;

/// `hidden`: the document may hold a Secret, of which nothing is quoted.
pub(super) fn diagnostic(
    error: &YamlError,
    text: &str,
    origin: &Origin,
    hidden: bool,
) -> Diagnostic {
    let code = match error.kind {
        YamlErrorKind::Syntax => codes::NOT_YAML,
        YamlErrorKind::TooLarge => codes::TOO_LARGE,
        YamlErrorKind::DuplicateKey => codes::DUPLICATE_KEY,
        YamlErrorKind::Key => codes::AMBIGUOUS_KEY,
    };
    let width = if hidden { 0 } else { error.width };
    if code == codes::NOT_YAML
        && let Some(place) = tab(text, error.place)
    {
        let message = "a tab in the indentation";
        return Diagnostic::error(code, origin, place, message)
            .width(width as usize)
            .help("indent with spaces: YAML takes no tabs there");
    }
    let message = if hidden && error.kind != YamlErrorKind::TooLarge {
        codes::explain(code).map_or("not YAML", |row| row.title)
    } else {
        &error.message
    };
    let said = Diagnostic::error(code, origin, error.place, message).width(width as usize);
    match misplaced(text, error.place).filter(|_| code == codes::NOT_YAML) {
        Some(help) => said.help(help),
        None => said,
    }
}

/// The first tab in the indentation of the line where reading stopped, or of the one after it.
fn tab(text: &str, stopped: Place) -> Option<Place> {
    (stopped.line..=stopped.line.saturating_add(1)).find_map(|number| {
        let line = yaml::line(text, number)?;
        let column = indentation(line).find('\t')? + 1;
        Some(Place { line: number, column: u32::try_from(column).ok()? })
    })
}

/// Where the key at which reading stopped stands beside the keys of the line above, if it is off
/// by a few columns.
fn misplaced(text: &str, stopped: Place) -> Option<String> {
    let column = |line: &str| {
        let start = line.find(|c| !matches!(c, ' ' | '-')).unwrap_or(line.len());
        line[start..].contains(':').then_some(start + 1)
    };
    let here = column(yaml::line(text, stopped.line)?)?;
    let above = (1..stopped.line).rev().find_map(|number| {
        let line = yaml::line(text, number)?;
        (!line.trim().is_empty() && !line.trim_start().starts_with('#')).then_some(line)
    })?;
    let beside = column(above)?;
    let slip = here == stopped.column as usize && here.abs_diff(beside) == 1;
    slip.then(|| {
        format!("this line begins in column {here}, the one above in column {beside}: align them")
    })
}

fn indentation(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// The object that a text was going to be, by its lines alone: `apiVersion` and `kind` at their
/// beginning, `name` and `namespace` below `metadata`.
pub(super) fn key(text: &str, store: Store) -> Option<ObjectKey> {
    let (mut version, mut kind, mut name, mut namespace) = (None, None, None, None);
    let mut inside = "";
    let mut depth = None;
    for line in text.split(['\n', '\r']) {
        let indent = indentation(line).len();
        let Some((field, value)) = line.trim().split_once(':') else { continue };
        let value = value.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']);
        let value = (!value.is_empty()).then_some(value);
        if indent == 0 {
            (inside, depth) = (field, None);
            match field {
                "apiVersion" => version = version.or(value),
                "kind" => kind = kind.or(value),
                _ => {}
            }
        } else if inside == "metadata" && *depth.get_or_insert(indent) == indent {
            match field {
                "name" => name = name.or(value),
                "namespace" => namespace = namespace.or(value),
                _ => {}
            }
        }
    }
    object_key(served::kind_of(version?, kind?)?, name?, namespace, store)
}

pub(super) fn object_key(
    kind: Kind,
    name: &str,
    namespace: Option<&str>,
    store: Store,
) -> Option<ObjectKey> {
    // Longer texts are no names, and would be copied for nothing.
    let plain = |text: &str| (1..=253).contains(&text.len());
    let namespace = match namespace {
        _ if kind.is_cluster_scoped() => "",
        Some(namespace) => namespace,
        None => names::NAMESPACE_DEFAULT,
    };
    (plain(name) && namespace.len() <= 253).then(|| ObjectKey::new(store, kind, namespace, name))
}

/// Says once of a line what it is: a template's. What else was said of it is noise.
pub(super) fn tell_templates(
    diagnostics: &mut Vec<Diagnostic>,
    from: usize,
    text: &str,
    above: u32,
) {
    const MEANT: [Code; 3] = [codes::NOT_YAML, codes::AMBIGUOUS_KEY, codes::WRONG_TYPE];
    let mut told = None;
    let mut position = 0;
    diagnostics.retain_mut(|one| {
        position += 1;
        if position <= from || !MEANT.contains(&one.code) {
            return true;
        }
        let line = one.place.line.checked_sub(above).and_then(|line| yaml::line(text, line));
        if !line.is_some_and(|line| line.contains("{{")) {
            return true;
        }
        one.code = codes::NOT_YAML;
        one.message = "`{{ … }}` belongs to a template and is no YAML".to_owned();
        one.help =
            "render the template first (`helm template`, …) and give what comes out".to_owned();
        told.replace(one.place.line) != Some(one.place.line)
    });
}
