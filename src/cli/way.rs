//! The way to the cluster of a target: by the context of the arguments, or by the one that the
//! machine's file has for it.

use std::path::Path;

use super::exit::Failure;
use super::machine_file::machine;
use super::names::{derived, sanitized};
use super::target::TargetArgs;
use crate::cluster::Access;
use crate::config::clusters::context_of;
use crate::config::plain;
use crate::git::Checkout;

impl TargetArgs {
    /// The way to the cluster of the target that the arguments name: by their context, else by the one
    /// that the machine's file has for it.
    ///
    /// # Errors
    ///
    /// When the machine's file can't be used, or it names contexts and the target is not known.
    pub(super) fn access_to(
        &self,
        directory: &Path,
        checkout: &Checkout,
    ) -> Result<Access, Failure> {
        let entries = machine()?.clusters;
        if self.has_context() || entries.iter().all(|entry| entry.context.is_none()) {
            return Ok(self.access.access());
        }
        let name = match self.known_name(directory, checkout) {
            Err(error) => self.files.target.clone().ok_or(error)?,
            Ok(name) => name,
        };
        self.access_of(&name)
    }

    /// The same for the target `name`.
    ///
    /// # Errors
    ///
    /// When the machine's file can't be used.
    pub(super) fn access_of(&self, name: &str) -> Result<Access, Failure> {
        let mut access = self.access.access();
        if !self.has_context()
            && let Some(context) = context_of(&machine()?.clusters, name)
        {
            access.context = Some(context.to_owned());
        }
        Ok(access)
    }

    fn has_context(&self) -> bool {
        !self.access.context.as_deref().unwrap_or_default().is_empty()
    }

    /// The name by which the machine's file knows the target: the one in trueup.yaml, else the
    /// inventory's without what it begins with.
    ///
    /// # Errors
    ///
    /// When trueup.yaml can't be used, or a path lies outside the checkout.
    fn known_name(&self, directory: &Path, checkout: &Checkout) -> Result<String, Failure> {
        if let Some(removed) = &self.removed {
            return Ok(removed.clone());
        }
        if self.files.paths.is_empty()
            && let Some((name, _)) =
                self.files.config(checkout)?.target(self.files.target.as_deref())?
        {
            return Ok(name.clone());
        }
        let mut paths = Vec::new();
        for path in &self.files.paths {
            paths.push(plain(&checkout.repo_path(directory, path)?));
        }
        paths.sort();
        paths.dedup();
        let name = self.name.clone();
        Ok(sanitized(&name.unwrap_or_else(|| derived(&checkout.folder_name(), &paths))))
    }
}
