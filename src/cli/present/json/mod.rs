//! A plan as JSON: one document, whose keys stay as they are while `version` does.
//!
//! `docs/json.md` lists them, which is also `trueup help json`.
//!
//! Secrets' values are masked as in text. Characters that could do something to a terminal are
//! escaped, so that the document can be printed on one.

pub(super) mod document;
#[cfg(test)]
pub(super) mod schema_tests;

use std::collections::BTreeMap;
use std::io::{self, Write};

use document::{
    CauseDocument, ChangeDocument, DeclaredDocument, FieldDocument, HandoverDocument,
    InventoryDocument, MovedDocument, ObjectDocument, OriginDocument, PlaceDocument, PlanDocument,
    ProblemDocument, RemovedDocument, ReportDocument, RevisionDocument, RollbackDocument,
    StepDocument, SummaryDocument, TargetDocument, UndeclaredDocument, UndeclaredFieldDocument,
};
use serde::Serialize;

use super::trust::TrustDocument;
use super::{PlanView, hint_of, is_shown, waiting};
use crate::app::Explained;
use crate::core::approval::ApprovalDifference;
use crate::core::attribution::{Attribution, FieldHistory, Handover, OwnerChange, UndeclaredField};
use crate::core::diff::{Delta, FieldChange};
use crate::core::mask::Masked;
use crate::core::masked_plan::{MaskedChange, MaskedPlan};
use crate::core::moves::RemovedTarget;
use crate::core::object::ObjectKey;
use crate::core::plan::{Action, ChangeTurn, Confidence, Reason};
use crate::core::problem::{Cause, Location};
use crate::core::redact::MaskedProblem;
use crate::core::report::{Outcome, Report};
use crate::core::sanitize::{Commands, is_harmless};

/// Writes the view as JSON, with what moved since its plan was approved.
///
/// # Errors
///
/// When `out` does not take it.
pub fn write_moved(
    out: &mut impl Write,
    view: &PlanView<'_>,
    difference: &ApprovalDifference,
) -> io::Result<()> {
    let moved = difference.moved.iter().map(|moved| {
        let version = view.plan.changes().find(|change| *change.key() == moved.object);
        MovedDocument {
            object: object(&moved.object, version.map_or("", MaskedChange::version)),
            approved: moved.approved.unwrap_or(Action::Keep).name(),
            code: moved.why,
            message: moved.message(),
        }
    });
    let moved = Some(moved.collect());
    let document =
        PlanDocument { moved, desired_moved: difference.desired, ..document(view, None) };
    writeln!(out, "{}", text(&document)?)
}

/// Writes the view as JSON.
///
/// # Errors
///
/// When `out` does not take it.
pub fn write(
    out: &mut impl Write,
    view: &PlanView<'_>,
    report: Option<&Masked<Report>>,
) -> io::Result<()> {
    writeln!(out, "{}", text(&document(view, report))?)
}

/// The view as a part of another document.
///
/// # Errors
///
/// When it is not JSON.
pub fn value(view: &PlanView<'_>) -> serde_json::Result<serde_json::Value> {
    serde_json::to_value(document(view, None))
}

/// The same with what carrying it out came to.
///
/// # Errors
///
/// When it is not JSON.
pub fn value_of_report(
    view: &PlanView<'_>,
    report: &Masked<Report>,
) -> serde_json::Result<serde_json::Value> {
    serde_json::to_value(document(view, Some(report)))
}

/// A value as the JSON of every answer: laid out, and with an escape for each character that could
/// do something to a terminal or a CI runner. Nothing but texts can hold one, so that an escape
/// means the same.
pub(super) fn text(value: &impl Serialize) -> serde_json::Result<String> {
    Ok(escaped(&serde_json::to_string_pretty(value)?))
}

/// The same on one line.
pub(super) fn line(value: &impl Serialize) -> serde_json::Result<String> {
    Ok(escaped(&serde_json::to_string(value)?))
}

fn escaped(json: &str) -> String {
    let mut commands = Commands::at_line_start();
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if (is_harmless(c) || c == '\n') && !commands.completes(c) {
            text.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            text.push_str(&format!("\\u{unit:04x}"));
        }
    }
    text
}

