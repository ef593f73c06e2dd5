//! The tree of a document → its value as JSON, and where each part of it stands.
//!
//! Here are goyaml.v2's rules for maps: which keys there may be and what text they become, that a
//! later key overrides an earlier one, merge keys, and how much aliases may repeat.

use serde_json::{Map, Value};

use super::fault::{Fault, Spot};
use super::limits;
use super::number;
use super::positions::{PathPart, Positions, Recorder};
use super::scalar::{self, Misfit, Typed};
use super::tree::{Kind, Node, Tree};

/// A document with content.
pub(super) struct Document {
    pub(super) value: Value,
    pub(super) positions: Positions,
    /// Whether it can be so big that its size has to be measured.
    pub(super) may_be_big: bool,
    pub(super) warnings: Vec<Fault>,
}

/// The document's value, `None` if it is null.
pub(super) fn document(tree: &Tree) -> Result<Option<Document>, Fault> {
    let mut builder = Builder::new(tree);
    let start = tree.nodes[0].spot;
    let root = builder.positions.open(&PathPart::Index(0), start, start);
    let value = builder.value(0)?;
    builder.positions.close(root);
    if value.is_null() {
        return Ok(None);
    }
    if let Some(spot) = tree.rest {
        builder.warnings.push(
            Fault::new(spot, "what comes after the line `...` is not read")
                .hint("begin another document with `---`"),
        );
    }
    Ok(Some(Document {
        value,
        positions: builder.positions.finish(),
        // No way of writing YAML is more than six times as short as the same in JSON.
        may_be_big: tree.has_aliases || tree.length > limits::OBJECT / 6,
        warnings: builder.warnings,
    }))
}

struct Builder<'a> {
    tree: &'a Tree,
    positions: Recorder,
    warnings: Vec<Fault>,
    depth: usize,
    /// About how many bytes the value has as JSON.
    size: usize,
    /// Values taken so far, and how many of them inside an alias: goyaml.v2's counts.
    taken: u64,
    aliased: u64,
    alias_depth: u64,
}

impl<'a> Builder<'a> {
    fn new(tree: &'a Tree) -> Self {
        Self {
            tree,
            positions: Recorder::default(),
            warnings: Vec::new(),
            depth: 0,
            size: 0,
            taken: 0,
            aliased: 0,
            alias_depth: 0,
        }
    }

    fn value(&mut self, at: usize) -> Result<Value, Fault> {
        self.take(at)?;
        match &self.tree.nodes[at].kind {
            Kind::Scalar(scalar) => self.json(scalar::typed(scalar), at),
            Kind::List => {
                self.enter(at)?;
                let list = self.list(at)?;
                self.depth -= 1;
                Ok(Value::Array(list))
            }
            Kind::Map => {
                self.enter(at)?;
                let mut map = Map::new();
                self.map(at, &mut map)?;
                self.depth -= 1;
                Ok(Value::Object(map))
            }
            Kind::Alias(target) => {
                self.alias_depth += 1;
                let value = self.value(*target)?;
                self.alias_depth -= 1;
                Ok(value)
            }
        }
    }

    fn list(&mut self, at: usize) -> Result<Vec<Value>, Fault> {
        let mut list = Vec::new();
        for child in self.tree.children(at) {
            let spot = self.spot(child);
            let part = self.positions.open(&PathPart::Index(list.len()), spot, spot);
            list.push(self.value(child)?);
            self.positions.close(part);
        }
        Ok(list)
    }

    /// Puts a map's keys into `map`.
    fn map(&mut self, at: usize, map: &mut Map<String, Value>) -> Result<(), Fault> {
        let mut children = self.tree.children(at);
        let mut own = Own::default();
        while let (Some(key), Some(value)) = (children.next(), children.next()) {
            if self.is_merge(key) {
                if own.keys > 0 {
                    self.warnings.push(
                        Fault::new(self.spot(key), "`<<` overrides the keys that stand above it")
                            .hint("put `<<` first: then the keys override what it brings"),
                    );
                }
                self.merge(value, map)?;
                own.merged = true;
                continue;
            }
            let name = self.key(key)?;
            own.keys += 1;
            let part = self.positions.open(&PathPart::Key(&name), self.spot(key), self.spot(value));
            let value = self.value(value)?;
            self.positions.close(part);
            self.size += name.len() + 4;
            if self.alias_depth == 0 && !own.merged && map.contains_key(&name) {
                self.warnings.push(
                    Fault::new(self.spot(key), format!("`{name}` is here twice; this one counts"))
                        .hint("delete one of them"),
                );
            }
            map.insert(name, value);
        }
        Ok(())
    }

    fn is_merge(&self, at: usize) -> bool {
        matches!(&self.tree.nodes[at].kind, Kind::Scalar(scalar) if scalar::is_merge(scalar))
    }

