//! What the system tells, by the masks that it was given: what was done is in the queue as soon as
//! it is done, so nothing here waits.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use super::super::walk::{Bounds, walk};
use super::*;

/// A directory, and a watch on what is named of it.
struct Watched {
    directory: TempDir,
    arguments: Vec<Argument>,
    mentioned: BTreeSet<PathBuf>,
    watch: Watch,
    noticed: Noticed,
}

impl Watched {
    /// `files` are written first; `arguments` are what `-f` names, `mentioned` what annotations do.
    fn new(files: &[&str], arguments: &[&str], mentioned: &[&str]) -> Self {
        let directory = TempDir::new().unwrap();
        let path = |name: &&str| directory.path().join(name);
        let argument = |name| Argument { typed: path(name), path: path(name) };
        let mut watched = Self {
            arguments: arguments.iter().map(argument).collect(),
            mentioned: mentioned.iter().map(path).collect(),
            directory,
            watch: Watch::new(),
            noticed: Noticed::default(),
        };
        for name in files {
            watched.write(name);
        }
        assert!(watched.follow(), "its watches are new");
        watched
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
        fs::write(path, "a: b\n").unwrap();
    }

    fn follow(&mut self) -> bool {
        let walk = walk(&self.arguments, Bounds::LIMITS);
        self.watch.follow(&walk, &self.arguments, &self.mentioned)
    }

    /// How many events the queue held, and whether they were worth a look.
    fn told(&mut self) -> (usize, bool) {
        (self.watch.read(&mut self.noticed), self.noticed.take_news())
    }

    /// Whether what was done since is worth a look.
    fn news(&mut self) -> bool {
        self.told().1
    }

    /// Watches as a look does after news, until nothing is new.
    fn settle(&mut self) {
        let unsettled = (0..16).take_while(|_| self.follow() || self.news()).count();
        assert!(unsettled < 16, "looking is told of by itself");
    }
}

const NOTHING: (usize, bool) = (0, false);

#[test]
fn reading_what_is_watched_is_not_told() {
    let mut at =
        Watched::new(&["mesh/a.yaml", "mesh/d/b.yaml", "cert.pem"], &["mesh"], &["cert.pem"]);
    at.told();
    for name in ["mesh/a.yaml", "mesh/d/b.yaml", "cert.pem"] {
        fs::read(at.path(name)).unwrap();
        at.path(name).canonicalize().unwrap();
    }
    assert!(!at.follow());
    assert_eq!(at.told(), NOTHING);
}

#[test]
fn a_log_beside_the_directory_is_not_told_at_all() {
    let mut at = Watched::new(&["mesh/a.yaml"], &["mesh"], &[]);
    let mut log = fs::File::create(at.path("a.log")).unwrap();
    assert_eq!(at.told(), (1, false), "that it came, which is nobody's business");
    for _ in 0..1_000 {
        log.write_all(b"a line\n").unwrap();
    }
    drop(log);
    fs::read(at.path("a.log")).unwrap();
    assert_eq!(at.told(), NOTHING);
}

#[test]
fn a_log_beside_a_file_that_is_read_is_one_event_and_no_news() {
    let cases: [(&[&str], &[&str], &str); 3] = [
        (&["a.yaml"], &[], "a.log"),
        (&["mesh"], &["cert.pem"], "a.log"),
        (&["mesh"], &[], "mesh/a.log"),
    ];
    for (arguments, mentioned, log) in cases {
        let files = ["a.yaml", "cert.pem", "mesh/a.yaml"];
        let mut at = Watched::new(&files, arguments, mentioned);
        let mut log = fs::File::create(at.path(log)).unwrap();
        at.told();
        for _ in 0..1_000 {
            log.write_all(b"a line\n").unwrap();
        }
        assert_eq!(at.told(), (1, false), "{arguments:?} {mentioned:?}");
    }
}

