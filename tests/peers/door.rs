//! The observation door has one address, whichever process serves: probes and Prometheus find it
//! open while one process takes over from another.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use crate::alone;
use crate::origin::Origin;
use crate::process::{Mesh, Proxy, ask, get, wait_until};
use crate::reload::RULES;

const TAKEOVERS: usize = 5;
/// For a debug build on busy cores.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks for everything that the door shows, one after the other, and notes what isn't answered.
struct Probes {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    thread: std::thread::JoinHandle<Vec<String>>,
}

impl Probes {
    fn start(door: SocketAddr) -> Self {
        let (stop, answered) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let (ended, counted) = (Arc::clone(&stop), Arc::clone(&answered));
        let thread = std::thread::spawn(move || {
            let mut lost = Vec::new();
            for path in ["/live", "/ready", "/metrics"].iter().cycle() {
                if ended.load(SeqCst) {
                    break;
                }
                match ask(door, path) {
                    Some(answer) if answer.starts_with("HTTP/1.1 200") => {
                        counted.fetch_add(1, SeqCst);
                    }
                    other => lost.push(format!("{path}: {other:?}")),
                }
            }
            lost
        });
        Self { stop, answered, thread }
    }

    fn more(&self) {
        let enough = self.answered.load(SeqCst) + 100;
        wait_until("probes", PATIENCE, || self.answered.load(SeqCst) >= enough);
    }

    fn end(self) -> (usize, Vec<String>) {
        self.stop.store(true, SeqCst);
        (self.answered.load(SeqCst), self.thread.join().unwrap())
    }
}

#[test]
fn no_takeover_closes_the_door() {
    let _alone = alone();
    let origin = Origin::start(Duration::ZERO);
    let backends = [("origin", origin.address)];
    let mut proxy = Proxy::start(&Mesh { settings: "", rules: RULES, backends: &backends });
    let probes = Probes::start(proxy.observe);
    for _ in 0..TAKEOVERS {
        probes.more();
        proxy.take_over();
        proxy.wait_for_former();
    }
    probes.more();
    let (answered, lost) = probes.end();
    println!("{} of {answered} probes lost over {TAKEOVERS} takeovers", lost.len());
    assert!(lost.is_empty(), "{lost:?}\n{}", proxy.log());
    get(proxy.http).unwrap();
    assert_eq!(proxy.metric("meshctl_requests_total"), 1.0, "they are the last process's metrics");
}

/// As with an older version, which hands no door over: its address is free when it has ended, and
/// the traffic is not kept waiting for that.
#[test]
fn a_door_that_is_not_handed_over_is_opened_when_it_is_free() {
    let _alone = alone();
    let origin = Origin::start(Duration::ZERO);
    let backends = [("origin", origin.address)];
    let mut proxy = Proxy::prepare(&Mesh { settings: "", rules: RULES, backends: &backends });
    let port = proxy.observe.port();
    // The same port, and not the same address.
    proxy.observe = SocketAddr::from(([0, 0, 0, 0], port));
    proxy.serve(proxy.run_as(|command| command));
    proxy.observe = SocketAddr::from(([127, 0, 0, 1], port));
    proxy.take_over();
    assert!(get(proxy.http).unwrap().ends_with("hello\n"));
    proxy.wait_for_former();
    wait_until("the door", PATIENCE, || ask(proxy.observe, "/ready").is_some());
    wait_until("its log line", PATIENCE, || {
        proxy.log().contains(&format!("metrics are shown on {}", proxy.observe))
    });
    // The next one gets it from this one.
    proxy.take_over();
    proxy.wait_for_former();
    assert!(ask(proxy.observe, "/ready").is_some());
}
