//! SIGHUP: all files are read again, also those that changed without a trace.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use rustix::process::Signal;

use crate::alone;
use crate::origin::Origin;
use crate::process::{Mesh, Proxy, backend, get, wait_until};

/// For a debug build on busy cores.
const LIVE: Duration = Duration::from_secs(5);
const OK: &str = "meshctl_reloads_total{result=\"ok\"}";
const ERROR: &str = "meshctl_reloads_total{result=\"error\"}";

/// Puts `new` where `old` stands, through a mapping of the file.
const POKE: &str = "import mmap, sys
path, old, new = sys.argv[1], sys.argv[2].encode(), sys.argv[3].encode()
assert len(old) == len(new)
with open(path, 'r+b') as file, mmap.mmap(file.fileno(), 0) as text:
    at = text.find(old)
    text[at:at + len(old)] = new
";

/// A file in memory that can be changed without a trace: what is written through a mapping of it
/// changes neither its size nor its times, so that whoever watches it finds what was there.
pub(crate) struct Traceless {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Traceless {
    /// `None` where this machine has no such files.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let memory = Path::new("/dev/shm");
        if !memory.is_dir() || Command::new("python3").arg("--version").output().is_err() {
            println!("left out: it needs /dev/shm and python3");
            return None;
        }
        let folder = tempfile::tempdir_in(memory).unwrap();
        let path = folder.path().join("file.yaml");
        std::fs::write(&path, text).unwrap();
        Some(Self { _folder: folder, path })
    }

    pub(crate) fn link(&self, to: &Path) {
        std::os::unix::fs::symlink(&self.path, to).unwrap();
    }

    pub(crate) fn poke(&self, old: &str, new: &str) {
        let stamp = || {
            let now = self.path.metadata().unwrap();
            (now.ino(), now.len(), now.mtime(), now.mtime_nsec(), now.ctime(), now.ctime_nsec())
        };
        let before = stamp();
        let mut poke = Command::new("python3");
        poke.args(["-c", POKE]).arg(&self.path).args([old, new]);
        assert!(poke.status().unwrap().success());
        assert_eq!(stamp(), before, "it has left a trace");
        assert!(std::fs::read_to_string(&self.path).unwrap().contains(new));
    }
}

pub(crate) const RULES: &str =
    "  - backendRefs: [{group: meshctl.dev, kind: Backend, name: origin}]\n";

/// A proxy, not started yet, whose one backend is one of two origins as a traceless file says.
pub(crate) struct Switch {
    pub(crate) origins: [Origin; 2],
    pub(crate) addresses: [String; 2],
    pub(crate) file: Traceless,
    pub(crate) proxy: Proxy,
}

impl Switch {
    /// `None` where the machine has no place for such a file.
    pub(crate) fn new() -> Option<Self> {
        let origins = [(); 2].map(|()| Origin::start(Duration::ZERO));
        let addresses = [&origins[0], &origins[1]].map(|origin| origin.address.to_string());
        let file = Traceless::new(&backend("origin", &[origins[0].address]))?;
        let proxy = Proxy::prepare(&Mesh { settings: "", rules: RULES, backends: &[] });
        file.link(&proxy.mesh().join("origin.yaml"));
        Some(Self { origins, addresses, file, proxy })
    }
}

#[test]
fn sighup_reads_what_nobody_saw_change() {
    let _alone = alone();
    let Some(Switch { origins, addresses: [first, second], file, mut proxy }) = Switch::new()
    else {
        return;
    };
    proxy.serve(proxy.run_as(|command| command));
    let answered = |number: usize| {
        let before = [0, 1].map(|at: usize| origins[at].counts.requests.load(SeqCst));
        assert!(get(proxy.http).unwrap().ends_with("hello\n"));
        let after = [0, 1].map(|at: usize| origins[at].counts.requests.load(SeqCst));
        (after[number] - before[number], after[1 - number] - before[1 - number])
    };
    let generation = || proxy.metric("meshctl_config_generation");
    assert_eq!(answered(0), (1, 0));

    // A change that only SIGHUP can find.
    let before = (generation(), proxy.metric(OK));
    file.poke(&first, &second);
    assert_eq!(answered(0), (1, 0));
    assert_eq!((generation(), proxy.metric(OK)), before, "nobody has seen it");
    proxy.signal(Signal::HUP);
    wait_until("the change", LIVE, || generation() > before.0);
    assert_eq!(answered(1), (1, 0));
    assert_eq!((proxy.metric(OK), proxy.metric(ERROR)), (before.1 + 1.0, 0.0));

    // A broken file: what was good is served on, and it is said what is wrong.
    let before = generation();
    file.poke("spec: ", "spec=:");
    proxy.signal(Signal::HUP);
    wait_until("the refusal", LIVE, || proxy.metric(ERROR) == 1.0);
    assert_eq!(generation(), before);
    assert_eq!(answered(1), (1, 0));
    let log = proxy.log();
    assert!(log.contains("error[MC") && log.contains("origin.yaml"), "{log}");
    assert!(proxy.metric("meshctl_diagnostics{severity=\"error\"}") > 0.0);

    // Mended, and once more with nothing to find: each SIGHUP is a reload.
    file.poke("spec=:", "spec: ");
    let reloads = proxy.metric(OK);
    for number in 1..=3 {
        proxy.signal(Signal::HUP);
        wait_until("a reload", LIVE, || proxy.metric(OK) >= reloads + f64::from(number));
    }
    assert_eq!(proxy.metric("meshctl_diagnostics"), 0.0);
    assert_eq!(answered(1), (1, 0));
    assert_eq!(proxy.metric("meshctl_panics_total"), 0.0);
}

/// What was in force before is in force still, and whoever watches the counter hears of it.
#[test]
fn an_emptied_file_is_no_success() {
    let _alone = alone();
    let origin = Origin::start(Duration::ZERO);
    let backends = [("origin", origin.address)];
    let proxy = Proxy::start(&Mesh { settings: "", rules: RULES, backends: &backends });
    let count = || [OK, ERROR].map(|result| proxy.metric(result));
    let before = count();
    proxy.write("origin.yaml", "");
    wait_until("the reload", LIVE, || count() != before);
    assert_eq!(count(), [before[0], before[1] + 1.0]);
    assert!(get(proxy.http).unwrap().ends_with("hello\n"));
    proxy.write("origin.yaml", &backend("origin", &[origin.address]));
    wait_until("the next", LIVE, || proxy.metric(OK) > before[0]);
    assert_eq!(count(), [before[0] + 1.0, before[1] + 1.0]);
}
