//! `--wait`: what apply and watch say of waiting, and what a person sees meanwhile.

use std::time::Duration;

use clap::Args;

use super::present;
use super::session::Session;
use super::ui::Ui;
use crate::cancel::Cancellation;
use crate::health::Ended;
use crate::reconcile::{Survey, Waiting, prove};
use crate::report::Report;

/// Whether to wait until everything is healthy.
#[derive(Debug, Args)]
pub struct WaitArgs {
    /// Wait until everything is healthy, and end with 1 if it does not get so
    ///
    /// An object with the annotation `trueup.dev/wait: "false"` is not waited for.
    #[arg(long, overrides_with = "no_wait")]
    wait: bool,

    /// Do not wait
    #[arg(long, overrides_with = "wait")]
    no_wait: bool,
}

impl WaitArgs {
    /// Whether to wait: flags count first, then what is `said` elsewhere, then `otherwise`.
    pub fn is_wanted(&self, said: Option<bool>, otherwise: bool) -> bool {
        self.wait || (said.unwrap_or(otherwise) && !self.no_wait)
    }
}

/// Waits until everything is healthy, shows on a terminal what is waited for, and adds what came of
/// it to the report.
pub async fn wait(
    (session, survey): (&Session, &Survey),
    report: &mut Report,
    (timeout, cancel): (Duration, &Cancellation),
    ui: &mut Ui,
) {
    let (redactor, glyphs) = (survey.redactor(), ui.glyphs());
    let table = ui.waiting("looking how things are");
    let (mut told, mut notes) = (table.is_hidden(), 0);
    let waiting = Waiting {
        inventory: &session.named.target.inventory,
        timeout,
        cancel,
        events: &mut |proof| {
            for note in &proof.notes[notes..] {
                table.suspend(|| ui.warning(&redactor.text(note)));
            }
            notes = proof.notes.len();
            if std::mem::take(&mut told) {
                ui.note(&present::waiting::beginning(proof, timeout));
            }
            table.set_message(&present::waiting::table(proof, timeout, redactor, glyphs));
        },
    };
    report.proof = prove(survey, &session.cluster, (report, waiting)).await;
    table.finish_and_clear();
    let ended = report.proof.as_ref().map(|proof| proof.ended);
    report.interrupted |= ended == Some(Ended::Interrupted);
}
