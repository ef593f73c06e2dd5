//! Which objects were written of late, to tell drift of other objects each time from a fight over the same
//! ones.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::{Duration, Instant};

use crate::core::object::ObjectKey;

/// How many objects are remembered. Where there are more, all count as written before.
pub(super) const MOST_KNOWN: usize = 1000;

/// The writes of a round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Writes {
    /// There were none.
    #[default]
    None,
    /// To objects that no round of late has written to.
    New,
    /// To others, too.
    Again,
}

/// The objects that were written of late, and when. A few bytes each will do: of two objects with the same
/// digest the second one counts as written again.
#[derive(Debug)]
pub(super) struct Rewritten {
    /// For how long a write is one of late.
    late: Duration,
    known: BTreeMap<u64, Instant>,
}

impl Rewritten {
    /// No writes so far.
    pub(super) fn new(late: Duration) -> Self {
        Self { late, known: BTreeMap::new() }
    }

    /// Notes the writes of a round.
    pub(super) fn note<'a>(
        &mut self,
        now: Instant,
        keys: impl Iterator<Item = &'a ObjectKey>,
    ) -> Writes {
        let late = self.late;
        self.known.retain(|_, at| now.saturating_duration_since(*at) <= late);
        let mut writes = Writes::None;
        for key in keys {
            let mut digest = DefaultHasher::new();
            key.hash(&mut digest);
            let digest = digest.finish();
            let has_room = self.known.len() < MOST_KNOWN;
            let is_new = match self.known.entry(digest) {
                Entry::Occupied(mut known) => {
                    known.insert(now);
                    false
                }
                Entry::Vacant(unknown) if has_room => {
                    unknown.insert(now);
                    true
                }
                Entry::Vacant(_) => false,
            };
            writes = match (writes, is_new) {
                (Writes::None | Writes::New, true) => Writes::New,
                _ => Writes::Again,
            };
        }
        writes
    }
}
