//! `trueup schemas pull`: keeps the schemas of a cluster's custom resources in a folder.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueEnum};

use super::access::AccessArgs;
use super::exit::{Exit, Failure};
use super::headings::{HOW, WHAT};
use super::present::schemas as present;
use super::ui::Ui;
use crate::app::{self, pull_schemas};
use crate::cluster::Cluster;
use crate::core::kinds::schemas::WhyLeftOut;
use crate::local::schema_catalogue::WriteOutcome;

/// The end of `trueup schemas --help`.
const EXAMPLES: &str = "\
Examples:
  trueup schemas pull --to schemas       the current context's custom resources
  trueup check --schemas schemas         with them, without the cluster
  trueup explain Issuer --schemas schemas";

/// The right that a listing takes.
const RIGHT: &str = "it takes the right to list customresourcedefinitions in the group \
    apiextensions.k8s.io, in a ClusterRole";

/// Write the schemas of a cluster's custom resources into a folder
///
/// Every version that the cluster serves of a CustomResourceDefinition gets a file,
/// `GROUP/KIND_VERSION.json`, as in datree's CRDs-catalog. `check --schemas` and `explain --schemas` read
/// them. A file holds the schema and its source, and no other value of the cluster.
///
/// Files that trueup did not write stay as they are. Files of definitions that are gone are named and stay,
/// too.
///
/// `trueup help kinds` says more.
///
/// Exit status 0: the folder has the schemas, 1: some have no file, 2: could not tell.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, override_usage = "trueup schemas pull --to <DIR> [OPTIONS]")]
pub struct SchemasArgs {
    /// The action: pull
    #[arg(value_name = "ACTION", hide_possible_values = true, help_heading = WHAT, display_order = 1)]
    action: SchemasAction,

    /// Folder for the schemas, made if need be
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath, help_heading = WHAT, display_order = 2)]
    to: PathBuf,

    /// How to print what was done
    #[arg(short, long, value_name = "FORMAT", default_value = "text", help_heading = HOW, display_order = 1)]
    output: SchemasFormat,

    #[command(flatten)]
    access: AccessArgs,
}

/// The actions on schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SchemasAction {
    /// Write those of the cluster
    Pull,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SchemasFormat {
    /// For people
    Text,
    /// One JSON document
    Json,
}

/// Writes the schemas of the cluster's custom resources into a folder.
///
/// # Errors
///
/// When the definitions can't be listed, or a file can't be written.
pub async fn run(args: SchemasArgs, directory: &Path, ui: &mut Ui) -> Result<Exit, Failure> {
    let SchemasArgs { action: SchemasAction::Pull, to, access, output } = args;
    let begin = Instant::now();
    let cluster = Cluster::connect(&access.access()).await?;
    cluster.on_delay(ui.delays());
    let waiting = ui.waiting("reading the cluster's definitions");
    let pull = pull_schemas(&cluster, &folder(directory, &to)).await;
    waiting.finish_and_clear();
    let pull = pull.map_err(with_right)?;
    let view = present::SchemasView {
        pull: &pull,
        folder: &to,
        cluster: cluster.name(),
        requests: cluster.requests(),
        elapsed: begin.elapsed(),
    };
    let glyphs = ui.glyphs();
    match output {
        SchemasFormat::Text => {
            present::warnings(&view).iter().for_each(|warning| ui.warning(warning));
            present::text(ui.stdout(), &view, glyphs)?;
        }
        SchemasFormat::Json => present::json(ui.stdout(), &view)?,
    }
    let is_refused = pull.left_out.iter().any(|it| WhyLeftOut::is_refusal(&it.why))
        || pull.files.iter().any(|it| it.outcome == WriteOutcome::Kept);
    Ok(if is_refused { Exit::NotAtCommit } else { Exit::AtCommit })
}

/// A folder that an argument names, without the `./` that its user did not write.
pub(super) fn folder(directory: &Path, named: &Path) -> PathBuf {
    let whole = directory.join(named);
    match whole.strip_prefix(".") {
        Ok(plain) if !plain.as_os_str().is_empty() => plain.to_owned(),
        _ => whole,
    }
}

/// Names the right that is missing, where one is.
fn with_right(error: app::Error) -> Failure {
    let is_forbidden = matches!(&error, app::Error::Api { source, .. } if source.is_forbidden());
    let mut failure = Failure::from(error);
    if is_forbidden {
        failure.hints.insert(0, RIGHT.to_owned());
    }
    failure
}
