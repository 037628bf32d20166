//! Nothing is lost while the configuration changes, and while one process takes over from another.

use std::net::SocketAddr;
use std::time::Duration;

use crate::alone;
use crate::load::Load;
use crate::origin::Origin;
use crate::process::{Mesh, Proxy, backend, certificate, route, wait_until};

const CHANGES: u32 = 100;
const REQUESTS_UNDER_CHANGE: usize = 100_000;
const TAKEOVERS: usize = 5;
const REQUESTS_UNDER_TAKEOVER: usize = 50_000;
/// A change is live within a second (issue 3); a debug build on busy cores has twice as much.
const LIVE: Duration = Duration::from_secs(2);
/// Long streams: each sees some twenty changes.
const LONG: u32 = 100;
/// Streams that end well within the time for draining.
const SHORT: u32 = 20;

/// What an edit does to the configuration that is served.
#[derive(Debug, PartialEq)]
enum Effect {
    Replaced,
    Refused,
}

/// Every kind of change in turn; after each, every client still gets its answer.
fn change(proxy: &Proxy, origins: &[SocketAddr; 2], number: u32) -> Effect {
    let round = number / 7;
    let even = round.is_multiple_of(2);
    match number % 7 {
        0 => proxy.write("route.yaml", &route(&rules(10 + round, None))),
        1 => proxy.write("route.yaml", &route(&rules(10 + round, Some(round)))),
        2 => {
            let some = if even { &origins[..] } else { &origins[..1] };
            proxy.write("a.yaml", &backend("a", some));
        }
        3 => proxy.write("certificate.yaml", &certificate(&proxy.authority)),
        4 => {
            let idle = format!("timeouts: {{idle: {}s}}", 100 + round);
            proxy.write("gateway.yaml", &proxy.gateway(&idle, even));
        }
        5 => {
            proxy.write(
                "route.yaml",
                "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n - [",
            );
            return Effect::Refused;
        }
        _ => {
            // Half-written, as a careless editor leaves a file for a while.
            let text = route(&rules(1, None));
            let half = if even { "" } else { &text[..text.len() / 2] };
            proxy.write("route.yaml", half);
            return Effect::Refused;
        }
    }
    Effect::Replaced
}

/// Everything goes to both backends by weight; a rule that nobody asks for comes and goes.
fn rules(weight: u32, extra: Option<u32>) -> String {
    let mut rules = format!(
        "  - backendRefs:
    - {{group: meshctl.dev, kind: Backend, name: a, weight: {weight}}}
    - {{group: meshctl.dev, kind: Backend, name: b, weight: 20}}\n"
    );
    if let Some(extra) = extra {
        rules.push_str(&format!(
            "  - matches: [{{path: {{value: /extra/{extra}}}}}]
    backendRefs: [{{group: meshctl.dev, kind: Backend, name: b}}]\n"
        ));
    }
    rules
}

fn start() -> (Proxy, [SocketAddr; 2]) {
    let origins = [(); 2].map(|()| Origin::start(Duration::ZERO).address);
    let proxy = Proxy::start(&Mesh {
        settings: "",
        rules: &rules(1, None),
        backends: &[("a", origins[0]), ("b", origins[1])],
    });
    (proxy, origins)
}

#[test]
fn no_change_loses_a_request() {
    let _alone = alone();
    let (proxy, origins) = start();
    let load = Load::start(&proxy, LONG);
    let (mut slowest, mut refused) = (Duration::ZERO, 0);
    let mut number = 0;
    while number < CHANGES || load.answered() < REQUESTS_UNDER_CHANGE {
        let generation = proxy.metric("meshctl_config_generation");
        let reloads = proxy.metric("meshctl_reloads_total");
        match change(&proxy, &origins, number) {
            Effect::Replaced => {
                let live = wait_until(&format!("change {number} is live"), LIVE, || {
                    proxy.metric("meshctl_config_generation") > generation
                });
                slowest = slowest.max(live);
            }
            Effect::Refused => {
                wait_until(&format!("change {number} is refused"), LIVE, || {
                    proxy.metric("meshctl_reloads_total") > reloads
                        && proxy.metric("meshctl_diagnostics") > 0.0
                });
                // What was served before is served on.
                std::thread::sleep(Duration::from_millis(150));
                assert_eq!(proxy.metric("meshctl_config_generation"), generation);
                refused += 1;
            }
        }
        number += 1;
    }
    let answered = load.answered();
    let (said, lost) = load.stop();
    println!(
        "losses under change: {} of {answered} over {number} changes ({refused} refused, the \
         slowest live after {slowest:?}); {said}",
        lost.len()
    );
    assert!(lost.is_empty(), "{:?}\n{}", &lost[..lost.len().min(20)], proxy.log());
    assert_eq!(proxy.metric("meshctl_panics_total"), 0.0);
}

#[test]
fn no_takeover_loses_a_request() {
    let _alone = alone();
    let (mut proxy, _origins) = start();
    let load = Load::start(&proxy, SHORT);
    for number in 1..=TAKEOVERS {
        wait_until("load", Duration::from_secs(60), || {
            load.answered() > number * REQUESTS_UNDER_TAKEOVER / (TAKEOVERS + 1)
        });
        proxy.take_over();
        proxy.wait_for_former();
    }
    wait_until("load", Duration::from_secs(60), || load.answered() > REQUESTS_UNDER_TAKEOVER);
    let answered = load.answered();
    let (said, lost) = load.stop();
    println!(
        "losses under takeover: {} of {answered} over {TAKEOVERS} takeovers; {said}",
        lost.len()
    );
    assert!(lost.is_empty(), "{:?}\n{}", &lost[..lost.len().min(20)], proxy.log());
}
