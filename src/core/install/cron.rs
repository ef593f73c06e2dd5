//! Lines for crontab(5). All that a round says is mailed: it says nothing where there is nothing to
//! say, so nothing is thrown away here.

use std::fmt;
use std::time::Duration;

use super::{Installation, on_one_line, shell_word};

/// That cron has no such interval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoSchedule(Duration);

impl std::error::Error for NoSchedule {}

impl fmt::Display for NoSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cron can't run every {} s: choose minutes that divide an hour, such as 5m, or hours that \
             divide a day, such as 6h",
            self.0.as_secs()
        )
    }
}

/// The five fields of cron for an interval.
///
/// # Errors
///
/// When no such fields make it.
pub(super) fn schedule(interval: Duration) -> Result<String, NoSchedule> {
    let no = || NoSchedule(interval);
    let seconds = interval.as_secs();
    if !seconds.is_multiple_of(60) || interval.subsec_nanos() > 0 {
        return Err(no());
    }
    match seconds / 60 {
        1 => Ok("* * * * *".to_owned()),
        minutes @ 2..60 if 60 % minutes == 0 => Ok(format!("*/{minutes} * * * *")),
        60 => Ok("0 * * * *".to_owned()),
        minutes if minutes % 60 == 0 => match minutes / 60 {
            hours @ 2..24 if 24 % hours == 0 => Ok(format!("0 */{hours} * * *")),
            24 => Ok("0 0 * * *".to_owned()),
            _ => Err(no()),
        },
        _ => Err(no()),
    }
}

/// The lines of a crontab.
///
/// # Errors
///
/// When cron has no such interval.
pub fn crontab(install: &Installation) -> Result<String, NoSchedule> {
    let schedule = schedule(install.interval)?;
    let watch = install.watch(&install.checkout, &["--once"]);
    let words = [install.program.as_str()].into_iter().chain(watch);
    let command = words.map(shell_word).collect::<Vec<_>>().join(" ");
    // cron ends a command at a percent sign.
    let command = command.replace('%', "\\%");
    let title = on_one_line(install.title());
    Ok(format!(
        "# For crontab -e: {title}\n\
         # A round that did something, or failed, is mailed to this address. It needs a program that\n\
         # takes mail, such as postfix; without one cron drops the text.\n\
         MAILTO={}\n\
         {schedule} {command}\n",
        install.mail_to
    ))
}
