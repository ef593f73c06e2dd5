//! Where each field of an object stands in its file, kept small. Which field a message of the API
//! server means is [`super::place`]'s.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use super::fault::Spot;

/// A value of more parts than this is looked into by an index, since each of its many children may
/// be asked for.
const FEW: u32 = 64;

/// One step into a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathPart<'a> {
    /// The value of a map's key.
    Key(&'a str),
    /// An element of a list, from 0.
    Index(usize),
}

impl<'a> From<&'a str> for PathPart<'a> {
    fn from(key: &'a str) -> Self {
        Self::Key(key)
    }
}

impl From<usize> for PathPart<'_> {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// A value and the parts below it, in the order of the file: a node is followed by its children.
///
/// Keys are kept as hashes. Two keys of one map with the same hash would at worst give a message
/// the line of a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PositionNode {
    part: u32,
    /// Nodes of this value, itself included.
    size: u32,
    key: Spot,
    value: Spot,
}

/// Where an object and each of its fields stand in their file: lines and columns from 1, columns in
/// characters. Cheap to clone.
#[derive(Clone, Default)]
pub struct Positions {
    nodes: Arc<[PositionNode]>,
    root: usize,
    index: Arc<OnceLock<Index>>,
    /// The texts of values that are not written as JSON writes them, by their nodes.
    written: Option<Arc<[(usize, Written)]>>,
}

/// A number or a boolean as its file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The text.
    pub text: String,
    /// Whether the author may have meant something else than Kubernetes reads.
    pub is_surprising: bool,
}

/// The child of a node, both by their places in the list, that a part's hash leads to.
type Index = HashMap<(usize, u32), usize>;

impl Positions {
    /// Whether nothing is known, as of what was rendered.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Where the field at `path` is declared: its key, or a list's element.
    pub fn of(&self, path: &[PathPart]) -> Option<(usize, usize)> {
        path.iter().try_fold(self.root, |at, part| self.child(at, hash(part))).and_then(|at| {
            let Spot { line, column } = self.nodes.get(at)?.key;
            Some((line as usize, column as usize))
        })
    }

    /// Where the value of the field at `path` begins.
    pub fn of_value(&self, path: &[PathPart]) -> Option<(usize, usize)> {
        path.iter().try_fold(self.root, |at, part| self.child(at, hash(part))).and_then(|at| {
            let Spot { line, column } = self.nodes.get(at)?.value;
            Some((line as usize, column as usize))
        })
    }

    /// The same fields, all at one place.
    pub fn all_at(&self, line: usize, column: usize) -> Self {
        let spot = Spot { line: line as u32, column: column as u32 };
        let at_one = |node: &PositionNode| PositionNode { key: spot, value: spot, ..*node };
        Self { nodes: self.slice().iter().map(at_one).collect(), ..Self::default() }
    }

    /// The text of the value at `path`, where it is not what JSON would write: `yes`, `0644`.
    pub fn written(&self, path: &[PathPart]) -> Option<&Written> {
        let written = self.written.as_ref()?;
        let at = path.iter().try_fold(self.root, |at, part| self.child(at, hash(part)))?;
        let found = written.binary_search_by_key(&at, |(node, _)| *node).ok()?;
        Some(&written[found].1)
    }

    /// Where the whole value begins.
    pub(super) fn root(&self) -> Option<Spot> {
        Some(self.nodes.get(self.root)?.value)
    }

    pub(super) fn spot(&self, path: &[PathPart]) -> Option<Spot> {
        let (line, column) = self.of(path)?;
        Some(Spot { line: line as u32, column: column as u32 })
    }

    /// The positions within a part of the value, such as an item of a `List`.
    pub(super) fn within(&self, path: &[PathPart]) -> Option<Self> {
        let root = path.iter().try_fold(self.root, |at, part| self.child(at, hash(part)))?;
        Some(self.below(root))
    }

    /// The positions within each part of the value, in the order of the file.
    pub(super) fn children(&self) -> impl Iterator<Item = Self> {
        self.child_indexes(self.root).map(|root| self.below(root))
    }

    fn below(&self, root: usize) -> Self {
        Self { root, ..self.clone() }
    }

    /// The last one, since a later key overrides an earlier one.
    fn child(&self, parent: usize, part: u32) -> Option<usize> {
        match self.nodes.get(parent)?.size {
            ..=FEW => self.child_indexes(parent).filter(|&at| self.nodes[at].part == part).last(),
            _ => self.index.get_or_init(|| self.indexed()).get(&(parent, part)).copied(),
        }
    }

    fn indexed(&self) -> Index {
        let large = (0..self.nodes.len()).filter(|&at| self.nodes[at].size > FEW);
        let children = large.flat_map(|parent| {
            self.child_indexes(parent).map(move |at| ((parent, self.nodes[at].part), at))
        });
        children.collect()
    }

    fn child_indexes(&self, parent: usize) -> impl Iterator<Item = usize> {
        let end = self.nodes.get(parent).map_or(0, |node| parent + node.size as usize);
        let mut next = parent + 1;
        std::iter::from_fn(move || {
            let at = next;
            next += self.nodes.get(at).filter(|_| at < end)?.size as usize;
            Some(at)
        })
    }

    fn slice(&self) -> &[PositionNode] {
        let size = self.nodes.get(self.root).map_or(0, |node| node.size as usize);
        &self.nodes[self.root..self.root + size]
    }
}

impl PartialEq for Positions {
    fn eq(&self, other: &Self) -> bool {
        self.slice() == other.slice()
    }
}

impl Eq for Positions {}

impl std::fmt::Debug for Positions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Positions({} fields)", self.slice().len())
    }
}

/// Collects positions while a value is being built.
#[derive(Default)]
pub(super) struct Recorder {
    nodes: Vec<PositionNode>,
    written: Vec<(usize, Written)>,
}

impl Recorder {
    /// A recorder with room for so many parts.
    pub(super) fn for_parts(parts: usize) -> Self {
        Self { nodes: Vec::with_capacity(parts), written: Vec::new() }
    }

    /// Begins a part; what is recorded until [`close`](Self::close) is below it.
    pub(super) fn open(&mut self, part: &PathPart, key: Spot, value: Spot) -> usize {
        self.nodes.push(PositionNode { part: hash(part), size: 1, key, value });
        self.nodes.len() - 1
    }

    /// Notes how the value of the part that was opened last is written.
    pub(super) fn written(&mut self, written: Written) {
        if let Some(at) = self.nodes.len().checked_sub(1) {
            self.written.push((at, written));
        }
    }

    pub(super) fn close(&mut self, at: usize) {
        self.nodes[at].size = u32::try_from(self.nodes.len() - at).unwrap_or(u32::MAX);
    }

    pub(super) fn finish(self) -> Positions {
        let written = Some(self.written).filter(|it| !it.is_empty()).map(Arc::from);
        Positions { nodes: self.nodes.into(), written, ..Positions::default() }
    }
}

/// FNV-1a.
fn hash(part: &PathPart) -> u32 {
    let step = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    match part {
        PathPart::Key(key) => key.as_bytes().iter().fold(0x811c_9dc5, step),
        PathPart::Index(index) => u32::try_from(*index).unwrap_or(u32::MAX),
    }
}
