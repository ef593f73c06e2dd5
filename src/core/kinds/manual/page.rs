//! All that is known of a kind or of one of its fields.

use std::collections::BTreeMap;

use super::error::ManualError;
use super::name::Found;
use super::node::Node;
use super::{Known, Manual, Source};
use crate::core::json::Value;
use crate::core::kinds::lifecycle::{Notice, aging};
use crate::core::suggest::suggest;

/// More fields than this are not listed: references may make a small file a huge schema.
const MOST: usize = 20_000;

/// More levels than this are not listed.
const DEEPEST: usize = 64;

/// Bounds of a value, by their names in a schema.
const LIMITS: [&str; 11] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
];

/// A kind, and the field of it that was asked for.
pub struct Page<'a> {
    /// The kind.
    pub known: &'a Known,
    /// Its other versions.
    pub others: Vec<&'a str>,
    /// That the version is deprecated, or off by default.
    pub notice: Option<Notice>,
    /// The way to the field; empty where it is the kind itself.
    pub path: String,
    /// The field.
    pub field: FieldPage<'a>,
    /// Whether fields were left out, as there are too many.
    pub is_cut: bool,
}

/// A field.
#[derive(Debug, Default)]
pub struct FieldPage<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its type in a word, such as `[]Container`.
    pub type_word: String,
    /// Whether it must be there.
    pub required: bool,
    /// The description of the field, and that of its type where it is another one.
    pub description: Vec<&'a str>,
    /// The only values.
    pub values: &'a [Value],
    /// The default.
    pub default: Option<&'a Value>,
    /// The format, such as `int32`.
    pub format: Option<&'a str>,
    /// The pattern.
    pub pattern: Option<&'a str>,
    /// Bounds.
    pub limits: BTreeMap<&'static str, &'a Value>,
    /// The fields that tell the elements of a list apart.
    pub keys: Vec<&'a str>,
    /// How a list is merged: `atomic`, `set` or `map`.
    pub list_type: Option<&'a str>,
    /// How a map is merged: `atomic` or `granular`.
    pub map_type: Option<&'a str>,
    /// Rules in CEL.
    pub rules: Vec<Rule<'a>>,
    /// Its fields, or those of its elements; those of fields only where all were asked for.
    pub fields: Vec<FieldPage<'a>>,
}

/// A rule in CEL.
#[derive(Debug)]
pub struct Rule<'a> {
    /// The rule.
    pub rule: &'a str,
    /// The API server's message where it does not hold.
    pub message: Option<&'a str>,
}

impl Manual {
    /// The page about `KIND[.field…]`, in one version where it is named; with the fields of fields where
    /// `recursive` says so.
    ///
    /// # Errors
    ///
    /// When there is no such kind or field, or several.
    pub fn page<'a>(
        &'a self,
        text: &'a str,
        api_version: Option<&'a str>,
        recursive: bool,
    ) -> Result<Page<'a>, ManualError> {
        let Found { known, others, path } = self.find(text, api_version)?;
        let name = format!("{} {}", known.api_version(), known.kind);
        let root = self.root(known).ok_or_else(|| ManualError::Unspecified(name.clone()))?;
        let mut node = Node::new(self, root, root);
        let (mut last, mut required, mut walked) = (known.kind.as_str(), false, name);
        let mut way: Vec<&str> = Vec::new();
        for field in path {
            let above = node.element();
            let fields = above.fields();
            let Some((name, below)) = fields.iter().find(|(name, _)| *name == field).copied()
            else {
                return Err(no_field(walked, field, node));
            };
            required = above.requires(name);
            (node, last) = (below, name);
            way.push(name);
            walked = way.join(".");
        }
        let mut writer = Writer { recursive, left: MOST, depth: 0, within: Vec::new() };
        let mut field = writer.field(last, node);
        field.required = required;
        field.fields = writer.fields(node);
        let builtin = known.file.is_none();
        let notice = builtin.then(|| aging(&known.api_version(), &known.kind, self.release()));
        let is_cut = writer.left == 0;
        Ok(Page { known, others, notice: notice.flatten(), path: way.join("."), field, is_cut })
    }

    /// The schema of a kind.
    pub(super) fn root(&self, known: &Known) -> Option<&Value> {
        match &known.source {
            Source::Type(name) => self.types.get(name).map(|of| of.read()),
            Source::Document(number) => self.documents.get(*number),
            Source::Nothing => None,
        }
    }
}

fn no_field(of: String, name: &str, node: Node<'_>) -> ManualError {
    let fields = node.element().fields();
    if fields.is_empty() {
        return ManualError::NoFields { of, type_word: node.type_word() };
    }
    let same = fields.iter().map(|(other, _)| *other).find(|it| it.eq_ignore_ascii_case(name));
    let near = match same {
        Some(same) => vec![same],
        None => suggest(name, fields.into_iter().map(|(name, _)| name)),
    };
    let near = near.into_iter().map(str::to_owned).collect();
    ManualError::NoField { of, name: name.to_owned(), near }
}

struct Writer<'a> {
    recursive: bool,
    /// How many fields may still be listed.
    left: usize,
    depth: usize,
    /// The references that led here: a type within itself is not listed again.
    within: Vec<&'a str>,
}

impl<'a> Writer<'a> {
    fn field(&self, name: &'a str, node: Node<'a>) -> FieldPage<'a> {
        let element = node.element();
        let texts = |key: &str| -> Vec<&'a str> {
            let list = node.get(key).and_then(Value::as_array);
            list.into_iter().flatten().filter_map(Value::as_str).collect()
        };
        let mut description: Vec<&'a str> = Vec::new();
        for schema in [node.here, node.meant, element.here, element.meant] {
            let text = schema["description"].as_str().map(str::trim);
            if let Some(text) = text.filter(|it| !it.is_empty() && !description.contains(it)) {
                description.push(text);
            }
        }
        let of_element = |key: &str| node.get(key).or_else(|| element.get(key));
        let limit = |key: &'static str| of_element(key).map(|value| (key, value));
        let rules = node.get("x-kubernetes-validations").and_then(Value::as_array);
        let rule = |it: &'a Value| {
            Some(Rule { rule: it["rule"].as_str()?, message: it["message"].as_str() })
        };
        FieldPage {
            name,
            type_word: node.type_word(),
            required: false,
            description,
            values: of_element("enum").and_then(Value::as_array).map_or(&[], Vec::as_slice),
            default: node.get("default"),
            format: of_element("format").and_then(Value::as_str),
            pattern: of_element("pattern").and_then(Value::as_str),
            limits: LIMITS.into_iter().filter_map(limit).collect(),
            keys: texts("x-kubernetes-list-map-keys"),
            list_type: node.text("x-kubernetes-list-type"),
            map_type: node.text("x-kubernetes-map-type"),
            rules: rules.into_iter().flatten().filter_map(rule).collect(),
            fields: Vec::new(),
        }
    }

    fn fields(&mut self, node: Node<'a>) -> Vec<FieldPage<'a>> {
        let above = node.element();
        let is_within = above.reference.is_some_and(|name| self.within.contains(&name));
        if is_within || self.depth == DEEPEST {
            return Vec::new();
        }
        self.depth += 1;
        let length = self.within.len();
        self.within.extend(above.reference);
        let mut found = Vec::new();
        for (name, below) in above.fields() {
            if self.left == 0 {
                break;
            }
            self.left -= 1;
            let mut field = self.field(name, below);
            field.required = above.requires(name);
            if self.recursive {
                field.fields = self.fields(below);
            }
            found.push(field);
        }
        self.within.truncate(length);
        self.depth -= 1;
        found
    }
}
