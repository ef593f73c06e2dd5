//! The tree of a document → its value as JSON, and where each part of it stands.
//!
//! Here are goyaml.v2's rules for maps: which keys there may be and what text they become, that a
//! later key overrides an earlier one, merge keys, and how much aliases may repeat.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::events::ScalarText;
use super::fault::{ManifestFault, Spot};
use super::limits;
use super::number;
use super::positions::{PathPart, Positions, Recorder, Written};
use super::scalar::{self, TagMismatch, Typed};
use super::surprise;
use super::tree::{Tree, TreeKind};
use crate::core::json::Value;

/// A document with content.
pub(super) struct BuiltDocument {
    pub(super) value: Value,
    pub(super) positions: Positions,
    /// Whether it can be so big that its size has to be measured.
    pub(super) may_be_big: bool,
    pub(super) warnings: Vec<ManifestFault>,
}

/// The document's value, `None` if it is null. The texts of the tree are moved into it.
pub(super) fn document(tree: &mut Tree) -> Result<Option<BuiltDocument>, ManifestFault> {
    let start = tree.nodes[0].spot;
    let mut builder = Builder::new(tree);
    let root = builder.positions.open(&PathPart::Index(0), start, start);
    let value = builder.value(0).map_err(|wrong| *wrong)?;
    builder.positions.close(root);
    if value.is_null() {
        return Ok(None);
    }
    if let Some(spot) = builder.tree.rest {
        builder.warnings.push(
            ManifestFault::new(spot, "text after the line `...` is not read")
                .hint("begin another document with `---`"),
        );
    }
    Ok(Some(BuiltDocument {
        value,
        positions: builder.positions.finish(),
        // No way of writing YAML is more than six times as short as the same in JSON.
        may_be_big: builder.tree.has_aliases || builder.tree.length > limits::OBJECT / 6,
        warnings: builder.warnings,
    }))
}

/// The fields of a map as far as they are read, in whatever order the file has them.
type Fields = BTreeMap<String, Value>;

/// Boxed, to be small in what recurses.
type BoxedFault = Box<ManifestFault>;

struct Builder<'a> {
    tree: &'a mut Tree,
    positions: Recorder,
    warnings: Vec<ManifestFault>,
    depth: usize,
    /// About how many bytes the value has as JSON.
    size: usize,
    /// Values taken so far, and how many of them inside an alias: goyaml.v2's counts.
    taken: u64,
    aliased: u64,
    alias_depth: u64,
    /// Whether the next value is a file's permissions.
    in_mode: bool,
}

impl<'a> Builder<'a> {
    fn new(tree: &'a mut Tree) -> Self {
        Self {
            positions: Recorder::for_parts(tree.nodes.len() / 2 + 1),
            tree,
            warnings: Vec::new(),
            depth: 0,
            size: 0,
            taken: 0,
            aliased: 0,
            alias_depth: 0,
            in_mode: false,
        }
    }

    /// Recurses as deep as the document, so it and what it calls hold little on the stack.
    fn value(&mut self, at: usize) -> Result<Value, BoxedFault> {
        self.take(at)?;
        match self.tree.nodes[at].kind {
            TreeKind::Scalar(_) => self.scalar(at),
            TreeKind::List => self.list(at),
            TreeKind::Map => {
                let mut fields = BTreeMap::new();
                self.map(at, &mut fields)?;
                Ok(Value::Object(fields.into_iter().collect()))
            }
            TreeKind::Alias(target) => {
                self.alias_depth += 1;
                let value = self.value(target);
                self.alias_depth -= 1;
                value
            }
        }
    }

    fn list(&mut self, at: usize) -> Result<Value, BoxedFault> {
        self.enter(at)?;
        let mut list = Vec::new();
        let mut child = at + 1;
        while child < self.tree.nodes[at].end {
            let part = self.open_item(list.len(), child);
            list.push(self.value(child)?);
            self.positions.close(part);
            child = self.tree.nodes[child].end;
        }
        self.depth -= 1;
        list.shrink_to_fit();
        Ok(Value::Array(list))
    }

    fn open_item(&mut self, index: usize, at: usize) -> usize {
        let spot = self.spot(at);
        self.positions.open(&PathPart::Index(index), spot, spot)
    }

