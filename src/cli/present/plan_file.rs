//! A plan file, as a person or a script reads it before it is approved: what it is for, what it
//! allows, and the action for each object. It holds no value of any object, so no differences.

use std::io;

use serde::Serialize;

use super::json::{self, document::ObjectDocument};
use super::{Glyphs, OutputFormat, PlanView, RevisionView, TargetView, markdown, names, text};
use crate::app::Explained;
use crate::core::approval::{Approved, Purpose};
use crate::core::object::Object;
use crate::core::plan::{Action, Change, Confidence, Effect, Plan, Write};
use crate::core::policy::{MaxPrune, OnConflict};
use crate::core::redact::Redactor;
use crate::local::plan_file::Stored;

/// A plan file as JSON.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "plan_file"))]
pub(super) struct Document<'a> {
    #[cfg_attr(test, schemars(extend("enum" = [1])))]
    version: u32,
    plan_sha256: &'a str,
    purpose: &'a Purpose,
    changes: Vec<ChangeDocument<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "planned"))]
struct ChangeDocument<'a> {
    #[cfg_attr(test, schemars(with = "crate::core::plan::Action"))]
    action: &'static str,
    object: ObjectDocument<'a>,
}

/// Writes what the plan file holds.
///
/// # Errors
///
/// When `out` does not take it, or the format needs what the file does not hold.
pub fn write(
    out: &mut impl io::Write,
    stored: &Stored,
    format: OutputFormat,
    glyphs: Glyphs,
) -> anyhow::Result<()> {
    let Stored { approval, sha256 } = stored;
    let purpose = &approval.purpose;
    let plan = Plan::loose(approval.changes.iter().map(change).collect());
    let paths: Vec<String> = purpose.paths.iter().map(|path| shown(path)).collect();
    let (redactor, explained) = (Redactor::default(), Explained::default());
    let uid = purpose.cluster.uid.as_str();
    let view = PlanView {
        plan: &plan,
        problems: &[],
        redactor: &redactor,
        explained: &explained,
        now: jiff::Timestamp::UNIX_EPOCH,
        target: TargetView {
            name: &purpose.target,
            cluster: &purpose.cluster.name,
            cluster_id: uid.get(..6).unwrap_or(uid),
            paths: &paths,
            inventory: (&purpose.inventory.namespace, &purpose.inventory.name),
        },
        revision: RevisionView { commit: &purpose.commit, ..RevisionView::default() },
        requests: 0,
        elapsed: std::time::Duration::ZERO,
        plan_sha256: Some(sha256),
    };
    match format {
        OutputFormat::Text => as_text(out, &view, purpose, glyphs)?,
        OutputFormat::Json => {
            let changes = approval.changes.iter().map(|approved| ChangeDocument {
                action: approved.action.name(),
                object: json::object(&approved.object, &approved.version),
            });
            let changes = changes.collect();
            let document = Document { version: 1, plan_sha256: sha256, purpose, changes };
            writeln!(out, "{}", json::text(&document)?)?;
        }
        OutputFormat::Markdown => {
            out.write_all(markdown::plan_file(&view, &allowed(purpose)).as_bytes())?;
        }
        OutputFormat::Name => out.write_all(names(&plan).as_bytes())?,
        OutputFormat::Github => anyhow::bail!(
            "-o github needs the place of each object, which a plan file does not hold"
        ),
    }
    Ok(())
}

fn as_text(
    out: &mut impl io::Write,
    view: &PlanView<'_>,
    purpose: &Purpose,
    glyphs: Glyphs,
) -> io::Result<()> {
    let said = |text: &str| glyphs.inert(text).into_owned();
    writeln!(out, "{}", text::header_line(view, glyphs))?;
    writeln!(out, "    commit {}", said(&purpose.commit))?;
    let (namespace, name) = view.target.inventory;
    writeln!(out, "    inventory {}", said(&format!("{namespace}/{name}")))?;
    for option in allowed(purpose) {
        writeln!(out, "    allowed: {}", said(&option))?;
    }
    writeln!(out)?;
    for change in view.plan.changes() {
        text::header(out, change, glyphs)?;
    }
    if view.plan.changes().next().is_some() {
        writeln!(out)?;
    }
    let counts = match super::counted(view.plan).join(", ") {
        counts if counts.is_empty() => "nothing to do".to_owned(),
        counts => counts,
    };
    let end = format!("{counts} · the file holds no values, so no differences");
    text::end(out, &end, glyphs)
}

/// A change as far as the file holds it.
fn change(approved: &Approved) -> Change {
    let Approved { action, object, version, uid: _, live: _, becomes: _ } = approved;
    Change {
        key: object.clone(),
        version: version.clone(),
        origin: None,
        effect: effect(*action),
        reason: None,
    }
}

/// The effect of an action on states that the file does not hold; nothing here looks at them.
fn effect(action: Action) -> Effect {
    let live = Object::default();
    let (send, becomes) = (Object::default(), Object::default());
    let write = Write { send, becomes, confidence: Confidence::Server };
    match action {
        Action::Create => Effect::Create(write),
        Action::Update => Effect::Update { live, write },
        Action::Replace => Effect::Replace { live, write },
        Action::Delete => Effect::Delete { live },
        Action::Abandon => Effect::Abandon { live, released: Object::default() },
        Action::Keep => Effect::Keep { live: None, becomes: None },
        Action::Refuse => Effect::Refuse { live: None, send: None },
    }
}

/// A path as a person writes it: the whole checkout is `.`.
fn shown(path: &str) -> String {
    if path.is_empty() { ".".to_owned() } else { path.to_owned() }
}

/// The options of the diff that made the plan, as far as they allow something.
fn allowed(purpose: &Purpose) -> Vec<String> {
    let permissions = &purpose.permissions;
    let kinds = |flag: &str, kinds: &mut dyn Iterator<Item = &String>| {
        kinds.map(|kind| format!("--{flag} {kind}")).collect::<Vec<_>>()
    };
    let mut options = kinds("allow-delete", &mut permissions.allow_delete.iter());
    options.extend(kinds("replace", &mut permissions.replace.iter().flatten()));
    options.extend(permissions.max_prune.map(|most| match most {
        MaxPrune::Objects(count) => format!("--max-prune {count}"),
        MaxPrune::Percent(share) => format!("--max-prune {share}%"),
    }));
    options.extend(permissions.on_conflict.map(|mode| match mode {
        OnConflict::Force => "--on-conflict force".to_owned(),
        OnConflict::Fail => "--on-conflict fail".to_owned(),
        OnConflict::Yield => "--on-conflict yield".to_owned(),
    }));
    let flags = [
        (permissions.allow_empty, "--allow-empty"),
        (permissions.adopt, "--adopt"),
        (permissions.moved, "--moved"),
    ];
    let flags = flags.into_iter().filter(|(is_set, _)| *is_set);
    options.extend(flags.map(|(_, flag)| flag.to_owned()));
    options
}