#[test]
fn a_flood_wakes_once_in_a_rest() {
    let mut at = Watched::new(&["a.yaml"], &["a.yaml"], &[]);
    let log = at.path("a.log");
    let stop = AtomicBool::new(false);
    let bell = Bell::new().unwrap();
    at.told();
    at.watch.drained = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                fs::write(&log, "a line\n").unwrap();
            }
        });
        let began = clock::now();
        let asked = at.watch.wait(&bell, began + 20 * limits::FILE_REST, &mut at.noticed);
        // However slow the machine, each reading but the last was followed by a rest.
        let rests = began.elapsed().as_millis() / limits::FILE_REST.as_millis();
        stop.store(true, Ordering::Relaxed);
        assert_eq!(asked, Asked::default());
        assert!(at.watch.drained > 1, "the flood was told of");
        let drained = at.watch.drained as u128;
        assert!(drained <= rests + 2, "{drained} readings in {rests} rests");
    });
}

#[test]
fn what_rings_ends_a_wait() {
    let mut at = Watched::new(&["mesh/a.yaml"], &["mesh"], &[]);
    let bell = Bell::new().unwrap();
    let far = clock::now() + Duration::from_secs(3600);
    bell.rescan();
    let rescan = Asked { rescans: Some(1), stopped: false };
    assert_eq!(at.watch.wait(&bell, far, &mut at.noticed), rescan);
    assert_eq!(bell.asked(), Asked::default(), "once");
    at.write("mesh/a.yaml");
    assert_eq!(at.watch.wait(&bell, far, &mut at.noticed), Asked::default(), "by news");
    bell.stop();
    assert!(at.watch.wait(&bell, far, &mut at.noticed).stopped);
}

/// Something done to a directory.
type Deed = fn(&Watched);

#[test]
fn each_change_is_told_or_not() {
    let all = ["mesh/a.yaml", "mesh/b.txt", "mesh/.h.yaml", "mesh/d/c.yaml", "f.yaml", "cert.pem"];
    let deeds: [(&str, bool, Deed); 19] = [
        ("a file written", true, |at| at.write("mesh/a.yaml")),
        ("a new one", true, |at| at.write("mesh/n.yaml")),
        ("one below", true, |at| at.write("mesh/d/c.yaml")),
        ("one removed", true, |at| fs::remove_file(at.path("mesh/a.yaml")).unwrap()),
        ("one renamed", true, |at| {
            fs::rename(at.path("mesh/a.yaml"), at.path("mesh/z.yaml")).unwrap();
        }),
        ("permissions", true, |at| {
            fs::set_permissions(at.path("mesh/a.yaml"), fs::Permissions::from_mode(0o600)).unwrap();
        }),
        ("permissions of a directory", true, |at| {
            fs::set_permissions(at.path("mesh/d"), fs::Permissions::from_mode(0o700)).unwrap();
        }),
        ("a new directory", true, |at| fs::create_dir(at.path("mesh/n")).unwrap()),
        ("a link, perhaps to a directory", true, |at| symlink("/", at.path("mesh/n")).unwrap()),
        ("a mount's link", true, |at| symlink("/", at.path("mesh/..data")).unwrap()),
        ("the directory away", true, |at| fs::rename(at.path("mesh"), at.path("m")).unwrap()),
        ("the directory removed", true, |at| fs::remove_dir_all(at.path("mesh")).unwrap()),
        ("a file argument", true, |at| at.write("f.yaml")),
        ("a file that is mentioned", true, |at| at.write("cert.pem")),
        ("its mount's link", true, |at| symlink("/", at.path("..data")).unwrap()),
        ("what is no configuration", false, |at| at.write("mesh/b.txt")),
        ("what is hidden", false, |at| at.write("mesh/.h.yaml")),
        ("a file beside", false, |at| at.write("g.yaml")),
        ("a directory beside", false, |at| fs::create_dir(at.path("e")).unwrap()),
    ];
    for (name, news, deed) in deeds {
        let mut at = Watched::new(&all, &["mesh", "f.yaml"], &["cert.pem"]);
        assert_eq!(at.told(), NOTHING, "{name}");
        deed(&at);
        assert_eq!(at.news(), news, "{name}");
    }
}

