use std::collections::HashSet;

use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message as _;

use super::*;
use crate::model::{Kind, ObjectKey, PartKind, Store};

mod arbitrary;
mod transactions;

use arbitrary::part;

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sent_is_what_arrives(part in part()) {
        let bytes = encode(&part);
        prop_assert_eq!(decode(&bytes), Ok(part.clone()));
        prop_assert_eq!(encode(&part), bytes, "the same part has the same bytes");
    }

    #[test]
    fn noise_is_no_part(bytes in vec(any::<u8>(), 0..64)) {
        // One in many is a part; what counts is that nothing panics.
        if let Ok(part) = decode(&bytes) {
            prop_assert_eq!(encode(&part), bytes);
        }
    }

    /// Whatever is believed after a change of some bytes is written as it was read: nothing in it
    /// was passed over.
    #[test]
    fn damage_is_noticed_or_is_another_part(
        part in part(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..4),
    ) {
        let mut bytes = encode(&part);
        for (place, byte, how) in changes {
            let at = place.index(bytes.len().max(1));
            match how {
                0 if at < bytes.len() => bytes[at] = byte,
                1 if at < bytes.len() => drop(bytes.remove(at)),
                _ => bytes.insert(at, byte),
            }
        }
        if let Ok(part) = decode(&bytes) {
            prop_assert_eq!(encode(&part).len(), bytes.len());
        }
    }

    #[test]
    fn names_are_different_where_keys_are(keys in vec(any_key(), 2..8)) {
        let keys: HashSet<PartKey> = keys.into_iter().collect();
        let names: HashSet<String> = keys.iter().map(name).collect();
        prop_assert_eq!(names.len(), keys.len());
    }
}

fn any_key() -> impl Strategy<Value = PartKey> {
    let kinds = [PartKind::Listener, PartKind::Rule, PartKind::Certificate];
    prop::sample::select(kinds.to_vec()).prop_flat_map(arbitrary::key)
}

#[test]
fn a_name_says_what_it_is_of() {
    let object = ObjectKey::new(Store::Cluster, Kind::HttpRoute, "shop", "web");
    let check = |section: &str, expected: &str| {
        assert_eq!(name(&PartKey::new(PartKind::Rule, object.clone(), section)), expected);
    };
    check("0", "rule/cluster/HTTPRoute/shop/web/0");
    check("", "rule/cluster/HTTPRoute/shop/web/");
    check("a/b%", "rule/cluster/HTTPRoute/shop/web/a%2Fb%25");
}

/// Else two senders of one part would disagree about its version.
#[test]
fn an_address_has_one_spelling() {
    for good in ["10.0.0.1", "::1", "::ffff:0.0.4.130", "::fffe:0:482"] {
        assert!(check::ip(good).is_ok(), "{good}");
    }
    for bad in ["", "10.0.0.01", "::fffe:0.0.4.130", "0:0:0:0:0:0:0:1", "::AB"] {
        let error = check::ip(bad).unwrap_err();
        assert_eq!(error.to_string(), format!("its address is not valid: `{bad}`"));
    }
    assert!(check::socket("[::1]:80").is_ok());
    for bad in ["[::1]:0", "[::01]:80", "10.0.0.1:080"] {
        assert!(check::socket(bad).is_err(), "{bad}");
    }
}

/// A rule as it travels, changed by `change`.
fn changed_rule(change: impl FnOnce(&mut messages::Rule)) -> Result<Part, WireError> {
    let part = crate::controller::fixture::rule("a", &["web"], &["b"], Some("c"));
    let mut message = messages::Part::decode(&*encode(&part)).unwrap();
    let Some(OnePart::Rule(rule)) = &mut message.one else { panic!("{message:?}") };
    change(rule);
    decode(&message.encode_to_vec())
}

