//! Names of endpoints into addresses, and again when their time is over.
//!
//! A Snapshot holds addresses alone. An answer is kept for its TTL within bounds; what fails is
//! asked for again with backoff, and meanwhile the last good addresses stay. IPv4 and IPv6 fail
//! apart: half an answer takes nothing away. A name with both is balanced over one, and each address
//! has one of the other as its alternate. No name is asked for twice at once, however many
//! endpoints have it.

mod ask;
mod sets;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use self::ask::{Answer, Asked, Server};
use self::sets::Sets;
use crate::clock::{self, Instant};
use crate::config::codes;
use crate::config::raw::{Origin, Place};
use crate::config::{Diagnostic, Severity};
use crate::limits;
use crate::model::{Name, Part, PartKind, Reach};
use crate::snapshot::Changes;

/// Stands between lowering and the Snapshot.
#[derive(Debug)]
pub struct Resolver {
    server: Arc<Server>,
    names: BTreeMap<Name, Known>,
    sets: Sets,
    asking: JoinSet<(Name, Asked)>,
    /// What is wrong is something else than when it was last looked at.
    news: bool,
    random: fastrand::Rng,
}

#[derive(Debug)]
struct Known {
    addresses: Addresses,
    /// When it is asked for; `None` while it is.
    due: Option<Instant>,
    /// In a row; 0 after an answer.
    failures: u32,
    /// Why the last time failed.
    error: Option<String>,
    /// An address that some set may not lead to, and why.
    refused: Option<String>,
    /// Somebody answered or failed to, once at least.
    asked: bool,
}

/// The last good ones, sorted.
#[derive(Debug, Default)]
struct Addresses {
    v4: Vec<IpAddr>,
    v6: Vec<IpAddr>,
}

impl Resolver {
    /// Asks as the machine does: /etc/hosts, then the servers of /etc/resolv.conf.
    pub fn system(random: fastrand::Rng) -> Self {
        Self::new(Server::system(), random)
    }

    fn new(server: Server, random: fastrand::Rng) -> Self {
        Self {
            server: Arc::new(server),
            names: BTreeMap::new(),
            sets: Sets::default(),
            asking: JoinSet::new(),
            news: false,
            random,
        }
    }

    /// The same changes with addresses in the place of names. Names that are new are waited for,
    /// but no longer than `limits::DNS_FIRST_WAIT`. Dropped half-way, the changes are lost: not
    /// for a branch of `select!`.
    pub async fn resolve(&mut self, changes: Changes) -> Changes {
        let Changes { upserted, removed } = changes;
        for key in removed.iter().filter(|key| key.part == PartKind::EndpointSet) {
            self.sets.remove(key);
        }
        let mut out = Changes { upserted: Vec::new(), removed };
        for part in upserted {
            match part {
                Part::EndpointSet(set) if sets::has_names(&set) => self.sets.insert(set),
                Part::EndpointSet(set) => {
                    self.sets.remove(&set.key);
                    out.upserted.push(Part::EndpointSet(set));
                }
                other => out.upserted.push(other),
            }
        }
        self.follow();
        let deadline = clock::now() + limits::DNS_FIRST_WAIT;
        while self.names.values().any(|known| !known.asked) {
            self.ask();
            let joined = tokio::time::timeout_at(deadline, self.asking.join_next()).await;
            match joined {
                Ok(Some(Ok((name, asked)))) => self.learn(&name, asked),
                Ok(Some(Err(error))) => self.lost(&error),
                Ok(None) | Err(_) => break,
            }
        }
        for (name, known) in &mut self.names {
            known.refused = self.sets.refused(name, &known.addresses);
        }
        self.news = false;
        out.upserted.extend(self.changed());
        out
    }

    /// Waits until answers change something; without a part where that is only what is wrong. May
    /// be dropped and called again.
    pub async fn next(&mut self) -> Changes {
        loop {
            let changed = self.changed();
            if !changed.is_empty() || self.news {
                self.news = false;
                return Changes { upserted: changed, removed: Vec::new() };
            }
            self.ask();
            let due = self.names.values().filter_map(|known| known.due).min();
            let room = self.asking.len() < limits::DNS_LOOKUPS;
            tokio::select! {
                Some(joined) = self.asking.join_next() => match joined {
                    Ok((name, asked)) => self.learn(&name, asked),
                    Err(error) => self.lost(&error),
                },
                () = sleep_until(due.filter(|_| room)) => {}
            }
        }
    }

