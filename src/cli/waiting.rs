//! `--wait`: what apply and watch say of waiting, and what a person sees meanwhile.

use std::time::Duration;

use clap::Args;

use super::headings::HOW;
use super::present;
use super::ui::{ProgressIndicator, Ui};
use crate::core::health::HealthSummary;
use crate::core::mask::Masked;

/// Whether to wait until everything is healthy.
#[derive(Debug, Args)]
pub struct WaitArgs {
    /// Wait until all is healthy; exit 1 if not in time
    ///
    /// An object with the annotation `trueup.dev/wait: "false"` is not waited for.
    #[arg(long, overrides_with = "no_wait", help_heading = HOW, display_order = 2)]
    wait: bool,

    /// Do not wait
    ///
    /// apply --all-targets waits all the same for targets that others come after.
    #[arg(long, overrides_with = "wait", help_heading = HOW, display_order = 10, hide_short_help = true)]
    no_wait: bool,
}

impl WaitArgs {
    /// Whether to wait: flags count first, then what is `said` elsewhere, then `otherwise`.
    pub fn is_wanted(&self, said: Option<bool>, otherwise: bool) -> bool {
        self.wait || (said.unwrap_or(otherwise) && !self.no_wait)
    }
}

/// The display while objects are waited for: a table on a terminal, else one line.
pub struct WaitDisplay {
    table: ProgressIndicator,
    timeout: Duration,
    /// Whether it was said for how many objects it is waited.
    has_begun: bool,
    /// How many notes were shown.
    notes: usize,
}

impl WaitDisplay {
    /// Begins to show it.
    pub fn new(timeout: Duration, ui: &Ui) -> Self {
        let table = ui.waiting("reading the health of the objects");
        Self { has_begun: !table.is_hidden(), table, timeout, notes: 0 }
    }

    /// Shows how the objects are.
    pub fn show(&mut self, proof: &Masked<HealthSummary>, ui: &mut Ui) {
        let glyphs = ui.glyphs();
        for note in &proof.notes[self.notes.min(proof.notes.len())..] {
            self.table.suspend(|| ui.warning(note));
        }
        self.notes = proof.notes.len();
        if !std::mem::replace(&mut self.has_begun, true) {
            ui.note(&present::waiting::beginning(proof, self.timeout));
        }
        let table = present::waiting::table(proof, self.timeout, glyphs);
        self.table.set_message(&table);
    }

    /// Takes it off the screen.
    pub fn finish(self) {
        self.table.finish_and_clear();
    }
}