    /// The value of a merge key: a map, an alias of one, or a list of such.
    fn merge(&mut self, at: usize, map: &mut Map<String, Value>) -> Result<(), Fault> {
        if !matches!(self.tree.nodes[at].kind, Kind::List) {
            return self.merge_map(at, map);
        }
        let maps: Vec<usize> = self.tree.children(at).collect();
        maps.into_iter().rev().try_for_each(|at| self.merge_map(at, map))
    }

    fn merge_map(&mut self, at: usize, map: &mut Map<String, Value>) -> Result<(), Fault> {
        let (target, aliased) = match self.tree.nodes[at].kind {
            Kind::Alias(target) => (target, 1),
            _ => (at, 0),
        };
        if !matches!(self.tree.nodes[target].kind, Kind::Map) {
            return Err(Fault::new(self.spot(at), "`<<` needs a map, or a list of maps"));
        }
        if aliased > 0 {
            self.take(at)?;
        }
        self.alias_depth += aliased;
        self.take(target)?;
        self.enter(target)?;
        self.map(target, map)?;
        self.depth -= 1;
        self.alias_depth -= aliased;
        Ok(())
    }

    fn key(&mut self, at: usize) -> Result<String, Fault> {
        self.take(at)?;
        let (node, aliased) = self.resolved(at);
        if aliased {
            self.alias_depth += 1;
            self.take(at)?;
            self.alias_depth -= 1;
        }
        let Kind::Scalar(scalar) = &node.kind else {
            return Err(Fault::new(self.spot(at), "a map or a list can't be a key").hint(
                "if this is a template (`{{ … }}`), render it first; text with brackets needs quotes",
            ));
        };
        match scalar::typed(scalar).map_err(|misfit| self.misfit(misfit, at))? {
            Typed::Text(text) => Ok(text.into_owned()),
            Typed::Int(value) => Ok(value.to_string()),
            Typed::Float(value) => Ok(number::key(value)),
            Typed::Bool(value) => {
                if scalar.text.len() < 4 {
                    self.warnings.push(
                        Fault::new(self.spot(at), format!("this key is `{value}` for Kubernetes"))
                            .hint(format!("write \"{}\" if you mean the text", scalar.text)),
                    );
                }
                Ok(value.to_string())
            }
            Typed::Null => Err(Fault::new(self.spot(at), "null can't be a key")
                .hint("write it in quotes if it is text")),
            Typed::Big(_) => Err(Fault::new(self.spot(at), "this number is too big for a key")
                .hint("write it in quotes")),
        }
    }

    fn json(&mut self, typed: Result<Typed, Misfit>, at: usize) -> Result<Value, Fault> {
        let float = match typed.map_err(|misfit| self.misfit(misfit, at))? {
            Typed::Null => return Ok(Value::Null),
            Typed::Bool(value) => return Ok(value.into()),
            Typed::Int(value) => return Ok(value.into()),
            Typed::Text(text) => {
                self.size += text.len();
                return Ok(Value::String(text.into_owned()));
            }
            Typed::Big(value) => value as f64,
            Typed::Float(value) => value,
        };
        number::wire(float).ok_or_else(|| {
            Fault::new(self.spot(at), "infinity and NaN are no numbers for Kubernetes")
                .hint("write it in quotes if it is text")
        })
    }

    fn misfit(&self, Misfit(what): Misfit, at: usize) -> Fault {
        Fault::new(self.spot(at), format!("its tag says that it is {what}, and it is not"))
    }

    fn resolved(&self, at: usize) -> (&'a Node, bool) {
        match self.tree.nodes[at].kind {
            Kind::Alias(target) => (&self.tree.nodes[target], true),
            _ => (&self.tree.nodes[at], false),
        }
    }

    fn enter(&mut self, at: usize) -> Result<(), Fault> {
        self.depth += 1;
        if self.depth > limits::DEPTH { Err(limits::too_deep(self.spot(at))) } else { Ok(()) }
    }

    /// Counts a value, and ends the work when aliases make too many of few.
    fn take(&mut self, at: usize) -> Result<(), Fault> {
        self.taken += 1;
        self.aliased += u64::from(self.alias_depth > 0);
        self.size += 4;
        if self.aliased > 100
            && self.taken > 1000
            && self.aliased as f64 / self.taken as f64 > allowed_alias_ratio(self.taken)
        {
            return Err(limits::too_much_aliasing(self.spot(at)));
        }
        if self.size > limits::EXPANDED {
            return Err(limits::too_expanded(self.spot(at)));
        }
        Ok(())
    }

    fn spot(&self, at: usize) -> Spot {
        self.tree.nodes[at].spot
    }
}

/// What a map had before a key.
#[derive(Default)]
struct Own {
    keys: usize,
    merged: bool,
}

/// Small documents may be aliases almost wholly, big ones to a tenth.
fn allowed_alias_ratio(taken: u64) -> f64 {
    const LOW: f64 = 400_000.0;
    const HIGH: f64 = 4_000_000.0;
    let part = ((taken as f64 - LOW) / (HIGH - LOW)).clamp(0.0, 1.0);
    0.99 - 0.89 * part
}
