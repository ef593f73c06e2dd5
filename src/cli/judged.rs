//! The rules that the arguments of a run lead to, and the settings of the commit that these give.

use std::path::Path;

use super::exit::Failure;
use super::target::{FilesArgs, TargetArgs};
use super::trust::{self, NamedBy};
use crate::app::trust::{Judged, Trust, Wanted};
use crate::config::Config;
use crate::git::Checkout;

impl FilesArgs {
    /// The party that names the target.
    pub(super) fn named_by(&self) -> NamedBy<'_> {
        match &self.target {
            Some(name) if self.paths.is_empty() && !self.is_named_by_checkout => {
                NamedBy::Operator(name)
            }
            _ => NamedBy::Checkout,
        }
    }
}

impl TargetArgs {
    /// The rules that count.
    ///
    /// # Errors
    ///
    /// When the rules can't be read.
    pub(super) fn trust(&self, checkout: &Checkout) -> Result<Trust, Failure> {
        let FilesArgs { rev, worktree, .. } = &self.files;
        if self.unverified && rev.is_none() && !worktree {
            let error = anyhow::anyhow!("--unverified needs --rev or --worktree");
            let hints = vec!["without them the newest trusted commit is used".to_owned()];
            return Err(Failure { error, hints });
        }
        trust::trust(self.files.named_by(), checkout, self.unverified)
    }

    /// Tells why the target `name` can't be told from the checkout alone.
    ///
    /// # Errors
    ///
    /// That is the error.
    pub(super) fn fault_of(
        &self,
        name: &str,
        directory: &Path,
        checkout: &Checkout,
    ) -> Result<(), Failure> {
        let files = FilesArgs { target: Some(name.to_owned()), ..self.files.clone() };
        let args = Self { files, ..self.clone() };
        let trust = args.trust(checkout)?;
        args.files.choose(directory, checkout, &trust).map(drop)
    }

    /// The settings that say which targets there are, of a commit that all rules trust.
    ///
    /// # Errors
    ///
    /// When the rules or the settings can't be read, or no commit may be applied.
    pub(super) fn listed(&self, checkout: &Checkout) -> Result<(Config, Judged), Failure> {
        let files = FilesArgs { is_named_by_checkout: true, ..self.files.clone() };
        let trust = Self { files, ..self.clone() }.trust(checkout)?;
        self.files.judged_config(checkout, &trust)
    }
}

impl FilesArgs {
    /// The settings of the commit that is named, or of the one that stands in for it.
    ///
    /// # Errors
    ///
    /// When the settings can't be read, or no commit may be applied.
    pub(super) fn judged_config(
        &self,
        checkout: &Checkout,
        trust: &Trust,
    ) -> Result<(Config, Judged), Failure> {
        let wanted = match &self.rev {
            _ if self.worktree => Wanted::WorkTree,
            Some(rev) => Wanted::Exactly(rev),
            None => Wanted::Head,
        };
        let judged = trust.judge(checkout, wanted)?;
        let files = match &judged.refused {
            // The settings are those of the commit that is applied.
            Some(_) => Self { rev: Some(judged.revision.commit.clone()), ..self.clone() },
            None => self.clone(),
        };
        Ok((files.config(checkout)?, judged))
    }
}
