//! Controller and proxy over real sockets, with TLS.

use std::time::Duration;

use super::*;
use crate::controller::fixture::{backend, certificate, endpoints, key, listener, rule, scope};
use crate::controller::proxies::Proxy;
use crate::model::{EndpointSet, Part, PartKind};
use crate::source::remote::dial::dial;
use crate::source::remote::{self, Link, Remote};
use crate::wire::hello;
use crate::wire::transaction::{Incoming, Parcel};

mod relays;
mod reports;
mod running;

use running::{Controller, PATIENCE, away, names, next, served, within};

fn shop(count: u16) -> Vec<Part> {
    vec![
        listener("web", "one", &[]),
        rule("shop", &["web"], &["shop"], None),
        backend("shop", "shop", None),
        endpoints("shop", count),
    ]
}

#[tokio::test]
async fn a_proxy_gets_everything_then_what_changes() {
    let mut controller = Controller::start().await;
    controller.publish(shop(1), vec![]);
    let mut proxy = controller.proxy("one:pod-1");
    let first = served(&mut proxy).await;
    assert_eq!(names(&first), ["backend shop", "endpoints shop", "listener web", "rule shop"]);
    assert_eq!((first.generation, first.refused.len()), (Some(1), 0));
    controller.publish(vec![endpoints("shop", 2)], vec![]);
    let second = served(&mut proxy).await;
    assert_eq!(second.changes.upserted, [endpoints("shop", 2)], "one part and no other");
    controller.publish(vec![], vec![key(PartKind::Rule, "shop")]);
    let third = served(&mut proxy).await;
    assert_eq!(third.changes.removed.len(), 3, "{third:?}");
    assert!(third.changes.upserted.is_empty(), "{third:?}");
    let proxies =
        controller.until("the last word", |proxies| proxies[0].acknowledged == Some(3)).await;
    let [proxy] = proxies.as_slice() else { panic!("{proxies:?}") };
    assert_eq!((&*proxy.name, &proxy.scope), ("edge/pod-1", &scope("one")));
    assert_eq!((&*proxy.version, proxy.sent, &proxy.trouble), ("1.2.3", Some(3), &None));
    assert_eq!(controller.distribution.fleet(&scope("one")).behind().count(), 0);
}

#[tokio::test]
async fn a_proxy_that_comes_back_is_sent_what_it_missed() {
    let mut controller = Controller::start().await;
    controller.publish(shop(1), vec![]);
    let mut proxy = controller.proxy("one:pod-1");
    served(&mut proxy).await;
    controller.crash().await;
    let why = away(&proxy).await;
    assert!(why.contains(&format!("https://localhost:{}", controller.port)), "{why}");
    controller.serve().await;
    // Its index isn't read yet: nothing may be taken away.
    controller.until("the proxy", |proxies| !proxies.is_empty()).await;
    controller.generation = 40;
    controller.publish(shop(1), vec![]);
    let same = served(&mut proxy).await;
    assert_eq!((same.generation, names(&same)), (Some(41), vec![]), "nothing has changed");
    assert!(same.changes.removed.is_empty());
    controller.crash().await;
    away(&proxy).await;
    controller.publish(vec![listener("web", "one", &[]), listener("new", "one", &[])], vec![]);
    controller.serve().await;
    let missed = served(&mut proxy).await;
    assert_eq!(names(&missed), ["listener new"]);
    assert_eq!(missed.changes.removed.len(), 3, "{missed:?}");
}

