//! A plan file, as a person or a script reads it before it is approved: what it is for, what it
//! allows, and the action for each object. It holds no value of any object, so no differences.

use std::io;

use serde::Serialize;

use super::json::{self, document::ObjectDocument};
use super::{Glyphs, OutputFormat, PlanView, RevisionView, TargetView, markdown, names, text};
use crate::app::Explained;
use crate::core::approval::{Approved, Purpose};
use crate::core::inventory::Siblings;
use crate::core::masked_plan::{ChangeHeading, MaskedPlan};
use crate::core::policy::{MaxPrune, OnConflict};
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
    let changes: Vec<ChangeHeading<'_>> = approval.changes.iter().map(heading).collect();
    let paths: Vec<String> = purpose.paths.iter().map(|path| shown(path)).collect();
    let explained = Explained::default();
    let uid = purpose.cluster.uid.as_str();
    let view = PlanView {
        plan: MaskedPlan::none(),
        problems: Vec::new(),
        explained: &explained,
        now: jiff::Timestamp::UNIX_EPOCH,
        target: TargetView {
            name: &purpose.target,
            cluster: &purpose.cluster.name,
            server: "",
            names_server: false,
            cluster_id: uid.get(..6).unwrap_or(uid),
            paths: &paths,
            inventory: (&purpose.inventory.namespace, &purpose.inventory.name),
        },
        revision: RevisionView { commit: &purpose.commit, ..RevisionView::default() },
        requests: 0,
        elapsed: std::time::Duration::ZERO,
        plan_sha256: Some(sha256),
        charts_for: None,
        removed: &[],
        siblings: &Siblings::default(),
        is_removal: false,
    };
    match format {
        OutputFormat::Text => as_text(out, &view, &changes, &purpose_lines(purpose), glyphs)?,
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
            out.write_all(markdown::plan_file(&view, &changes, &allowed(purpose)).as_bytes())?;
        }
        OutputFormat::Name => out.write_all(names(changes.into_iter()).as_bytes())?,
        OutputFormat::Github => anyhow::bail!(
            "-o github needs the place of each object, which a plan file does not hold"
        ),
    }
    Ok(())
}

fn as_text(
    out: &mut impl io::Write,
    view: &PlanView<'_>,
    changes: &[ChangeHeading<'_>],
    purpose: &[String],
    glyphs: Glyphs,
) -> io::Result<()> {
    writeln!(out, "{}", text::target_line(view, false, glyphs))?;
    for line in purpose {
        writeln!(out, "    {}", glyphs.inert(line))?;
    }
    writeln!(out)?;
    for change in changes {
        text::header(out, *change, glyphs)?;
    }
    if !changes.is_empty() {
        writeln!(out)?;
    }
    let count = |action| changes.iter().filter(|change| change.action == action).count();
    let counts = match super::counted(count).join(", ") {
        counts if counts.is_empty() => "nothing to do".to_owned(),
        counts => counts,
    };
    let end = [counts, "the file holds no values, so no differences".to_owned()];
    text::end(out, &end, glyphs)
}

/// The commit, the inventory and the permissions of the plan, a line each.
fn purpose_lines(purpose: &Purpose) -> Vec<String> {
    let Purpose { commit, inventory, .. } = purpose;
    let first = [
        format!("commit {commit}"),
        format!("inventory {}/{}", inventory.namespace, inventory.name),
    ];
    let options = allowed(purpose).into_iter().map(|option| format!("allowed: {option}"));
    first.into_iter().chain(options).collect()
}

/// A change as far as the file holds it.
fn heading(approved: &Approved) -> ChangeHeading<'_> {
    let Approved { action, object, version, uid: _, live: _, becomes: _ } = approved;
    ChangeHeading { key: object, version, origin: None, action: *action }
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
