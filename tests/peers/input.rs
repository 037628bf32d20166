//! Configuration from standard input.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::alone;
use crate::origin::Origin;
use crate::process::{MESHCTL, Mesh, Proxy, backend, get, wait_until};
use crate::reload::RULES;

fn check(text: &str) -> (bool, String) {
    let mut child = Command::new(MESHCTL)
        .args(["check", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    let said = [done.stdout, done.stderr].concat();
    (done.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn what_is_piped_in_is_checked() {
    let good = backend("origin", &["127.0.0.1:3000".parse().unwrap()]);
    let (passed, said) = check(&good);
    assert!(passed, "{said}");
    let (passed, said) = check(&good.replace("endpoints", "endpints"));
    assert!(!passed && said.contains("MC0012") && said.contains("endpoints"), "{said}");
    // Where a file's name would stand.
    assert!(said.contains("-:4:"), "{said}");
}

/// The pipe is closed behind what was piped in: the proxy serves on, and SIGHUP takes nothing away.
#[test]
fn what_is_piped_in_is_served_on() {
    let _alone = alone();
    let origin = Origin::start(Duration::ZERO);
    let mut proxy = Proxy::prepare(&Mesh { settings: "", rules: RULES, backends: &[] });
    let file = |name| std::fs::read_to_string(proxy.mesh().join(name)).unwrap();
    let files = ["gateway.yaml", "certificate.yaml", "route.yaml"].map(file);
    let text = [&files.join("\n---\n"), "\n---\n", &backend("origin", &[origin.address])].concat();
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(text.as_bytes()).unwrap();
    drop(writer);
    let folder = proxy.mesh();
    let running = proxy.run_as(|command| {
        let mut piped = Command::new(MESHCTL);
        let instead =
            |argument| if argument == folder.as_os_str() { "-".as_ref() } else { argument };
        piped.args(command.get_args().map(instead)).stdin(reader);
        piped
    });
    proxy.serve(running);
    std::fs::remove_dir_all(&folder).unwrap();
    let works = || get(proxy.http).unwrap().ends_with("hello\n");
    assert!(works());
    let reloads = || proxy.metric("meshctl_reloads_total{result=\"ok\"}");
    let before = (reloads(), proxy.metric("meshctl_config_generation"));
    for number in 1..=3 {
        proxy.signal(Signal::HUP);
        let enough = before.0 + f64::from(number);
        wait_until("a reload", Duration::from_secs(5), || reloads() >= enough);
        assert!(works());
    }
    assert_eq!(proxy.metric("meshctl_config_generation"), before.1);
    assert_eq!(proxy.metric("meshctl_diagnostics"), 0.0);
    proxy.stop();
}
