//! Commands find every proxy of a user, wherever they are given and wherever its socket is.

use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use meshctl::clock;

use super::support::ports::free_addresses;
use super::{MESHCTL, shell};

/// For a debug build on busy cores.
const PATIENCE: Duration = Duration::from_secs(20);

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A proxy over a directory of its own, with its control socket there.
fn start(root: &Path, name: &str) -> Running {
    let [port] = free_addresses();
    let made = format!("meshctl init -q {name} --listen {port} --to localhost:1");
    assert!(shell(root, &made).status().unwrap().success());
    let child = Command::new(MESHCTL)
        .current_dir(root)
        .env_clear()
        .env("MESHCTL_RUN_DIR", root.join("known"))
        .args(["proxy", "run", "--observe", "off", "--workers", "1", "-f", name, "--control"])
        .arg(root.join(name).join(".meshctl/run/its.sock"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Running(child)
}

/// In a directory that has nothing to do with any of them.
fn ask(root: &Path, line: &str) -> (Option<i32>, String) {
    let known = root.join("known");
    let output = shell(Path::new("/"), line).env("MESHCTL_RUN_DIR", known).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn proxies_are_found_from_anywhere() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path().canonicalize().unwrap();
    let names = ["shop", "forum"];
    let mut proxies = names.map(|name| start(&root, name));
    let until = clock::now() + PATIENCE;
    let pids = proxies.each_ref().map(|proxy| proxy.0.id().to_string());
    let all = loop {
        let (code, said) = ask(&root, "meshctl proxy status -o wide");
        if code == Some(0) && pids.iter().all(|pid| said.contains(pid.as_str())) {
            break said;
        }
        assert!(clock::now() < until, "{code:?} {said}");
        std::thread::sleep(Duration::from_millis(20));
    };
    for name in names {
        let socket = root.join(name).join(".meshctl/run/its.sock");
        assert!(all.contains(&socket.display().to_string()), "{all}");
    }
    assert!(all.contains("CONNECTIONS") && all.contains("WORKERS"), "{all}");
    let (_, table) = ask(&root, "meshctl proxy status");
    assert!(!table.contains("WORKERS") && table.lines().count() == 3, "{table}");

    // Several: one has to be named, by what it serves, by its process, or by where one stands.
    let (code, said) = ask(&root, "meshctl proxy config");
    assert!(code == Some(4) && said.contains("several proxies") && said.contains("-f"), "{said}");
    let shop = root.join("shop");
    for line in [
        format!("meshctl proxy status -o name -f {}", shop.display()),
        format!("cd {} && meshctl proxy status -o name -f .", shop.display()),
    ] {
        assert_eq!(ask(&root, &line), (Some(0), format!("{}\n", pids[0])), "{line}");
    }
    for line in [
        format!("meshctl proxy config -f {}", shop.display()),
        format!("meshctl proxy config {}", pids[0]),
        format!("cd {} && meshctl proxy config", shop.display()),
    ] {
        let (code, said) = ask(&root, &line);
        assert!(code == Some(0) && said.contains("\"parts\""), "{line}: {said}");
    }
    let (code, said) = ask(&root, "meshctl proxy config -f /tmp");
    assert!(code == Some(4) && said.contains("no proxy that runs here serves /tmp"), "{said}");

    // One that hangs up hides nobody else.
    let path = root.join("known/mute.sock");
    let mute = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || mute.incoming().for_each(drop));
    let (code, said) = ask(&root, "meshctl proxy status -o wide");
    assert!(code == Some(4) && said.contains("mute.sock gave no answer"), "{said}");
    assert!(pids.iter().all(|pid| said.contains(pid.as_str())), "{said}");
    std::fs::remove_file(path).unwrap();

    let (code, said) = ask(&root, "meshctl proxy drain --all --wait --timeout 20s");
    assert_eq!(code, Some(0), "{said}");
    for proxy in &mut proxies {
        assert!(proxy.0.wait().unwrap().success());
    }
    assert_eq!(root.join("known").read_dir().unwrap().count(), 0, "their links are gone");
    let (code, said) = ask(&root, "meshctl proxy status");
    assert!(code == Some(4) && said.contains("no proxy runs here"), "{said}");
}
