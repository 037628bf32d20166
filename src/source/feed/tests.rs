//! Against real files, as each kind of editor and tool writes them.

mod directory;
mod mounts;
mod saving;
mod scale;
mod secrets;

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::config::codes;
use crate::config::{Code, Severity};
use crate::model::{Part, PartKind};
use directory::Shop;

/// Longer than any change may take; a test that waits this long has failed.
const LONG: Duration = Duration::from_secs(20);

/// A feed and the parts that its updates add up to.
struct Live {
    feed: Feed,
    parts: BTreeMap<String, Part>,
    last: Update,
}

impl Live {
    fn load(shop: &Shop) -> Self {
        Self::inputs(&[shop.path("")])
    }

    fn inputs(files: &[PathBuf]) -> Self {
        let inputs = Inputs { files: files.to_vec(), ..Inputs::default() };
        let (feed, update) = Feed::load(inputs).unwrap();
        let mut live = Self { feed, parts: BTreeMap::new(), last: update };
        live.note();
        live
    }

    async fn next(&mut self) -> &Update {
        let update = tokio::time::timeout(LONG, self.feed.next()).await;
        self.last = update.expect("an update in time").unwrap();
        self.note();
        &self.last
    }

    /// Starts watching: what follows is seen by events.
    async fn watch(&mut self) {
        self.nothing_but_a_rescan().await;
    }

    /// Asks for a rescan and checks that there was nothing else to tell.
    async fn nothing_but_a_rescan(&mut self) {
        // The thread must be there to be asked; polling once starts it.
        tokio::select! {
            biased;
            update = self.feed.next() => panic!("{update:?}"),
            () = std::future::ready(()) => {}
        }
        let asked = self.feed.rescan().expect("the thread is there");
        let update = self.next().await;
        assert_eq!(update.rescans, asked);
        assert_eq!(update.read.documents_parsed, 0);
        assert!(update.changes.upserted.is_empty() && update.changes.removed.is_empty());
    }

    fn note(&mut self) {
        for key in &self.last.changes.removed {
            self.parts.remove(&format!("{} {key}", key.part.as_str()));
        }
        for part in &self.last.changes.upserted {
            let key = part.key();
            self.parts.insert(format!("{} {key}", key.part.as_str()), part.clone());
        }
    }

    fn codes(&self) -> Vec<Code> {
        self.last.diagnostics.iter().map(|d| d.code).collect()
    }

    /// The ports of the Backends that are in force: `[("a", 3000)]`.
    fn backends(&self) -> Vec<(String, u16)> {
        let port = |part: &Part| {
            let Part::EndpointSet(set) = part else { return None };
            let crate::model::Address::Socket(address) = set.endpoints.first()?.address else {
                return None;
            };
            Some((set.key.object.name.to_string(), address.port()))
        };
        self.parts.values().filter_map(port).collect()
    }
}

fn one(name: &str, port: u16) -> Vec<(String, u16)> {
    vec![(name.to_owned(), port)]
}

#[test]
fn what_is_there_is_loaded_at_once() {
    let shop = Shop::new();
    shop.write("gateway.yaml", &shop.gateway(&["a", "b"]));
    shop.write("deep/er/a.yaml", &Shop::backend("a", 3000));
    shop.write(
        "b.json",
        r#"{"apiVersion":"meshctl.dev/v1alpha1","kind":"Backend",
        "metadata":{"name":"b"},"spec":{"endpoints":["127.0.0.1:3001"]}}"#,
    );
    shop.write("other.yaml", "apiVersion: apps/v1\nkind: Deployment\n---\nhello: world\n");
    shop.write(".hidden.yaml", "{");
    let live = Live::load(&shop);
    let ports: Vec<_> = live.backends();
    assert_eq!(ports, [("a".to_owned(), 3000), ("b".to_owned(), 3001)]);
    assert_eq!(live.codes(), []);
    assert_eq!((live.last.read.files_read, live.last.read.documents_parsed), (4, 6));
    assert_eq!(
        live.last.summary.to_string(),
        "4 objects in 4 files; passed over: 1 object of another kind, \
         1 document that is no object, 1 dot-file"
    );
    let name = shop.path("gateway.yaml").display().to_string();
    assert_eq!(live.feed.text(&name).as_deref(), Some(&*shop.gateway(&["a", "b"])));
    assert_eq!(live.feed.text("elsewhere"), None);
}

#[test]
fn a_pipe_is_read_to_its_end_and_once() {
    let shop = Shop::new();
    let pipe = shop.path("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    let text = shop.gateway(&["a"]) + &Shop::backend("a", 3000);
    let to = pipe.clone();
    let writer = std::thread::spawn(move || std::fs::write(to, text).unwrap());
    let live = Live::inputs(&[pipe]);
    writer.join().unwrap();
    assert_eq!(live.backends(), one("a", 3000));
}

#[test]
fn flags_alone_need_no_file() {
    let to = [crate::config::flags::target("localhost:3000").unwrap()];
    let objects = crate::config::quick::Quick::new(&[], &to).unwrap().objects();
    let (_, update) = Feed::load(Inputs { objects, ..Inputs::default() }).unwrap();
    let parts = update.changes.upserted.iter().map(|part| part.key().part).collect::<Vec<_>>();
    assert!(parts.contains(&PartKind::Listener) && parts.contains(&PartKind::EndpointSet));
    assert_eq!(update.diagnostics, []);
}

#[test]
fn files_that_are_no_text_or_missing_are_told() {
    let shop = Shop::new();
    shop.write("gateway.yaml", &shop.gateway(&[]));
    std::fs::write(shop.path("latin.yaml"), b"# ok\na: \xe9\n").unwrap();
    let live = Live::inputs(&[shop.path(""), shop.path("missing")]);
    let said: Vec<_> =
        live.last.diagnostics.iter().map(|d| (d.code, d.severity, d.place.line)).collect();
    assert!(said.contains(&(codes::NOT_UTF8, Severity::Error, 2)), "{said:?}");
    assert!(said.contains(&(codes::FILE_UNREADABLE, Severity::Error, 0)), "{said:?}");
}
