use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::model::{Kind, Store, Totals};

fn place(name: &str) -> Place {
    (Scope { namespace: "shop".into(), name: "front".into(), shared: true }, name.into())
}

fn course(name: &str) -> Course {
    (place("").0, ObjectKey::new(Store::Cluster, Kind::GrpcRoute, "shop", name))
}

fn words() -> Words {
    let relayed = |name: &str, trouble: Option<&str>| Relayed {
        place: place(name),
        version: "1.2.3".into(),
        connected_since: Duration::from_millis(1_700_000_000_123),
        behind: trouble.is_some(),
        trouble: trouble.map(Into::into),
    };
    let totals = Totals { requests: 3, ..Totals::default() };
    let report = Report { process: 9, born: 1, totals, arms: Vec::new() };
    Words {
        here: vec![relayed("a", None), relayed("b", Some("port 80 is taken"))],
        reports: vec![(place("a"), report)],
        gone: vec![place("c")],
        routes: vec![(course("web"), Some("1f".into())), (course("cart"), None)],
        opened: true,
    }
}

#[test]
fn what_is_sent_is_what_arrives() {
    assert_eq!(read(&write(&words())), Some(words()));
    assert_eq!(read(&hello()), Some(Words::default()));
    assert_eq!(read(&report::write(&Report::default())), None);
    assert_eq!(read(&crate::wire::hello::answer("1/1/1", Ok(()))), None);
}

#[test]
fn texts_are_printable_and_of_a_bounded_length() {
    let mut long = words();
    long.here[1].trouble = Some("\u{1b}[2J".repeat(limits::WIRE_TROUBLE_CHARS).into());
    long.here[0].version = "x".repeat(limits::WIRE_NAME_CHARS + 1).into();
    let read = read(&write(&long)).unwrap();
    let trouble = read.here[1].trouble.clone().unwrap();
    assert_eq!((trouble.len(), trouble.contains('\u{1b}')), (limits::WIRE_TROUBLE_CHARS, false));
    assert_eq!(read.here[0].version.len(), limits::WIRE_NAME_CHARS);
}

proptest! {
    #[test]
    fn noise_is_harmless(
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut request = write(&words());
        let bytes = &mut request.error_detail.as_mut().unwrap().details[0].value;
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len() + 1));
        for relayed in read(&request).into_iter().flat_map(|words| words.here) {
            prop_assert!(!relayed.place.1.chars().any(char::is_control));
        }
    }
}
