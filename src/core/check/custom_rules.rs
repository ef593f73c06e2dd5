//! The rules of definitions (`x-kubernetes-validations`), evaluated for the custom resources of the
//! set as the API server evaluates them when an object is created.
//!
//! The rules are those of k8s.io/apiextensions-apiserver, `pkg/apiserver/schema/cel/validation.go`.
//! Rules are read once for each version of a definition that has objects. A rule that can't be
//! worked out here is never guessed: it is reported once, where it stands.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use super::validate::{KeyOrValue, filled};
use super::{CheckRule, Finding, Level, words};
use crate::core::cel::{ExpressionValue, Form, Rule, Scope, Verdict};
use crate::core::json::Value;
use crate::core::kinds::catalog::CRD;
use crate::core::kinds::schemas::{Others, Schema, SchemaLookup, Schemas, Validation};
use crate::core::manifest::{Manifest, PathPart};
use crate::core::object::{Object, ObjectKey};

/// The variables of a rule.
const NAMES: [&str; 2] = ["self", "oldSelf"];

/// The rules of all definitions whose objects are in the set.
pub(super) struct CustomRules<'s> {
    /// By the schema, which stays where it is.
    trees: HashMap<usize, RuleTree<'s>>,
    unknown: Mutex<BTreeMap<(usize, Vec<Step>), Unevaluated>>,
}

/// A step of the way to a rule in its definition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Key(String),
    Index(usize),
}

/// A rule that could not be worked out: why, and for which object first.
struct Unevaluated {
    why: String,
    rule: String,
    object: ObjectKey,
}

/// The rules of a value and of what is below.
struct RuleTree<'s> {
    schema: &'s Schema,
    is_root: bool,
    path: Vec<Step>,
    rules: Vec<ReadRule<'s>>,
    properties: Vec<(&'s str, RuleTree<'s>)>,
    others: Option<Box<RuleTree<'s>>>,
    items: Option<Box<RuleTree<'s>>>,
}

struct ReadRule<'s> {
    number: usize,
    source: &'s Validation,
    rule: Rule,
    message: Option<Rule>,
}

impl<'s> RuleTree<'s> {
    /// The tree of a schema; `None` where it has no rules.
    fn read(schema: &'s Schema, is_root: bool, path: &[Step]) -> Option<Self> {
        let below = |steps: &[Step]| [path, steps].concat();
        let key = |name: &str| Step::Key(name.to_owned());
        let rules: Vec<_> = schema
            .validations
            .iter()
            .enumerate()
            .filter(|(_, rule)| !rule.is_transition() || rule.optional_old_self)
            .map(|(number, source)| {
                let message = source.message_expression.as_deref();
                ReadRule {
                    number,
                    source,
                    rule: Rule::new(&source.rule, &NAMES, &[]),
                    message: message.map(|text| Rule::new(text, &NAMES, &[])),
                }
            })
            .collect();
        let properties: Vec<_> = schema
            .properties
            .iter()
            .filter_map(|(name, schema)| {
                let tree = Self::read(schema, false, &below(&[key("properties"), key(name)]))?;
                Some((name.as_str(), tree))
            })
            .collect();
        let others = match &schema.additional_properties {
            Some(Others::Like(values)) => {
                Self::read(values, false, &below(&[key("additionalProperties")])).map(Box::new)
            }
            _ => None,
        };
        let items = schema.items.as_deref();
        let items = items.and_then(|it| Self::read(it, false, &below(&[key("items")])));
        let items = items.map(Box::new);
        let is_empty =
            rules.is_empty() && properties.is_empty() && others.is_none() && items.is_none();
        let path = path.to_vec();
        (!is_empty).then_some(Self { schema, is_root, path, rules, properties, others, items })
    }
}

/// A rule that an object breaks.
struct Broken<'v> {
    path: Vec<PathPart<'v>>,
    message: String,
}

/// Goes through one object.
struct Walk<'r, 'v> {
    rules: &'r CustomRules<'r>,
    tree: usize,
    key: &'r ObjectKey,
    path: Vec<PathPart<'v>>,
    broken: Vec<Broken<'v>>,
    spent: u64,
}

