//! `docs/schema/output.json` is made of the documents' types, so that it has every key that they have.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::document::PlanDocument;
use crate::cli::present::all_applied::AppliedTargetsDocument;
use crate::cli::present::all_targets::AllTargetsDocument;
use crate::cli::present::check::document::CheckDocument;
use crate::cli::present::explain::document::ExplainDocument;
use crate::cli::present::history::{HistoryDocument, log_check::LogCheckDocument};
use crate::cli::present::plan_file::Document as PlanFileDocument;
use crate::cli::present::pull::{FailureDocument, PullDocument};
use crate::cli::present::round::entry::LineDocument;
use crate::cli::present::schemas::SchemasDocument;
use crate::cli::present::status::document::StatusDocument;
use crate::cli::present::status::waited::WaitedDocument;
use crate::cli::present::verified::VerificationDocument;
use crate::config::schema;
use crate::core::check::CheckRule;
use crate::core::plan::ReasonKind;

/// A reason's code.
pub(in crate::cli::present) struct Code;

impl JsonSchema for Code {
    fn schema_name() -> Cow<'static, str> {
        "code".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": ReasonKind::CODES })
    }
}

/// The rule of a finding.
pub(in crate::cli::present) struct Rule;

impl JsonSchema for Rule {
    fn schema_name() -> Cow<'static, str> {
        "check_rule".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let of = |value: fn(CheckRule) -> &'static str| CheckRule::ALL.map(value);
        json_schema!({
            "type": "string",
            "enum": of(CheckRule::name),
            "enumDescriptions": of(CheckRule::about),
        })
    }
}

#[test]
fn schema_of_the_output_is_that_of_its_types() {
    let mut generator = SchemaSettings::draft07().for_serialize().into_generator();
    let documents = [
        generator.subschema_for::<PlanDocument<'_>>(),
        generator.subschema_for::<AllTargetsDocument<'_>>(),
        generator.subschema_for::<AppliedTargetsDocument<'_>>(),
        generator.subschema_for::<PlanFileDocument<'_>>(),
        generator.subschema_for::<CheckDocument<'_>>(),
        generator.subschema_for::<ExplainDocument<'_>>(),
        generator.subschema_for::<SchemasDocument<'_>>(),
        generator.subschema_for::<PullDocument<'_>>(),
        generator.subschema_for::<FailureDocument<'_>>(),
        generator.subschema_for::<VerificationDocument<'_>>(),
        generator.subschema_for::<HistoryDocument<'_>>(),
        generator.subschema_for::<LogCheckDocument<'_>>(),
        generator.subschema_for::<StatusDocument<'_>>(),
        generator.subschema_for::<WaitedDocument<'_>>(),
        generator.subschema_for::<LineDocument<'_>>(),
    ];
    let mut schema = json_schema!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "trueup -o json",
        "description": "The documents of diff and apply (plan), diff --all-targets (all_targets), diff --plan (plan_file), check, explain (explanation), and schemas. \
            Those of pull, a failed pull (failure), verify (verification), history, history --verify (history_check), status, status --wait-for (awaited_commit), and a line of watch's log (log_line). docs/json.md explains the keys.",
        "anyOf": documents,
        "definitions": generator.take_definitions(true),
    });
    schema::tidy(&mut schema);
    schema::close(&mut schema);
    schema::hold("output.json", &schema);
}
