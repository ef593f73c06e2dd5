//! The events of a watch, and the way to whoever tells of them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::{GitResult, Round, RoundError, SettingsError, Share};
use crate::core::inventory::Inventory;
use crate::core::notify::Commit;
use crate::core::schedule::Gate;
use crate::core::source::snapshot::Revision;

/// An event of a watch.
pub enum WatchEvent {
    /// A round begins.
    Begun {
        /// How often one was asked for by then.
        asked: u64,
    },
    /// The target's settings were read for the first time.
    Known(Box<KnownTarget>),
    /// A round found that the commit was taken back before, and keeps the last healthy one true; it
    /// has not done so yet.
    HeldBack {
        /// The commit that failed.
        failed: String,
        /// The one that is kept true.
        healthy: String,
    },
    /// A round is about to write objects of a commit that the inventory does not name yet.
    Deploying(Commit),
    /// A round found that nothing has moved since one that had nothing to do and nothing to tell.
    Idle {
        /// The pause that follows.
        pause: Duration,
    },
    /// Nothing was applied ever, and the first commit waits for targets that this one comes after.
    Waits {
        /// The target that is waited for.
        gate: Gate,
        /// The pause that follows; `None` after the last.
        pause: Option<Duration>,
    },
    /// A round ended.
    Ended {
        /// The result of the round.
        round: Box<Result<Round, RoundError>>,
        /// The commit that the round came to nothing for, where that is what is wrong.
        commit: Option<Box<Revision>>,
        /// The result of its pull, where it came to nothing.
        git: Box<GitResult>,
        /// The pause that follows; `None` after the last.
        pause: Option<Duration>,
    },
    /// Drift was put back while a round waits for health.
    Healed {
        /// The round that did it.
        round: Box<Round>,
        /// The pause until it is looked for again.
        pause: Duration,
    },
    /// The target is gone from the settings, and is not watched any more.
    Gone {
        /// Its inventory, which stays.
        inventory: Option<Inventory>,
    },
    /// Another replica watches the target from now on.
    Left,
    /// These of the targets are this replica's.
    Shared(Share),
    /// The settings that say which targets there are can't be used. Those that are watched go on.
    Unlisted(Unlisted),
    /// They can be used, and these are the targets.
    Listed(Vec<String>),
}

/// Why there is no list of the targets.
pub struct Unlisted {
    /// The fault of the settings.
    pub error: SettingsError,
    /// The commit that they were read from, where that is what is wrong.
    pub commit: Option<Box<Revision>>,
}

impl From<SettingsError> for Unlisted {
    /// No commit is to blame.
    fn from(error: SettingsError) -> Self {
        Self { error, commit: None }
    }
}

/// A target as its settings have it.
pub struct KnownTarget {
    /// Its paths as people write them.
    pub shown_paths: Vec<String>,
    /// The time between rounds.
    pub interval: Duration,
    /// How long a rollout is waited for at most.
    pub timeout: Duration,
    /// The name of its cluster.
    pub cluster: String,
    /// Its inventory.
    pub inventory: Inventory,
}

/// An event, and the target that it is about.
pub struct Told {
    /// The target's name.
    pub target: Arc<str>,
    /// The event.
    pub event: WatchEvent,
}

/// The way to whoever tells of the events of one target.
pub struct Events {
    target: Arc<str>,
    hearer: mpsc::Sender<Told>,
}

impl Events {
    /// The way from a target.
    pub fn new(target: &str, hearer: mpsc::Sender<Told>) -> Self {
        Self { target: target.into(), hearer }
    }

    /// Sends an event, and waits until it is on its way.
    pub(super) async fn send(&self, event: WatchEvent) {
        let target = Arc::clone(&self.target);
        // Without a hearer the work goes on.
        let _ = self.hearer.send(Told { target, event }).await;
    }
}
