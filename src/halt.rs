//! Why something that is under way should come to its end: somebody wants the program to stop, or a
//! newer commit has come, for which there is no sense in waiting any longer.
//!
//! Who stops looks at it again and again; who listens to signals is the command line, and who looks
//! for commits is [`crate::watch`].

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// Says whether to go on. Clones say the same.
#[derive(Clone, Debug, Default)]
pub struct Halt {
    stop: Arc<AtomicBool>,
    newer: Arc<OnceLock<String>>,
}

impl Halt {
    /// One that comes with a flag that somebody sets.
    pub fn with(stop: &Arc<AtomicBool>) -> Self {
        Self { stop: Arc::clone(stop), newer: Arc::default() }
    }

    /// The same without newer commits: for what would only have to be done again for them.
    pub fn for_signals(&self) -> Self {
        Self::with(&self.stop)
    }

    /// Whether a signal came: what is in flight is finished, nothing more is begun.
    pub fn is_told(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Lets it be known that a newer commit has come; the first one counts.
    pub fn supersede(&self, commit: String) {
        // There may be one already.
        let _ = self.newer.set(commit);
    }

    /// The newer commit, if one has come: what is written is written to its end, and nothing is
    /// waited for.
    pub fn newer(&self) -> Option<&str> {
        self.newer.get().map(String::as_str)
    }

    /// Whether there is no sense in waiting any longer, for whichever of the two.
    pub fn ends_waiting(&self) -> bool {
        self.is_told() || self.newer().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_ends_for_a_signal_and_for_a_newer_commit() {
        let stop = Arc::new(AtomicBool::new(false));
        let halt = Halt::with(&stop);
        assert!(!halt.ends_waiting());
        halt.clone().supersede("4f2c1a9".to_owned());
        halt.supersede("8be01d3".to_owned());
        assert_eq!((halt.newer(), halt.is_told()), (Some("4f2c1a9"), false));
        assert!(halt.ends_waiting());
        let signals = halt.for_signals();
        assert!(!signals.ends_waiting());
        stop.store(true, Ordering::Relaxed);
        assert!(signals.ends_waiting() && halt.is_told());
    }
}
