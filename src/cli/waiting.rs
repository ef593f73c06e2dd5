//! `--wait`: what apply and watch say of waiting, and what a person sees meanwhile.

use std::io::Write as _;
use std::time::Duration;

use clap::Args;

use super::present;
use super::session::Session;
use super::ui::Ui;
use crate::halt::Halt;
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
    /// Whether to wait, where nobody says so with `otherwise`.
    pub fn is_wanted(&self, otherwise: bool) -> bool {
        self.wait || (otherwise && !self.no_wait)
    }
}

/// Waits until everything is healthy, shows on a terminal what is waited for, and adds what came of
/// it to the report.
pub async fn wait(
    (session, survey): (&Session, &Survey),
    report: &mut Report,
    (timeout, halt): (Duration, &Halt),
    ui: &mut Ui,
) {
    let (redactor, glyphs) = (survey.redactor(), ui.glyphs());
    let table = ui.waiting("looking how things are");
    let (mut told, mut notes) = (table.is_hidden(), 0);
    let waiting = Waiting {
        inventory: &session.named.target.inventory,
        timeout,
        halt,
        events: &mut |proof| {
            for note in &proof.notes[notes..] {
                table.suspend(|| ui.warning(&glyphs.inert(&redactor.text(note))));
            }
            notes = proof.notes.len();
            if std::mem::take(&mut told) {
                // A closed stderr leaves nobody to tell.
                let _ = writeln!(ui.stderr(), "{}", present::waiting::beginning(proof, timeout));
            }
            table.set_message(present::waiting::table(proof, redactor, glyphs));
        },
    };
    report.proof = prove(survey, &session.cluster, (report, waiting)).await;
    table.finish_and_clear();
    let ended = report.proof.as_ref().map(|proof| proof.ended);
    report.interrupted |= ended == Some(Ended::Interrupted);
}

/// Reads a time such as `90s`, `5m` or `1h30m`; a plain number counts seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time such as 90s, 5m or 1h30m");
    let (mut total, mut number) = (Duration::ZERO, String::new());
    let mut add = |number: &mut String, seconds: f64| {
        let count: f64 = std::mem::take(number).parse().map_err(|_| wrong())?;
        let part = Duration::try_from_secs_f64(count * seconds).map_err(|_| wrong())?;
        total = total.checked_add(part).ok_or_else(wrong)?;
        Ok::<(), String>(())
    };
    for c in text.chars() {
        match c {
            '0'..='9' | '.' => number.push(c),
            's' => add(&mut number, 1.0)?,
            'm' => add(&mut number, 60.0)?,
            'h' => add(&mut number, 3600.0)?,
            _ => return Err(wrong()),
        }
    }
    if !number.is_empty() {
        add(&mut number, 1.0)?;
    }
    // No one waits for a year; a sum of instants must not overflow either.
    match total {
        Duration::ZERO => Err("must be more than 0".to_owned()),
        total if total > Duration::from_secs(366 * 86_400) => Err(wrong()),
        total => Ok(total),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_people_write_it() {
        for (text, seconds) in
            [("90s", 90.0), ("5m", 300.0), ("1h30m", 5400.0), ("7", 7.0), ("0.5s", 0.5)]
        {
            assert_eq!(duration(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["", "0", "0s", "m", "5d", "-5", "1m5x", "1.2.3", "99999999h", "1e9"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
