//! What a proxy of a directory tells of its arms: what a rollout's gates look at.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use meshctl::model::{ArmKey, Counts, Kind, ObjectKey, PartKey, PartKind, Report, Store};
use meshctl::proxy::control::ask_report;
use meshctl::telemetry::tally::Tally;

use super::MESHCTL;
use super::support::answer::Answer;
use super::support::client::Client;
use super::support::ports::free_addresses;
use super::support::words::{GATEWAY, backend, route, to, weighed};
use super::support::{server, within};

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(root: &Path, port: u16) -> Running {
    let child = Command::new(MESHCTL)
        .current_dir(root)
        .env_clear()
        .env("MESHCTL_RUN_DIR", root.join("known"))
        .args(["proxy", "run", "--observe", "off", "--workers", "2", "-f", "mesh.yaml"])
        .args(["--port", &format!("80={port}"), "--control", "run/its.sock"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Running(child)
}

async fn report(root: &Path) -> Report {
    let socket = root.join("run/its.sock");
    within("a report", async {
        loop {
            match ask_report(&socket, Duration::from_secs(5)).await {
                Ok(report) => return report,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    })
    .await
}

fn arm(to: &str, dark: bool) -> ArmKey {
    let part = |part, kind, name: &str, section: &str| {
        PartKey::new(part, ObjectKey::new(Store::Files, kind, "default", name), section)
    };
    ArmKey {
        rule: part(PartKind::Rule, Kind::HttpRoute, "r", "0"),
        backend: part(PartKind::Backend, Kind::Backend, to, ""),
        dark,
    }
}

fn counts(report: &Report, key: &ArmKey) -> Counts {
    let found = report.arms.iter().find(|arm| arm.key == *key);
    found.unwrap_or_else(|| panic!("{key:?} is not in {report:?}")).counts.clone()
}

#[tokio::test]
async fn arms_are_told_apart_and_counted_right() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let slow = Duration::from_millis(200);
    let good = server::http1(|seen| match seen.target.as_str() {
        "/hang" => Answer::text("late").after(Duration::from_secs(600)),
        _ => Answer::text("good"),
    });
    let bad = server::http1(move |_| Answer::status(500).after(slow));
    let (good, bad) = (good.await, bad.await);
    let copy = server::http1(|_| Answer::status(503)).await;
    let nobody = server::nobody().await.to_string();
    let mirror = format!("{{type: RequestMirror, requestMirror: {{backendRef: {}}}}}", to("copy"));
    let refs = [weighed("good", 2), weighed("bad", 1), weighed("nobody", 1)].join(", ");
    let rules = format!("- filters: [{mirror}]\n  backendRefs: [{refs}]\n");
    let yaml = [
        GATEWAY.to_owned(),
        route("r", &[], &rules),
        backend("good", &[&good.address], ""),
        backend("bad", &[&bad.address], ""),
        backend("nobody", &[&nobody], ""),
        backend("copy", &[&copy.address], ""),
    ];
    std::fs::write(root.join("mesh.yaml"), yaml.concat()).unwrap();
    let [address] = free_addresses();
    let _running = start(root, address.port());
    let before = report(root).await;
    assert_eq!((before.born, before.arms.len()), (0, 0), "nothing was asked yet");
    let mut tally = Tally::default();
    tally.take(&"here".into(), before.clone());

    let mut asked = [0_u64; 3];
    for _ in 0..2 {
        let mut client = Client::connect(address).await;
        for _ in 0..30 {
            let answer = client.get("h", "/").await;
            let which = [200, 500, 502].into_iter().position(|status| status == answer.status);
            asked[which.unwrap_or_else(|| panic!("{answer:?}"))] += 1;
        }
    }
    assert!(asked.iter().all(|count| *count > 0), "{asked:?}");
    // Those who don't wait: until one was the good backend's.
    let mut left = 0;
    while good.seen().iter().all(|seen| seen.target != "/hang") {
        let mut client = Client::connect(address).await;
        client.send("GET /hang HTTP/1.1\r\nhost: h\r\n\r\n").await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        left += 1;
    }
    let all = 60 + left;
    let finished = |report: &Report| {
        let sum: u64 = report.arms.iter().map(|arm| arm.counts.requests).sum();
        sum == 2 * all && report.arms.iter().all(|arm| arm.counts.in_flight == 0)
    };
    let after = within("everything to be counted", async {
        loop {
            let after = report(root).await;
            if finished(&after) {
                return after;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    check(&after, asked, all);
    assert_eq!((after.process, after.born), (before.process, 4));
    tally.take(&"here".into(), after.clone());
    tally.take(&"here".into(), report(root).await);
    for arm in &after.arms {
        assert_eq!(tally.totals(&arm.key), arm.counts);
    }
}

fn check(report: &Report, [fine, wrong, unreachable]: [u64; 3], all: u64) {
    let good = counts(report, &arm("good", false));
    assert_eq!((good.errors, good.server_errors), (0, 0));
    assert_eq!((good.requests - good.cancelled, good.latencies.count()), (fine, fine));
    assert!(good.cancelled >= 1, "{good:?}");
    let bad = counts(report, &arm("bad", false));
    assert_eq!((bad.errors, bad.errors), (bad.server_errors, bad.latencies.count()));
    assert!(bad.errors >= wrong && bad.errors + bad.cancelled == bad.requests, "{bad:?}");
    let median = bad.latencies.quantile(0.5).unwrap();
    assert!(median > Duration::from_millis(187), "6.25 % less than it took: {median:?}");
    let nobody = counts(report, &arm("nobody", false));
    assert_eq!((nobody.errors, nobody.server_errors), (nobody.requests, 0));
    assert!(nobody.requests >= unreachable, "{nobody:?}");
    // No client sees what the copies bring.
    let dark = counts(report, &arm("copy", true));
    assert_eq!((dark.requests, dark.server_errors + dark.cancelled), (all, all), "{dark:?}");
    let totals = report.totals;
    assert_eq!((totals.requests, totals.left_out), (all, 0), "{totals:?}");
}
