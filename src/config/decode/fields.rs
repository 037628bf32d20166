//! The decoding vocabulary: a cursor over the fields of one map.
//!
//! Every `take…` reports what is wrong with the field and answers with something usable, so a
//! decoder reads as the list of its kind's fields. What nobody took is reported by `finish`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use super::findings::{Findings, Spot};
use super::formats::Format;
use crate::config::raw::{At, Place};
use crate::config::{codes, duration, suggest};
use crate::model::Name;
use crate::yaml::{Entry, Node, Value};

#[must_use = "`finish` reports the fields that nobody took"]
pub(super) struct Fields<'n, 'f> {
    pub(super) place: Place,
    pub(super) findings: &'f Findings<'f>,
    spot: Spot,
    entries: &'n [Entry],
    known: Vec<&'static str>,
}

impl<'n, 'f> Fields<'n, 'f> {
    /// `None` for anything but a map; that is reported.
    pub(super) fn open(node: &'n Node, findings: &'f Findings<'f>) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            findings.wrong_type(node, "a map");
            return None;
        };
        if node.spelling.is_some() {
            findings.ambiguous(node);
        }
        let spot = entries.first().map_or_else(|| Spot::from(node), Spot::from);
        Some(Self { place: spot.place, findings, spot, entries, known: Vec::new() })
    }

    /// Reports every field that no `take` asked for.
    pub(super) fn finish(self) {
        for entry in self.entries {
            if !self.known.contains(&&*entry.key)
                && let Some(meant) = self.findings.unknown_field(entry, &self.known)
            {
                self.findings.take_back(self.spot, &missing(meant));
            }
        }
    }

    /// Fields that the API has and that change nothing here.
    pub(super) fn ignore(&mut self, names: &[&'static str]) {
        self.known.extend_from_slice(names);
    }

    /// `null` is the same as nothing, as for kubectl.
    pub(super) fn take(&mut self, name: &'static str) -> Option<&'n Node> {
        if !self.known.contains(&name) {
            self.known.push(name);
        }
        let entry = self.entries.iter().find(|entry| &*entry.key == name)?;
        (entry.value.value != Value::Null).then_some(&entry.value)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|e| &*e.key == name && e.value.value != Value::Null)
    }

    /// A look at a field that somebody else takes.
    pub(super) fn peek(&self, name: &str) -> Option<&'n Node> {
        self.entries.iter().find(|entry| &*entry.key == name).map(|entry| &entry.value)
    }

    pub(super) fn require(&mut self, name: &'static str) -> Option<&'n Node> {
        let node = self.take(name);
        if node.is_none() {
            self.missing(name);
        }
        node
    }

    pub(super) fn missing(&self, name: &str) {
        let help = format!("write `{name}` here");
        self.findings.error_help(codes::MISSING_FIELD, self.spot, missing(name), help);
    }

    /// Where a field's name is written.
    pub(super) fn spot_of(&self, name: &str) -> Option<Spot> {
        self.entries.iter().find(|entry| &*entry.key == name).map(Spot::from)
    }

    pub(super) fn conflict(
        &self,
        spot: impl Into<Spot>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.findings.error_help(codes::CONFLICT, spot, message, help);
    }

    // Text.

    pub(super) fn text(&mut self, name: &'static str, format: &Format) -> Option<At<Name>> {
        let node = self.take(name)?;
        text(node, format, self.findings)
    }

    /// Empty where it is missing; that is reported, so nobody reads it.
    pub(super) fn required_text(&mut self, name: &'static str, format: &Format) -> At<Name> {
        let found = self.require(name).and_then(|node| text(node, format, self.findings));
        found.unwrap_or_else(|| At::nowhere("".into()))
    }

    pub(super) fn choice(&mut self, name: &'static str, words: &[&str]) -> Option<At<Name>> {
        let node = self.take(name)?;
        choice(node, words, self.findings)
    }

    pub(super) fn choice_or(
        &mut self,
        name: &'static str,
        words: &[&str],
        default: &str,
    ) -> At<Name> {
        self.choice(name, words).unwrap_or_else(|| At::nowhere(default.into()))
    }

    pub(super) fn required_choice(&mut self, name: &'static str, words: &[&str]) -> At<Name> {
        let found = self.require(name).and_then(|node| choice(node, words, self.findings));
        found.unwrap_or_else(|| At::nowhere("".into()))
    }

    // Numbers, switches, times.

    pub(super) fn boolean(&mut self, name: &'static str) -> Option<At<bool>> {
        let node = self.take(name)?;
        let Value::Bool(value) = node.value else {
            self.findings.wrong_type(node, "a boolean");
            return None;
        };
        self.findings.ambiguous(node);
        Some(At::new(value, node.place))
    }

    pub(super) fn number<T>(
        &mut self,
        name: &'static str,
        range: RangeInclusive<T>,
    ) -> Option<At<T>>
    where
        T: TryFrom<i64> + PartialOrd + Copy + std::fmt::Display,
    {
        let node = self.take(name)?;
        // Where an API server knows a wider range, the nearest that is known here holds.
        if self.findings.is_taken()
            && let Value::Int(value) = node.value
            && !T::try_from(value).is_ok_and(|value| range.contains(&value))
        {
            let least = T::try_from(value).map_or(value < 0, |value| value < *range.start());
            let nearest = if least { *range.start() } else { *range.end() };
            let message = format!("{value} is out of range: {nearest} is taken");
            self.findings.error(codes::OUT_OF_RANGE, node, message);
            return Some(At::new(nearest, node.place));
        }
        number(node, &range, self.findings)
    }

    /// 1 to 65535; `None` was reported.
    pub(super) fn port(&mut self, name: &'static str) -> Option<At<u16>> {
        number(self.take(name)?, &(1..=u16::MAX), self.findings)
    }

    /// GEP-2257: the Gateway API's own form, the same in meshctl's kinds.
    pub(super) fn duration(&mut self, name: &'static str) -> Option<At<Duration>> {
        let node = self.take(name)?;
        let findings = self.findings;
        if matches!(node.value, Value::Int(_) | Value::Float(_)) {
            let message = "a duration needs a unit";
            findings.lost(codes::BAD_DURATION, node, message, "write `30s`, `5m` or `250ms`");
            return None;
        }
        let text = string(node, findings)?;
        match duration::parse(&text) {
            Ok(duration) => Some(At::new(duration, node.place)),
            Err(help) => {
                let message = format!("{} is not a valid duration", findings.value(&text));
                findings.lost(codes::BAD_DURATION, node, message, help);
                None
            }
        }
    }

    // Collections.

    pub(super) fn map(&mut self, name: &'static str) -> Option<Self> {
        let node = self.take(name)?;
        Self::open(node, self.findings)
    }

    pub(super) fn required_map(&mut self, name: &'static str) -> Option<Self> {
        let node = self.require(name)?;
        Self::open(node, self.findings)
    }

    /// At most `most` items; each is read even where there are too many of them.
    pub(super) fn list<T>(
        &mut self,
        name: &'static str,
        most: usize,
        mut item: impl FnMut(&'n Node) -> Option<T>,
    ) -> Vec<T> {
        let Some(node) = self.take(name) else { return Vec::new() };
        let Value::List(nodes) = &node.value else {
            self.findings.wrong_type(node, "a list");
            return Vec::new();
        };
        if nodes.len() > most {
            let message =
                format!("`{name}` has {} entries, at most {most} are allowed", nodes.len());
            self.findings.error(codes::BAD_LENGTH, node, message);
        }
        nodes.iter().filter_map(&mut item).collect()
    }

    pub(super) fn required_list<T>(
        &mut self,
        name: &'static str,
        most: usize,
        item: impl FnMut(&'n Node) -> Option<T>,
    ) -> Vec<T> {
        if !self.has(name) {
            self.missing(name);
        } else if let Some(node) = self.take(name)
            && matches!(&node.value, Value::List(nodes) if nodes.is_empty())
        {
            let message = format!("`{name}` needs at least one entry");
            let help = "write an entry below it, with `- ` before it";
            self.findings.error_help(codes::BAD_LENGTH, node, message, help);
        }
        self.list(name, most, item)
    }

    pub(super) fn texts(
        &mut self,
        name: &'static str,
        most: usize,
        format: &Format,
    ) -> Vec<At<Name>> {
        let findings = self.findings;
        self.list(name, most, |node| text(node, format, findings))
    }

    /// Labels, annotations, options: strings by any name.
    pub(super) fn text_map(&mut self, name: &'static str) -> BTreeMap<Name, At<Name>> {
        let findings = self.findings;
        self.pairs(name)
            .filter_map(|entry| {
                let text = match &entry.value.value {
                    Value::Null => Arc::from(""),
                    _ => string(&entry.value, findings)?,
                };
                Some((entry.key.clone(), At::new(text, entry.value.place)))
            })
            .collect()
    }

    /// The entries of a map whose keys are data.
    pub(super) fn pairs(
        &mut self,
        name: &'static str,
    ) -> impl Iterator<Item = &'n Entry> + use<'n> {
        let entries = match self.take(name) {
            None => &[][..],
            Some(Node { value: Value::Map(entries), .. }) => entries,
            Some(node) => {
                self.findings.wrong_type(node, "a map");
                &[]
            }
        };
        entries.iter()
    }
}

fn missing(name: &str) -> String {
    format!("missing field `{name}`")
}

pub(super) fn string(node: &Node, findings: &Findings<'_>) -> Option<Name> {
    let Value::String(text) = &node.value else {
        findings.wrong_type(node, "a string");
        return None;
    };
    findings.ambiguous(node);
    Some(text.clone())
}

pub(super) fn text(node: &Node, format: &Format, findings: &Findings<'_>) -> Option<At<Name>> {
    let text = string(node, findings)?;
    if !(format.holds)(&text) {
        let message = if text.is_empty() {
            format!("{} can't be empty", format.what)
        } else {
            format!("{} is not {}", findings.value(&text), format.what)
        };
        let is_ip = format.code == codes::BAD_HOSTNAME && text.parse::<IpAddr>().is_ok();
        let rule = if is_ip { "an IP address is no hostname: write a name" } else { format.rule };
        findings.error_help(format.code, node, message, rule);
    }
    Some(At::new(text, node.place))
}

pub(super) fn choice(node: &Node, words: &[&str], findings: &Findings<'_>) -> Option<At<Name>> {
    let text = string(node, findings)?;
    if !words.contains(&&*text) {
        let help = match suggest::nearest(&text, words.iter().copied()) {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("it can be {}", suggest::one_of(words)),
        };
        let message = format!("unknown value {}", findings.value(&text));
        findings.error_help(codes::UNKNOWN_VALUE, node, message, help);
    }
    Some(At::new(text, node.place))
}

pub(super) fn number<T>(
    node: &Node,
    range: &RangeInclusive<T>,
    findings: &Findings<'_>,
) -> Option<At<T>>
where
    T: TryFrom<i64> + PartialOrd + std::fmt::Display,
{
    let value = match node.value {
        Value::Int(value) => value,
        // `1e3` is the integer 1000 for kubectl, whose JSON has no other.
        #[expect(clippy::cast_possible_truncation, reason = "whole and far below 2^53")]
        Value::Float(value) if value.fract() == 0.0 && value.abs() < 1e15 => value as i64,
        _ => {
            findings.wrong_type(node, "an integer");
            return None;
        }
    };
    findings.ambiguous(node);
    match T::try_from(value).ok().filter(|value| range.contains(value)) {
        Some(value) => Some(At::new(value, node.place)),
        None => {
            let message = format!("{} is out of range", findings.value(&value.to_string()));
            let help = format!("it can be {} to {}", range.start(), range.end());
            findings.lost(codes::OUT_OF_RANGE, node, message, help);
            None
        }
    }
}
