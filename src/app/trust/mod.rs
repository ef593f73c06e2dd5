//! Which commit of a target is applied: the one that is asked for, if the machine's rules trust it, or
//! else the newest ancestor that they trust.

mod hold;
mod judge;
mod kept;
mod line;
mod refused;

use std::fmt;
use std::sync::Arc;

pub(super) use self::hold::hold;
use self::judge::Place;
pub use self::judge::{Judge, JudgeMemory, JudgeRule, SEAL};
pub use self::kept::BOUNDS;
use self::line::Line;
pub use self::line::{JudgedCommit, LineOptions};
pub use self::refused::RefusedSignatures;
use crate::core::source::snapshot::{Revision, short};
use crate::core::tracking::TrackedRef;
use crate::core::verification::{Fault, Standing};
use crate::git::{self, Checkout};

/// The rules that a run is held to. All of them count.
#[derive(Clone, Default)]
pub struct Trust {
    judges: Vec<Arc<Judge>>,
    is_waived: bool,
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digests = self.judges.iter().map(|judge| judge.digest()).collect::<Vec<_>>();
        f.debug_struct("Trust").field("rules", &digests).field("waived", &self.is_waived).finish()
    }
}

impl PartialEq for Trust {
    fn eq(&self, other: &Self) -> bool {
        let digests =
            |trust: &Self| -> Vec<_> { trust.judges.iter().map(|judge| *judge.digest()).collect() };
        self.is_waived == other.is_waived && digests(self) == digests(other)
    }
}

impl Eq for Trust {}

/// A commit that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// The checkout's `HEAD`, or an ancestor of it.
    Head,
    /// This revision and no other.
    Exactly(&'a str),
    /// The commit that a target tracks, or an older one of the same branch or range.
    Tracked(&'a TrackedRef),
    /// The files of the work tree.
    WorkTree,
}

/// The commit to apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The commit.
    pub revision: Revision,
    /// How far it is trusted.
    pub by: JudgedBy,
    /// The commit that was asked for, where this one stands in for it.
    pub refused: Option<Refusal>,
}

/// Why a commit is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JudgedBy {
    /// There is no rule.
    NoRule,
    /// It is trusted.
    Trusted(Standing),
    /// It is not, and the command line says that it need not be.
    Waived(Fault),
}

/// A commit that is not applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The commit; of the work tree, the one that it began with.
    pub revision: Option<Revision>,
    /// The key of its signature.
    pub key: Option<String>,
    /// Why.
    pub fault: Fault,
    /// The commit that stays applied, where one does.
    pub stays: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.revision {
            Some(revision) => write!(f, "{} by {}", revision.short(), revision.author)?,
            None => f.write_str("the work tree")?,
        }
        write!(f, " is not trusted: {}", self.fault.message())?;
        if let Some(key) = &self.key {
            write!(f, ", key {key}")?;
        }
        match &self.stays {
            Some(stays) => write!(f, "; stays at {}", short(stays)),
            None => Ok(()),
        }
    }
}

impl Refusal {
    /// The remedy.
    pub fn hint(&self) -> String {
        self.fault.hint()
    }
}

/// Why no commit may be applied.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// Git could not be read.
    #[error(transparent)]
    Git(#[from] git::Error),
    /// No commit is trusted that could be applied.
    #[error("{0}; nothing was applied")]
    Refused(Box<Refusal>),
}

impl TrustError {
    /// The remedy.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Git(error) => error.hint(),
            Self::Refused(refusal) => Some(refusal.hint()),
        }
    }
}

impl Trust {
    /// The rules of these judges, none of which has to be met where they are `waived`.
    pub fn new(judges: Vec<Arc<Judge>>, is_waived: bool) -> Self {
        Self { judges, is_waived }
    }

    /// Whether there is any rule.
    pub fn has_rules(&self) -> bool {
        !self.judges.is_empty()
    }

    /// The commit to apply for the one that is `wanted`.
    ///
    /// # Errors
    ///
    /// When the repository can't be read, or there is no commit that may be applied.
    pub fn judge(&self, checkout: &Checkout, wanted: Wanted<'_>) -> Result<Judged, TrustError> {
        let (revision, line) = match wanted {
            Wanted::Exactly(rev) => (checkout.resolve(Some(rev))?, Line::Alone),
            Wanted::Head => (checkout.resolve(None)?, Line::FirstParents),
            Wanted::Tracked(tracked) => {
                let found = checkout.resolve_tracked(tracked)?;
                let line = Line::of(tracked, found.name.as_deref());
                (found.revision, line)
            }
            Wanted::WorkTree => return self.of_worktree(checkout),
        };
        if !self.has_rules() {
            return Ok(Judged { revision, by: JudgedBy::NoRule, refused: None });
        }
        let place = Place::new(checkout);
        let standing = self.standing(&place, &revision.commit)?;
        let (fault, key) = match standing {
            Standing::Trusted { .. } => {
                return Ok(Judged { revision, by: JudgedBy::Trusted(standing), refused: None });
            }
            Standing::Refused { fault, .. } if self.is_waived => {
                return Ok(Judged { revision, by: JudgedBy::Waived(fault), refused: None });
            }
            Standing::Refused { fault, key } => (fault, key),
        };
        let refusal = Refusal { revision: Some(revision.clone()), key, fault, stays: None };
        let found = match line {
            _ if refusal.fault.is_unknown() => None,
            Line::Alone => None,
            Line::FirstParents => self.newest(&place, &revision)?,
            Line::Tags(tracked) => self.newest_tag(&place, tracked, &revision)?,
        };
        match found {
            Some((instead, standing)) => {
                let stays = Some(instead.commit.clone());
                let refused = Some(Refusal { stays, ..refusal });
                let by = JudgedBy::Trusted(standing);
                Ok(Judged { revision: instead, by, refused })
            }
            None => Err(TrustError::Refused(Box::new(refusal))),
        }
    }

    fn of_worktree(&self, checkout: &Checkout) -> Result<Judged, TrustError> {
        let by = match (self.has_rules(), self.is_waived) {
            (false, _) => JudgedBy::NoRule,
            (true, true) => JudgedBy::Waived(Fault::WorkTree),
            (true, false) => {
                let (revision, key, stays) = (None, None, None);
                let refusal = Refusal { revision, key, fault: Fault::WorkTree, stays };
                return Err(TrustError::Refused(Box::new(refusal)));
            }
        };
        // Before the first commit there is none.
        let revision =
            checkout.resolve(None).unwrap_or_else(|_| Revision::unborn("HEAD".to_owned()));
        Ok(Judged { revision, by, refused: None })
    }

    /// How a commit stands by all rules; the first that refuses it decides.
    fn standing(&self, place: &Place<'_>, id: &str) -> Result<Standing, git::Error> {
        let mut first = None;
        for judge in &self.judges {
            match judge.standing(place, id)? {
                refused @ Standing::Refused { .. } => return Ok(refused),
                trusted => first.get_or_insert(trusted),
            };
        }
        Ok(first.unwrap_or(Standing::Refused { fault: Fault::Unsigned, key: None }))
    }
}
