//! The story. [`survey()`] looks and decides, [`apply()`] does, [`wait()`] waits until all of it is
//! healthy, and [`round()`] is these under the lock: `diff` is the first, `apply` one round, [`watch`]
//! round after round, and a rollback is the same with another commit.
//!
//! Whoever runs a round is its [`Runner`], and hears of it by [`Event`]s.

mod all_targets;
mod apply;
mod between;
mod commit_poller;
mod declare;
mod definitions;
mod dry_run;
mod elsewhere;
mod enabled;
mod error;
mod event;
mod former_release;
mod hold;
mod in_sync;
mod lock;
mod moved;
mod others;
mod pool;
mod pull_schemas;
mod rbac;
mod reasons;
mod record;
mod renewed;
mod replica;
mod right_cluster;
mod rollback;
mod round;
mod runner;
mod served;
pub mod status;
mod survey;
mod target;
pub mod trust;
mod wait;
pub mod watch;

pub use all_targets::{TargetLook, look_at_all};
pub use apply::{ApplyOptions, TIMEOUT, apply};
pub use between::{CommitsDifference, commits_difference};
pub use commit_poller::{CommitPoller, NoCommitPoller};
pub use declare::{
    Beside, Declaration, Declared, FilesDigest, LastRead, Outline, Outside, declare, declare_again,
    declare_unless, inside, outside,
};
pub use dry_run::{DryRun, dry_run};
pub use elsewhere::defined_by_others;
pub use error::Error;
pub use event::Event;
pub use hold::{HeldBefore, HoldingPlace, check_not_held, hold_of, release, resume, suspend};
pub use in_sync::{Look, SyncedTarget, look};
pub use lock::{Lock, LockOptions, take};
pub use others::{OtherRevision, OtherTarget, OtherTargets};
pub(crate) use pool::Pool;
pub use pull_schemas::{PulledFile, SchemaPull, pull_schemas};
pub use rbac::{KindNames, TargetRights, UnknownKind, rights};
pub use reasons::{Explained, beside_git, explain};
pub use record::{
    RecordedPlace, Recording, record_killed, record_refusal, record_untrusted,
    record_unusable_settings,
};
pub use renewed::Renewed;
pub use replica::{GroupView, Replica, ReplicaOptions, Tenure};
pub use right_cluster::{ClusterChoice, remember_cluster};
pub use rollback::{
    check_not_overtaken, is_failure, newly_healthy, note_failure, note_health, rollback_revision,
    rolled_back,
};
pub use round::{RoundOptions, round};
pub use runner::{RoundEnd, Runner, WaitWhen};
pub use served::served_definitions;
pub use survey::{Decided, Found, Survey, survey};
pub use target::{DeclaredPath, Target};
pub use wait::{WaitOptions, standing, wait};
