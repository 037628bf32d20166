//! The proxies that serve a directory, as they tell at their control doors: whether they serve a
//! route as it is stored, and what they have done.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::join_all;

use super::endpoints::any_answers;
use crate::clock::{self, Instant};
use crate::limits;
use crate::model::{Counts, Name, Report};
use crate::proxy::control::{self, ServedRoute, ServedRule, ServedTarget};
use crate::rollout::arms::Pair;
use crate::rollout::route::{Destination, Weights};
use crate::rollout::turn::Sight;
use crate::rollout::{Rollout, RolloutKind, mirror};
use crate::store::Stored;
use crate::telemetry::tally::Tally;

/// Who is asked, and what they have said so far.
pub struct Proxies {
    /// What is served, by its real paths.
    served: Vec<PathBuf>,
    /// Where their sockets are.
    doors: Vec<PathBuf>,
    tally: Mutex<Tally>,
}

/// What they said when they were asked last.
#[derive(Clone, Debug)]
pub struct Look {
    pub at: Instant,
    pub sight: Sight,
    /// How many serve the route.
    pub proxies: usize,
    /// What each lacks that doesn't serve it as it is stored.
    pub behind: Vec<String>,
}

/// One that serves something of the directory.
struct Told {
    name: Name,
    route: ServedRoute,
    report: Result<Report, String>,
}

impl Proxies {
    /// `doors` are directories of control sockets.
    pub fn new(served: &[PathBuf], doors: &[PathBuf]) -> Self {
        let real = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
        Self {
            served: served.iter().map(real).collect(),
            doors: doors.to_vec(),
            tally: Mutex::default(),
        }
    }

    /// Asks all of them at once.
    pub async fn look(&self, rollout: &Rollout, stored: &Stored) -> Look {
        let doors = self.doors.clone();
        let found = tokio::task::spawn_blocking(move || control::find(&doors)).await;
        let found = found.unwrap_or_default();
        let asked = join_all(found.iter().map(|proxy| ask(proxy, rollout))).await;
        let mut behind = Vec::new();
        let mut told = Vec::new();
        for (proxy, answer) in found.iter().zip(asked) {
            match answer {
                Ok(one) if self.serves(&one.route) => told.push(one),
                Ok(_) => {}
                // Who it serves can't be known; what stands in the directory itself is ours.
                Err(why) if self.is_ours(&proxy.socket) => {
                    behind.push(format!("proxy {}: {why}", name(proxy)));
                }
                Err(_) => {}
            }
        }
        let totals = self.count(rollout, &told);
        for one in &told {
            if let Err(why) = in_force(rollout, stored, &one.route.rules) {
                behind.push(format!("proxy {}: {why}", one.name));
            }
        }
        let ready = told.is_empty() || is_ready(rollout, stored, &told).await;
        let in_force = behind.is_empty() && !told.is_empty();
        Look {
            at: clock::now(),
            sight: Sight { in_force, ready, totals },
            proxies: told.len(),
            behind,
        }
    }

    fn count(&self, rollout: &Rollout, told: &[Told]) -> Pair<Counts> {
        let mut tally = lock(&self.tally);
        for Told { name, report, .. } in told {
            if let Ok(report) = report {
                tally.take(name, report.clone());
            }
        }
        Pair::of(rollout, tally.arms().map(|arm| (arm, tally.totals(arm))))
    }

    /// The directory, one above it, or a part of it that has the route.
    fn serves(&self, route: &ServedRoute) -> bool {
        let meant = |source: &Path| {
            let whole = self.served.iter().any(|served| served.starts_with(source));
            let part = || self.served.iter().any(|served| source.starts_with(served));
            whole || part() && !route.rules.is_empty()
        };
        route.sources.iter().any(|source| meant(Path::new(source)))
    }

    fn is_ours(&self, socket: &Path) -> bool {
        self.served.iter().any(|served| socket.starts_with(served))
    }
}