impl<'s> CustomRules<'s> {
    /// Reads the rules for the objects of a set.
    pub(super) fn of(named: &[(&ObjectKey, &Manifest)], schemas: &'s Schemas) -> Self {
        let mut trees: HashMap<usize, Option<RuleTree<'s>>> = HashMap::new();
        for (_, manifest) in named {
            if let SchemaLookup::Custom(schema) = schemas.find(&manifest.object) {
                let read = || RuleTree::read(schema, true, &[]);
                trees.entry(address(schema)).or_insert_with(read);
            }
        }
        let trees = trees.into_iter().filter_map(|(at, tree)| Some((at, tree?))).collect();
        Self { trees, unknown: Mutex::new(BTreeMap::new()) }
    }

    /// The rules that a sound object breaks.
    pub(super) fn broken(
        &self,
        key: &ObjectKey,
        manifest: &Manifest,
        schemas: &Schemas,
    ) -> Vec<Finding> {
        if self.trees.is_empty() {
            return Vec::new();
        }
        let SchemaLookup::Custom(schema) = schemas.find(&manifest.object) else {
            return Vec::new();
        };
        let Some(tree) = self.trees.get(&address(schema)) else { return Vec::new() };
        let value = filled(&manifest.object, schema);
        let (path, broken) = (Vec::new(), Vec::new());
        let mut walk = Walk { rules: self, tree: address(schema), key, path, broken, spent: 0 };
        walk.value(tree, &value);
        let finding = |broken: Broken<'_>| Finding {
            level: Level::Error,
            ..Finding::about(
                key,
                manifest,
                &broken.path,
                KeyOrValue::Value,
                CheckRule::Rule,
                broken.message,
            )
        };
        walk.broken.into_iter().map(finding).collect()
    }

    /// Warnings about the rules that could not be worked out: one a rule, where it stands.
    pub(super) fn unevaluated(&self, named: &[(&ObjectKey, &Manifest)]) -> Vec<Finding> {
        let unknown = self.unknown.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let finding = |((_, steps), unevaluated): (&(usize, Vec<Step>), &Unevaluated)| {
            let Unevaluated { why, rule, object } = unevaluated;
            let of_object = named.iter().find(|(key, _)| *key == object)?;
            let definition = named.iter().find_map(|&(key, manifest)| {
                let version = defines(&manifest.object, &of_object.1.object)?;
                Some((key, manifest, version))
            });
            let message = format!("rule not evaluated: {why}: {rule}");
            // A definition from elsewhere has no place here: then the first object has it.
            let Some((key, manifest, version)) = definition else {
                let (key, manifest) = *of_object;
                let path = [PathPart::Key("kind")];
                let at = KeyOrValue::Value;
                let rule = CheckRule::NotEvaluated;
                return Some(Finding::about(key, manifest, &path, at, rule, message));
            };
            let start = [
                PathPart::Key("spec"),
                PathPart::Key("versions"),
                PathPart::Index(version),
                PathPart::Key("schema"),
                PathPart::Key("openAPIV3Schema"),
            ];
            let steps = steps.iter().map(|step| match step {
                Step::Key(key) => PathPart::Key(key),
                Step::Index(index) => PathPart::Index(*index),
            });
            let path: Vec<PathPart<'_>> = start.into_iter().chain(steps).collect();
            let rule = CheckRule::NotEvaluated;
            Some(Finding::about(key, manifest, &path, KeyOrValue::Value, rule, message))
        };
        unknown.iter().filter_map(finding).collect()
    }
}

fn address(schema: &Schema) -> usize {
    std::ptr::from_ref(schema).addr()
}

/// The number of the version by which a definition defines an object's kind.
fn defines(definition: &Object, object: &Object) -> Option<usize> {
    if (definition.group(), definition.kind()) != CRD {
        return None;
    }
    let spec = definition.0.get("spec")?;
    let is_kind = spec["group"].as_str() == Some(object.group())
        && spec["names"]["kind"].as_str() == Some(object.kind());
    let mut versions = spec["versions"].as_array().filter(|_| is_kind)?.iter();
    versions.position(|version| version["name"].as_str() == Some(object.version()))
}

