//! `trueup explain`: which fields does a kind have? No cluster, no credentials.

use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::{Exit, Failure};
use super::headings::{HOW, WHAT};
use super::kubernetes::{self, NamedVersion};
use super::present::explain::{self as present, ExplainFormat};
use super::schemas;
use super::target::FilesArgs;
use super::ui::Ui;
use crate::app::declare;
use crate::core::kinds::manual::{Manual, word};
use crate::git::{Checkout, Error};
use crate::local::manual_folder;

/// The end of `trueup explain --help`.
const EXAMPLES: &str = "\
Examples:
  trueup explain deploy.spec.strategy    a field, and the fields below it
  trueup explain ingresses.networking.k8s.io --recursive
                                         all fields of all levels
  trueup explain Issuer --schemas crds   a custom resource, from a catalogue
  trueup explain hpa --api-version autoscaling/v1 -o json";

/// Print the fields of a kind, without a cluster
///
/// The kinds are those of a Kubernetes release, which come with trueup with their descriptions, those of
/// the CustomResourceDefinitions of the checkout at HEAD, and those of `--schemas`. A name of a Kubernetes
/// kind means that kind; a custom resource of the same name needs its group.
///
/// Exit status 0: it is explained, 2: there is no such kind or field, or it could not be read.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ExplainArgs {
    /// Kind, plural or short name, and a field
    ///
    /// The group and the version may follow the name, as in `deployments.v1.apps.spec`, or come first, as
    /// in `apps/v1/Deployment.spec`. Lists and maps in the way to a field are passed through.
    #[arg(value_name = "KIND[.FIELD…]", help_heading = WHAT, display_order = 1)]
    kind: String,

    /// Version, such as autoscaling/v1
    ///
    /// The default is the newest stable one, else the newest.
    #[arg(long, value_name = "VERSION", help_heading = WHAT, display_order = 2)]
    api_version: Option<String>,

    /// Release of Kubernetes [default: as check]
    #[arg(long, value_name = "VERSION", value_parser = kubernetes::version, help_heading = WHAT, display_order = 3)]
    kubernetes_version: Option<NamedVersion>,

    /// Folder with schemas of custom resources
    ///
    /// It is one that `check --schemas` takes. May be given more than once.
    #[arg(long, value_name = "DIR", env = "TRUEUP_SCHEMAS", value_delimiter = ',', value_hint = clap::ValueHint::DirPath, help_heading = WHAT, display_order = 4)]
    schemas: Vec<PathBuf>,

    /// Print the fields of fields, too
    #[arg(long, help_heading = HOW, display_order = 2)]
    recursive: bool,

    /// How to print it
    #[arg(short, long, value_name = "FORMAT", default_value = "text", help_heading = HOW, display_order = 1)]
    output: ExplainFormat,
}

/// Prints what is known of a kind or a field.
///
/// # Errors
///
/// When there is no such kind or field, or a schema can't be read.
pub async fn run(args: ExplainArgs, directory: &Path, ui: &mut Ui) -> Result<Exit, Failure> {
    let release = kubernetes::release_of(args.kubernetes_version.as_ref());
    let manual = Manual::of(release);
    let mut manual = manual.ok_or_else(|| anyhow::anyhow!("no schemas of Kubernetes {release}"))?;
    // Rendering may take long, and Kubernetes' own kinds come first anyway.
    if !manual.is_builtin(&args.kind, args.api_version.as_deref()) {
        add_definitions(&mut manual, directory, args.kubernetes_version.as_ref(), ui).await?;
        let word = word(&args.kind);
        for folder in &args.schemas {
            let folder = schemas::folder(directory, folder);
            manual_folder::add(&mut manual, &folder, &word).map_err(anyhow::Error::new)?;
        }
    }
    let page = manual.page(&args.kind, args.api_version.as_deref(), args.recursive);
    let page = page.map_err(|error| {
        let hints = error.hint().into_iter().collect();
        Failure { error: error.into(), hints }
    })?;
    match args.output {
        ExplainFormat::Text => {
            ui.page(|mut out, glyphs| present::text(&mut out, &page, args.recursive, glyphs))?;
        }
        ExplainFormat::Json => present::json(ui.stdout(), &page, release)?,
    }
    Ok(Exit::AtCommit)
}

/// Adds the kinds of the whole checkout at HEAD, where there is one. Documents that can't be read may hold
/// the kind that was meant, so a note counts them.
async fn add_definitions(
    manual: &mut Manual,
    directory: &Path,
    release: Option<&NamedVersion>,
    ui: &mut Ui,
) -> Result<(), Failure> {
    let checkout = match Checkout::discover(directory) {
        Err(Error::NotARepository { .. }) => return Ok(()),
        checkout => checkout?,
    };
    let files = FilesArgs {
        paths: vec![PathBuf::from(".")],
        target: None,
        is_named_by_checkout: false,
        rev: None,
        worktree: false,
        namespace: None,
    };
    let declared = match files.resolve(directory, &checkout) {
        Ok(mut target) => {
            target.paths = vec![String::new()];
            target.render.kubernetes = kubernetes::of_release(release);
            let waiting = ui.waiting("reading and rendering");
            let declared = declare(&target, &checkout).await;
            waiting.finish_and_clear();
            declared.map_err(Failure::from)
        }
        Err(failure) => Err(failure),
    };
    match declared {
        Ok(declared) => {
            for manifest in &declared.manifests {
                manual.define(&manifest.object, &manifest.origin.path);
            }
            if !declared.problems.is_empty() {
                let count = declared.problems.len();
                ui.note(&format!(
                    "{count} of the checkout's documents can't be read: see trueup check"
                ));
            }
        }
        Err(failure) => {
            ui.warning(&format!("the checkout's definitions are not read: {}", failure.error));
        }
    }
    Ok(())
}
