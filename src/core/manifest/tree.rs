//! Events → the tree of one document, flat in memory: a node is followed by what is in it.
//!
//! Aliases are tied to their anchors here, and nothing is typed yet; that is [`super::build`]'s.

use std::collections::HashMap;

use super::events::{Events, ScalarText, YamlEventKind as Event};
use super::fault::{ManifestFault, Spot};
use super::limits;
use super::prepared_text::PreparedText;

/// One value as written.
pub(super) struct TreeNode {
    pub(super) spot: Spot,
    pub(super) kind: TreeKind,
    /// The index after the last node that is in this one.
    pub(super) end: usize,
}

/// The kind of a value.
pub(super) enum TreeKind {
    Scalar(ScalarText),
    List,
    /// Keys and values in turns.
    Map,
    /// The value at another index.
    Alias(usize),
}

/// A document that has content.
pub(super) struct Tree {
    /// The first is the whole document.
    pub(super) nodes: Vec<TreeNode>,
    /// Bytes of the text that it was read from.
    pub(super) length: usize,
    pub(super) has_aliases: bool,
    /// Where the document ended before the text did, if kubectl would not read what comes then.
    pub(super) rest: Option<Spot>,
}

impl Tree {
    /// The indexes of the values in a list, of the keys and values in a map.
    pub(super) fn children(&self, at: usize) -> impl Iterator<Item = usize> + use<'_> {
        let end = self.nodes[at].end;
        let mut next = at + 1;
        std::iter::from_fn(move || {
            let at = next;
            next = self.nodes.get(at).filter(|_| at < end)?.end;
            Some(at)
        })
    }
}

/// Reads the first document of a text, as kubectl does; `line` is the file's line that it begins at.
pub(super) fn read(text: &str, line: u32) -> Result<Option<Tree>, ManifestFault> {
    /// How often a text is read again with one more stand-in, if it is small.
    const AGAIN: usize = 64;
    let mut prepared = PreparedText::new(text);
    for _ in 0..AGAIN.min(limits::FILE / text.len().max(1)) {
        let mut events = Events::new(&prepared, line);
        let tree = collect(&mut events);
        match events.last_colon() {
            Some(byte) if tree.is_err() => prepared = prepared.with_colon(byte),
            _ => return tree,
        }
    }
    collect(&mut Events::new(&prepared, line))
}

fn collect(events: &mut Events) -> Result<Option<Tree>, ManifestFault> {
    let length = events.length();
    // About as many as most texts have.
    let nodes = Vec::with_capacity((length / 12).clamp(8, 1024));
    let mut tree = Tree { nodes, length, has_aliases: false, rest: None };
    let mut open = Vec::new();
    let mut anchors = HashMap::new();
    let mut effort = 0;
    loop {
        let event = events.next()?;
        let at = tree.nodes.len();
        let (anchor, kind) = match event.kind {
            Event::Nothing => return Ok(None),
            Event::DocumentEnd => {
                tree.rest = events.rest();
                return Ok((!tree.nodes.is_empty()).then_some(tree));
            }
            Event::End => {
                if let Some(ended) = open.pop() {
                    let ended: usize = ended;
                    tree.nodes[ended].end = at;
                }
                continue;
            }
            Event::Scalar(anchor, scalar) => (anchor, TreeKind::Scalar(scalar)),
            Event::List(anchor) => (anchor, TreeKind::List),
            Event::Map(anchor) => (anchor, TreeKind::Map),
            Event::Alias(name) => {
                tree.has_aliases = true;
                match anchors.get(&name) {
                    Some(target) if open.contains(target) => {
                        return Err(ManifestFault::new(
                            event.spot,
                            format!("`*{name}` contains itself"),
                        ));
                    }
                    Some(&target) => (None, TreeKind::Alias(target)),
                    None => return Err(unknown_anchor(event.spot, &name)),
                }
            }
        };
        if let Some(anchor) = anchor {
            anchors.insert(anchor, at);
        }
        if matches!(kind, TreeKind::List | TreeKind::Map) {
            if open.len() == limits::DEPTH {
                return Err(limits::too_deep(event.spot));
            }
            open.push(at);
        }
        effort += open.len();
        if effort > limits::EFFORT {
            return Err(limits::too_deep(event.spot));
        }
        tree.nodes.push(TreeNode { spot: event.spot, kind, end: at + 1 });
    }
}

fn unknown_anchor(spot: Spot, name: &str) -> ManifestFault {
    ManifestFault::new(spot, format!("no anchor `&{name}` precedes this alias"))
        .hint("put the text in quotes if it is meant to begin with `*`")
}