fn document<'a>(view: &'a PlanView<'a>, report: Option<&'a Masked<Report>>) -> PlanDocument<'a> {
    let PlanView { plan, problems, explained, now: _, target, revision, .. } = view;
    let (namespace, name) = target.inventory;
    PlanDocument {
        version: 1,
        target: TargetDocument {
            name: target.name,
            cluster: target.cluster,
            server: target.server,
            cluster_id: target.cluster_id,
            paths: target.paths,
            inventory: InventoryDocument { namespace, name },
        },
        revision: RevisionDocument {
            commit: revision.commit,
            named: revision.named,
            summary: &revision.summary,
            author: revision.author,
            dirty: revision.dirty,
            tracked: revision.tracked,
            trust: revision.trust.and_then(TrustDocument::of),
        },
        summary: summary(plan),
        changes: plan
            .turns()
            .filter(|(change, _)| is_shown(*change))
            .map(|(change, turn)| self::change(change, turn, view))
            .collect(),
        problems: problems.iter().map(problem).collect(),
        report: report.map(|report| self::report(report, view)),
        undeclared: explained.undeclared.as_ref().map(|found| undeclared(plan, found)),
        moved: None,
        desired_moved: false,
        plan_sha256: view.plan_sha256,
        charts_for: view.charts_for,
        removed: view.removed.iter().map(removed).collect(),
        requests: view.requests,
        elapsed: view.elapsed.as_secs_f64(),
    }
}

fn removed(removed: &RemovedTarget) -> RemovedDocument<'_> {
    let RemovedTarget { name: target, inventory } = removed;
    let (namespace, name) = (&inventory.namespace, &inventory.name);
    RemovedDocument { target, inventory: InventoryDocument { namespace, name } }
}

fn undeclared<'a>(
    plan: &MaskedPlan<'a>,
    found: &'a BTreeMap<ObjectKey, Vec<UndeclaredField>>,
) -> Vec<UndeclaredDocument<'a>> {
    let objects = plan.changes().filter_map(|change| Some((change, found.get(change.key())?)));
    let document =
        |(change, fields): (MaskedChange<'a>, &'a Vec<UndeclaredField>)| UndeclaredDocument {
            object: object(change.key(), change.version()),
            fields: fields
                .iter()
                .map(|UndeclaredField { path, value, writers }| UndeclaredFieldDocument {
                    path,
                    value,
                    writers,
                })
                .collect(),
        };
    objects.map(document).collect()
}

fn summary(plan: &MaskedPlan<'_>) -> SummaryDocument {
    SummaryDocument {
        create: plan.count(Action::Create),
        update: plan.count(Action::Update),
        replace: plan.count(Action::Replace),
        delete: plan.count(Action::Delete),
        abandon: plan.count(Action::Abandon),
        keep: plan.count(Action::Keep),
        refuse: plan.count(Action::Refuse),
    }
}

fn change<'a>(
    change: MaskedChange<'a>,
    turn: ChangeTurn<'a>,
    view: &PlanView<'a>,
) -> ChangeDocument<'a> {
    let explained = view.explained;
    // A reordered list is one of the fields.
    let Delta { fields, joins, adopted_from, predecessors, only_ownership, only_masked, .. } =
        view.delta(change);
    let (key, reason, origin) = (change.key(), change.reason(), change.origin());
    let reason = reason.as_deref();
    ChangeDocument {
        action: change.action().name(),
        object: object(key, change.version()),
        origin: origin.map(|origin| OriginDocument { path: &origin.path, line: origin.line }),
        code: reason.map(|reason| reason.kind.code()),
        reason: reason.map(Reason::to_string),
        hint: reason.and_then(hint_of),
        causes: causes(reason),
        wave: turn.wave,
        needs: turn.needs,
        confidence: match *change.confidence() {
            Confidence::Server => "server",
            Confidence::Local(_) => "local",
        },
        joins,
        adopted_from,
        takes_over_from: predecessors,
        only_ownership,
        only_masked,
        fields: fields.into_iter().map(|field| self::field(field, key, explained)).collect(),
        handovers: explained.handovers.get(key).into_iter().flatten().map(handover).collect(),
        removed_by: explained.removed.get(key),
    }
}

