//! The shape of `trueup explain -o json`: its keys, which `docs/json.md` explains.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::core::json::Value;
use crate::core::kinds::manual::{FieldPage, Page};

/// A page.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "explanation"))]
pub(in crate::cli::present) struct ExplainDocument<'a> {
    #[cfg_attr(test, schemars(extend("enum" = [1])))]
    version: u32,
    kubernetes: &'a str,
    api_version: String,
    kind: &'a str,
    plural: &'a str,
    short_names: &'a [String],
    other_versions: &'a [&'a str],
    source: Option<&'a str>,
    notice: Option<&'a str>,
    hint: Option<&'a str>,
    path: &'a str,
    field: KindFieldDocument<'a>,
    cut: bool,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "kind_field"))]
struct KindFieldDocument<'a> {
    name: &'a str,
    r#type: &'a str,
    required: bool,
    description: Option<String>,
    r#enum: &'a [Value],
    default: Option<&'a Value>,
    format: Option<&'a str>,
    pattern: Option<&'a str>,
    limits: &'a BTreeMap<&'static str, &'a Value>,
    list_type: Option<&'a str>,
    list_keys: &'a [&'a str],
    map_type: Option<&'a str>,
    rules: Vec<RuleDocument<'a>>,
    fields: Vec<KindFieldDocument<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "kind_rule"))]
struct RuleDocument<'a> {
    rule: &'a str,
    message: Option<&'a str>,
}

/// A page in JSON.
pub(super) fn of<'a>(page: &'a Page<'a>, release: &'a str) -> ExplainDocument<'a> {
    let notice = page.notice.as_ref();
    ExplainDocument {
        version: 1,
        kubernetes: release,
        api_version: page.known.api_version(),
        kind: &page.known.kind,
        plural: &page.known.plural,
        short_names: &page.known.short,
        other_versions: &page.others,
        source: page.known.file.as_deref(),
        notice: notice.map(|notice| notice.message.as_str()),
        hint: notice.and_then(|notice| notice.hint.as_deref()),
        path: &page.path,
        field: field(&page.field),
        cut: page.is_cut,
    }
}

fn field<'a>(page: &'a FieldPage<'a>) -> KindFieldDocument<'a> {
    let rules = page.rules.iter().map(|it| RuleDocument { rule: it.rule, message: it.message });
    KindFieldDocument {
        name: page.name,
        r#type: &page.type_word,
        required: page.required,
        description: (!page.description.is_empty()).then(|| page.description.join("\n\n")),
        r#enum: page.values,
        default: page.default,
        format: page.format,
        pattern: page.pattern,
        limits: &page.limits,
        list_type: page.list_type,
        list_keys: &page.keys,
        map_type: page.map_type,
        rules: rules.collect(),
        fields: page.fields.iter().map(field).collect(),
    }
}
