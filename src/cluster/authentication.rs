//! Why authentication or a connection fails, without what is secret: kube's own words quote the whole
//! command line of a program with its output, lines of a kubeconfig, and URLs with their passwords.

use std::error::Error;
use std::process::Output;

use kube::client::AuthError;

use crate::credentials::without_credentials;

/// How many lines of what a plugin says are shown, and how many characters of each.
const LINES: usize = 5;
const LINE: usize = 300;

/// The innermost cause of an error of kube's, which is what a person needs: the layers above only
/// repeat it.
pub(super) fn cause(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    loop {
        if let Some(words) = of_plugin(innermost) {
            return words;
        }
        match innermost.source() {
            Some(source) => innermost = source,
            None => return without_credentials(&innermost.to_string()),
        }
    }
}

/// The words for an error of logging in by a program, where kube's would tell too much.
fn of_plugin(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(kube::Error::Auth(error)) = error.downcast_ref::<kube::Error>() {
        return of_plugin(error);
    }
    let name = "the program of the user's auth-provider";
    Some(match error.downcast_ref::<AuthError>()? {
        AuthError::AuthExecRun { out, .. } => format!("{name} {}", ended(out)),
        AuthError::AuthExecStart(error) => format!("{name} can't be run: {error}"),
        AuthError::ParseTokenKey(_) => format!("{name} printed no JSON"),
        _ => return None,
    })
}

/// How a program ended, and what it says about that itself.
pub(super) fn ended(out: &Output) -> String {
    let said = String::from_utf8_lossy(&out.stderr);
    let lines = said.lines().map(str::trim_end).filter(|line| !line.is_empty());
    let lines: Vec<String> = lines.map(|line| line.chars().take(LINE).collect()).collect();
    let last = lines[lines.len().saturating_sub(LINES)..].join("\n");
    let status = match out.status.code() {
        Some(code) => format!("ended with status {code}"),
        None => "was ended by a signal".to_owned(),
    };
    match last.is_empty() {
        true => status,
        false => without_credentials(&format!("{status}: {last}")),
    }
}
