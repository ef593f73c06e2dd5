//! Whole outputs, as a person or a script reads them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::cli::ui::guarded;
use crate::core::inventory::PART_OF;
use crate::core::json::{Value, json};
use crate::core::manifest::Origin;
use crate::core::object::Object;
use crate::core::plan::{Change, Effect, Plan, Reason, ReasonKind};
use crate::core::problem::{Cause, Location, Problem};
use crate::core::redact::Redactor;

mod forms;
mod keys;
mod screens;
mod secrets;
mod texts;

const ESCAPE: char = '\u{1b}';

pub(in crate::cli::present) fn object(value: Value) -> Object {
    Object::from(value.as_object().unwrap().clone())
}

pub(in crate::cli::present) fn config(name: &str, data: Value) -> Object {
    object(json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": name, "namespace": "shop" }, "data": data,
    }))
}

pub(in crate::cli::present) fn change(
    action: Action,
    live: Option<Object>,
    merged: Option<Object>,
) -> Change {
    let object = merged.as_ref().or(live.as_ref()).unwrap();
    let origin = (action != Action::Delete).then(|| Origin {
        path: "envs/prod/web.yaml".to_owned(),
        line: 12,
        column: 1,
        document: 1,
    });
    Change {
        key: object.key(),
        version: object.version().to_owned(),
        origin,
        effect: Effect::of(action, live, merged),
        reason: None,
    }
}

/// A refusal by the server that names fields.
fn caused(mut change: Change, causes: &[(usize, &str, &str)]) -> Change {
    let place = |line| Location { path: "envs/prod/web.yaml".to_owned(), line, column: 3 };
    let causes = causes.iter().map(|(line, field, message)| Cause {
        field: (*field).to_owned(),
        message: (*message).to_owned(),
        place: Some(place(*line)),
    });
    let message = "Deployment.apps \"web\" is invalid".to_owned();
    let (kind, causes) = (ReasonKind::RefusedByServer { message }, causes.collect());
    change.reason = Some(Reason { causes, ..kind.into() });
    change
}

pub(in crate::cli::present) fn because(
    mut change: Change,
    message: &str,
    hint: Option<&str>,
) -> Change {
    let kind = ReasonKind::Unknown { message: message.to_owned() };
    change.reason = Some(Reason { remedy: hint.map(Into::into), ..kind.into() });
    change
}

fn plan(changes: Vec<Change>) -> Plan {
    Plan::loose(changes)
}

/// The output of `tell` for a plan with these changes.
pub(in crate::cli::present) fn told(
    changes: Vec<Change>,
    problems: &[Problem],
    tell: impl Fn(&mut Vec<u8>, &PlanView<'_>),
) -> String {
    told_with(plan(changes), problems, &Explained::default(), tell)
}

/// The same of a plan whose changes are explained, as of 2026-11-21.
pub(super) fn told_with(
    plan: Plan,
    problems: &[Problem],
    explained: &Explained,
    tell: impl Fn(&mut Vec<u8>, &PlanView<'_>),
) -> String {
    let redactor = Redactor::of_plan(&plan, []);
    let view = PlanView {
        explained,
        now: "2026-11-21T12:00:00Z".parse().unwrap(),
        plan: MaskedPlan::new(&plan, &redactor),
        problems: problems.iter().map(|problem| redactor.problem(problem)).collect(),
        target: TargetView {
            name: "prod",
            cluster: "shop.example",
            server: "shop.example:6443",
            names_server: false,
            cluster_id: "3f2a9c",
            paths: &["envs/prod".to_owned()],
            inventory: ("default", "trueup-prod"),
        },
        revision: RevisionView {
            commit: "8be01d3aa0c8b6c9b4e4a6d4b1a5c4c1a9e0f7d2",
            named: "main",
            summary: redactor.message("Third replica for web"),
            author: "A. Author",
            dirty: false,
            tracked: None,
            trust: None,
        },
        requests: 14,
        elapsed: Duration::from_millis(110),
        plan_sha256: None,
        charts_for: None,
        removed: &[],
        siblings: &Siblings::default(),
        is_removal: false,
    };
    let mut out = Vec::new();
    tell(&mut out, &view);
    // As it comes out of stdout.
    guarded(std::str::from_utf8(&out).unwrap())
}

fn text_of(changes: Vec<Change>, problems: &[Problem], utf8: bool) -> String {
    let coloured = told(changes, problems, |out, view| {
        text::write(out, view, Glyphs { utf8, width: None }).unwrap();
    });
    anstream::adapter::strip_str(&coloured).to_string()
}

/// The lines between the header and the closing line.
fn middle(changes: Vec<Change>) -> String {
    let text = text_of(changes, &[], true);
    let (_, rest) = text.split_once("\n\n").unwrap();
    rest.rsplit_once("\n\n").unwrap().0.to_owned()
}

pub(in crate::cli::present) fn web(replicas: u32, image: &str) -> Object {
    object(json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "web", "namespace": "shop", "generation": replicas },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": { "app": "web" } },
            "strategy": { "type": "Recreate" },
            "template": { "spec": {
                "containers": [{
                    "name": "main", "args": ["-a", "-b", "-c"], "image": image,
                    "resources": { "limits": { "cpu": "100m" } },
                }],
            } },
        },
        "status": { "replicas": replicas },
    }))
}

fn plan_as(out: &mut Vec<u8>, view: &PlanView<'_>, format: OutputFormat) {
    super::plan(out, view, format, Glyphs { utf8: true, width: None }).unwrap();
}