#[test]
fn what_is_not_understood_is_named() {
    let check = |change: fn(&mut messages::Rule), expected: &str| {
        let error = changed_rule(change).unwrap_err();
        assert_eq!(error.to_string(), expected);
    };
    check(|rule| rule.protocol = 9, "its protocol of routes `9` is not known to this version");
    check(|rule| rule.protocol = 0, "its protocol of routes `0` is not known to this version");
    check(
        |rule| {
            let to = messages::Referred::Cause("sunspots".to_owned());
            rule.backends[0].backend = Some(messages::Reference { to: Some(to) });
        },
        "its cause `sunspots` is not known to this version",
    );
    check(
        |rule| rule.filters[0].one = None,
        "its filter is missing, or of a kind that is not known to this version",
    );
    check(
        |rule| rule.matches.clear(),
        "its match is missing, or of a kind that is not known to this version",
    );
    check(
        |rule| rule.backends[0].weight = 1_000_001,
        "its weight is not valid: 1000001 is above 1000000",
    );
    check(
        |rule| rule.attachments[0].hostname = Some("10.0.0.1".to_owned()),
        "its hostname is not valid: `10.0.0.1`: it is an IP address, which the Gateway API does \
         not allow here",
    );
    check(
        |rule| rule.matches[0].path = Some(messages::PathMatch::Regex("a)|(b".to_owned())),
        "its regular expression is not valid: unopened group",
    );
    check(
        |rule| rule.matches[0].path = Some(messages::PathMatch::Prefix("/a/".to_owned())),
        "its prefix is not valid: `/a/` ends with `/`",
    );
    check(
        |rule| rule.key.as_mut().unwrap().part = 3,
        "its key is not valid: it is of backend where rule belongs",
    );
    check(
        |rule| {
            let edit = messages::HeaderEdit {
                remove: vec!["content-length".to_owned()],
                ..messages::HeaderEdit::default()
            };
            rule.filters[0].one = Some(messages::OneFilter::RequestHeaders(edit));
        },
        "its header name is not valid: `content-length` belongs to the connection",
    );
}

/// A newer controller may write more of a part than we know, at its end or deep inside.
#[test]
fn an_unknown_field_is_not_passed_over() {
    let part = crate::controller::fixture::rule("a", &["web"], &["b"], None);
    let mut message = messages::Part::decode(&*encode(&part)).unwrap();
    let mut bytes = encode(&part);
    // Field 99 of the outermost message, a varint.
    bytes.extend([0x98, 0x06, 0x01]);
    assert_eq!(decode(&bytes), Err(WireError::UnknownField));
    let Some(OnePart::Rule(rule)) = message.one.take() else { panic!("{message:?}") };
    let mut inner = rule.encode_to_vec();
    inner.extend([0x98, 0x06, 0x01]);
    let mut bytes = vec![0x12];
    prost::encoding::encode_varint(inner.len() as u64, &mut bytes);
    bytes.extend(inner);
    assert_eq!(decode(&bytes), Err(WireError::UnknownField));
    // A kind of part that is new.
    assert_eq!(decode(&[0x7a, 0x00]), Err(WireError::Missing("content")));
    assert_eq!(decode(&[]), Err(WireError::Missing("content")));
}

#[test]
fn numbers_are_never_given_twice() {
    use numbers::Numbered;
    fn check<T: Numbered + Copy>() {
        let numbers: HashSet<u32> = T::ALL.iter().map(T::number).collect();
        assert_eq!(numbers.len(), T::ALL.len(), "{}", T::WHAT);
        assert!(!numbers.contains(&0), "{}", T::WHAT);
    }
    check::<Store>();
    check::<Kind>();
    check::<PartKind>();
    check::<crate::model::TlsVersion>();
    check::<crate::model::ClientAuthMode>();
    check::<crate::model::AccessLogFormat>();
    check::<crate::model::RouteProtocol>();
    check::<crate::model::BackendProtocol>();
    check::<crate::model::ProxyProtocolVersion>();
    assert_eq!(Kind::ALL.len(), <Kind as Numbered>::ALL.len());
}

#[test]
fn a_private_key_is_not_printed() {
    let part = crate::controller::fixture::certificate("a", "SECRET");
    let message = messages::Part::decode(&*encode(&part)).unwrap();
    let Some(OnePart::Certificate(certificate)) = &message.one else { panic!("no certificate") };
    assert_eq!(certificate.private_key, b"SECRET");
    let secret = format!("{:?}", b"SECRET");
    assert!(!format!("{message:?}").contains(secret.trim_matches(['[', ']'])), "{message:?}");
}
