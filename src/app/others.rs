//! The other targets of `trueup.yaml`, each at the commit that it is of: a target that tracks a ref
//! declares what that ref's commit says, not what this one's does.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::pool::Pool;
use super::trust::{Trust, Wanted};
use super::{ClusterChoice, Target};
use crate::config::{Config, FILE};
use crate::core::source::formats::Formats;
use crate::core::source::snapshot::Revision;
use crate::core::tracking::TrackedRef;
use crate::git::Checkout;

/// The maps that targets have now. Of 200 targets each knows the others, which would be 40,000 of them.
static KNOWN: Pool<BTreeMap<String, OtherTarget>> = Pool::new();

/// The other targets of `trueup.yaml` by their names. Targets of the same settings share them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OtherTargets {
    /// With the target itself, so that all have the same.
    all: Arc<BTreeMap<String, OtherTarget>>,
    own: Option<String>,
}

impl OtherTargets {
    /// The others of `all` targets, for the one that is called `own`.
    pub fn new(all: BTreeMap<String, OtherTarget>, own: Option<&str>) -> Self {
        Self { all: KNOWN.share(all), own: own.map(str::to_owned) }
    }

    /// Each with its name, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &OtherTarget)> {
        self.all.iter().filter(|(name, _)| self.own.as_ref() != Some(name))
    }

    /// Their names.
    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.iter().map(|(name, _)| name)
    }

    /// The targets.
    pub fn values(&self) -> impl Iterator<Item = &OtherTarget> {
        self.iter().map(|(_, other)| other)
    }

    /// One of them.
    pub fn get(&self, name: &str) -> Option<&OtherTarget> {
        self.all.get(name).filter(|_| self.own.as_deref() != Some(name))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys().next().is_none()
    }

    /// The same, each changed.
    #[must_use]
    pub fn map(self, change: impl Fn(&mut OtherTarget)) -> Self {
        let mut all = Arc::unwrap_or_clone(self.all);
        all.values_mut().for_each(change);
        Self::new(all, self.own.as_deref())
    }
}

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
        match at.clone() {
            OtherRevision::Same => {}
            OtherRevision::Head => (read.rev, read.tracks, read.worktree) = (None, None, false),
            OtherRevision::Tracked(tracked) => {
                (read.rev, read.tracks, read.worktree) = (None, Some(tracked), false);
            }
        }
        if at != OtherRevision::Same {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn target(path: &str) -> OtherTarget {
        OtherTarget {
            paths: vec![path.to_owned()],
            namespace: None,
            formats: Formats::default(),
            at: OtherRevision::Same,
            trust: Trust::default(),
            cluster: ClusterChoice::default(),
        }
    }

    #[test]
    fn targets_of_the_same_settings_share_what_they_know_of_each_other() {
        let all = || ["one", "two", "three"].map(|name| (name.to_owned(), target(name))).into();
        let one = OtherTargets::new(all(), Some("one"));
        let two = OtherTargets::new(all(), Some("two"));
        assert!(Arc::ptr_eq(&one.all, &two.all));
        assert_eq!(one.keys().collect::<Vec<_>>(), ["three", "two"]);
        assert_eq!((one.get("one"), one.get("two")), (None, Some(&target("two"))));
        assert_ne!(one, two, "neither is one of its others");

        let mut moved: BTreeMap<String, OtherTarget> = all();
        moved.insert("two".to_owned(), target("elsewhere"));
        let moved = OtherTargets::new(moved, Some("one"));
        assert_eq!(moved.get("two"), Some(&target("elsewhere")));
        assert_eq!(one.get("two"), Some(&target("two")), "the former settings stay as they were");

        let alone = OtherTargets::new([("one".to_owned(), target("one"))].into(), Some("one"));
        assert!(alone.is_empty() && !one.is_empty() && OtherTargets::default().is_empty());
        let changed = one.clone().map(|other| other.namespace = Some("shop".to_owned()));
        assert!(changed.values().all(|other| other.namespace.is_some()) && changed != one);
    }
}
