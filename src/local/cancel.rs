//! Why work under way should end early: a signal interrupts the program, or a newer commit supersedes
//! the one that is waited for.
//!
//! The command line listens to signals; [`crate::app::watch`] looks for commits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// The request to end that a signal makes. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    token: CancellationToken,
    /// The same for gix, whose threads look at a flag.
    flag: Arc<AtomicBool>,
}

impl Interrupt {
    /// Asks whatever is under way to end at its next safe point.
    pub fn request(&self) {
        self.flag.store(true, Ordering::Relaxed);
        self.token.cancel();
    }

    /// One that ends with this one, or before. It has no flag for gix.
    pub fn child(&self) -> Self {
        Self { token: self.token.child_token(), flag: Arc::default() }
    }

    /// Whether it was requested.
    pub fn is_requested(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Waits until it is requested.
    pub async fn requested(&self) {
        self.token.cancelled().await;
    }

    /// The flag that [`PullOptions`](crate::git::pull::PullOptions) takes.
    pub fn flag(&self) -> &Arc<AtomicBool> {
        &self.flag
    }

    /// Waits for as long as `pause`, or until it is requested.
    pub(crate) async fn sleep(&self, pause: Duration) {
        let _ = tokio::time::timeout(pause, self.requested()).await;
    }
}

/// Whether to go on with one piece of work. Clones share it.
#[derive(Clone, Debug)]
pub struct Cancellation {
    interrupt: Interrupt,
    /// Cancelled once a newer commit has come, and by a signal too.
    any: CancellationToken,
    newer: Arc<OnceLock<String>>,
}

impl Default for Cancellation {
    /// One that no signal reaches.
    fn default() -> Self {
        Self::with(&Interrupt::default())
    }
}

impl Cancellation {
    /// One that ends with `interrupt`, or with a newer commit.
    pub fn with(interrupt: &Interrupt) -> Self {
        let any = interrupt.token.child_token();
        Self { interrupt: interrupt.clone(), any, newer: Arc::default() }
    }

    /// The same without newer commits: for what would have to be done again for them.
    pub fn for_signals(&self) -> Self {
        Self::with(&self.interrupt)
    }

    /// Whether a signal came: what is in flight is finished, and nothing more is begun.
    pub fn is_interrupted(&self) -> bool {
        self.interrupt.is_requested()
    }

    /// Records that a newer commit has come; the first one counts.
    pub fn supersede(&self, commit: String) {
        // There may be one already.
        let _ = self.newer.set(commit);
        self.any.cancel();
    }

    /// The newer commit, if one has come: writes are finished, and nothing is waited for.
    pub fn newer(&self) -> Option<&str> {
        self.newer.get().map(String::as_str)
    }

    /// Whether waiting is of no use any more, for either reason.
    pub fn is_cancelled(&self) -> bool {
        self.any.is_cancelled()
    }

    /// Returns once waiting is of no use any more, for either reason.
    pub async fn cancelled(&self) {
        self.any.cancelled().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_commit_or_a_signal_cancels() {
        let interrupt = Interrupt::default();
        let cancel = Cancellation::with(&interrupt);
        assert!(!cancel.is_cancelled());
        cancel.clone().supersede("4f2c1a9".to_owned());
        cancel.supersede("8be01d3".to_owned());
        assert_eq!((cancel.newer(), cancel.is_interrupted()), (Some("4f2c1a9"), false));
        assert!(cancel.is_cancelled());
        let signals = cancel.for_signals();
        assert!(!signals.is_cancelled());
        interrupt.request();
        assert!(signals.is_cancelled() && cancel.is_interrupted());
        assert!(interrupt.flag().load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn waiting_ends_at_once_when_it_is_cancelled() {
        let interrupt = Interrupt::default();
        let (signalled, superseded) = (Cancellation::with(&interrupt), Cancellation::default());
        let waits = async { tokio::join!(signalled.cancelled(), superseded.cancelled()) };
        let cancels = async {
            interrupt.request();
            superseded.supersede("4f2c1a9".to_owned());
        };
        tokio::join!(waits, cancels);
        interrupt.sleep(Duration::MAX).await;
    }
}
