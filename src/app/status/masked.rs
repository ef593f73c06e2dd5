//! Masks the texts of a status by the Secrets of what runs and of what git declares: a newer commit may
//! bring one that its own message quotes.

use super::running::{Running, newest};
use super::{StatusOptions, StatusTarget};
use crate::app::declare;
use crate::core::redact::Redactor;
use crate::core::status::{RunningCommit, TargetStatus};

/// The Secrets of the commit that git has.
pub(super) enum GitSecrets {
    /// They are those of the commit that runs.
    OfRunning,
    /// They are others.
    Known(Box<Redactor>),
    /// They could not be read, so that no text of that commit is shown.
    Unread,
}

impl GitSecrets {
    /// Of the target with this place. A commit that is not trusted is not rendered to find out.
    pub(super) async fn of(options: StatusOptions<'_>, running: &Running, index: usize) -> Self {
        let StatusTarget { target, judged, .. } = &options.targets[index];
        let runs = running.runs.as_ref().filter(|runs| !runs.is_dirty);
        let is_known = runs.is_some_and(|runs| runs.commit == newest(judged).commit);
        if running.elsewhere.is_some() || is_known && running.check.is_some() {
            return Self::OfRunning;
        }
        if judged.refused.is_some() {
            return Self::Unread;
        }
        match declare(target, options.checkout).await {
            Ok(declared) if declared.problems.is_empty() => {
                let objects = declared.manifests.iter().map(|manifest| &manifest.object);
                let redactor = Redactor::with_rules(objects, &target.redact, &declared.inputs);
                Self::Known(Box::new(redactor))
            }
            _ => Self::Unread,
        }
    }

    /// Masks the texts of a row. Those of a commit whose Secrets are not known are left out.
    pub(super) fn mask(&self, status: &mut TargetStatus, knows_running: bool) {
        if !knows_running {
            status.runs = status.runs.take().map(RunningCommit::without_texts);
        }
        let is_known = match self {
            Self::OfRunning => knows_running,
            Self::Known(redactor) => {
                redactor.mask_in(status);
                true
            }
            Self::Unread => false,
        };
        if let Some(git) = status.git.as_mut().filter(|_| !is_known) {
            git.subject.clear();
            git.author.clear();
        }
    }
}
