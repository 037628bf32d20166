//! From the root of a walked document to where a path leads, as far as it is written there.

use serde_yaml::granit_parser::ScalarStyle;

use super::render::Quotes;
use super::splice::Around;
use super::written::{Collection, Member, Shape, Style, Walked, Written};

/// The last value on a path that stands in the text by itself.
pub(super) struct Found<'a> {
    pub(super) node: &'a Written,
    pub(super) around: Around<'a>,
    /// Steps of the path that were gone. Fewer than all: `node` is an alias, or a map that merges
    /// others in which the next step may be.
    pub(super) depth: usize,
    /// A value on the way that has an anchor which is used, and where.
    pub(super) shared: Option<(usize, usize)>,
}

/// `None`: the text has no such place.
pub(super) fn find<'a>(
    text: &'a str,
    newline: &'a str,
    walked: &'a Walked,
    path: &[String],
) -> Option<Found<'a>> {
    let mut node = &walked.root;
    let mut around = Around {
        text,
        newline,
        habits: walked.habits,
        in_flow: false,
        quotes: Quotes::AsNeeded,
        parent: None,
    };
    let mut shared = None;
    for depth in 0..=path.len() {
        shared = shared.or_else(|| use_of(walked, node));
        around.quotes = quotes(node).unwrap_or(around.quotes);
        let found = Found { node, around, depth, shared };
        let Some(step) = path.get(depth) else { return Some(found) };
        let collection = match &node.shape {
            Shape::Collection(collection) => collection,
            Shape::Alias => return Some(found),
            Shape::Nothing | Shape::Scalar(_) => return None,
        };
        let Some(position) = collection.position(step) else {
            return collection.merges().then_some(found);
        };
        let member: &Member = &collection.members[position];
        around.in_flow |= collection.style != Style::Block;
        around.parent = Some((collection, member));
        node = &member.value;
    }
    None
}

fn use_of(walked: &Walked, node: &Written) -> Option<(usize, usize)> {
    let anchor = node.anchor.as_ref()?;
    let alias = walked.aliases.iter().find(|(id, _)| *id == anchor.id)?;
    Some((anchor.span.start, alias.1))
}

/// How new members of a flow collection are quoted: as the first one is.
fn quotes(node: &Written) -> Option<Quotes> {
    let Collection { style: Style::Flow, members, .. } = node.collection()? else { return None };
    let first = members.first()?;
    let style = match (&first.key, &first.value.shape) {
        (Some(key), _) => key.style,
        (None, Shape::Scalar(style)) => *style,
        (None, _) => return None,
    };
    Some(if style == ScalarStyle::DoubleQuoted { Quotes::All } else { Quotes::AsNeeded })
}
