//! The moment of a renewal, which a sleeping machine and a clock that is set do not move.

use std::time::{Duration, Instant, SystemTime};

use crate::core::lease;
use crate::core::object::Object;

/// When the Lease was renewed: the one clock stands still while the machine sleeps, the other one
/// may be set.
#[derive(Clone, Copy)]
pub struct Renewed(Instant, SystemTime);

impl Renewed {
    /// The present moment.
    pub fn now() -> Self {
        Self(Instant::now(), SystemTime::now())
    }

    /// When a Lease of ours was renewed, as it says; `None` where it does not.
    pub fn of(lease: &Object) -> Option<Self> {
        let at = SystemTime::from(lease::renewed(lease)?);
        let age = at.elapsed().unwrap_or_default();
        Some(Self(Instant::now().checked_sub(age)?, at))
    }

    /// The time since then, by whichever clock has more.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed().max(self.1.elapsed().unwrap_or_default())
    }
}
