//! A schema: what an OpenAPI v3 document or a CustomResourceDefinition says of one value.
//!
//! Read as it is written; what follows from it is [`crate::core::check`]'s.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::core::json::Value;

/// The form of a value. A field that the schema leaves out asks for nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Schema {
    /// The type that says the rest, by name.
    #[serde(rename = "$ref")]
    pub reference: Option<String>,
    /// The JSON type.
    #[serde(rename = "type")]
    pub kind: Option<JsonType>,
    /// A closer look at it, such as `int32`, `byte` or `quantity`.
    pub format: Option<String>,
    /// The fields of a map that have names.
    #[serde(deserialize_with = "or_default")]
    pub properties: BTreeMap<String, Schema>,
    /// The values of all other fields.
    pub additional_properties: Option<Others>,
    /// Fields that must be there.
    #[serde(deserialize_with = "or_default")]
    pub required: Vec<String>,
    /// The elements of a list.
    pub items: Option<Box<Schema>>,
    /// The only values there may be.
    #[serde(rename = "enum", deserialize_with = "or_default")]
    pub values: Vec<Value>,
    /// The pattern that a text must match somewhere.
    pub pattern: Option<String>,
    /// The least number.
    pub minimum: Option<f64>,
    /// The greatest number.
    pub maximum: Option<f64>,
    /// Whether the least number itself is too small.
    #[serde(deserialize_with = "or_default")]
    pub exclusive_minimum: bool,
    /// Whether the greatest number itself is too big.
    #[serde(deserialize_with = "or_default")]
    pub exclusive_maximum: bool,
    /// The number that a value must be a multiple of.
    pub multiple_of: Option<f64>,
    /// The fewest characters.
    pub min_length: Option<u64>,
    /// The most characters.
    pub max_length: Option<u64>,
    /// The fewest elements.
    pub min_items: Option<u64>,
    /// The most elements.
    pub max_items: Option<u64>,
    /// The fewest fields.
    pub min_properties: Option<u64>,
    /// The most fields.
    pub max_properties: Option<u64>,
    /// Whether null is a value of its own.
    #[serde(deserialize_with = "or_default")]
    pub nullable: bool,
    /// The default that the API server sets.
    pub default: Option<Value>,
    /// All of these hold as well.
    #[serde(deserialize_with = "or_default")]
    pub all_of: Vec<Schema>,
    /// At least one of these holds as well.
    #[serde(deserialize_with = "or_default")]
    pub any_of: Vec<Schema>,
    /// Exactly one of these holds as well.
    #[serde(deserialize_with = "or_default")]
    pub one_of: Vec<Schema>,
    /// This does not hold.
    pub not: Option<Box<Schema>>,
    /// An integer or text.
    #[serde(rename = "x-kubernetes-int-or-string", deserialize_with = "or_default")]
    pub int_or_string: bool,
    /// Fields that have no schema are kept.
    #[serde(rename = "x-kubernetes-preserve-unknown-fields", deserialize_with = "or_default")]
    pub keeps_unknown: bool,
    /// Whether a map has one owner as a whole (`atomic`), or one for each field.
    #[serde(rename = "x-kubernetes-map-type")]
    pub map_type: Option<String>,
    /// Whether a list has one owner as a whole (`atomic`, also where nothing is said), or one for
    /// each element.
    #[serde(rename = "x-kubernetes-list-type")]
    pub list_type: Option<String>,
    /// The fields that tell the elements of a list of maps apart.
    #[serde(rename = "x-kubernetes-list-map-keys", deserialize_with = "or_default")]
    pub list_map_keys: Vec<String>,
    /// Rules that the value has to keep, in CEL.
    #[serde(rename = "x-kubernetes-validations", deserialize_with = "or_default")]
    pub validations: Vec<Validation>,
    /// The value is an object itself, with apiVersion, kind and metadata.
    #[serde(rename = "x-kubernetes-embedded-resource", deserialize_with = "or_default")]
    pub is_resource: bool,
}

/// A rule in CEL, and what the API server says where it does not hold.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Validation {
    /// The rule.
    pub rule: String,
    /// The message; the rule itself where it has none.
    pub message: Option<String>,
    /// The message, to be evaluated.
    pub message_expression: Option<String>,
    /// The field below that is to blame, such as `.spec.size`.
    pub field_path: Option<String>,
    /// The type of fault.
    pub reason: Option<String>,
    /// Whether a rule about a change holds of new values too, where `oldSelf` is lacking.
    #[serde(deserialize_with = "or_default")]
    pub optional_old_self: bool,
}

/// A JSON type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JsonType {
    /// A map.
    Object,
    /// A list.
    Array,
    /// Text.
    String,
    /// A number without a fraction.
    Integer,
    /// Any number.
    Number,
    /// True or false.
    Boolean,
}

/// The form of fields that are not listed.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Others {
    /// Anything, or not there at all.
    Allowed(bool),
    /// Values of this kind.
    Like(Box<Schema>),
}

/// `null` in a definition is as good as nothing.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    from: D,
) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}