    /// Puts a map's keys into `map`.
    fn map(&mut self, at: usize, map: &mut Fields) -> Result<(), BoxedFault> {
        self.enter(at)?;
        let mut own = MapKeys::default();
        let mut key = at + 1;
        while key < self.tree.nodes[at].end {
            let value = self.tree.nodes[key].end;
            if self.is_merge(key) {
                self.warn_of_late_merge(key, &own);
                self.merge(value, map)?;
                own.merged = true;
            } else {
                own.keys += 1;
                let name = self.key(key)?;
                let part = self.open_field(&name, key, value);
                // Permissions are written in octal, and meant so.
                self.in_mode = name == "mode" || name.ends_with("Mode");
                let json = self.value(value)?;
                self.in_mode = false;
                self.positions.close(part);
                self.warn_of_twin(&name, key, map.contains_key(&name) && !own.merged);
                map.insert(name, json);
            }
            key = self.tree.nodes[value].end;
        }
        self.depth -= 1;
        Ok(())
    }

    fn open_field(&mut self, name: &str, key: usize, value: usize) -> usize {
        self.size += name.len() + 4;
        self.positions.open(&PathPart::Key(name), self.spot(key), self.spot(value))
    }

    fn warn_of_late_merge(&mut self, key: usize, own: &MapKeys) {
        if own.keys > 0 {
            let warning =
                ManifestFault::new(self.spot(key), "`<<` overrides the keys that stand above it")
                    .hint("put `<<` first: then the keys override what it brings");
            self.warnings.push(warning);
        }
    }

    fn warn_of_twin(&mut self, name: &str, key: usize, is_twin: bool) {
        if is_twin && self.alias_depth == 0 {
            self.warnings.push(twin(name, self.spot(key)));
        }
    }

    fn is_merge(&self, at: usize) -> bool {
        matches!(&self.tree.nodes[at].kind, TreeKind::Scalar(scalar) if scalar::is_merge(scalar))
    }

    /// The value of a merge key: a map, an alias of one, or a list of such.
    fn merge(&mut self, at: usize, map: &mut Fields) -> Result<(), BoxedFault> {
        if !matches!(self.tree.nodes[at].kind, TreeKind::List) {
            return self.merge_map(at, map);
        }
        let maps: Vec<usize> = self.tree.children(at).collect();
        maps.into_iter().rev().try_for_each(|at| self.merge_map(at, map))
    }

    fn merge_map(&mut self, at: usize, map: &mut Fields) -> Result<(), BoxedFault> {
        let (target, aliased) = match self.tree.nodes[at].kind {
            TreeKind::Alias(target) => (target, 1),
            _ => (at, 0),
        };
        if !matches!(self.tree.nodes[target].kind, TreeKind::Map) {
            return Err(
                ManifestFault::new(self.spot(at), "`<<` needs a map, or a list of maps").into()
            );
        }
        if aliased > 0 {
            self.take(at)?;
        }
        self.alias_depth += aliased;
        self.take(target)?;
        self.map(target, map)?;
        self.alias_depth -= aliased;
        Ok(())
    }

    fn key(&mut self, at: usize) -> Result<String, BoxedFault> {
        self.take(at)?;
        let (target, aliased) = self.resolved(at);
        if aliased {
            self.alias_depth += 1;
            self.take(at)?;
            self.alias_depth -= 1;
        }
        let Some(scalar) = self.take_scalar(target) else {
            return Err(ManifestFault::new(self.spot(at), "a map or a list can't be a key").hint(
                "if this is a template (`{{ … }}`), render it first; text with brackets needs quotes",
            ).into());
        };
        match scalar::typed(&scalar).map_err(|misfit| self.misfit(misfit, at))? {
            Typed::Text(Cow::Owned(text)) => Ok(text),
            Typed::Text(Cow::Borrowed(_)) => Ok(scalar.text),
            Typed::Int(value) => Ok(value.to_string()),
            Typed::Float(value) => Ok(number::key(value)),
            Typed::Bool(value) => {
                if scalar.text.len() < 4 {
                    self.warnings.push(
                        ManifestFault::new(
                            self.spot(at),
                            format!("Kubernetes reads this key as `{value}`"),
                        )
                        .hint(format!(
                            "write it in quotes, `\"{}\"`, if you mean the text",
                            scalar.text
                        )),
                    );
                }
                Ok(value.to_string())
            }
            Typed::Null => Err(ManifestFault::new(self.spot(at), "null can't be a key")
                .hint("write it in quotes if it is text")
                .into()),
            Typed::Big(_) => {
                Err(ManifestFault::new(self.spot(at), "this number is too big for a key")
                    .hint("write it in quotes")
                    .into())
            }
        }
    }