/// Nothing that is held under it panics.
fn lock(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn ask(proxy: &control::Proxy, rollout: &Rollout) -> Result<Told, String> {
    let wait = limits::ROLLOUT_ASK_WAIT;
    let route = control::ask_route(&proxy.socket, &rollout.route, wait);
    let report = control::ask_report(&proxy.socket, wait);
    let (route, report) = tokio::join!(route, report);
    Ok(Told {
        name: name(proxy).into(),
        route: route.map_err(|error| error.to_string())?,
        report: report.map_err(|error| error.to_string()),
    })
}

fn name(proxy: &control::Proxy) -> String {
    match proxy.pid {
        Some(pid) => pid.to_string(),
        None => proxy.socket.display().to_string(),
    }
}

/// What a proxy lacks of the route as it is stored: of the rules that are meant, the weights and
/// copies.
fn in_force(rollout: &Rollout, stored: &Stored, served: &[ServedRule]) -> Result<(), String> {
    if served.is_empty() {
        return Err("no listener takes the route".to_owned());
    }
    let same = match &rollout.kind {
        RolloutKind::Canary(canary) => {
            let wanted = Weights::read(&stored.value, rollout.rule.as_deref(), &canary.stable);
            let wanted = wanted.map_err(|error| error.to_string())?;
            wanted.0.iter().all(|rule| {
                let shares = rule.backends.iter().map(|one| (&one.to, one.weight()));
                every(served, rule.rule, |served| {
                    let has = served.backends.iter().map(|one| (&one.to, one.weight));
                    let mut pairs = shares.clone().zip(has);
                    rule.backends.len() == served.backends.len()
                        && pairs.all(|((to, weight), (is, has))| weight == has && is_it(to, is))
                })
            })
        }
        RolloutKind::DarkLaunch(dark) => {
            let wanted = mirror::places(&stored.value, rollout.rule.as_deref(), &dark.to);
            let wanted = wanted.map_err(|error| error.to_string())?;
            wanted.iter().all(|(rule, percent)| {
                every(served, *rule, |served| {
                    let copy = served.copies.iter().find(|copy| is_it(&dark.to, &copy.to));
                    copy.map(|copy| copy.percent) == percent.map(f64::from)
                })
            })
        }
    };
    if same { Ok(()) } else { Err("it serves the route as it was before".to_owned()) }
}

/// Gateways may see one rule differently: all of them are looked at.
fn every(served: &[ServedRule], rule: usize, same: impl Fn(&ServedRule) -> bool) -> bool {
    let mut of_rule = served.iter().filter(|one| one.position as usize == rule).peekable();
    of_rule.peek().is_some() && of_rule.all(same)
}

/// What leads nowhere has no name.
fn is_it(to: &Destination, served: &ServedTarget) -> bool {
    let ServedTarget { kind, namespace, name, port } = served;
    let same = (&to.kind, &to.namespace, &to.name) == (kind, namespace, name);
    name.is_empty() || same && (to.port.is_none() || port.is_none() || to.port == *port)
}

/// Whether the new version has an endpoint in all proxies, and one of them answers where nobody
/// has been sent there yet.
async fn is_ready(rollout: &Rollout, stored: &Stored, told: &[Told]) -> bool {
    let (_, new, dark) = rollout.versions();
    // Who has no rule of the route sends nobody.
    let serve = told.iter().filter(|one| !one.route.rules.is_empty());
    let sets = serve.map(|one| {
        let rules = one.route.rules.iter();
        let mut found: Vec<String> = rules.flat_map(|rule| endpoints(rule, new, dark)).collect();
        found.sort();
        found.dedup();
        found
    });
    let sets: Vec<_> = sets.collect();
    if sets.is_empty() {
        return has_weight(rollout, stored);
    }
    if sets.iter().any(Vec::is_empty) {
        return false;
    }
    if dark || has_weight(rollout, stored) {
        return true;
    }
    let mut all: Vec<String> = sets.into_iter().flatten().collect();
    all.sort();
    all.dedup();
    any_answers(&all).await
}

fn endpoints(rule: &ServedRule, to: &Destination, dark: bool) -> Vec<String> {
    let named = |is: &ServedTarget| !is.name.is_empty() && is_it(to, is);
    let copies = rule.copies.iter().filter(|copy| dark && named(&copy.to));
    let backends = rule.backends.iter().filter(|one| !dark && named(&one.to));
    copies
        .flat_map(|copy| &copy.endpoints)
        .chain(backends.flat_map(|one| &one.endpoints))
        .cloned()
        .collect()
}

fn has_weight(rollout: &Rollout, stored: &Stored) -> bool {
    let RolloutKind::Canary(canary) = &rollout.kind else { return false };
    let read = Weights::read(&stored.value, rollout.rule.as_deref(), &canary.stable);
    read.is_ok_and(|weights| weights.give(&canary.canary))
}
