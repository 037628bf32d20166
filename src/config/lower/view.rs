//! What a unit sees of the world: it answers questions and notes them, so that a later change
//! runs exactly the units that asked about it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::unit::{Output, ParentShape, UnitKey};
use super::{Lowering, sought};
use crate::config::index::{Index, Tag};
use crate::config::raw::{At, Object, Place};
use crate::config::{Code, Diagnostic, Severity};
use crate::model::{Cause, Kind, Name, ObjectKey, PartKey};

/// A question of a unit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Query {
    Tag(Tag),
    Output(UnitKey),
    /// Whether the arbiter of the listener refused the route.
    Verdict(PartKey, ObjectKey),
    /// The Gateways whose routes send to an object.
    Users(ObjectKey),
    /// How the proxies of a Gateway are.
    Facts(ObjectKey),
    /// Which versions of the Gateway API the cluster has.
    Versions,
}

/// A mistake in an object, with a place in its document; the file's lines above it are added
/// when it is handed out, as they move without changing the object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    object: ObjectKey,
    place: Place,
    width: usize,
    severity: Severity,
    code: Code,
    message: String,
    /// What the code's row says, unless there is more to say.
    help: Option<String>,
    /// The object that isn't there, where that is what is wrong.
    sought: Option<ObjectKey>,
}

impl Finding {
    /// The mistake is that there is no such object. Of one that has errors of its own nothing more
    /// is said than those.
    pub(super) fn seeks(&mut self, key: &ObjectKey) -> &mut Self {
        self.sought = Some(key.clone());
        self
    }

    pub(super) fn help(&mut self, help: impl Into<String>) {
        self.help = Some(help.into());
    }

    /// `None` where it is told already. `hints` is how many more may be looked for.
    pub(super) fn render(&self, index: &Index, hints: &mut usize) -> Option<Diagnostic> {
        let mut meant = None;
        if let Some(sought) = &self.sought {
            if sought::is_told(index, sought) {
                return None;
            }
            if *hints > 0 {
                *hints -= 1;
                meant = sought::hint(index, sought);
            }
        }
        let origin = index.origin(&self.object);
        // Without a file nothing else would name the object.
        let message = match &*origin.file {
            "" => format!("{}: {}", self.object, self.message),
            _ => self.message.clone(),
        };
        let said = Diagnostic::error(self.code, &origin, self.place, message);
        // An excerpt of a Secret would show it.
        let width = if self.object.kind == Kind::Secret { 0 } else { self.width };
        let said = match meant.as_ref().or(self.help.as_ref()) {
            Some(help) => said.help(help),
            None => said,
        };
        Some(Diagnostic { severity: self.severity, ..said.width(width) })
    }
}

/// Where something stands and how long it is there.
pub(super) trait Spot {
    fn spot(&self) -> (Place, usize);
}

impl Spot for Place {
    fn spot(&self) -> (Place, usize) {
        (*self, 1)
    }
}

impl Spot for At<Name> {
    fn spot(&self) -> (Place, usize) {
        (self.place, self.value.chars().count().max(1))
    }
}

pub(super) struct View<'a> {
    pub(super) lowering: &'a mut Lowering,
    pub(super) index: &'a Index,
    pub(super) now: i64,
    pub(super) reads: BTreeSet<Query>,
    pub(super) demands: BTreeSet<UnitKey>,
    pub(super) findings: Vec<Finding>,
    pub(super) wake: Option<i64>,
}

impl<'a> View<'a> {
    pub(super) fn new(lowering: &'a mut Lowering, index: &'a Index, now: i64) -> Self {
        Self {
            lowering,
            index,
            now,
            reads: BTreeSet::new(),
            demands: BTreeSet::new(),
            findings: Vec::new(),
            wake: None,
        }
    }

    pub(super) fn object(&mut self, key: &ObjectKey) -> Option<Arc<Object>> {
        self.reads.insert(Query::Tag(Tag::Object(key.clone())));
        self.index.get(key).cloned()
    }

    pub(super) fn tagged(&mut self, tag: Tag) -> Vec<Arc<Object>> {
        let objects = self.index.tagged(&tag).cloned().collect();
        self.reads.insert(Query::Tag(tag));
        objects
    }

    /// Another unit's output; it is made first where that is needed, and lives while it is read.
    pub(super) fn output(&mut self, key: UnitKey) -> Output {
        let output = self.lowering.pull(&key, self.index, self.now);
        self.reads.insert(Query::Output(key));
        output
    }

    /// Has the unit make its parts without looking at them.
    pub(super) fn demand(&mut self, key: UnitKey) {
        self.lowering.want(&key);
        self.demands.insert(key);
    }

    pub(super) fn parent(&mut self, key: &ObjectKey) -> Arc<ParentShape> {
        match self.output(UnitKey::Parent(key.clone())) {
            Output::Parent(shape) => shape,
            _ => Arc::default(),
        }
    }

    pub(super) fn certificate(&mut self, secret: &ObjectKey) -> Result<PartKey, Cause> {
        match self.output(UnitKey::Certificate(secret.clone())) {
            Output::Certificate(certificate) => certificate,
            _ => Err(Cause::CertificateMissing),
        }
    }

    /// The answer changes at this time (seconds since the epoch), whatever else happens.
    pub(super) fn wake_at(&mut self, time: i64) {
        if time > self.now {
            self.wake = Some(self.wake.map_or(time, |wake| wake.min(time)));
        }
    }

    /// What was reported first since there were so many findings.
    pub(super) fn said_since(&self, findings: usize) -> Option<&str> {
        self.findings.get(findings).map(|finding| finding.message.as_str())
    }

    pub(super) fn error(
        &mut self,
        object: &Object,
        code: Code,
        spot: &impl Spot,
        message: impl Into<String>,
    ) -> &mut Finding {
        self.report(object, Severity::Error, code, spot.spot(), message.into())
    }

    pub(super) fn warning(
        &mut self,
        object: &Object,
        code: Code,
        spot: &impl Spot,
        message: impl Into<String>,
    ) -> &mut Finding {
        self.report(object, Severity::Warning, code, spot.spot(), message.into())
    }

    fn report(
        &mut self,
        object: &Object,
        severity: Severity,
        code: Code,
        (place, width): (Place, usize),
        message: String,
    ) -> &mut Finding {
        let object = object.key.clone();
        let (help, sought) = (None, None);
        let finding = Finding { object, place, width, severity, code, message, help, sought };
        self.findings.push(finding);
        self.findings.last_mut().expect("one was pushed just now")
    }
}
