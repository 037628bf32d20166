//! Where things are written: the collections along a path, each member with its bytes.
//!
//! What stands beside the path is passed over without being kept, so a walk holds no more than
//! the collections that it goes through. Offsets are bytes of the text that was walked.

use std::ops::Range;

use serde_yaml::granit_parser::{Event, Options, Parser, ScalarStyle, Span, StructureStyle};

use super::lines;
use crate::limits;

/// A value as it is written.
#[derive(Clone, Debug)]
pub(super) struct Written {
    /// Where what introduces it ends: `-`, `:`, its anchor and its tag.
    pub(super) lead: usize,
    /// Its first byte; of a block scalar, the `|` or `>`. At `lead` where nothing is written.
    pub(super) start: usize,
    /// After its last byte that isn't a blank line.
    pub(super) end: usize,
    pub(super) anchor: Option<Anchor>,
    pub(super) tag: Option<Range<usize>>,
    pub(super) shape: Shape,
    pub(super) tail: Tail,
}

/// What the last line of a value would take in of the lines after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tail {
    Nothing,
    /// A text (`|`, `>`): comments that are indented as it is.
    Comments,
    /// A text that keeps its end (`|+`): blank lines too.
    BlankLines,
}

#[derive(Clone, Debug)]
pub(super) struct Anchor {
    pub(super) id: usize,
    /// `&name`
    pub(super) span: Range<usize>,
}

#[derive(Clone, Debug)]
pub(super) enum Shape {
    Nothing,
    Scalar(ScalarStyle),
    Alias,
    Collection(Collection),
}

#[derive(Clone, Debug)]
pub(super) struct Collection {
    pub(super) is_map: bool,
    pub(super) style: Style,
    /// Bytes before its members on their lines, in block style.
    pub(super) column: usize,
    /// Empty where the path doesn't lead into it.
    pub(super) members: Vec<Member>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Block,
    Flow,
    /// The map of one pair in `[a: b]`.
    Pair,
}

/// An item of a list or an entry of a map.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// Its `-`, its key, or its `?`.
    pub(super) start: usize,
    pub(super) key: Option<Key>,
    pub(super) value: Written,
}

#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) text: String,
    /// `<<`
    pub(super) merges: bool,
    pub(super) style: ScalarStyle,
    pub(super) colon: bool,
}

/// A document along a path.
#[derive(Debug)]
pub(super) struct Walked {
    pub(super) root: Written,
    /// Every anchor and alias of the document, by the anchor's number: where it stands.
    pub(super) anchors: Vec<(usize, usize)>,
    pub(super) aliases: Vec<(usize, usize)>,
    pub(super) habits: Habits,
}

/// How the author indents: by the first that is found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Habits {
    map: Option<usize>,
    list: Option<usize>,
    /// Not his: an indented comment follows, which would become a part of a text in lines.
    comment_follows: bool,
}

impl Habits {
    /// The same for what is written before `at`.
    pub(super) fn before(self, text: &str, at: usize) -> Self {
        let comment_follows = lines::comment_below(text, at).is_some_and(|column| column > 0);
        Self { comment_follows, ..self }
    }

    pub(super) fn may_write_lines(self) -> bool {
        !self.comment_follows
    }

    /// Columns between a key and the keys below it.
    pub(super) fn map(self) -> usize {
        self.map.unwrap_or(2)
    }

    /// Columns between a key and the dashes below it.
    pub(super) fn list(self) -> usize {
        self.list.unwrap_or(0)
    }
}

/// The text isn't laid out as the parser's events say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lost(pub(super) usize);

/// Walks a document whose every event has been seen to be good; `path` names the collections to
/// keep.
pub(super) fn walk(text: &str, path: &[String]) -> Result<Walked, Lost> {
    let mut options = Options::default();
    options.emit_comments = false;
    options.emit_anchor_events = true;
    options.flow_nesting_limit = limits::YAML_DEPTH + 1;
    options.block_nesting_limit = limits::YAML_DEPTH + 1;
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut walker = Walker {
        text,
        path,
        cursor: 0,
        open: Vec::new(),
        root: None,
        anchors: Vec::new(),
        aliases: Vec::new(),
        habits: Habits::default(),
    };
    while let Some(event) = parser.next_event() {
        let (event, span) =
            event.map_err(|error| Lost(error.marker().byte_offset().unwrap_or(0)))?;
        let anchor = match parser.peek() {
            Some(Ok((Event::Anchor(id, _), span))) => {
                span.byte_range().map(|span| Anchor { id: *id, span })
            }
            _ => None,
        };
        walker.take(event, &span, anchor)?;
    }
    let Walker { root, anchors, aliases, habits, .. } = walker;
    Ok(Walked { root: root.ok_or(Lost(0))?, anchors, aliases, habits })
}

