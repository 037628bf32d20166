//! What a unit's new result changes beyond it: the parts, the questions that are asked of others,
//! what is said of objects, and which units run again.

use std::collections::BTreeSet;

use super::unit::{Claim, Output, RouteShape, UnitKey};
use super::view::Query;
use super::{Lowering, Unit};
use crate::config::index::Tag;
use crate::model::{Kind, ObjectKey, Part};

impl Lowering {
    /// Replaces what is known of a unit and spreads what that changes.
    pub(super) fn keep(&mut self, key: &UnitKey, unit: Option<Unit>) {
        let before = self.units.remove(key).unwrap_or_default();
        let nothing = Unit::default();
        let after = unit.as_ref().unwrap_or(&nothing);
        self.note_parts(&before.parts, &after.parts);
        self.note_questions(key, &before, after);
        let same = before.output == after.output;
        if !same {
            self.note_output(key, &before.output, &after.output);
        }
        if let Some(unit) = unit {
            self.units.insert(key.clone(), unit);
        }
        if !same {
            self.touch(&Query::Output(key.clone()));
        }
    }

    fn note_parts(&mut self, before: &[Part], after: &[Part]) {
        for part in before {
            let first = || (Some(part.clone()), None);
            self.changed.entry(part.key().clone()).or_insert_with(first).1 = None;
        }
        for part in after {
            self.changed.entry(part.key().clone()).or_default().1 = Some(part.clone());
        }
    }

    fn note_questions(&mut self, key: &UnitKey, before: &Unit, after: &Unit) {
        for query in before.reads.difference(&after.reads) {
            if let Some(readers) = self.readers.get_mut(query) {
                readers.remove(key);
                if readers.is_empty() {
                    self.readers.remove(query);
                    if let Some(object) = data_of(query) {
                        self.asked_data.remove(object);
                    }
                }
            }
        }
        for query in after.reads.difference(&before.reads) {
            if let Some(object) = data_of(query) {
                self.asked_data.insert(object.clone());
            }
            self.readers.entry(query.clone()).or_default().insert(key.clone());
        }
        let (old, new) = (wants(before), wants(after));
        for wanted in new.difference(&old) {
            *self.wanted.entry((*wanted).clone()).or_default() += 1;
        }
        for unwanted in old.difference(&new) {
            if let Some(count) = self.wanted.get_mut(*unwanted) {
                *count -= 1;
                if *count == 0 {
                    self.wanted.remove(*unwanted);
                    self.unsure.insert((*unwanted).clone());
                }
            }
        }
        if let Some(time) = before.wake {
            self.wakes.remove(&(time, key.clone()));
        }
        if let Some(time) = after.wake {
            self.wakes.insert((time, key.clone()));
        }
    }

    /// What more than one unit's readers make of an output.
    fn note_output(&mut self, key: &UnitKey, before: &Output, after: &Output) {
        match key {
            UnitKey::Attach(route) => self.note_claims(route, before, after),
            UnitKey::Route(route) => self.note_route(route, before, after),
            UnitKey::Status(object) => {
                let status = |output: &Output| match output {
                    Output::Status(status) => Some(status.clone()),
                    _ => None,
                };
                let first = || (status(before), None);
                self.restated.entry(object.clone()).or_insert_with(first).1 = status(after);
            }
            _ => {}
        }
    }

    fn note_route(&mut self, route: &ObjectKey, before: &Output, after: &Output) {
        let nothing = RouteShape::default();
        let (before, after) = (shape_of(before, &nothing), shape_of(after, &nothing));
        for object in self.users.change(&before.uses, &after.uses) {
            self.touch(&Query::Users(object));
        }
        if before.wholly_invalid != after.wholly_invalid {
            self.claims.set_invalid(route, after.wholly_invalid);
            if let Some(attach) = self.units.get(&UnitKey::Attach(route.clone())) {
                let listeners = claims_of(&attach.output).iter().map(|claim| &claim.listener);
                self.dirty.extend(listeners.cloned().map(UnitKey::Arbiter));
            }
        }
    }

    fn note_claims(&mut self, route: &ObjectKey, before: &Output, after: &Output) {
        for listener in self.claims.change(route, claims_of(before), claims_of(after)) {
            self.dirty.insert(UnitKey::Arbiter(listener));
        }
    }
}

/// What a unit keeps alive: what it demands and whose output it reads.
fn wants(unit: &Unit) -> BTreeSet<&UnitKey> {
    let read = unit.reads.iter().filter_map(|query| match query {
        Query::Output(key) => Some(key),
        Query::Tag(_)
        | Query::Verdict(..)
        | Query::Users(_)
        | Query::Facts(_)
        | Query::Versions => None,
    });
    unit.demands.iter().chain(read).collect()
}

fn data_of(query: &Query) -> Option<&ObjectKey> {
    match query {
        Query::Tag(Tag::Object(key)) => {
            matches!(key.kind, Kind::Secret | Kind::ConfigMap).then_some(key)
        }
        _ => None,
    }
}

fn claims_of(output: &Output) -> &[Claim] {
    match output {
        Output::Attach(attached) => &attached.claims,
        _ => &[],
    }
}

fn shape_of<'a>(output: &'a Output, nothing: &'a RouteShape) -> &'a RouteShape {
    match output {
        Output::Route(shape) => shape,
        _ => nothing,
    }
}