fn field<'a>(change: FieldChange, key: &ObjectKey, explained: &'a Explained) -> FieldDocument<'a> {
    let of_object = explained.fields.get(key).into_iter().flatten();
    // One element of a list may go from the place that another gets.
    let is_it = |field: &&Attribution| field.path == change.path && field.after == change.after;
    let attribution = of_object.into_iter().find(is_it);
    let (why, writers) = match attribution.map(|attribution| &attribution.story) {
        Some(FieldHistory::Drift(writers)) => (Some("drift"), writers.as_slice()),
        Some(FieldHistory::Changed) => (Some("changed"), &[][..]),
        Some(FieldHistory::Declared) => (Some("declared"), &[][..]),
        Some(FieldHistory::Released(writers)) => (Some("released"), writers.as_slice()),
        None => (None, &[][..]),
    };
    let declared = attribution.and_then(|attribution| {
        let place = place(attribution.place.as_ref()?);
        Some(DeclaredDocument { place, by: attribution.declared.as_ref() })
    });
    let taken_from = attribution.map_or(&[][..], |attribution| &attribution.taken_from);
    FieldDocument { change, why, writers, taken_from, declared }
}

fn handover(handover: &Handover) -> HandoverDocument<'_> {
    let Handover { path, value, hands } = handover;
    let (hands, writers) = match hands {
        OwnerChange::Ours => ("ours", &[][..]),
        OwnerChange::Shared(writers) => ("shared", writers.as_slice()),
        OwnerChange::Taken(writers) => ("taken", writers.as_slice()),
        OwnerChange::Left(writers) => ("left", writers.as_slice()),
        OwnerChange::Default => ("default", &[][..]),
    };
    HandoverDocument { path, value, hands, writers }
}

fn causes(reason: Option<&Reason>) -> Vec<CauseDocument> {
    let mut documents = Vec::new();
    for Cause { field, message, place } in reason.into_iter().flat_map(|reason| &reason.causes) {
        let (field, message) = (field.clone(), message.clone());
        documents.push(CauseDocument { field, message, place: place.as_ref().map(self::place) });
    }
    documents
}

fn place(Location { path, line, column }: &Location) -> PlaceDocument {
    PlaceDocument { path: path.clone(), line: *line, column: *column }
}

pub(super) fn object<'a>(key: &'a ObjectKey, version: &'a str) -> ObjectDocument<'a> {
    let ObjectKey { group, kind, namespace, name } = key;
    ObjectDocument { group, version, kind, namespace: namespace.as_deref(), name }
}

fn report<'a>(report: &'a Masked<Report>, view: &'a PlanView<'a>) -> ReportDocument<'a> {
    let versions: BTreeMap<&ObjectKey, &str> =
        view.plan.changes().map(|change| (change.key(), change.version())).collect();
    let steps = report.steps.iter().map(|step| {
        let (outcome, reason) = match &step.outcome {
            Outcome::Done => ("done", None),
            Outcome::Terminating => ("terminating", None),
            Outcome::Failed(reason) => ("failed", Some(reason)),
            Outcome::Differs(reason) => ("differs", Some(reason)),
            Outcome::Skipped(reason) => ("skipped", Some(reason)),
            Outcome::Postponed(reason) => ("postponed", Some(reason)),
        };
        let is_it =
            |held: &&(ObjectKey, _)| step.outcome == Outcome::Terminating && held.0 == step.key;
        let holder = report.held.iter().find(is_it).and_then(|(_, holder)| holder.as_ref());
        StepDocument {
            action: step.action.name(),
            object: object(&step.key, versions.get(&step.key).copied().unwrap_or_default()),
            outcome,
            code: reason.map(|reason| reason.kind.code()),
            reason: reason.map(Reason::to_string).or(holder.cloned()),
            hint: reason.and_then(hint_of),
            causes: causes(reason),
        }
    });
    let Report { at_commit, interrupted, unlisted, .. } = **report;
    let health = report.proof.as_ref().map(waiting::document);
    let rollback = report.rollback.as_ref().map(|rollback| RollbackDocument {
        to: rollback.to.as_deref(),
        code: rollback.outcome.code(),
        message: rollback.outcome.to_string(),
        report: rollback.report.as_ref().map(|report| Box::new(self::report(report, view))),
    });
    let (steps, lost_lock_to) = (steps.collect(), report.lost.as_deref());
    let superseded_by = report.superseded.as_deref();
    ReportDocument {
        at_commit,
        interrupted,
        unlisted,
        steps,
        health,
        lost_lock_to,
        rollback,
        superseded_by,
    }
}

fn problem(problem: &MaskedProblem) -> ProblemDocument<'_> {
    let place = problem.place();
    ProblemDocument {
        path: &place.path,
        line: place.line,
        column: place.column,
        message: problem.message(),
        hint: problem.hint(),
    }
}
