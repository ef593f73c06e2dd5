//! The shape of a check's JSON document: its keys, which `docs/json.md` explains.

use serde::Serialize;

use super::{CheckView, level};
use crate::cli::remedy;
use crate::core::check::{Finding, Level};
use crate::core::object::ObjectKey;

/// A check.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "check"))]
pub(in crate::cli::present) struct CheckDocument<'a> {
    #[cfg_attr(test, schemars(extend("enum" = [1])))]
    version: u32,
    commit: &'a str,
    dirty: bool,
    kubernetes: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    charts_for: Option<&'a str>,
    targets: &'a [String],
    objects: usize,
    files: usize,
    errors: usize,
    warnings: usize,
    elapsed: f64,
    findings: Vec<FindingDocument<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "finding"))]
struct FindingDocument<'a> {
    #[cfg_attr(test, schemars(extend("enum" = ["error", "warning"])))]
    level: &'static str,
    #[cfg_attr(test, schemars(with = "crate::cli::present::json::schema_tests::Rule"))]
    rule: &'static str,
    path: &'a str,
    line: usize,
    column: usize,
    message: &'a str,
    object: Option<&'a ObjectKey>,
    field: Option<&'a str>,
    hint: Option<String>,
    targets: &'a [String],
}

/// A check in JSON.
pub(super) fn of<'a>(view: &CheckView<'a>) -> CheckDocument<'a> {
    CheckDocument {
        version: 1,
        commit: view.commit,
        dirty: view.dirty,
        kubernetes: view.release,
        charts_for: view.charts_for,
        targets: view.targets,
        objects: view.objects,
        files: view.files,
        errors: view.count(Level::Error),
        warnings: view.count(Level::Warning),
        elapsed: view.elapsed.as_secs_f64(),
        findings: view
            .findings
            .iter()
            .zip(view.found_in)
            .map(|(it, targets)| finding(it, targets))
            .collect(),
    }
}

fn finding<'a>(finding: &'a Finding, targets: &'a [String]) -> FindingDocument<'a> {
    let Finding { level: _, rule, place, object, field, message, hint, missing: _ } = finding;
    FindingDocument {
        level: level(finding),
        rule: rule.name(),
        path: &place.path,
        line: place.line,
        column: place.column,
        message,
        object: object.as_ref(),
        field: field.as_deref(),
        hint: hint.as_ref().map(remedy::words),
        targets,
    }
}
