//! The state in which a round has nothing to ask the cluster: a look found the target in sync, and every
//! touch of its objects since then would be known.

use std::time::Instant;

use super::touched::{Followed, TouchedTarget};
use super::{RoundMemory, WakeReason, Watch};
use crate::app::{Survey, Target};
use crate::cluster::{Access, Cluster};
use crate::core::in_sync::Fingerprint;
use crate::git::Checkout;

/// A look that found the target in sync.
pub(super) struct Calm {
    /// How often the target had been touched before.
    touches: u64,
    source: Source,
    at: Instant,
}

/// All that a target is made of besides the cluster.
#[derive(PartialEq, Eq)]
struct Source {
    commit: String,
    target: Fingerprint,
    /// Where the kubeconfig leads.
    url: String,
}

impl Source {
    /// `None` where it can't be known without a look.
    fn of(target: &Target, checkout: &Checkout, cluster: &Cluster) -> Option<Self> {
        // A work tree may change at any moment.
        let is_knowable = !target.worktree && !target.verify && !target.is_removed;
        let commit = target.revision(checkout).ok().filter(|_| is_knowable)?.commit;
        Some(Self { commit, target: Fingerprint::of(target), url: cluster.url().to_owned() })
    }
}

impl RoundMemory {
    /// Whether nothing has moved since the last look.
    pub(super) fn is_calm(
        &self,
        watch: &Watch,
        target: &Target,
        checkout: &Checkout,
        cluster: &Cluster,
    ) -> bool {
        let is_wanted = !self.reasons.iter().any(|reason| reason.wants_a_look());
        let (Some(calm), Some(touched)) = (&self.calm, &watch.touched) else { return false };
        is_wanted
            && self.touches == Some(calm.touches)
            && calm.at.elapsed() < touched.resync
            && Source::of(target, checkout, cluster).as_ref() == Some(&calm.source)
    }

    /// Notes a look that found the target in sync, if it did.
    pub(super) fn note_calm(&mut self, target: &Target, checkout: &Checkout, cluster: &Cluster) {
        let touches = self.touches.filter(|_| self.is_quiet);
        let source = touches.and_then(|_| Source::of(target, checkout, cluster));
        let at = Instant::now();
        self.calm = touches.zip(source).map(|(touches, source)| Calm { touches, source, at });
    }

    /// A round begins: whatever comes of it, the watches of now are those before it.
    pub(super) fn note_watches(&mut self, watch: &Watch) {
        self.beginnings = watch.touched.as_ref().map_or(0, TouchedTarget::begin_round);
    }

    /// The cluster did not answer to the round.
    pub(super) fn missed(&self, watch: &Watch) {
        if let Some(touched) = &watch.touched {
            touched.missed(self.beginnings);
        }
    }
}

/// Watches the objects of a target that was looked at.
pub(super) fn follow(watch: &Watch, survey: &Survey, target: &Target, cluster: &Cluster) {
    let Some(touched) = &watch.touched else { return };
    let before = survey.found.before.iter();
    // By the context that the round went by.
    let access = Access { context: None, ..watch.access.clone() };
    let records: Vec<_> = before.chain([&survey.decided.after]).collect();
    touched.touched.follow(
        &touched.name,
        &watch.wake,
        &Followed {
            inventory: &target.inventory,
            records: &records,
            catalog: &survey.found.catalog,
            cluster,
            access: &access,
        },
    );
}

impl WakeReason {
    /// Whether others than the operator can cause it, so that it has to wait for its turn.
    pub(super) fn is_of_others(self) -> bool {
        matches!(self, Self::Touched | Self::Back | Self::Pushed)
    }

    /// Whether it is about the target itself, and no matter of the whole repository.
    pub(super) fn is_of_target(self) -> bool {
        matches!(self, Self::Touched | Self::Asked | Self::Reloaded)
    }

    /// Whether the cluster is to be looked at whatever is known of it.
    fn wants_a_look(self) -> bool {
        matches!(self, Self::Asked | Self::Reloaded)
    }
}
