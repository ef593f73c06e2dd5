//! The targets of a check: the one that the arguments name, or all of `trueup.yaml`.

use std::path::Path;

use super::exit::Failure;
use super::target::FilesArgs;
use crate::app::Target;
use crate::git::Checkout;

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
) -> Result<Vec<Target>, Failure> {
    if files.target.is_none() && is_everything(files, directory, checkout)? {
        let names: Vec<String> = files.config(checkout)?.targets.into_keys().collect();
        if names.len() > 1 {
            let targets = names.into_iter().map(|name| {
                let one = FilesArgs { target: Some(name), paths: Vec::new(), ..files.clone() };
                one.resolve(directory, checkout)
            });
            return targets.collect();
        }
    }
    Ok(vec![files.resolve(directory, checkout)?])
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