struct Walker<'a> {
    text: &'a str,
    path: &'a [String],
    /// After the last token that was seen.
    cursor: usize,
    open: Vec<Open>,
    root: Option<Written>,
    anchors: Vec<(usize, usize)>,
    aliases: Vec<(usize, usize)>,
    habits: Habits,
}

/// A collection whose end hasn't come.
struct Open {
    /// `end` and `members` are still to come.
    written: Written,
    begin: Begin,
    collection: Collection,
    /// Members so far, kept or not.
    count: usize,
    key: Option<Begun>,
    last_end: usize,
    tail: Tail,
    kept: bool,
}

/// What stands before a value.
#[derive(Clone, Copy)]
struct Begin {
    /// The start of the member.
    member: usize,
    is_key: bool,
    colon: bool,
}

/// A key whose value hasn't come.
struct Begun {
    start: usize,
    end: usize,
    key: Key,
}

impl Walker<'_> {
    fn take(&mut self, event: Event<'_>, span: &Span, anchor: Option<Anchor>) -> Result<(), Lost> {
        match event {
            Event::DocumentStart(explicit, _) => {
                let Range { start, end } = bytes(span)?;
                self.cursor = if explicit { end } else { start };
            }
            Event::Scalar(text, style, ..) => {
                let (begin, mut written) = self.begin(span, anchor)?;
                self.scalar(&mut written, style, span)?;
                let merges = &*text == "<<" && matches!(style, ScalarStyle::Plain);
                let text =
                    if begin.is_key && self.keeps() { text.into_owned() } else { String::new() };
                self.finish(begin, written, Some(Key { text, merges, style, colon: false }))?;
            }
            Event::Alias(id) => {
                let (begin, mut written) = self.begin(span, None)?;
                let Range { start, end } = bytes(span)?;
                self.aliases.push((id, start));
                (written.start, written.end, written.shape) = (start, end, Shape::Alias);
                self.finish(begin, written, None)?;
            }
            Event::SequenceStart(style, ..) => self.open(false, style, span, anchor)?,
            Event::MappingStart(style, ..) => self.open(true, style, span, anchor)?,
            Event::SequenceEnd | Event::MappingEnd => self.close(span)?,
            _ => {}
        }
        Ok(())
    }

    fn keeps(&self) -> bool {
        self.open.last().is_some_and(|open| open.kept)
    }

    /// What stands between the last token and a value: indicators, anchor, tag.
    fn begin(&mut self, span: &Span, anchor: Option<Anchor>) -> Result<(Begin, Written), Lost> {
        let (begin, mut lead) = self.introduced(bytes(span)?.start)?;
        let tag = span.tag_span().and_then(|tag| tag.byte_range());
        if let Some(anchor) = &anchor {
            self.anchors.push((anchor.id, anchor.span.start));
            lead = lead.max(anchor.span.end);
        }
        lead = tag.as_ref().map_or(lead, |tag| lead.max(tag.end));
        let shape = Shape::Nothing;
        let (start, end) = (lead, lead);
        Ok((begin, Written { lead, start, end, anchor, tag, shape, tail: Tail::Nothing }))
    }

    /// The indicator before a value whose content begins at `content`, and where it ends.
    fn introduced(&self, content: usize) -> Result<(Begin, usize), Lost> {
        let Some(open) = self.open.last() else {
            let begin = Begin { member: self.cursor, is_key: false, colon: false };
            return Ok((begin, self.cursor));
        };
        let flow = open.collection.style != Style::Block;
        if let Some(key) = &open.key {
            let at = lines::gap(self.text, key.end, false);
            let colon = self.text[at..].starts_with(':');
            let begin = Begin { member: key.start, is_key: false, colon };
            return Ok((begin, if colon { at + 1 } else { key.end }));
        }
        let at = lines::gap(self.text, self.cursor, flow);
        let is_key = open.collection.is_map;
        let begin = Begin { member: at, is_key, colon: false };
        if is_key {
            let explicit = at < content && self.text[at..].starts_with('?');
            Ok((begin, at + usize::from(explicit)))
        } else if flow {
            Ok((begin, at))
        } else if self.text[at..].starts_with('-') {
            Ok((begin, at + 1))
        } else {
            Err(Lost(at))
        }
    }

    fn scalar(&self, written: &mut Written, style: ScalarStyle, span: &Span) -> Result<(), Lost> {
        let Range { start, end } = bytes(span)?;
        if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
            written.start = lines::gap(self.text, written.lead, false);
            let header = &self.text[written.start..lines::end(self.text, written.start)];
            let mark = header.split('#').next().unwrap_or_default().trim_end();
            let content = self.text.get(start..end).ok_or(Lost(start))?;
            // What is behind the last break is the next line's indentation.
            let content = content.trim_end_matches([' ', '\t']);
            let keeps = mark.contains('+');
            written.tail = if keeps { Tail::BlankLines } else { Tail::Comments };
            let kept = if keeps {
                let line = content.strip_suffix('\n').unwrap_or(content);
                line.strip_suffix('\r').unwrap_or(line)
            } else {
                content.trim_end()
            };
            written.end = (start + kept.len()).max(written.start + mark.len());
        } else if start < end {
            (written.start, written.end) = (start, end);
        } else {
            return Ok(());
        }
        written.shape = Shape::Scalar(style);
        Ok(())
    }

    fn open(
        &mut self,
        is_map: bool,
        style: StructureStyle,
        span: &Span,
        anchor: Option<Anchor>,
    ) -> Result<(), Lost> {
        let (begin, mut written) = self.begin(span, anchor)?;
        let first = lines::gap(self.text, written.lead, false);
        let style = match style {
            StructureStyle::Block => Style::Block,
            StructureStyle::Flow
                if self.text[first..].starts_with(['[', '{'])
                    && bytes(span)?.start == first
                    && !span.is_empty() =>
            {
                Style::Flow
            }
            StructureStyle::Flow => Style::Pair,
        };
        written.start = first;
        let column = first - lines::start(self.text, first);
        if style == Style::Block
            && let Some(parent) = self.open.last()
        {
            let key = parent.collection.is_map && !begin.is_key;
            let below = column.checked_sub(parent.collection.column).filter(|_| key);
            let habit = if is_map { &mut self.habits.map } else { &mut self.habits.list };
            *habit = habit.or(below);
        }
        let kept = self.is_on_path(begin.is_key);
        self.cursor = first + usize::from(style == Style::Flow);
        self.open.push(Open {
            begin,
            collection: Collection { is_map, style, column, members: Vec::new() },
            count: 0,
            key: None,
            last_end: self.cursor,
            tail: Tail::Nothing,
            kept,
            written,
        });
        Ok(())
    }

    /// Whether the collection that begins now is named by the path.
    fn is_on_path(&self, is_key: bool) -> bool {
        let Some(parent) = self.open.last() else { return true };
        let Some(step) = self.path.get(self.open.len() - 1).filter(|_| parent.kept && !is_key)
        else {
            return false;
        };
        match &parent.key {
            Some(begun) => begun.key.text == *step && !begun.key.merges,
            None => step.parse() == Ok(parent.count),
        }
    }

    fn close(&mut self, span: &Span) -> Result<(), Lost> {
        let Some(Open { mut written, begin, collection, last_end, tail, .. }) = self.open.pop()
        else {
            return Ok(());
        };
        written.end = match collection.style {
            Style::Flow => bytes(span)?.end,
            Style::Block | Style::Pair => last_end,
        };
        written.tail = tail;
        written.shape = Shape::Collection(collection);
        self.finish(begin, written, None)
    }

    /// Puts a finished value where it belongs. `key` is what it would be as a key.
    fn finish(&mut self, begin: Begin, written: Written, key: Option<Key>) -> Result<(), Lost> {
        self.cursor = written.end;
        let Some(open) = self.open.last_mut() else {
            self.root = Some(written);
            return Ok(());
        };
        if begin.is_key {
            let none = || Key {
                text: String::new(),
                merges: true,
                style: ScalarStyle::Plain,
                colon: false,
            };
            let key = key.unwrap_or_else(none);
            open.key = Some(Begun { start: begin.member, end: written.end, key });
            return Ok(());
        }
        let key = open.key.take().map(|begun| Key { colon: begin.colon, ..begun.key });
        open.last_end = written.end;
        open.tail = written.tail;
        open.count += 1;
        if open.kept {
            open.collection.members.push(Member { start: begin.member, key, value: written });
        }
        Ok(())
    }
}

fn bytes(span: &Span) -> Result<Range<usize>, Lost> {
    span.byte_range().ok_or(Lost(0))
}

impl Written {
    pub(super) fn collection(&self) -> Option<&Collection> {
        match &self.shape {
            Shape::Collection(collection) => Some(collection),
            _ => None,
        }
    }
}

impl Collection {
    /// The member that a step of a path names, if it is written here and not merged.
    pub(super) fn position(&self, step: &str) -> Option<usize> {
        if self.is_map {
            let named = |key: &Key| key.text == step && !key.merges;
            self.members.iter().position(|member| member.key.as_ref().is_some_and(named))
        } else {
            step.parse().ok().filter(|index| *index < self.members.len())
        }
    }

    pub(super) fn merges(&self) -> bool {
        self.members.iter().any(|member| member.key.as_ref().is_some_and(|key| key.merges))
    }
}
