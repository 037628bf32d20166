use std::collections::BTreeMap;

use super::*;
use crate::config::raw::{ConfigMap, Meta, Place};
use crate::config::{Code, Severity};

fn file(name: &str) -> Arc<str> {
    name.into()
}

/// A ConfigMap at a line of its document, told apart by its label.
fn map(name: &str, version: &str, line: u32) -> Arc<Object> {
    let mut meta = Meta { place: Place { line, column: 1 }, ..Meta::default() };
    meta.labels.insert("version".into(), version.into());
    Arc::new(Object {
        key: key(name),
        origin: Origin { file: "unused".into(), line_offset: 0 },
        meta,
        spec: Spec::ConfigMap(ConfigMap { data: BTreeMap::new() }),
    })
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::new(Store::Files, Kind::ConfigMap, "default", name)
}

fn good(object: &Arc<Object>, line_offset: u32) -> Content {
    Content::Good(Document { object: object.clone(), line_offset })
}

fn version(index: &Index, name: &str) -> Option<String> {
    index.get(&key(name)).map(|object| object.meta.labels["version"].to_string())
}

fn touched(index: &mut Index) -> Vec<Tag> {
    index.take_touched().into_iter().collect()
}

#[test]
fn the_first_file_by_name_wins_in_any_order_of_arrival() {
    let (one, two) = (map("m", "one", 2), map("m", "two", 2));
    for reversed in [false, true] {
        let mut index = Index::new();
        let mut arrivals = vec![("a.yaml", &one), ("b.yaml", &two)];
        if reversed {
            arrivals.reverse();
        }
        for (name, object) in arrivals {
            index.replace(&file(name), vec![good(object, 10)], Vec::new());
        }
        assert_eq!(version(&index, "m").as_deref(), Some("one"));
        let said: Vec<_> = index.diagnostics().collect();
        assert_eq!(said.len(), 1);
        assert_eq!((said[0].code, said[0].severity), (Code(100), Severity::Error));
        assert_eq!((&*said[0].file, said[0].place.line), ("b.yaml", 12));
        assert!(said[0].message.ends_with("a.yaml:12"), "{}", said[0].message);
        index.remove(&file("a.yaml"));
        assert_eq!(version(&index, "m").as_deref(), Some("two"));
        assert_eq!(index.diagnostics().count(), 0);
        index.remove(&file("b.yaml"));
        assert_eq!(version(&index, "m"), None);
    }
}

#[test]
fn within_a_file_the_first_document_wins() {
    let mut index = Index::new();
    let contents = vec![good(&map("m", "one", 1), 0), good(&map("m", "two", 1), 9)];
    index.replace(&file("a.yaml"), contents, Vec::new());
    assert_eq!(version(&index, "m").as_deref(), Some("one"));
    assert_eq!(index.diagnostics().next().expect("one").place.line, 10);
}

#[test]
fn an_unchanged_document_touches_nothing_wherever_it_moves() {
    let mut index = Index::new();
    let (one, two) = (map("one", "1", 1), map("two", "1", 1));
    index.replace(&file("a.yaml"), vec![good(&one, 0), good(&two, 5)], Vec::new());
    assert_eq!(touched(&mut index).len(), 2);
    index.replace(&file("a.yaml"), vec![good(&two, 1), good(&one, 7)], Vec::new());
    assert_eq!(touched(&mut index), []);
    assert_eq!(index.origin(&key("one")).line_offset, 7);
    let edited = map("two", "2", 1);
    index.replace(&file("a.yaml"), vec![good(&edited, 1), good(&one, 7)], Vec::new());
    assert_eq!(touched(&mut index), [Tag::Object(key("two"))]);
}

#[test]
fn a_broken_document_keeps_what_it_held_until_it_is_gone() {
    let mut index = Index::new();
    let one = map("m", "one", 1);
    let said = || {
        let origin = Origin { file: file("a.yaml"), line_offset: 0 };
        vec![Diagnostic::error(Code(1), &origin, Place { line: 1, column: 1 }, "broken")]
    };
    index.replace(&file("a.yaml"), vec![good(&one, 0)], Vec::new());
    index.replace(&file("a.yaml"), vec![Content::Broken(key("m"))], said());
    assert_eq!(version(&index, "m").as_deref(), Some("one"));
    assert_eq!(index.diagnostics().count(), 1);
    // Twice broken is still kept.
    index.replace(&file("a.yaml"), vec![Content::Broken(key("m"))], said());
    assert_eq!(version(&index, "m").as_deref(), Some("one"));
    index.broken(&file("a.yaml"), said());
    assert_eq!(version(&index, "m").as_deref(), Some("one"));
    let _ = index.take_touched();
    index.replace(&file("a.yaml"), vec![good(&one, 0)], Vec::new());
    assert_eq!((touched(&mut index), index.diagnostics().count()), (vec![], 0));
    index.replace(&file("a.yaml"), Vec::new(), Vec::new());
    assert_eq!(version(&index, "m"), None);
    // What was never good isn't there.
    index.replace(&file("a.yaml"), vec![Content::Broken(key("m"))], said());
    assert_eq!(version(&index, "m"), None);
}

#[test]
fn a_stream_replaces_one_key_at_a_time() {
    let mut index = Index::new();
    let at_file = |object: Arc<Object>| {
        let mut object = Arc::unwrap_or_clone(object);
        object.origin.file = file("");
        object
    };
    index.apply(at_file(map("one", "1", 0)));
    index.apply(at_file(map("two", "1", 0)));
    index.apply(at_file(map("one", "2", 0)));
    assert_eq!(version(&index, "one").as_deref(), Some("2"));
    assert_eq!(version(&index, "two").as_deref(), Some("1"));
    assert_eq!(index.diagnostics().count(), 0);
    index.delete(&key("one"), &file(""));
    assert_eq!(version(&index, "one"), None);
    assert_eq!(index.objects().count(), 1);
}