    /// What can't be resolved now, by name.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let origin = Origin { file: "".into(), line_offset: 0 };
        let mut found = Vec::new();
        if let (Some(error), false) = (self.server.missing(), self.names.is_empty()) {
            let message = format!("no name server is known: {error}");
            let help = "names of /etc/hosts and `localhost` alone are resolved";
            found.push(Diagnostic {
                severity: Severity::Warning,
                ..Diagnostic::error(codes::NO_NAME_SERVER, &origin, Place::default(), message)
                    .help(help)
            });
        }
        for (name, known) in &self.names {
            if let Some(refused) = &known.refused {
                let message = format!("`{name}` resolves to {refused}");
                let help = "no route of this cluster may reach that: it is left out";
                let place = Place::default();
                found.push(
                    Diagnostic::error(codes::NAME_REFUSED, &origin, place, message).help(help),
                );
            }
            let Some(error) = &known.error else { continue };
            let message = format!("`{name}` can't be resolved: {error}");
            let wrong = Diagnostic::error(codes::NAME_FAILED, &origin, Place::default(), message);
            found.push(if known.addresses.is_empty() {
                wrong.help("its backends answer 503 until it is")
            } else {
                let help = "the addresses that were known stay in use";
                Diagnostic { severity: Severity::Warning, ..wrong.help(help) }
            });
        }
        found
    }

    /// Names that sets have, and no others.
    fn follow(&mut self) {
        let used = self.sets.names();
        self.names.retain(|name, _| used.contains(name));
        let now = clock::now();
        for name in used {
            self.names.entry(name).or_insert_with(|| Known {
                addresses: Addresses::default(),
                due: Some(now),
                failures: 0,
                error: None,
                refused: None,
                asked: false,
            });
        }
    }

    /// Starts what is due.
    fn ask(&mut self) {
        let now = clock::now();
        for (name, known) in &mut self.names {
            if self.asking.len() >= limits::DNS_LOOKUPS {
                return;
            }
            if known.due.is_some_and(|due| due <= now) {
                known.due = None;
                let (server, name) = (Arc::clone(&self.server), name.clone());
                self.asking.spawn(async move {
                    let asked = server.ask(&name).await;
                    (name, asked)
                });
            }
        }
    }

    /// A lookup panicked, nobody knows whose: all that are under way count as failed.
    fn lost(&mut self, error: &tokio::task::JoinError) {
        tracing::error!(%error, "a lookup ended");
        let due = clock::now() + limits::DNS_BACKOFF_MAX;
        for known in self.names.values_mut().filter(|known| known.due.is_none()) {
            (known.due, known.asked) = (Some(due), true);
        }
    }

    fn learn(&mut self, name: &Name, asked: Asked) {
        // Nobody may want it any more; or it was forgotten and is new again, which asks once more.
        let Some(known) = self.names.get_mut(name) else { return };
        let Asked { v4, v6 } = asked;
        let (mut ttl, mut error) = (None::<Duration>, None);
        // One family without addresses is how most names are; both are a mistake somewhere.
        let some = [&v4, &v6].iter().any(|answer| matches!(answer, Answer::Found { .. }));
        for (family, answer) in [(&mut known.addresses.v4, v4), (&mut known.addresses.v6, v6)] {
            match answer {
                Answer::Found { addresses, ttl: of_answer } => {
                    *family = addresses;
                    ttl = Some(ttl.map_or(of_answer, |ttl| ttl.min(of_answer)));
                }
                Answer::None if some => family.clear(),
                Answer::None => error = error.or_else(|| Some("it has no address".to_owned())),
                // The family that answered decides; the other keeps what it had.
                Answer::Failed(_) if some => {}
                Answer::Failed(reason) => error = Some(reason),
            }
        }
        known.asked = true;
        known.failures = if error.is_some() { known.failures.saturating_add(1) } else { 0 };
        let refused = self.sets.refused(name, &known.addresses);
        self.news |= (&known.error, &known.refused) != (&error, &refused);
        (known.error, known.refused) = (error, refused);
        let pause = match (known.failures, ttl) {
            (0, ttl) => {
                let ttl = ttl.unwrap_or(limits::DNS_TTL_MIN);
                ttl.clamp(limits::DNS_TTL_MIN, limits::DNS_TTL_MAX)
            }
            (failures, _) => backoff(failures, &mut self.random),
        };
        known.due = Some(clock::now() + pause);
        self.sets.touch(name);
    }

    /// Sets that are other ones now than what was last handed out.
    fn changed(&mut self) -> Vec<Part> {
        let names = &self.names;
        self.sets.changed(&|name| names.get(name).map(|known| &known.addresses))
    }
}

impl Addresses {
    fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    fn all(&self) -> impl Iterator<Item = IpAddr> {
        self.v4.iter().chain(&self.v6).copied()
    }

    /// One endpoint per address of one family, each with an address of the other as its
    /// alternate, bounded.
    ///
    /// A name with both families names the same servers twice. As endpoints of their own, the
    /// addresses of a family that is not listened on (`localhost:3000`, a container without IPv6)
    /// would fail their half of the requests, until they are ejected and again at each return; and
    /// every server would count twice. So one family is balanced over, and who can't connect takes
    /// the alternate (RFC 8305). It is IPv4 wherever there is some: were it the larger family, a
    /// rollout that one answer knows of before the other would exchange all endpoints and forget
    /// what is known of them. Which IPv6 address is whose nobody says: they are dealt out.
    ///
    /// What may not be reached is neither.
    fn pairs(&self, reach: Option<&Reach>) -> Vec<(IpAddr, Option<IpAddr>)> {
        let open = |ip: &&IpAddr| reach.is_none_or(|reach| reach.refuses(**ip).is_none());
        let open = |family: &[IpAddr]| family.iter().filter(open).copied().collect::<Vec<_>>();
        let (v4, v6) = (open(&self.v4), open(&self.v6));
        let (first, other) = if v4.is_empty() { (&v6, &v4) } else { (&v4, &v6) };
        let others = other.iter().copied().map(Some).cycle().chain(std::iter::repeat(None));
        first.iter().copied().zip(others).take(limits::DNS_ADDRESSES).collect()
    }
}

/// 1 s, 2 s, 4 s … of which a random half is waited at the least, so that not everybody asks at
/// once when a server is back.
fn backoff(failures: u32, random: &mut fastrand::Rng) -> Duration {
    let whole = limits::DNS_TTL_MIN.saturating_mul(1 << failures.saturating_sub(1).min(16));
    whole.min(limits::DNS_BACKOFF_MAX).mul_f64(0.5 + random.f64() / 2.0)
}

async fn sleep_until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}