#[test]
fn a_file_that_is_held_open_rests_longer() {
    let mut at = Watched::new(&["a.yaml", "d/t.pem"], &["a.yaml"], &["link.pem"]);
    symlink("d/t.pem", at.path("link.pem")).unwrap();
    at.settle();
    let rests_at =
        |at: &Watched, name| at.noticed.rests_at(&at.path(name)).expect("something was told of it");
    // The mentioned file is known by its own path, and written at another.
    for (known_as, written) in [("a.yaml", "a.yaml"), ("link.pem", "d/t.pem")] {
        let mut file = fs::OpenOptions::new().append(true).open(at.path(written)).unwrap();
        let began = clock::now();
        file.write_all(b"x").unwrap();
        assert!(at.news());
        assert!(rests_at(&at, known_as) >= began + limits::FILE_OPEN_REST, "{known_as}");
        let began = clock::now();
        file.set_permissions(fs::Permissions::from_mode(0o600)).unwrap();
        assert!(at.news());
        let open = rests_at(&at, known_as) >= began + limits::FILE_OPEN_REST;
        assert!(open, "{known_as}: other permissions close nothing");
        drop(file);
        assert!(at.news());
        assert!(rests_at(&at, known_as) <= clock::now() + limits::FILE_REST, "{known_as}");
    }
}

#[test]
fn another_directory_of_the_same_name_is_watched_instead() {
    let mut at = Watched::new(&["mesh/a.yaml", "next/a.yaml"], &["mesh"], &[]);
    fs::rename(at.path("mesh"), at.path("old")).unwrap();
    fs::rename(at.path("next"), at.path("mesh")).unwrap();
    assert!(at.news());
    at.settle();
    at.write("old/a.yaml");
    assert_eq!(at.told(), NOTHING, "the old one is watched no more");
    at.write("mesh/a.yaml");
    assert!(at.news());
    assert!(at.noticed.rests_at(&at.path("mesh/a.yaml")).is_some());
    // Removed and made again, perhaps with the same number.
    for _ in 0..3 {
        fs::remove_dir_all(at.path("mesh")).unwrap();
        at.write("mesh/a.yaml");
        assert!(at.news());
        at.settle();
        at.write("mesh/a.yaml");
        assert!(at.news());
    }
    assert_eq!(at.watch.table.directories.len(), at.watch.table.descriptors.len());
}

#[test]
fn a_directory_that_moves_keeps_its_watch_by_its_new_name() {
    let mut at = Watched::new(&["mesh/d/a.yaml"], &["mesh"], &[]);
    fs::rename(at.path("mesh/d"), at.path("mesh/e")).unwrap();
    assert!(at.news());
    assert!(!at.follow(), "no watch is new");
    at.write("mesh/e/a.yaml");
    assert!(at.news());
    assert!(at.noticed.rests_at(&at.path("mesh/e/a.yaml")).is_some());
    assert!(at.noticed.rests_at(&at.path("mesh/d/a.yaml")).is_none());
}

#[test]
fn an_overflow_is_news_and_each_watch_is_asked_for_again() {
    let mut at = Watched::new(&["mesh/a.yaml"], &["mesh"], &[]);
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    let limit: usize = limit.trim().parse().unwrap();
    // Names that nobody heeds, so that the overflow alone can be the news.
    let (one, other) = (at.path("one"), at.path("two"));
    fs::write(&one, "").unwrap();
    for _ in 0..=limit / 4 {
        fs::rename(&one, &other).unwrap();
        fs::rename(&other, &one).unwrap();
    }
    // This one's events are lost.
    fs::remove_dir_all(at.path("mesh")).unwrap();
    at.write("mesh/a.yaml");
    let (mut events, mut news) = (0, false);
    loop {
        let (some, telling) = at.told();
        (events, news) = (events + some, news | telling);
        if some == 0 {
            break;
        }
    }
    assert!(events > limit, "{events}");
    assert!(news);
    assert!(at.follow());
    at.settle();
    at.write("mesh/a.yaml");
    assert!(at.news(), "the new directory is watched");
    assert_eq!(at.watch.table.directories.len(), 2, "it and its parent: what ended is forgotten");
}

#[test]
fn what_cannot_be_watched_is_said_in_words_of_its_own() {
    for (errno, words) in [
        (Errno::NOSPC, "changes here are seen late: the limit of watches is reached"),
        (
            Errno::MFILE,
            "changes here are seen late: the limit of open files or of inotify instances is reached",
        ),
        (Errno::ACCESS, "changes here are seen late: permission denied"),
    ] {
        let said = not_watched("mesh", errno);
        assert_eq!((said.message.as_str(), said.code), (words, codes::NOT_WATCHED));
        assert_eq!(said.severity, Severity::Warning);
    }
}