#[tokio::test]
async fn a_part_that_is_not_understood_is_named_and_its_last_state_stays() {
    let mut controller = Controller::start().await;
    controller.publish(shop(1), vec![]);
    let mut proxy = controller.proxy("one:pod-1");
    served(&mut proxy).await;
    // As a newer controller would write it.
    let strange =
        |name: &str| Parcel { name: name.into(), version: "2".into(), bytes: vec![0x7a, 0x00] };
    let shop_name = crate::wire::name(&key(PartKind::Rule, "shop"));
    let parcels = vec![strange(&shop_name), Parcel::pack(&endpoints("shop", 2))];
    controller.distribution.publish_parcels(2, &scope("one"), parcels, &[]);
    let update = served(&mut proxy).await;
    assert_eq!(update.changes.upserted, [endpoints("shop", 2)], "the good part is applied");
    let [refused] = update.refused.as_slice() else { panic!("{update:?}") };
    assert!(refused.starts_with(&format!("{shop_name}: its content is missing")), "{refused}");
    let proxies = controller.until("the word", |proxies| proxies[0].answered == Some(2)).await;
    assert_eq!(proxies[0].trouble.as_deref(), Some(&**refused));
    assert_eq!(proxies[0].acknowledged, Some(1));
    // A part under another's name is no better.
    let parcel = Parcel { name: shop_name.as_str().into(), ..Parcel::pack(&endpoints("shop", 3)) };
    controller.distribution.publish_parcels(3, &scope("one"), vec![parcel], &[]);
    let update = next(&mut proxy).await;
    assert!(update.refused[0].contains("it calls itself endpoints/"), "{update:?}");
    proxy.acknowledge(update.transaction, Err("port 80 is taken".to_owned()));
    let told = |proxies: &[Proxy]| proxies[0].answered == Some(3);
    let proxies = controller.until("the word", told).await;
    let trouble = proxies[0].trouble.as_deref().unwrap();
    assert!(
        trouble.contains("calls itself") && trouble.ends_with("; port 80 is taken"),
        "{trouble}"
    );
    let fleet = controller.distribution.fleet(&scope("one"));
    assert_eq!((fleet.behind().count(), fleet.troubles().count()), (0, 1));
    // What is good again is forgotten.
    controller.generation = 3;
    controller.publish(vec![rule("shop", &["web"], &["shop"], Some("shop"))], vec![]);
    served(&mut proxy).await;
    let well = |proxies: &[Proxy]| proxies[0].acknowledged == Some(4);
    assert_eq!(controller.until("the word", well).await[0].trouble, None);
}

/// The proxy still has the former part, whatever else it has taken since.
#[tokio::test]
async fn what_is_refused_is_told_until_it_is_good_or_gone() {
    let mut controller = Controller::start().await;
    controller.publish(shop(1), vec![]);
    let mut proxy = controller.proxy("one:pod-1");
    served(&mut proxy).await;
    let strange = |name: &Arc<str>| {
        let (version, bytes) = ("2".into(), vec![0x7a, 0x00]);
        Parcel { name: Arc::clone(name), version, bytes }
    };
    let [old, new]: [Arc<str>; 2] =
        ["shop", "new"].map(|name| crate::wire::name(&key(PartKind::Rule, name)).into());
    let strangers = vec![strange(&old), strange(&new)];
    let one = scope("one");
    controller.distribution.publish_parcels(2, &one, strangers, &[]);
    assert_eq!(served(&mut proxy).await.refused.len(), 2);
    let good = vec![Parcel::pack(&endpoints("shop", 2))];
    controller.distribution.publish_parcels(3, &one, good, &[]);
    assert_eq!(served(&mut proxy).await.refused.len(), 2, "by a transaction without fault, too");
    let proxies = controller.until("the word", |proxies| proxies[0].answered == Some(3)).await;
    assert_eq!(proxies[0].acknowledged, Some(1));
    assert!(proxies[0].may_refuse(&old) && proxies[0].may_refuse(&new), "{proxies:?}");
    controller.distribution.publish_parcels(4, &one, vec![], &[new]);
    let [still] = &*served(&mut proxy).await.refused else { panic!("one is gone") };
    assert!(still.starts_with(&*old), "{still}");
    let good = Parcel::pack(&rule("shop", &["web"], &["shop"], None));
    controller.distribution.publish_parcels(5, &one, vec![good], &[]);
    assert!(served(&mut proxy).await.refused.is_empty());
    let well = |proxies: &[Proxy]| proxies[0].acknowledged == Some(5);
    assert_eq!(controller.until("the word", well).await[0].trouble, None);
}

/// A controller that comes instead knows nothing of what was refused, and sends it again, if it is
/// there still.
#[tokio::test]
async fn what_was_refused_of_a_former_controller_is_forgotten() {
    let mut controller = Controller::start().await;
    controller.publish(shop(1), vec![]);
    let mut proxy = controller.proxy("one:pod-1");
    served(&mut proxy).await;
    let name: Arc<str> = crate::wire::name(&key(PartKind::Rule, "new")).into();
    let strange = Parcel { name, version: "2".into(), bytes: vec![0x7a, 0x00] };
    controller.distribution.publish_parcels(2, &scope("one"), vec![strange], &[]);
    assert_eq!(served(&mut proxy).await.refused.len(), 1);
    controller.crash().await;
    away(&proxy).await;
    controller.serve().await;
    controller.generation = 2;
    controller.publish(shop(1), vec![]);
    assert!(served(&mut proxy).await.refused.is_empty());
}

