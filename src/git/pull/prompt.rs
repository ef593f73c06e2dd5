//! Asks the person at the terminal, as git does where no helper knows the answer.
//!
//! A password is typed without echo. Whoever gives up on the answer, because of Ctrl-C, turns the
//! echo on again with [`restore`]: the thread that asks still waits for the line then.

/// Asks `question` of whoever sits at the terminal.
///
/// # Errors
///
/// When there is no terminal, or it is closed.
#[cfg(unix)]
pub(super) fn ask(question: &str, is_secret: bool) -> std::io::Result<String> {
    use std::io::{BufRead, Write};

    let mut terminal = terminal()?;
    let _echo = is_secret.then(|| Hidden::begin(&terminal)).transpose()?;
    terminal.write_all(question.as_bytes())?;
    let mut answer = String::new();
    let length = std::io::BufReader::new(&terminal).read_line(&mut answer)?;
    match length {
        0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(answer.trim_end_matches(['\n', '\r']).to_owned()),
    }
}

/// Asks nothing: there is no terminal that we know of.
///
/// # Errors
///
/// Always.
#[cfg(not(unix))]
pub(super) fn ask(_question: &str, _is_secret: bool) -> std::io::Result<String> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Whether a person may be there to answer.
pub(super) fn has_person() -> bool {
    use super::settings::variable;
    #[cfg(unix)]
    if terminal().is_ok() {
        return true;
    }
    ["DISPLAY", "WAYLAND_DISPLAY"].into_iter().any(|name| variable(name).is_some())
}

#[cfg(unix)]
fn terminal() -> std::io::Result<std::fs::File> {
    std::fs::File::options().read(true).write(true).open("/dev/tty")
}

#[cfg(unix)]
use hidden::Hidden;
#[cfg(unix)]
pub(super) use hidden::restore;

#[cfg(not(unix))]
pub(super) fn restore() {}

#[cfg(unix)]
mod hidden {
    use std::fs::File;
    use std::io::Write;
    use std::sync::{Mutex, PoisonError};

    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

    /// How the terminal was before its echo was turned off.
    static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

    /// While it lives nothing is echoed but the end of the line.
    pub(super) struct Hidden;

    impl Hidden {
        pub(super) fn begin(terminal: &File) -> std::io::Result<Self> {
            let before = tcgetattr(terminal)?;
            let mut hidden = before.clone();
            hidden.local_modes.remove(LocalModes::ECHO);
            hidden.local_modes.insert(LocalModes::ECHONL);
            *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
            tcsetattr(terminal, OptionalActions::Flush, &hidden)?;
            Ok(Self)
        }
    }

    impl Drop for Hidden {
        fn drop(&mut self) {
            restore_terminal();
        }
    }

    /// Turns the echo on again where a question is still open, and ends its line.
    pub(in super::super) fn restore() {
        if restore_terminal()
            && let Ok(mut terminal) = super::terminal()
        {
            let _ = terminal.write_all(b"\n");
        }
    }

    fn restore_terminal() -> bool {
        let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (Some(before), Ok(terminal)) = (before, super::terminal()) else { return false };
        tcsetattr(&terminal, OptionalActions::Flush, &before).is_ok()
    }
}