    fn scalar(&mut self, at: usize) -> Result<Value, BoxedFault> {
        let scalar = self.take_scalar(at).unwrap_or_default();
        let typed = scalar::typed(&scalar).map_err(|misfit| self.misfit(misfit, at))?;
        if scalar.plain && scalar.tag.is_none() {
            let fault = surprise::of(&scalar.text, &typed, self.in_mode);
            if fault.is_some() || scalar::is_own_way(&scalar.text, &typed) {
                let (text, is_surprising) = (scalar.text.clone(), fault.is_some());
                self.positions.written(Written { text, is_surprising });
            }
            let fault = fault.filter(|_| self.alias_depth == 0);
            self.warnings.extend(
                fault.map(|(message, hint)| ManifestFault::new(self.spot(at), message).hint(hint)),
            );
        }
        let float = match typed {
            Typed::Null => return Ok(Value::Null),
            Typed::Bool(value) => return Ok(value.into()),
            Typed::Int(value) => return Ok(value.into()),
            Typed::Text(text) => {
                self.size += text.len();
                let text = match text {
                    Cow::Owned(text) => text,
                    Cow::Borrowed(_) => scalar.text,
                };
                return Ok(Value::String(text));
            }
            Typed::Big(value) => value as f64,
            Typed::Float(value) => value,
        };
        number::wire(float).ok_or_else(|| {
            ManifestFault::new(self.spot(at), "Kubernetes does not accept infinity and NaN")
                .hint("write it in quotes if it is text")
                .into()
        })
    }

    fn misfit(&self, TagMismatch(what): TagMismatch, at: usize) -> BoxedFault {
        ManifestFault::new(
            self.spot(at),
            format!(
                "the value does not match its tag: it is not \
            {what}"
            ),
        )
        .into()
    }

    /// Where the value of a node is, and whether that is elsewhere.
    fn resolved(&self, at: usize) -> (usize, bool) {
        match self.tree.nodes[at].kind {
            TreeKind::Alias(target) => (target, true),
            _ => (at, false),
        }
    }

    /// The text at a node, `None` for a list or a map. Without aliases each is read once.
    fn take_scalar(&mut self, at: usize) -> Option<ScalarText> {
        match &mut self.tree.nodes[at].kind {
            TreeKind::Scalar(scalar) if self.tree.has_aliases => Some(scalar.clone()),
            TreeKind::Scalar(scalar) => Some(std::mem::take(scalar)),
            _ => None,
        }
    }

    fn enter(&mut self, at: usize) -> Result<(), BoxedFault> {
        self.depth += 1;
        if self.depth > limits::DEPTH {
            Err(limits::too_deep(self.spot(at)).into())
        } else {
            Ok(())
        }
    }

    /// Counts a value, and ends the work when aliases make too many of few.
    fn take(&mut self, at: usize) -> Result<(), BoxedFault> {
        self.taken += 1;
        self.aliased += u64::from(self.alias_depth > 0);
        self.size += 4;
        if self.aliased > 100
            && self.taken > 1000
            && self.aliased as f64 / self.taken as f64 > allowed_alias_ratio(self.taken)
        {
            return Err(limits::too_much_aliasing(self.spot(at)).into());
        }
        if self.size > limits::EXPANDED {
            return Err(limits::too_expanded(self.spot(at)).into());
        }
        Ok(())
    }

    fn spot(&self, at: usize) -> Spot {
        self.tree.nodes[at].spot
    }
}

/// The state of a map before a key.
#[derive(Default)]
struct MapKeys {
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

/// The warning for a key that a map has already.
pub(super) fn twin(name: &str, spot: Spot) -> ManifestFault {
    ManifestFault::new(spot, format!("duplicate key `{name}`; this one counts"))
        .hint("delete one of them")
}