#[tokio::test]
async fn a_port_that_is_free_at_last_is_told() {
    let mut controller = Controller::start().await;
    controller.publish(shop(1), vec![]);
    let mut proxy = controller.proxy("one:pod-1");
    let update = next(&mut proxy).await;
    proxy.acknowledge(update.transaction, Err("port 80 is taken".to_owned()));
    let troubled = |proxies: &[Proxy]| proxies.iter().any(|proxy| proxy.trouble.is_some());
    let proxies = controller.until("the trouble", troubled).await;
    assert_eq!((proxies[0].answered, proxies[0].acknowledged), (Some(1), None));
    proxy.acknowledge(update.transaction, Ok(()));
    let well = |proxies: &[Proxy]| proxies[0].acknowledged == Some(1);
    assert_eq!(controller.until("its end", well).await[0].trouble, None);
}

/// Some 9 MB: three messages.
fn large(content: char) -> Vec<Part> {
    let big = content.to_string().repeat(1_500_000);
    let names = ["a", "b", "c"];
    let certificates = names.iter().map(|name| certificate(name, &big));
    certificates.chain([listener("web", "one", &names)]).collect()
}

#[tokio::test]
async fn a_large_transaction_comes_in_pieces_and_is_applied_whole() {
    let mut controller = Controller::start().await;
    controller.publish(large('x'), vec![]);
    let mut proxy = controller.proxy("one:pod-1");
    let update = served(&mut proxy).await;
    assert_eq!(update.changes.upserted.len(), 4);
    controller.publish(large('y'), vec![]);
    assert_eq!(served(&mut proxy).await.changes.upserted.len(), 3, "the listener is the same");
}

#[tokio::test]
async fn a_slow_proxy_is_told_the_latest_and_nothing_in_between() {
    let mut controller = Controller::start().await;
    controller.publish(shop(1), vec![]);
    let mut slow = controller.proxy("one:slow");
    let mut quick = controller.proxy("one:quick");
    let first = next(&mut slow).await;
    served(&mut quick).await;
    for count in 2..=50 {
        controller.publish(vec![endpoints("shop", count)], vec![]);
        served(&mut quick).await;
    }
    controller.publish(vec![endpoints("gone", 1), backend("gone", "gone", None)], vec![]);
    slow.acknowledge(first.transaction, Ok(()));
    let second = served(&mut slow).await;
    assert_eq!(second.generation, Some(50));
    assert_eq!(second.changes.upserted, [endpoints("shop", 50)]);
    // What changed and changed back is no news, but the proxy is up to date.
    let first = second.transaction;
    controller.publish(vec![endpoints("shop", 3)], vec![]);
    let third = next(&mut slow).await;
    assert!(third.transaction > first);
    controller.publish(vec![endpoints("shop", 4)], vec![]);
    controller.publish(vec![endpoints("shop", 3)], vec![]);
    slow.acknowledge(third.transaction, Ok(()));
    let told = |proxies: &[Proxy]| {
        proxies.iter().any(|proxy| &*proxy.name == "edge/slow" && proxy.answered == Some(54))
    };
    controller.until("the last generation", told).await;
}

/// One that takes nothing from its socket holds nobody up, and is not sent what is old by then.
#[tokio::test]
async fn a_proxy_that_does_not_read_holds_nobody_up() {
    let mut controller = Controller::start().await;
    controller.publish(large('x'), vec![]);
    let options = controller.options("one:deaf");
    let mut line =
        within("the line", dial(options.peer(), hello::hello(&options.node, []))).await.unwrap();
    let mut quick = controller.proxy("one:quick");
    served(&mut quick).await;
    for count in 0..20 {
        let content = if count % 2 == 0 { 'y' } else { 'z' };
        controller.publish(large(content), vec![]);
        assert_eq!(served(&mut quick).await.changes.upserted.len(), 3);
    }
    let mut transaction = async |nonce: Option<String>| {
        if let Some(nonce) = nonce {
            line.answers.send(hello::answer(&nonce, Ok(()))).await.unwrap();
        }
        let mut incoming = Incoming::default();
        loop {
            let message = within("a message", line.messages.message()).await.unwrap().unwrap();
            if let Some(transaction) = incoming.take(message).unwrap() {
                return transaction;
            }
        }
    };
    let first = transaction(None).await;
    // Which it is depends on what had left before the window was full.
    assert!(first.generation <= 2, "{}", first.generation);
    let second = transaction(Some(first.nonce)).await;
    assert_eq!((second.generation, second.parcels.len()), (21, 3));
}

