//! The moving lines on stderr while something is under way. Nothing of it is written past the
//! guard.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::guard::guarded;

/// The work under way; nothing where it can't be seen.
#[derive(Clone)]
pub struct ProgressIndicator(ProgressBar);

impl Default for ProgressIndicator {
    /// Nothing that anybody sees.
    fn default() -> Self {
        Self(ProgressBar::hidden())
    }
}

impl ProgressIndicator {
    /// Drawn on stderr until it is finished.
    pub fn drawn() -> Self {
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    /// Whether it is hidden.
    pub fn is_hidden(&self) -> bool {
        self.0.is_hidden()
    }

    /// Says what is under way.
    pub fn set_message(&self, text: &str) {
        self.0.set_message(guarded(text));
    }

    /// Says what is under way, and for how long it has been.
    pub fn set_step(&self, text: &str) {
        self.0.set_style(style("{spinner} {msg} {elapsed}"));
        self.set_message(text);
    }

    /// Says how much of something is done.
    pub fn set_share(&self, text: &str, done: usize, all: usize) {
        self.0.set_style(style("{spinner} {wide_bar} {msg} {elapsed}"));
        self.0.set_length(all as u64);
        self.0.set_position(done as u64);
        self.set_message(text);
    }

    /// Takes it off the screen while `write` writes there.
    pub fn suspend<R>(&self, write: impl FnOnce() -> R) -> R {
        self.0.suspend(write)
    }

    /// Takes it off the screen.
    pub fn finish_and_clear(&self) {
        self.0.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
