//! Which commit of a target is applied: the one that is asked for, if the machine's rules trust it, or
//! else the newest ancestor that they trust.

mod ancestors;
mod hold;
mod judge;
mod kept;
mod line;
mod refused;
mod signatures;

use std::fmt;
use std::sync::Arc;

pub use self::hold::HeadDoubt;
pub(super) use self::hold::hold;
use self::judge::Place;
pub use self::judge::{Judge, JudgeMemory, JudgeRule, SEAL};
pub use self::kept::BOUNDS;
use self::line::Line;
pub use self::line::{JudgedCommit, LineOptions};
pub use self::refused::RefusedSignatures;
use crate::core::source::snapshot::{Revision, short};
use crate::core::tracking::TrackedRef;
use crate::core::verification::{Fault, Mode, Standing};
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
    /// The kind of commit or tag that has to be signed.
    pub needs: Needs,
}

/// The kind of commit or tag that would be trusted in place of a refused one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Needs {
    /// A signed commit on top.
    #[default]
    Commit,
    /// A signed commit on top that vouches for its ancestors.
    Seal,
    /// A signed tag.
    Tag,
    /// The named commit itself, or the word of the operator.
    Itself,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.revision {
            Some(revision) => write!(f, "{} by {}", revision.shown(), revision.author)?,
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
        let is_about_it = matches!(
            self.fault,
            Fault::Unsigned | Fault::Several | Fault::BadSignature | Fault::NoTag | Fault::Revoked
        );
        match self.needs {
            Needs::Seal if is_about_it => "have an allowed signer look at the history and seal it with a signed commit on top whose message ends with trueup-seal: REASON".into(),
            Needs::Tag if is_about_it => {
                "have an allowed signer sign a newer tag: git tag -s NAME COMMIT".into()
            }
            Needs::Itself if is_about_it => {
                "name a commit that is signed, or say --unverified with --rev".into()
            }
            _ => self.fault.hint(),
        }
    }
}

/// Why no commit may be applied.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// Git could not be read.
    #[error(transparent)]
    Git(#[from] git::Error),
    /// No commit is trusted that could be applied.
    #[error("{0}; it was not applied")]
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
                let line = Line::of(tracked, &found);
                (found.revision, line)
            }
            Wanted::WorkTree => return self.of_worktree(checkout),
        };
        if !self.has_rules() {
            return Ok(Judged { revision, by: JudgedBy::NoRule, refused: None });
        }
        let place = Place::new(checkout);
        let standing = self.standing_of(&place, &revision, line)?;
        let (fault, key) = match standing {
            Standing::Trusted { .. } => {
                return Ok(Judged { revision, by: JudgedBy::Trusted(standing), refused: None });
            }
            Standing::Refused { fault, .. } if self.is_waived => {
                return Ok(Judged { revision, by: JudgedBy::Waived(fault), refused: None });
            }
            Standing::Refused { fault, key } => (fault, key),
        };
        let needs = self.needs(line);
        let refusal = Refusal { revision: Some(revision.clone()), key, fault, stays: None, needs };
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

    /// The kind of commit that would be trusted.
    fn needs(&self, line: Line<'_>) -> Needs {
        let has = |mode: Mode| self.judges.iter().any(|judge| judge.mode == mode);
        match line {
            _ if has(Mode::Tag) => Needs::Tag,
            Line::Alone => Needs::Itself,
            Line::FirstParents if has(Mode::All) => Needs::Seal,
            Line::FirstParents => Needs::Commit,
            Line::Tags(_) => Needs::Tag,
        }
    }

    /// Whether each rule wants a signed tag.
    pub(super) fn is_by_tags(&self) -> bool {
        self.judges.iter().all(|judge| judge.mode == Mode::Tag)
    }

    fn of_worktree(&self, checkout: &Checkout) -> Result<Judged, TrustError> {
        let by = match (self.has_rules(), self.is_waived) {
            (false, _) => JudgedBy::NoRule,
            (true, true) => JudgedBy::Waived(Fault::WorkTree),
            (true, false) => {
                let (revision, key, stays) = (None, None, None);
                let needs = Needs::Itself;
                let refusal = Refusal { revision, key, fault: Fault::WorkTree, stays, needs };
                return Err(TrustError::Refused(Box::new(refusal)));
            }
        };
        // Before the first commit there is none.
        let revision =
            checkout.resolve(None).unwrap_or_else(|_| Revision::unborn("HEAD".to_owned()));
        Ok(Judged { revision, by, refused: None })
    }

    /// How a commit stands by all rules; the first that refuses it decides. Where it was a tag that led
    /// to it, that one counts.
    fn standing_of(
        &self,
        place: &Place<'_>,
        revision: &Revision,
        line: Line<'_>,
    ) -> Result<Standing, git::Error> {
        let tag = revision.tracked.as_deref().filter(|_| !matches!(line, Line::FirstParents));
        match tag {
            Some(tag) => self.standing_of_tag(place, &revision.commit, tag),
            None => self.standing(place, &revision.commit),
        }
    }

    /// How a commit stands by all rules that the tag `tag` led to.
    fn standing_of_tag(
        &self,
        place: &Place<'_>,
        id: &str,
        tag: &str,
    ) -> Result<Standing, git::Error> {
        self.standing_by(|judge| judge.standing_by_tag(place, id, tag))
    }

    /// How a commit stands by all rules, whatever led to it.
    fn standing(&self, place: &Place<'_>, id: &str) -> Result<Standing, git::Error> {
        self.standing_by(|judge| judge.standing(place, id))
    }

    fn standing_by(
        &self,
        standing: impl Fn(&Judge) -> Result<Standing, git::Error>,
    ) -> Result<Standing, git::Error> {
        let mut first = None;
        for judge in &self.judges {
            match standing(judge)? {
                refused @ Standing::Refused { .. } => return Ok(refused),
                trusted => first.get_or_insert(trusted),
            };
        }
        Ok(first.unwrap_or(Standing::Refused { fault: Fault::Unsigned, key: None }))
    }
}
