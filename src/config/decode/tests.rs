//! Whole documents in, rendered diagnostics out.

mod documents;
mod filters;
mod full;
mod gateways;
mod json;
mod kubernetes;
mod own;
mod parts;
mod policies;
mod random;
mod routes;
mod secrets;

use super::*;
use crate::config::render;

const FILE: &str = "shop.yaml";

fn decoded(text: &str) -> (Vec<Decoded>, Vec<Diagnostic>) {
    let file: Arc<str> = FILE.into();
    let mut diagnostics = Vec::new();
    let read = |document| read(&document, &file, Store::Files, &mut diagnostics);
    let decoded = yaml::documents(text).map(read).flat_map(Decoded::flatten).collect();
    (decoded, diagnostics)
}

/// `body` follows four lines of `apiVersion`, `kind`, `metadata` and `name`, unless `kind` is empty.
/// What is expected are the diagnostics, a line each, without the file.
#[track_caller]
fn check(kind: &str, body: &str, expected: &str) {
    let text = document(kind, body);
    let (decoded, diagnostics) = decoded(&text);
    let mut found = String::from("\n");
    for row in render::lines(&diagnostics) {
        found.push_str(row.trim_start_matches(FILE).trim_start_matches(':'));
        found.push('\n');
    }
    assert_eq!(found, expected, "\n{text}");
    let whole = decoded.iter().all(|d| matches!(d, Decoded::Object(_) | Decoded::Foreign));
    assert_eq!(
        whole,
        !any_error(&diagnostics),
        "an error, and nothing else, keeps an object from use"
    );
}

fn document(kind: &str, body: &str) -> String {
    let body = body.strip_prefix('\n').unwrap_or(body);
    let Some(kind) = Kind::ALL.into_iter().find(|k| k.as_str() == kind) else {
        return body.to_owned();
    };
    format!(
        "apiVersion: {}\nkind: {kind}\nmetadata:\n  name: shop\n{body}",
        served::preferred(kind)
    )
}
