//! Two objects as YAML, written side by side: which lines of the one text belong to which of the
//! other. So a difference follows fields and elements, where a comparison by lines alone takes equal
//! lines of neighbours for each other.
//!
//! How a single value is written is [`yaml`](super::yaml)'s.

use super::embedded::{LaidOut, laid_out_pair};
use super::fields::FieldCursor;
use super::lists::{Nodes, matches};
use super::order::{FieldOrder, MapContext};
use super::yaml::YamlWriter;
use crate::core::compare::PathStep;
use crate::core::json::{Map, Value};
use crate::core::object::Object;

/// The next lines of two texts that are those of one field, or of one element of a list: equal ones,
/// different ones, or lines of one text alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// How many lines it has in the first text.
    pub before: usize,
    /// How many it has in the second.
    pub after: usize,
}

/// Two objects as YAML.
pub(super) struct Texts {
    pub(super) before: String,
    pub(super) after: String,
    pub(super) pieces: Vec<Piece>,
}

impl Texts {
    /// The objects as they are.
    pub(super) fn plain(
        before: &Object,
        after: &Object,
        order: &FieldOrder,
        nodes: Nodes<'_>,
    ) -> Self {
        Self::write(TextPair::default(), before, after, FieldCursor::top(order, nodes))
    }

    /// The objects with what is JSON in both and differs laid out.
    pub(super) fn laid_out(
        before: &Object,
        after: &Object,
        order: &FieldOrder,
        nodes: Nodes<'_>,
    ) -> Self {
        let pair = TextPair { lays_out: true, ..TextPair::default() };
        Self::write(pair, before, after, FieldCursor::top(order, nodes))
    }

    fn write(mut pair: TextPair, before: &Object, after: &Object, at: FieldCursor<'_>) -> Self {
        pair.maps(&at, &before.0, &after.0, 0);
        let TextPair { before, after, pieces, .. } = pair;
        Self { before: before.writer.out, after: after.writer.out, pieces }
    }
}

/// One of the two texts so far.
#[derive(Default)]
struct TextSide {
    writer: YamlWriter,
    /// Where the next piece begins.
    start: usize,
}

impl TextSide {
    /// How many lines have come since the last piece.
    fn lines(&mut self) -> usize {
        let lines = self.writer.out[self.start..].matches('\n').count();
        self.start = self.writer.out.len();
        lines
    }
}

/// Both texts so far.
#[derive(Default)]
struct TextPair {
    before: TextSide,
    after: TextSide,
    pieces: Vec<Piece>,
    lays_out: bool,
}

impl TextPair {
    /// Ends a piece.
    fn end(&mut self) {
        let piece = Piece { before: self.before.lines(), after: self.after.lines() };
        self.pieces.push(piece);
    }

    /// Writes in both texts what is the same in both.
    fn both(&mut self, write: impl Fn(&mut YamlWriter)) {
        write(&mut self.before.writer);
        write(&mut self.after.writer);
    }

    /// Writes the entries of two maps, those of elements from where the lines stand.
    fn maps(&mut self, at: &FieldCursor<'_>, before: &Map, after: &Map, indent: usize) {
        let mut starts = [at.place == MapContext::Element; 2];
        for key in at.order.keys(at.place, &[before, after]) {
            let (old, new) = (before.get(key), after.get(key));
            let sides = [(&mut self.before, old), (&mut self.after, new)];
            for ((side, value), is_behind_dash) in sides.into_iter().zip(&mut starts) {
                if value.is_some() {
                    let is_first = std::mem::take(is_behind_dash);
                    side.writer.key(key, if is_first { 0 } else { indent });
                }
            }
            match (old, new) {
                (Some(old), Some(new)) if old != new => {
                    self.values(&at.key(key), old, new, indent);
                }
                (old, new) => {
                    let (order, place) = (at.order.key(key), at.place.below(key));
                    self.apart(order, place, old, new, indent);
                }
            }
        }
    }

    /// Writes two values that belong together.
    fn values(&mut self, at: &FieldCursor<'_>, before: &Value, after: &Value, indent: usize) {
        match (before, after) {
            (Value::Object(before), Value::Object(after))
                if !before.is_empty() && !after.is_empty() =>
            {
                if at.place == MapContext::Element {
                    self.both(|writer| writer.out.push(' '));
                    self.maps(at, before, after, indent);
                } else {
                    self.both(|writer| writer.out.push('\n'));
                    self.end();
                    self.maps(at, before, after, indent + 2);
                }
            }
            (Value::Array(before), Value::Array(after))
                if !before.is_empty() && !after.is_empty() =>
            {
                self.both(|writer| writer.out.push('\n'));
                self.end();
                self.lists(at, before, after, indent);
            }
            (Value::String(old), Value::String(new)) if self.lays_out => {
                match laid_out_pair(old, new) {
                    Some(LaidOut { before, after }) => {
                        self.before.writer.laid_out(&before, at.place, indent);
                        self.after.writer.laid_out(&after, at.place, indent);
                        self.end();
                    }
                    None => self.apart(at.order, at.place, Some(before), Some(after), indent),
                }
            }
            _ => self.apart(at.order, at.place, Some(before), Some(after), indent),
        }
    }

    /// Writes the elements of two lists.
    fn lists(&mut self, at: &FieldCursor<'_>, before: &[Value], after: &[Value], indent: usize) {
        for found in matches(&at.nodes, before, after) {
            let old = found.before.and_then(|i| before.get(i));
            let new = found.after.and_then(|i| after.get(i));
            for (side, item) in [(&mut self.before, old), (&mut self.after, new)] {
                if item.is_some() {
                    side.writer.dash(indent);
                }
            }
            match (old, new) {
                (Some(old), Some(new)) if old != new => {
                    let step = PathStep::Item { before: found.before, after: found.after };
                    self.values(&at.item(step, new), old, new, indent + 2);
                }
                (old, new) => {
                    let order = new.or(old).map_or(FieldOrder::none(), |item| at.order.item(item));
                    self.apart(order, MapContext::Element, old, new, indent + 2);
                }
            }
        }
    }

    /// Writes a value in each text in which it is, and ends the piece.
    fn apart(
        &mut self,
        order: &FieldOrder,
        place: MapContext,
        before: Option<&Value>,
        after: Option<&Value>,
        indent: usize,
    ) {
        for (side, value) in [(&mut self.before, before), (&mut self.after, after)] {
            if let Some(value) = value {
                side.writer.value(value, order, place, indent);
            }
        }
        self.end();
    }
}
