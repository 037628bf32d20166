//! One change of a tree as changes of its text: what is put, added or removed, and nothing else.

use std::ops::Range;

use serde_json::Value;
use serde_yaml::granit_parser::ScalarStyle;

use super::super::scalar::{Scalar, kubectl};
use super::lines;
use super::render::{self, Quotes};
use super::written::{Collection, Habits, Member, Shape, Style, Tail, Written};

/// Bytes that give way to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Splice {
    pub(super) at: Range<usize>,
    pub(super) text: String,
}

/// Why a change has no form at this place: what is written there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unfit {
    pub(super) at: usize,
    pub(super) what: &'static str,
}

/// Where a value stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around<'a> {
    pub(super) text: &'a str,
    /// How lines end where nothing nearer says it.
    pub(super) newline: &'a str,
    pub(super) habits: Habits,
    /// Within brackets.
    pub(super) in_flow: bool,
    pub(super) quotes: Quotes,
    /// The collection that it is a member of, and the member.
    pub(super) parent: Option<(&'a Collection, &'a Member)>,
}

impl Around<'_> {
    /// Another value where `node` stands.
    pub(super) fn put(&self, node: &Written, value: &Value) -> Result<Vec<Splice>, Unfit> {
        let flows = matches!(&node.shape, Shape::Collection(old) if old.style != Style::Block);
        let splices = if self.in_flow || flows && !is_scalar(value) || render::is_inline(value) {
            self.put_inline(node, value)?
        } else {
            self.put_block(node, value)
        };
        Ok(self.untagged(node, splices))
    }

    /// The new value says by itself what it is; the old one's tag would say something else.
    fn untagged(&self, node: &Written, mut splices: Vec<Splice>) -> Vec<Splice> {
        let (Some(tag), Some(first)) = (&node.tag, splices.first()) else { return splices };
        let after = lines::gap(self.text, tag.end, false);
        let at = if first.at.start > tag.end && after <= first.at.start {
            tag.start..after
        } else {
            let before = self.text[..tag.start].trim_end_matches([' ', '\t']);
            before.len()..tag.end
        };
        splices.insert(0, Splice { at, text: String::new() });
        splices
    }

    fn put_inline(&self, node: &Written, value: &Value) -> Result<Vec<Splice>, Unfit> {
        let new = match &node.shape {
            Shape::Scalar(ScalarStyle::Literal) => match self.literal(node, value) {
                Some(literal) => literal,
                None => self.inline(value, ScalarStyle::Plain),
            },
            // A string that stands there without quotes needs none, whatever stands around.
            Shape::Scalar(ScalarStyle::Plain)
                if kubectl(&self.text[node.start..node.end]) == Scalar::Text =>
            {
                Self { quotes: Quotes::AsNeeded, ..*self }.inline(value, ScalarStyle::Plain)
            }
            Shape::Scalar(style) => self.inline(value, *style),
            _ => self.inline(value, ScalarStyle::Plain),
        };
        let (at, text) = match &node.shape {
            Shape::Nothing if self.lacks_colon() && self.in_flow => {
                (node.lead..node.lead, format!(": {new}"))
            }
            Shape::Nothing if self.lacks_colon() => {
                return Err(Unfit { at: node.lead, what: "a key (`?`) without a value" });
            }
            Shape::Nothing => (node.lead..node.lead, format!(" {new}")),
            Shape::Collection(old) if old.style == Style::Block => {
                return Ok(self.put_over_lines(node, &new));
            }
            Shape::Collection(old) if old.style == Style::Pair => {
                return Err(Unfit { at: node.start, what: "a pair without braces" });
            }
            _ => (node.start..node.end, new),
        };
        Ok(vec![Splice { at, text }])
    }

    /// As in the line of `at`, or as everywhere.
    fn line_break(&self, at: usize) -> &str {
        match lines::line_break(self.text, at) {
            "" => self.newline,
            here => here,
        }
    }

    fn lacks_colon(&self) -> bool {
        let key = self.parent.and_then(|(_, member)| member.key.as_ref());
        key.is_some_and(|key| !key.colon)
    }

    fn inline(&self, value: &Value, like: ScalarStyle) -> String {
        if is_scalar(value) {
            render::scalar(value, like, self.in_flow, self.quotes)
        } else {
            render::flow(value, self.quotes)
        }
    }

    /// A text in lines where one stands, as far to the right.
    fn literal(&self, node: &Written, value: &Value) -> Option<String> {
        let (header, body) = render::literal(value, self.habits)?;
        let old = self.text[node.start..node.end].lines().skip(1).find(|line| !line.is_empty())?;
        let body = render::indented(body, old.len() - old.trim_start_matches(' ').len());
        let newline = self.line_break(node.start);
        Some(format!("{header}{newline}{}", body.join(newline)))
    }

    /// `key: {}` for a collection that has its own lines.
    fn put_over_lines(&self, node: &Written, new: &str) -> Vec<Splice> {
        let text = self.text;
        if self.parent.is_none() || lines::same_line(text, node.lead, node.start) {
            let at = node.start..lines::end(text, node.end);
            return vec![Splice { at, text: new.to_owned() }];
        }
        let first = lines::start(text, node.start);
        vec![
            Splice { at: node.lead..node.lead, text: format!(" {new}") },
            without_lines(text, first, node.end),
        ]
    }

    /// A list or map that isn't empty where none in block style stands, or one of the other kind.
    fn put_block(&self, node: &Written, value: &Value) -> Vec<Splice> {
        let text = self.text;
        let new = render::block(value, self.habits.before(text, node.end));
        let newline = self.line_break(node.lead);
        let Some((parent, member)) = self.parent else {
            let at = node.start..lines::end(text, node.end);
            return vec![Splice { at, text: new.join(newline) }];
        };
        let column = match &member.key {
            Some(_) => parent.column + render::below(value, self.habits),
            None => parent.column + 2,
        };
        let lines = render::indented(new, column);
        let after = lines::end(text, node.end);
        let own_lines = matches!(&node.shape, Shape::Collection(old) if old.style == Style::Block)
            && !lines::same_line(text, node.lead, node.start);
        if own_lines {
            let at = lines::start(text, node.start)..after;
            return vec![Splice { at, text: lines.join(newline) }];
        }
        let says = lines::holds_comment(text, node.end, after);
        if member.key.is_none() && !says && node.anchor.is_none() {
            let lines = lines.join(newline);
            let at = node.lead..after;
            return vec![Splice { at, text: format!(" {}", lines.trim_start()) }];
        }
        let block = matches!(
            node.shape,
            Shape::Collection(_) | Shape::Scalar(ScalarStyle::Literal | ScalarStyle::Folded)
        );
        let gone = if block || !says { after } else { node.end };
        vec![
            Splice { at: node.lead..gone, text: String::new() },
            Splice { at: after..after, text: format!("{newline}{}", lines.join(newline)) },
        ]
    }

    /// A new member before the one at `index`, or after the last. `key` is for maps.
    pub(super) fn insert(
        &self,
        node: &Written,
        index: usize,
        key: Option<&str>,
        value: &Value,
    ) -> Result<Vec<Splice>, Unfit> {
        let nothing = Unfit { at: node.start, what: "no list and no map" };
        let collection = node.collection().ok_or(nothing)?;
        match collection.style {
            Style::Flow => Ok(self.insert_flow(node, collection, index, key, value)),
            Style::Block => Ok(self.insert_block(node, collection, index, key, value)),
            Style::Pair => Err(Unfit { at: node.start, what: "a pair without braces" }),
        }
    }

    fn insert_flow(
        &self,
        node: &Written,
        collection: &Collection,
        index: usize,
        key: Option<&str>,
        value: &Value,
    ) -> Vec<Splice> {
        let text = self.text;
        let value = render::flow(value, self.quotes);
        let new = match key {
            Some(key) => format!("{}: {value}", render::key(key, true, self.quotes)),
            None => value,
        };
        let members = &collection.members;
        let own_line = |member: &Member| lines::begins_line(text, member.start);
        let indent = |member: &Member| &text[lines::start(text, member.start)..member.start];
        let newline = self.line_break(node.start);
        if let Some(next) = members.get(index) {
            let at = next.start..next.start;
            let apart =
                if own_line(next) { format!("{newline}{}", indent(next)) } else { " ".into() };
            return vec![Splice { at, text: format!("{new},{apart}") }];
        }
        let Some(last) = members.last() else {
            let at = node.start + 1;
            return vec![Splice { at: at..at, text: new }];
        };
        let end = last.value.end;
        if !own_line(last) {
            return vec![Splice { at: end..end, text: format!(", {new}") }];
        }
        let close = lines::end(text, end).min(node.end - 1);
        let comma = if text[end..].trim_start().starts_with(',') { "" } else { "," };
        let line = format!("{newline}{}{new}", indent(last));
        if comma.is_empty() || lines::holds_comment(text, end, close) {
            let trailing = if comma.is_empty() { "," } else { "" };
            let after = lines::end(text, end);
            return vec![
                Splice { at: end..end, text: comma.into() },
                Splice { at: after..after, text: line + trailing },
            ];
        }
        vec![Splice { at: end..end, text: format!(",{line}") }]
    }

    fn insert_block(
        &self,
        node: &Written,
        collection: &Collection,
        index: usize,
        key: Option<&str>,
        value: &Value,
    ) -> Vec<Splice> {
        let (text, members) = (self.text, &collection.members);
        let before = index.min(members.len()).checked_sub(1);
        let after = match before.and_then(|before| members.get(before)) {
            Some(before) => Some(before.value.end),
            None if self.parent.is_none() => None,
            None => Some(node.lead).filter(|lead| !lines::same_line(text, *lead, node.start)),
        };
        let newline = self.line_break(after.unwrap_or(node.start));
        let habits = after.map_or(self.habits, |after| self.habits.before(text, after));
        let new = match key {
            Some(key) => render::block_entry(key, value, habits),
            None => render::block_item(value, dash_gap(text, members), habits),
        };
        let lines = render::indented(new, collection.column).join(newline);
        let Some(after) = after else {
            // In front of what the line begins with.
            let indent = " ".repeat(collection.column);
            let new = format!("{}{newline}{indent}", lines.trim_start());
            return vec![Splice { at: node.start..node.start, text: new }];
        };
        let at = lines::end(text, after);
        vec![Splice { at: at..at, text: format!("{newline}{lines}") }]
    }

    /// All of a member: with its lines, or with its comma.
    pub(super) fn remove(&self, node: &Written, index: usize) -> Result<Vec<Splice>, Unfit> {
        let nothing = Unfit { at: node.start, what: "no list and no map" };
        let collection = node.collection().ok_or(nothing)?;
        let members = &collection.members;
        let member = members.get(index).ok_or(nothing)?;
        match collection.style {
            Style::Pair => Err(Unfit { at: node.start, what: "a pair without braces" }),
            Style::Flow => Ok(remove_flow(self.text, members, index)),
            Style::Block if members.len() == 1 => {
                let empty = if collection.is_map { "{}" } else { "[]" };
                Ok(self.put_over_lines(node, empty))
            }
            Style::Block if lines::begins_line(self.text, member.start) => {
                let first = lines::start(self.text, member.start);
                let last = member.value.end;
                let above = index.checked_sub(1).map_or(Tail::Nothing, |at| members[at].value.tail);
                let indented = |column: usize| column > collection.column;
                if above != Tail::Nothing
                    && lines::comment_below(self.text, last).is_some_and(indented)
                {
                    let what = "a comment that would become a part of the text above";
                    return Err(Unfit { at: member.start, what });
                }
                if above == Tail::BlankLines {
                    let last = lines::end(self.text, lines::blank_lines(self.text, last));
                    let at = first..lines::next(self.text, last);
                    return Ok(vec![Splice { at, text: String::new() }]);
                }
                Ok(vec![without_lines(self.text, first, last)])
            }
            Style::Block => Ok(remove_after_dash(self.text, members, index)),
        }
    }
}

