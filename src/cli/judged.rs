//! The rules that the arguments of a run lead to, and the commit that these give.

use super::exit::Failure;
use super::target::{FilesArgs, TargetArgs};
use super::trust::{self, NamedBy};
use crate::app::trust::{Judged, Trust, Wanted};
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
    /// The rules that count, and the commit that they give.
    ///
    /// # Errors
    ///
    /// When the rules can't be read, or no commit may be applied.
    pub(super) fn judge(&self, checkout: &Checkout) -> Result<(Trust, Judged), Failure> {
        let FilesArgs { rev, worktree, .. } = &self.files;
        if self.unverified && rev.is_none() && !worktree {
            let error = anyhow::anyhow!("--unverified needs --rev or --worktree");
            let hints = vec!["without them the newest trusted commit is used".to_owned()];
            return Err(Failure { error, hints });
        }
        let trust = trust::trust(self.files.named_by(), checkout, self.unverified)?;
        let wanted = match (rev, worktree) {
            (_, true) => Wanted::WorkTree,
            (Some(rev), false) => Wanted::Exactly(rev),
            (None, false) => Wanted::Head,
        };
        let judged = trust.judge(checkout, wanted)?;
        Ok((trust, judged))
    }
}