impl<'x> Walk<'x, 'x> {
    /// The rules of a value, and those below.
    fn value(&mut self, tree: &'x RuleTree<'x>, value: &'x Value) {
        if value.is_null() {
            return;
        }
        if !tree.rules.is_empty() {
            self.rules_of(tree, value);
        }
        match value {
            Value::Object(map) => {
                for (name, below) in &tree.properties {
                    if let Some((name, value)) = map.get_key_value(name) {
                        self.step(PathPart::Key(name), below, value);
                    }
                }
                if let Some(others) = &tree.others {
                    for (name, value) in map.iter() {
                        if !tree.schema.properties.contains_key(name.as_str()) {
                            self.step(PathPart::Key(name), others, value);
                        }
                    }
                }
            }
            Value::Array(list) => {
                if let Some(items) = &tree.items {
                    for (index, value) in list.iter().enumerate() {
                        self.step(PathPart::Index(index), items, value);
                    }
                }
            }
            _ => {}
        }
    }

    fn step(&mut self, part: PathPart<'x>, tree: &'x RuleTree<'x>, value: &'x Value) {
        self.path.push(part);
        self.value(tree, value);
        self.path.pop();
    }

    fn rules_of(&mut self, tree: &'x RuleTree<'x>, value: &'x Value) {
        let form = match tree.is_root {
            true => Form::Resource(tree.schema),
            false => Form::Schema(tree.schema),
        };
        let read = match value {
            Value::Object(map) if tree.is_root => ExpressionValue::Object(map, form),
            value => form.read(value),
        };
        for rule in &tree.rules {
            let roots = vec![Ok(read.clone()), Ok(ExpressionValue::Optional(None))];
            let mut scope = Scope::new(roots).after(self.spent);
            let verdict = rule.rule.holds(&mut scope);
            let mut message = || {
                let made = rule.message.as_ref().and_then(|message| message.text(&mut scope));
                let written = rule.source.message.as_deref().map(str::trim);
                let written = written.filter(|text| !text.is_empty());
                made.or_else(|| written.map(str::to_owned))
                    .unwrap_or_else(|| format!("failed rule: {}", rule.source.rule.trim()))
            };
            match verdict {
                Verdict::Known(true) => {}
                Verdict::Known(false) => {
                    let message = message();
                    self.breaks(rule, message);
                }
                // Where a rule fails, the server refuses the object as well.
                Verdict::Failed(why) => {
                    let message = format!("{why}: evaluating the rule {}", rule.source.rule.trim());
                    self.breaks(rule, message);
                }
                Verdict::Unknown(why) => self.unknown(tree, rule, why),
            }
            self.spent = scope.spent();
        }
    }

    fn breaks(&mut self, rule: &'x ReadRule<'x>, message: String) {
        let mut path = self.path.clone();
        path.extend(blamed(rule.source.field_path.as_deref().unwrap_or_default()));
        let message = format!("{}: {}", words::name(&path), message.trim_end_matches('.'));
        self.broken.push(Broken { path, message });
    }

    fn unknown(&mut self, tree: &RuleTree<'_>, rule: &ReadRule<'_>, why: String) {
        let more = [Step::Key("x-kubernetes-validations".to_owned()), Step::Index(rule.number)];
        let path = [&tree.path[..], &more, &[Step::Key("rule".to_owned())]].concat();
        let unknown = &self.rules.unknown;
        let mut unknown = unknown.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        unknown.entry((self.tree, path)).or_insert_with(|| Unevaluated {
            why,
            rule: rule.source.rule.trim().to_owned(),
            object: self.key.clone(),
        });
    }
}

/// The parts of a path such as `.spec['a.b']`, which leads through names only.
fn blamed(path: &str) -> Vec<PathPart<'_>> {
    let (mut parts, mut rest) = (Vec::new(), path);
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix("['") {
            let Some((name, after)) = inner.split_once("']") else { break };
            parts.push(PathPart::Key(name));
            rest = after;
        } else {
            let name = rest.strip_prefix('.').unwrap_or(rest);
            let end = name.find(['.', '[']).unwrap_or(name.len());
            if end == 0 {
                break;
            }
            parts.push(PathPart::Key(&name[..end]));
            rest = &name[end..];
        }
    }
    parts
}