#[tokio::test]
async fn who_is_not_believed_gets_nothing() {
    let mut controller = Controller::start().await;
    controller.publish(shop(1), vec![]);
    let check = async |token: &str, expected: &str| {
        let why = away(&controller.proxy(token)).await;
        assert!(why.contains(expected), "{token}: {why}");
        assert!(controller.proxies().is_empty());
    };
    check("stranger", "does not take the token: it is nobody's").await;
    check("away:pod", "ended the conversation: nobody can tell").await;
    let mut options = controller.options("one:pod");
    std::fs::write(&options.token, "").unwrap();
    let remote = Remote::start(options.clone(), fastrand::Rng::with_seed(1));
    let why = away(&remote).await;
    assert!(why.contains("a token is needed"), "{why}");
    // The token is there at last, and another fleet's parts are not.
    std::fs::write(&options.token, "two:").unwrap();
    let mut remote = remote;
    let update = served(&mut remote).await;
    assert!(update.changes.upserted.is_empty(), "{update:?}");
    let proxies = controller.until("the proxy", |proxies| !proxies.is_empty()).await;
    assert_eq!(&*proxies[0].name, "claimed/pod", "its own word where the token says nothing");
    drop(remote);
    // A controller that somebody else has signed.
    let other = Controller::start().await;
    options.ca = other.files.path().join("ca");
    let why = away(&Remote::start(options.clone(), fastrand::Rng::with_seed(1))).await;
    assert!(why.ends_with("invalid peer certificate: BadSignature"), "{why}");
    options.ca = other.files.path().join("nothing");
    let why = away(&Remote::start(options, fastrand::Rng::with_seed(1))).await;
    assert!(why.contains("certificate authority can't be read from"), "{why}");
}