/// Columns from a dash to what follows it, as the author has them.
fn dash_gap(text: &str, members: &[Member]) -> usize {
    let gap = |member: &Member| {
        let content = lines::gap(text, member.start + 1, false);
        (lines::same_line(text, member.start, content)
            && !text[member.start..content].contains('\t'))
        .then(|| content - member.start)
    };
    members.iter().find_map(gap).filter(|gap| (2..9).contains(gap)).unwrap_or(2)
}

/// The first member, where it stands behind the dash of the item that it is in.
fn remove_after_dash(text: &str, members: &[Member], index: usize) -> Vec<Splice> {
    let member = &members[index];
    let end = lines::end(text, member.value.end);
    let at = match members.get(index + 1) {
        Some(next) if !lines::holds_comment(text, end, next.start) => member.start..next.start,
        _ => {
            let before = text[..member.start].trim_end_matches([' ', '\t']).len();
            before..end
        }
    };
    vec![Splice { at, text: String::new() }]
}

fn remove_flow(text: &str, members: &[Member], index: usize) -> Vec<Splice> {
    let gone = |at: Range<usize>| Splice { at, text: String::new() };
    let member = &members[index];
    let (start, end) = (member.start, member.value.end);
    let before = index.checked_sub(1).map(|before| members[before].value.end);
    let next = members.get(index + 1).map(|next| next.start);
    let from = before.unwrap_or(start);
    let comment = lines::holds_comment(text, from, next.unwrap_or(start).max(start));
    let comma = |from: usize, to: usize| {
        let at = lines::gap(text, from, false);
        (at < to && text[at..].starts_with(',')).then_some(at)
    };
    match (before, next) {
        (_, Some(next)) if !comment => vec![gone(start..next)],
        (Some(before), None) if !comment => vec![gone(before..end)],
        (_, Some(next)) => {
            let end = comma(end, next).map_or(end, |comma| comma + 1);
            vec![whole_lines(text, start, end)]
        }
        (before, None) => {
            let trailing = comma(end, text.len());
            let end = trailing.map_or(end, |comma| comma + 1);
            // A comma before the bracket is good YAML, but no JSON.
            let leading = before.filter(|_| trailing.is_none()).and_then(|at| comma(at, start));
            let leading = leading.map(|comma| gone(comma..comma + 1));
            leading.into_iter().chain([whole_lines(text, start, end)]).collect()
        }
    }
}

/// Bytes, with their lines where nothing but a comment is left of these.
fn whole_lines(text: &str, start: usize, end: usize) -> Splice {
    let rest = text[end..lines::end(text, end)].trim_start_matches([' ', '\t']);
    if lines::begins_line(text, start) && (rest.is_empty() || rest.starts_with('#')) {
        return without_lines(text, lines::start(text, start), end);
    }
    Splice { at: start..end, text: String::new() }
}

/// Whole lines, from the start of one to the end of that of `last`; a text that doesn't end its
/// last line doesn't do so afterwards.
fn without_lines(text: &str, first: usize, last: usize) -> Splice {
    let end = lines::end(text, last);
    let after = lines::next(text, end);
    let at = if after > end || first == 0 {
        first..after
    } else {
        let above = &text[..first];
        let above = above.strip_suffix('\n').unwrap_or(above);
        above.strip_suffix('\r').unwrap_or(above).len()..end
    };
    Splice { at, text: String::new() }
}

fn is_scalar(value: &Value) -> bool {
    !value.is_array() && !value.is_object()
}
