//! The targets of a check: the one that the arguments name, or all of `trueup.yaml`.

use std::path::Path;

use super::exit::Failure;
use super::target::FilesArgs;
use crate::app::Target;
use crate::git::Checkout;

/// The targets of a check.
pub(super) struct TargetChoice {
    /// Each with its own settings.
    pub(super) targets: Vec<Target>,
    /// Whether they are all that `trueup.yaml` declares, so that the check is about the whole checkout.
    pub(super) are_all: bool,
}

/// The target that the arguments name; where they name none and `trueup.yaml` declares several, each
/// of those with its own settings.
///
/// # Errors
///
/// When trueup.yaml can't be used, or a path lies outside the checkout.
pub(super) fn targets(
    files: &FilesArgs,
    directory: &Path,
    checkout: &Checkout,
) -> Result<TargetChoice, Failure> {
    let is_everything = files.target.is_none() && is_everything(files, directory, checkout)?;
    if is_everything {
        let names: Vec<String> = files.config(checkout)?.targets.into_keys().collect();
        if names.len() > 1 {
            let targets = names.into_iter().map(|name| {
                let one = FilesArgs { target: Some(name), paths: Vec::new(), ..files.clone() };
                one.resolve(directory, checkout)
            });
            return Ok(TargetChoice { targets: targets.collect::<Result<_, _>>()?, are_all: true });
        }
    }
    let target = files.resolve(directory, checkout)?;
    let are_all = is_everything && target.declared.is_some();
    Ok(TargetChoice { targets: vec![target], are_all })
}

/// Whether no path is given, or the whole checkout.
fn is_everything(
    files: &FilesArgs,
    directory: &Path,
    checkout: &Checkout,
) -> Result<bool, Failure> {
    for path in &files.paths {
        if !checkout.repo_path(directory, path)?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}