#[tokio::test]
async fn a_restarted_proxy_begins_with_what_was_saved() {
    let mut controller = Controller::start().await;
    controller.publish(shop(1), vec![]);
    let options =
        remote::Options { state: Some(controller.state()), ..controller.options("one:pod-1") };
    let start = || Remote::start(options.clone(), fastrand::Rng::with_seed(1));
    let mut proxy = start();
    assert!(proxy.saved().is_none());
    served(&mut proxy).await;
    let file = controller.state().join("parts");
    within("the parts to be saved", async {
        while !file.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    let mode = std::os::unix::fs::MetadataExt::mode(&file.metadata().unwrap());
    assert_eq!(mode & 0o777, 0o600, "it holds private keys");
    drop(proxy);
    controller.crash().await;
    let mut proxy = start();
    let saved = proxy.saved().unwrap();
    assert_eq!(names(&saved), ["backend shop", "endpoints shop", "listener web", "rule shop"]);
    assert_eq!(saved.generation, None);
    controller.publish(shop(2), vec![]);
    controller.serve().await;
    let update = served(&mut proxy).await;
    assert_eq!(names(&update), ["endpoints shop"], "the rest was known");
    drop(proxy);
    // Another version may understand more: it serves what is there, and asks for all of it.
    let node = remote::Node { version: "2.0.0".into(), ..options.node.clone() };
    let newer = remote::Options { node, ..options.clone() };
    let mut proxy = Remote::start(newer, fastrand::Rng::with_seed(1));
    assert_eq!(proxy.saved().unwrap().changes.upserted.len(), 4);
    assert_eq!(served(&mut proxy).await.generation, Some(2));
    // What a crash left of it is nothing.
    let whole = std::fs::read(&file).unwrap();
    for damaged in [&whole[..whole.len() - 1], &whole[..20], b"", b"something else"] {
        std::fs::write(&file, damaged).unwrap();
        assert!(start().saved().is_none(), "{} bytes", damaged.len());
    }
}

#[tokio::test]
async fn a_proxy_comes_back_when_its_time_is_over() {
    let mut controller = Controller::start().await;
    controller.publish(shop(1), vec![]);
    let times = Times { hello: PATIENCE, age: Duration::from_millis(50) };
    controller.crash().await;
    controller.publish(shop(1), vec![]);
    controller.serve_within(times).await;
    let mut proxy = controller.proxy("one:pod-1");
    assert_eq!(names(&served(&mut proxy).await).len(), 4);
    for _ in 0..2 {
        let again = served(&mut proxy).await;
        assert!(again.changes.upserted.is_empty() && again.changes.removed.is_empty());
    }
    assert_eq!(*proxy.link().borrow(), Link::Connected, "nobody needs to know");
}

/// As after a network that went away without a word.
#[tokio::test]
async fn a_pod_that_comes_again_takes_its_former_place() {
    let mut controller = Controller::start().await;
    controller.publish(shop(1), vec![]);
    let mut former = controller.proxy("one:pod-1");
    next(&mut former).await;
    let mut other = controller.proxy("one:pod-2");
    served(&mut other).await;
    // With its token it would come back and take the place in its turn.
    let options = controller.options("one:pod-1");
    let token = controller.files.path().join("another");
    std::fs::rename(&options.token, &token).unwrap();
    std::fs::write(&options.token, "none").unwrap();
    let options = remote::Options { token, ..options };
    let mut latter = Remote::start(options, fastrand::Rng::with_seed(1));
    next(&mut latter).await;
    assert!(away(&former).await.contains("does not take the token"));
    latter.acknowledge(1, Ok(()));
    let both = |proxies: &[Proxy]| proxies.iter().all(|proxy| proxy.acknowledged == Some(1));
    let proxies = controller.until("both to serve", both).await;
    let names: Vec<&str> = proxies.iter().map(|proxy| &*proxy.name).collect();
    assert_eq!(names, ["edge/pod-1", "edge/pod-2"]);
}

/// Whoever says nothing is not kept, neither before TLS nor after it.
#[tokio::test]
async fn a_stranger_without_a_word_is_sent_away() {
    let mut controller = Controller::start().await;
    controller.crash().await;
    controller.serve_within(Times { hello: Duration::from_millis(50), age: PATIENCE }).await;
    let connect = || TcpStream::connect(("127.0.0.1", controller.port));
    let mut silent = connect().await.unwrap();
    within("the end", end_of(&mut silent)).await;
    let mut roots = rustls::RootCertStore::empty();
    let ca = std::fs::read(controller.files.path().join("ca")).unwrap();
    roots.add(rustls_pki_types::pem::PemObject::from_pem_slice(&ca).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let name = "localhost".try_into().unwrap();
    let mut encrypted = connector.connect(name, connect().await.unwrap()).await.unwrap();
    within("the end", end_of(&mut encrypted)).await;
}

async fn end_of(stream: &mut (impl tokio::io::AsyncRead + Unpin)) {
    let mut bytes = [0; 1_024];
    while tokio::io::AsyncReadExt::read(stream, &mut bytes).await.is_ok_and(|count| count > 0) {}
}

/// More endpoints than a message can hold: a route that leads there is named, and the others are
/// told as ever.
#[tokio::test]
async fn what_is_too_large_stays_behind_and_is_known() {
    let mut controller = Controller::start().await;
    controller.publish(shop(1), vec![]);
    let mut proxy = controller.proxy("one:pod-1");
    served(&mut proxy).await;
    let large = endpoints("shop", 1);
    let Part::EndpointSet(set) = &large else { panic!("not endpoints") };
    let many = vec![set.endpoints[0].clone(); limits::WIRE_PART_BYTES / 16];
    let large = EndpointSet { endpoints: many, ..(**set).clone() };
    let unsent = |controller: &Controller| {
        let routes = controller.fleets.routes_of(&controller.distribution.too_large());
        routes.iter().map(|route| route.name.to_string()).collect::<Vec<_>>()
    };
    let other = rule("other", &["web"], &["shop"], None);
    controller.publish(vec![Part::EndpointSet(large.into()), other.clone()], vec![]);
    assert_eq!(served(&mut proxy).await.changes.upserted, [other]);
    assert_eq!(unsent(&controller), ["other", "shop"]);
    controller.publish(vec![endpoints("shop", 2)], vec![]);
    assert_eq!(served(&mut proxy).await.changes.upserted, [endpoints("shop", 2)]);
    assert_eq!(unsent(&controller), [""; 0]);
}
