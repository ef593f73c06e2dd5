//! The shape of the JSON document: its keys, which the table in [`super`] explains.

use serde::Serialize;

use crate::cli::present::trust::TrustDocument;
use crate::cli::present::waiting::HealthDocument;
use crate::core::approval::MoveReason;
use crate::core::attribution::FieldWriter;
use crate::core::diff::FieldChange;
use crate::core::object::ObjectKey;
use crate::core::source::snapshot::Authorship;

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "plan"))]
pub(in crate::cli::present) struct PlanDocument<'a> {
    #[cfg_attr(test, schemars(extend("enum" = [1])))]
    pub(super) version: u32,
    pub(super) target: TargetDocument<'a>,
    pub(super) revision: RevisionDocument<'a>,
    pub(super) summary: SummaryDocument,
    pub(super) changes: Vec<ChangeDocument<'a>>,
    pub(super) problems: Vec<ProblemDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) report: Option<ReportDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) undeclared: Option<Vec<UndeclaredDocument<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) moved: Option<Vec<MovedDocument<'a>>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) desired_moved: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) plan_sha256: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) charts_for: Option<&'a str>,
    /// Targets that are gone from `trueup.yaml`, and whose inventories are still in the cluster.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) removed: Vec<RemovedDocument<'a>>,
    pub(super) requests: usize,
    pub(super) elapsed: f64,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "target"))]
pub(super) struct TargetDocument<'a> {
    pub(super) name: &'a str,
    pub(super) cluster: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) server: &'a str,
    pub(super) cluster_id: &'a str,
    pub(super) paths: &'a [String],
    pub(super) inventory: InventoryDocument<'a>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "inventory"))]
pub(super) struct InventoryDocument<'a> {
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "removed_target"))]
pub(super) struct RemovedDocument<'a> {
    pub(super) target: &'a str,
    pub(super) inventory: InventoryDocument<'a>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "revision"))]
pub(super) struct RevisionDocument<'a> {
    pub(super) commit: &'a str,
    pub(super) named: &'a str,
    pub(super) summary: &'a str,
    pub(super) author: &'a str,
    pub(super) dirty: bool,
    /// The branch or tag that the target tracks; absent at HEAD and at --rev.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tracked: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trust: Option<TrustDocument<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "summary"))]
pub(super) struct SummaryDocument {
    pub(super) create: usize,
    pub(super) update: usize,
    pub(super) replace: usize,
    pub(super) delete: usize,
    pub(super) abandon: usize,
    pub(super) keep: usize,
    pub(super) refuse: usize,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "change"))]
pub(super) struct ChangeDocument<'a> {
    #[cfg_attr(test, schemars(with = "crate::core::plan::Action"))]
    pub(super) action: &'static str,
    pub(super) object: ObjectDocument<'a>,
    pub(super) origin: Option<OriginDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<super::schema_tests::Code>"))]
    pub(super) code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hint: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) causes: Vec<CauseDocument>,
    pub(super) wave: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) needs: Vec<&'a ObjectKey>,
    /// The source of the prediction of the object.
    #[cfg_attr(test, schemars(extend("enum" = ["server", "local"])))]
    pub(super) confidence: &'static str,
    pub(super) joins: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) adopted_from: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) takes_over_from: Vec<String>,
    pub(super) only_ownership: bool,
    pub(super) only_masked: bool,
    pub(super) fields: Vec<FieldDocument<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) handovers: Vec<HandoverDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) removed_by: Option<&'a Authorship>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "field"))]
pub(super) struct FieldDocument<'a> {
    #[serde(flatten)]
    pub(super) change: FieldChange,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(extend("enum" = ["drift", "changed", "declared", "released"])))]
    pub(super) why: Option<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) writers: &'a [FieldWriter],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) taken_from: &'a [FieldWriter],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) declared: Option<DeclaredDocument<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "undeclared"))]
pub(super) struct UndeclaredDocument<'a> {
    pub(super) object: ObjectDocument<'a>,
    pub(super) fields: Vec<UndeclaredFieldDocument<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "undeclared_field"))]
pub(super) struct UndeclaredFieldDocument<'a> {
    pub(super) path: &'a str,
    pub(super) value: &'a crate::core::json::Value,
    pub(super) writers: &'a [FieldWriter],
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "handover"))]
pub(super) struct HandoverDocument<'a> {
    pub(super) path: &'a str,
    pub(super) value: &'a crate::core::json::Value,
    #[cfg_attr(test, schemars(extend("enum" = ["ours", "shared", "taken", "left", "default"])))]
    pub(super) hands: &'static str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) writers: &'a [FieldWriter],
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "declared"))]
pub(super) struct DeclaredDocument<'a> {
    #[serde(flatten)]
    pub(super) place: PlaceDocument,
    #[serde(flatten)]
    pub(super) by: Option<&'a Authorship>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "object"))]
pub(in crate::cli::present) struct ObjectDocument<'a> {
    pub(super) group: &'a str,
    pub(super) version: &'a str,
    pub(super) kind: &'a str,
    pub(super) namespace: Option<&'a str>,
    pub(super) name: &'a str,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "origin"))]
pub(super) struct OriginDocument<'a> {
    pub(super) path: &'a str,
    pub(super) line: usize,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "report"))]
pub(super) struct ReportDocument<'a> {
    pub(super) at_commit: bool,
    pub(super) interrupted: bool,
    pub(super) unlisted: usize,
    pub(super) steps: Vec<StepDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) health: Option<HealthDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lost_lock_to: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rollback: Option<RollbackDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) superseded_by: Option<&'a str>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "rollback"))]
pub(super) struct RollbackDocument<'a> {
    pub(super) to: Option<&'a str>,
    #[cfg_attr(test, schemars(extend("enum" = crate::core::report::RollbackOutcome::CODES)))]
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) report: Option<Box<ReportDocument<'a>>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "step"))]
pub(super) struct StepDocument<'a> {
    #[cfg_attr(test, schemars(with = "crate::core::plan::Action"))]
    pub(super) action: &'static str,
    pub(super) object: ObjectDocument<'a>,
    #[cfg_attr(test, schemars(extend("enum" = ["done", "terminating", "failed", "differs", "skipped", "postponed"])))]
    pub(super) outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<super::schema_tests::Code>"))]
    pub(super) code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hint: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) causes: Vec<CauseDocument>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "moved"))]
pub(super) struct MovedDocument<'a> {
    pub(super) object: ObjectDocument<'a>,
    #[cfg_attr(test, schemars(with = "crate::core::plan::Action"))]
    pub(super) approved: &'static str,
    pub(super) code: MoveReason,
    pub(super) message: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "cause"))]
pub(super) struct CauseDocument {
    pub(super) field: String,
    pub(super) message: String,
    pub(super) place: Option<PlaceDocument>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "place"))]
pub(super) struct PlaceDocument {
    pub(super) path: String,
    pub(super) line: usize,
    pub(super) column: usize,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "problem"))]
pub(super) struct ProblemDocument<'a> {
    pub(super) path: &'a str,
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) message: &'a str,
    pub(super) hint: Option<&'a str>,
}
