//! What proxies tell of what they have done.

use super::running::{Controller, served, within};
use super::shop;
use crate::controller::fixture::{backend, endpoints, key, listener, rule};
use crate::controller::proxies::Proxy;
use crate::model::{Arm, ArmKey, Counts, PartKind, Report, Totals};
use crate::source::remote::Remote;

fn arm(name: &str) -> ArmKey {
    let (rule, backend) = (key(PartKind::Rule, name), key(PartKind::Backend, name));
    ArmKey { rule, backend, dark: false }
}

fn counts(requests: u64, in_flight: u64) -> Counts {
    Counts { requests, in_flight, ..Counts::default() }
}

/// So many arms were made, and these have done so much.
fn report(process: u64, arms: &[(&str, u64)]) -> Report {
    let arms = arms.iter().zip(1..).map(|((name, requests), born)| Arm {
        key: arm(name),
        born,
        counts: counts(*requests, 1),
    });
    let arms: Vec<Arm> = arms.collect();
    Report { process, born: arms.len() as u64, totals: Totals::default(), arms }
}

/// Two tenants: each has one Gateway and one route.
fn two() -> Vec<crate::model::Part> {
    let of = |name: &str| {
        vec![
            listener(name, name, &[]),
            rule(name, &[name], &[name], None),
            backend(name, name, None),
            endpoints(name, 1),
        ]
    };
    [of("one"), of("two")].concat()
}

async fn heard(controller: &Controller, of: &str, expected: Counts) {
    within("a report", async {
        while controller.distribution.arm(&arm(of)) != expected {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    })
    .await;
}

/// Says this, and waits until it is known to have arrived.
async fn tell(controller: &Controller, proxy: &Remote, report: Report, mark: u64) {
    let totals = Totals { connections: mark, ..report.totals };
    proxy.report(Report { totals, ..report });
    within("a report", async {
        let marked = |proxy: &Proxy| proxy.totals.is_some_and(|totals| totals.connections == mark);
        while !controller.distribution.proxies().iter().any(marked) {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_proxy_tells_how_much_it_has_done() {
    let mut controller = Controller::start().await;
    controller.publish(shop(1), vec![]);
    let mut proxy = controller.proxy("one:pod-1");
    served(&mut proxy).await;
    let told = |proxies: &[Proxy]| proxies[0].acknowledged == Some(1);
    assert_eq!(controller.until("the word", told).await[0].totals, None);
    let totals = Totals { requests: 9, errors: 2, connections: 1, left_out: 0 };
    let report = Report { process: 1, totals, ..Report::default() };
    proxy.report(Report { totals: Totals { requests: 8, ..totals }, ..report.clone() });
    proxy.report(report);
    within("the report", async {
        // Nobody is woken for a report.
        while controller.distribution.proxies()[0].totals != Some(totals) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let proxies = controller.distribution.proxies();
    assert_eq!((proxies[0].acknowledged, &proxies[0].trouble), (Some(1), &None));
}

#[tokio::test]
async fn arms_are_added_up_over_proxies_and_broken_lines() {
    let mut controller = Controller::start().await;
    controller.publish(two(), vec![]);
    let mut a = controller.proxy("one:a");
    let mut b = controller.proxy("one:b");
    served(&mut a).await;
    served(&mut b).await;
    tell(&controller, &a, report(1, &[]), 1).await;
    tell(&controller, &b, report(2, &[("one", 100)]), 2).await;
    heard(&controller, "one", counts(0, 1)).await;
    tell(&controller, &a, report(1, &[("one", 5)]), 3).await;
    tell(&controller, &b, report(2, &[("one", 101)]), 4).await;
    heard(&controller, "one", counts(6, 2)).await;
    // One leaves, and its successor counts from zero.
    drop(a);
    heard(&controller, "one", counts(6, 1)).await;
    let mut a = controller.proxy("one:a");
    served(&mut a).await;
    tell(&controller, &a, report(3, &[]), 5).await;
    tell(&controller, &a, report(3, &[("one", 4)]), 6).await;
    heard(&controller, "one", counts(10, 2)).await;
}

/// Between a proxy's last report and the moment in which its route lost the arm. Counted when the arm
/// comes again, they would be the next version's.
#[tokio::test]
async fn the_last_requests_of_an_arm_are_counted_when_it_is_gone() {
    let mut controller = Controller::start().await;
    controller.publish(two(), vec![]);
    let mut proxy = controller.proxy("one:");
    served(&mut proxy).await;
    tell(&controller, &proxy, report(1, &[]), 1).await;
    tell(&controller, &proxy, report(1, &[("one", 5)]), 2).await;
    heard(&controller, "one", counts(5, 1)).await;
    controller.publish(vec![], vec![key(PartKind::Rule, "one")]);
    served(&mut proxy).await;
    tell(&controller, &proxy, report(1, &[("one", 9)]), 3).await;
    heard(&controller, "one", counts(9, 1)).await;
}

/// A proxy of one tenant has no say in what another's routes have done, whatever it calls itself.
#[tokio::test]
async fn a_proxy_counts_for_its_own_fleet_alone() {
    let mut controller = Controller::start().await;
    controller.publish(two(), vec![]);
    let mut one = controller.proxy("one:");
    let mut two = controller.proxy("two:");
    served(&mut one).await;
    served(&mut two).await;
    tell(&controller, &one, report(1, &[]), 1).await;
    tell(&controller, &two, report(2, &[]), 2).await;
    tell(&controller, &two, report(2, &[("two", 7)]), 3).await;
    heard(&controller, "two", counts(7, 1)).await;
    // It has the other's name and process, and would speak for it.
    let mut liar = report(2, &[("two", 1_000), ("one", 3)]);
    let crossed = ArmKey { backend: arm("two").backend, ..arm("one") };
    liar.arms.push(Arm { key: crossed.clone(), born: 2, counts: counts(9, 0) });
    tell(&controller, &one, report(2, &[]), 4).await;
    tell(&controller, &one, liar, 5).await;
    heard(&controller, "one", counts(3, 1)).await;
    heard(&controller, "two", counts(7, 1)).await;
    assert_eq!(controller.distribution.arm(&crossed), Counts::default());
    let proxies = controller.distribution.proxies();
    let names: Vec<&str> = proxies.iter().map(|proxy| &*proxy.name).collect();
    assert_eq!(names, ["claimed/pod", "claimed/pod"]);
    assert_eq!(proxies[0].totals.unwrap().left_out, 1_009);
}
