use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message as _;

use crate::limits;
use crate::wire::hello::{Greeting, Node, answer, hello, read_answer};
use crate::wire::transaction::{Incoming, Outgoing, Parcel, Transaction};

fn parcel(number: usize, size: usize) -> Arc<Parcel> {
    Arc::new(Parcel {
        name: format!("rule/{number}").into(),
        version: format!("v{number}").into(),
        bytes: vec![7; size],
    })
}

proptest! {
    /// However it is cut: no message is too large, and the whole is what was sent.
    #[test]
    fn a_transaction_arrives_whole_or_not_at_all(
        sizes in vec(0..3_000_usize, 0..40),
        removed in vec("[a-z]{1,20}", 0..40),
        most in 1_000..10_000_usize,
    ) {
        let parcels: Vec<_> =
            sizes.iter().enumerate().map(|(number, size)| parcel(number, *size)).collect();
        let removed: Vec<Arc<str>> = removed.into_iter().map(Into::into).collect();
        let outgoing = Outgoing::within(most, 7, parcels.clone(), removed.clone());
        let nonce = outgoing.nonce();
        let messages: Vec<_> = outgoing.collect();
        let mut incoming = Incoming::default();
        let count = messages.len();
        for (number, message) in messages.into_iter().enumerate() {
            let one = message.resources.len() + message.removed_resources.len() == 1;
            prop_assert!(one || message.encoded_len() <= most, "{}", message.encoded_len());
            let taken = incoming.take(message).unwrap();
            prop_assert_eq!(taken.is_some(), number + 1 == count);
            if let Some(transaction) = taken {
                let expected = Transaction {
                    generation: 7,
                    nonce: nonce.clone(),
                    parcels: parcels.iter().map(|parcel| Parcel::clone(parcel)).collect(),
                    removed: removed.iter().map(ToString::to_string).collect(),
                };
                prop_assert_eq!(transaction, expected);
            }
        }
    }
}

#[test]
fn an_empty_transaction_is_one_message() {
    let messages: Vec<_> = Outgoing::new(3, vec![], vec![]).collect();
    assert_eq!(messages.len(), 1);
    let whole = Incoming::default().take(messages[0].clone()).unwrap().unwrap();
    assert_eq!((whole.generation, &*whole.nonce), (3, "3/1/1"));
}

#[test]
fn messages_out_of_order_end_the_conversation() {
    let parts = vec![parcel(0, 900), parcel(1, 900), parcel(2, 900)];
    let messages: Vec<_> = Outgoing::within(1_000, 1, parts, vec![]).collect();
    assert_eq!(messages.len(), 3);
    let check = |order: &[usize], expected: &str| {
        let mut incoming = Incoming::default();
        let results = order.iter().map(|at| incoming.take(messages[*at].clone()));
        let wrong = results.filter_map(Result::err).next().unwrap_or_default();
        assert_eq!(wrong, expected, "{order:?}");
    };
    check(&[0, 1, 2], "");
    check(&[1], "message `1/2/3` is out of order");
    check(&[0, 2], "message `1/3/3` is out of order");
    check(&[0, 0], "message `1/1/3` is out of order");
    let nonce = |nonce: &str| {
        let mut message = messages[0].clone();
        message.nonce = nonce.to_owned();
        Incoming::default().take(message).unwrap_err()
    };
    for text in ["", "1", "1/1", "1/0/3", "1/4/3", "1/1/3/", "-1/1/3", "1/1/99999999999999999999"] {
        assert_eq!(nonce(text), format!("a message has the nonce `{text}`"));
    }
    let mut message = messages[0].clone();
    message.type_url = "type.example/other".to_owned();
    assert!(Incoming::default().take(message).is_err());
}

fn greeted(count: usize) -> (usize, Greeting) {
    let node = Node { namespace: "shop".into(), name: "web-1".into(), version: "1.0".into() };
    let held: Vec<(Arc<str>, Arc<str>)> = (0..count)
        .map(|number| (format!("{number:0>900}").into(), format!("v{number}").into()))
        .collect();
    let messages = hello(&node, held.iter().map(|(name, version)| (name, version)));
    let mut greeting = Greeting::default();
    for (number, message) in messages.iter().enumerate() {
        assert!(message.encoded_len() <= limits::WIRE_MESSAGE_BYTES, "{}", message.encoded_len());
        let complete = greeting.take(message.clone()).unwrap();
        assert_eq!(complete, number + 1 == messages.len());
    }
    (messages.len(), greeting)
}

#[test]
fn a_hello_says_who_it_is_and_what_it_has() {
    let (messages, greeting) = greeted(0);
    assert_eq!((messages, &*greeting.name, &*greeting.version), (1, "shop/web-1", "1.0"));
    let (messages, greeting) = greeted(10_000);
    assert!(messages > 3, "{messages} for 9 MB");
    assert_eq!(greeting.held.len(), 10_000);
}

#[test]
fn a_hello_has_bounds() {
    let long: Arc<str> = "x\n".repeat(limits::WIRE_MESSAGE_BYTES / 4).into();
    let node = Node { namespace: long, name: "b".into(), version: "c".into() };
    let mut greeting = Greeting::default();
    greeting.take(hello(&node, []).remove(0)).unwrap();
    assert_eq!(greeting.name, "x".repeat(limits::WIRE_NAME_CHARS), "and it is printable");
    let name = "n".repeat(limits::WIRE_MESSAGE_BYTES / 4).into();
    let version = Arc::from("v");
    let message = hello(&node, [(&name, &version)]).remove(0);
    let mut taken = (0..=64).map(|_| greeting.take(message.clone()));
    let refused = taken.find_map(Result::err).unwrap();
    assert_eq!(refused, "the parts' names exceed 67108864 bytes");
}

#[test]
fn a_word_about_a_transaction_arrives() {
    let heard = |outcome| read_answer(answer("3/1/1", outcome)).unwrap();
    assert_eq!(heard(Ok(())), ("3/1/1".to_owned(), Ok(())));
    assert_eq!(heard(Err("why".to_owned())), ("3/1/1".to_owned(), Err("why".to_owned())));
    let (_, long) = heard(Err("x".repeat(100_000)));
    assert_eq!(long.unwrap_err().len(), limits::WIRE_TROUBLE_CHARS);
    assert_eq!(read_answer(answer("", Ok(()))), None, "a subscription is no answer");
}
