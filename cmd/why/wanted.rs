//! Which failures are asked for.

use std::ops::RangeInclusive;
use std::time::Duration;

use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use meshctl::config::suggest;
use meshctl::model::Cause;
use meshctl::telemetry::failures::Failure;

use crate::wanted;

pub struct Wanted {
    pub id: Option<String>,
    pub route: wanted::Wanted,
    pub status: Option<Statuses>,
    pub cause: Option<String>,
    pub since: Option<Duration>,
}

pub type Statuses = RangeInclusive<u16>;

impl Wanted {
    /// `now`: milliseconds since the epoch.
    pub fn takes(&self, failure: &Failure, now: u64) -> bool {
        let Self { id, route, status, cause, since } = self;
        let age = Duration::from_millis(now.saturating_sub(failure.began));
        id.as_ref().is_none_or(|id| *id == failure.request_id)
            && is_of(route, failure)
            && status.as_ref().is_none_or(|statuses| statuses.contains(&failure.status))
            && cause.as_ref().is_none_or(|cause| failure.cause.as_ref() == Some(cause))
            && since.is_none_or(|since| age <= since)
    }
}

pub fn of_route(name: Option<String>, namespace: Option<&str>) -> wanted::Wanted {
    wanted::Wanted { name, namespace: namespace.map(str::to_owned) }
}

/// A request that met no route is its Gateway's.
fn is_of(wanted: &wanted::Wanted, failure: &Failure) -> bool {
    let of_nobody = failure.route.is_empty() && wanted.name.is_none();
    let whose = if of_nobody { &failure.gateway } else { &failure.route };
    wanted.takes_label(whose)
}

/// `503`, or `5xx` for a hundred of them.
pub fn statuses(text: &str) -> Result<Statuses, String> {
    let wrong = || format!("`{text}` is no status: write 503, or 5xx for all from 500 to 599");
    if let Some(hundred) = text.to_ascii_lowercase().strip_suffix("xx") {
        let hundred: u16 = hundred.parse().map_err(|_| wrong())?;
        return match hundred {
            1..=5 => Ok(hundred * 100..=hundred * 100 + 99),
            _ => Err(wrong()),
        };
    }
    let status: u16 = text.parse().map_err(|_| wrong())?;
    if (100..600).contains(&status) { Ok(status..=status) } else { Err(wrong()) }
}

/// For shells.
pub fn causes() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        Cause::all().map(|cause| CompletionCandidate::new(cause.word())).collect()
    })
}

pub fn cause(text: &str) -> Result<String, String> {
    let word = text.to_ascii_lowercase();
    if Cause::from_word(&word).is_some() {
        return Ok(word);
    }
    let near = suggest::nearest(&word, Cause::all().map(Cause::word));
    let tip = near.map_or_else(
        || "`meshctl explain` lists all".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    Err(format!("`{text}` is no cause; {tip}"))
}
