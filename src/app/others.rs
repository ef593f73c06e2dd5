//! The other targets of `trueup.yaml`, each at the commit that it is of: a target that tracks a ref
//! declares what that ref's commit says, not what this one's does.

use super::trust::{Trust, Wanted};
use super::{ClusterChoice, Target};
use crate::config::{Config, FILE};
use crate::core::source::formats::Formats;
use crate::core::source::snapshot::Revision;
use crate::core::tracking::TrackedRef;
use crate::git::Checkout;

/// Another target of `trueup.yaml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherTarget {
    /// Its paths from the checkout's root; the empty path is the whole of it.
    pub paths: Vec<String>,
    /// The namespace of objects that name none, where trueup.yaml says it.
    pub namespace: Option<String>,
    /// The formats of what is rendered of it, so that it is no plain manifest.
    pub formats: Formats,
    /// The commit that it is of.
    pub at: OtherRevision,
    /// The rules of this machine that its commits have to meet.
    pub trust: Trust,
    /// Which cluster it belongs to.
    pub cluster: ClusterChoice,
}

/// The commit that another target is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OtherRevision {
    /// The same as the target of the run, or the work tree with it.
    Same,
    /// That of `HEAD`, where the target of the run tracks another.
    Head,
    /// That of a ref of its own.
    Tracked(TrackedRef),
}

impl Target {
    /// Another target as it is to be read, with the settings of the commit that it is of. `None` where
    /// that commit is not here, or does not declare it.
    pub(super) fn other(&self, name: &str, checkout: &Checkout) -> Option<Self> {
        let OtherTarget { mut paths, mut namespace, mut formats, at, trust, cluster: _ } =
            self.others.get(name)?.clone();
        let mut read = Self { declared: Some(name.to_owned()), is_removed: false, ..self.clone() };
        // A commit that is not trusted for the other target says nothing of it.
        if trust.has_rules() {
            read.trust = trust;
        }
        match at {
            OtherRevision::Same => {}
            OtherRevision::Head => (read.rev, read.tracks, read.worktree) = (None, None, false),
            OtherRevision::Tracked(tracked) => {
                (read.rev, read.tracks, read.worktree) = (None, Some(tracked), false);
            }
        }
        if self.others[name].at != OtherRevision::Same {
            let revision = read.revision(checkout).ok()?;
            let file = checkout.read_file(&revision, FILE).ok()??;
            let declared = Config::read(&file).ok()?.targets.remove(name)?;
            paths = declared.plain_paths();
            (namespace, formats) = (declared.namespace, declared.render);
        }
        read.paths = paths;
        read.namespace = namespace.unwrap_or_else(|| self.namespace.clone());
        read.render.formats = formats;
        Some(read)
    }

    /// The commit whose `trueup.yaml` says which targets there are: of one that tracks a ref, `HEAD`.
    pub(super) fn listing(&self, checkout: &Checkout, revision: &Revision) -> Revision {
        let head = || self.trust.judge(checkout, Wanted::Head).ok();
        match self.tracks.is_some().then(head).flatten() {
            Some(head) => head.revision,
            None => revision.clone(),
        }
    }
}
