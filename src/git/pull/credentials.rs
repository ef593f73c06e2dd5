//! Credentials for a remote and for a proxy: from git's credential helpers, from its askpass, and
//! at last from a person at the terminal.

use std::sync::{Arc, Mutex, PoisonError};

use gix::bstr::{BString, ByteSlice};
use gix::credentials::helper::{Action, Cascade};
use gix::credentials::protocol::{Context, Outcome};
use gix::sec::identity::Account;

use super::prompt;
use super::watchdog::ActivityCounter;
use crate::git::cause::NoCredentials;

/// A user at one server, and the password if it came along.
#[derive(Clone, Debug)]
pub(super) struct Credentials {
    pub(super) user: String,
    pub(super) password: Option<String>,
    /// The URL that they came with, without them.
    pub(super) url: gix::Url,
}

/// Asks for credentials, and remembers whom it asked, to report the result to them.
pub(super) struct Asking {
    repo: gix::Repository,
    pulse: ActivityCounter,
    /// The user that a URL names, and its server.
    named: Option<UserAtServer>,
    asked: Option<Cascade>,
    answers: Answers,
}

/// Earlier answers, on other connections of the same pull: a person types them once.
#[derive(Clone, Default)]
pub(super) struct Answers(Arc<Mutex<Vec<AccountForUrl>>>);

/// An account that was given for a URL.
#[derive(Clone)]
struct AccountForUrl {
    url: gix::Url,
    account: Account,
}

impl Answers {
    fn of(&self, url: &gix::Url) -> Option<Account> {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_for = |answer: &&AccountForUrl| {
            let user = url.user().is_none_or(|user| user == answer.account.username);
            user && answer.url.path == url.path && is_same_server(&answer.url, url)
        };
        answers.iter().find(is_for).map(|answer| answer.account.clone())
    }

    fn keep(&self, url: gix::Url, account: Account) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.push(AccountForUrl { url, account });
    }

    /// Forgets all: one of them was refused.
    fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// A user at one server.
#[derive(Clone, Debug)]
pub(super) struct UserAtServer {
    pub(super) user: String,
    pub(super) url: gix::Url,
}

impl Asking {
    pub(super) fn new(
        repo: gix::Repository,
        pulse: ActivityCounter,
        named: Option<UserAtServer>,
    ) -> Self {
        Self { repo, pulse, named, asked: None, answers: Answers::default() }
    }

    /// The same, and it remembers with others what was answered.
    pub(super) fn with_answers(mut self, answers: Answers) -> Self {
        self.answers = answers;
        self
    }

    /// Does what git's `credential` does for `action`.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub(super) fn act(&mut self, action: Action) -> gix::Result<Option<Outcome>> {
        if matches!(action, Action::Erase(_)) {
            self.answers.clear();
        }
        match action {
            Action::Get(context) => match self.get(context) {
                // A helper may want no one else to be asked.
                Err(error) if error.is_unauthenticated() || error.is_cancelled() => {
                    Err(gix::Error::from_error(NoCredentials))
                }
                answer => answer.map(Some),
            },
            Action::Store(_) | Action::Erase(_) => match self.asked.as_mut() {
                Some(cascade) => cascade.invoke(action, disabled()),
                None => Ok(None),
            },
        }
    }

    fn get(&mut self, context: Context) -> gix::Result<Outcome> {
        let url = context.url.clone().or_else(|| context.to_url()).unwrap_or_default();
        let mut url = gix::url::parse(url.as_bstr())?;
        if let Some(named) = &self.named
            && url.user().is_none()
            && is_same_server(&named.url, &url)
        {
            url.set_user(Some(named.user.clone()));
        }
        if let Some(identity) = self.answers.of(&url) {
            let (username, password) = (identity.username.clone(), identity.password.clone());
            let known = Context { username: Some(username), password: Some(password), ..context };
            return Ok(Outcome { identity, next: known.into() });
        }
        let asked = url.clone();
        let (cascade, action, mut options) = self.repo.config_snapshot().credential_helpers(url)?;
        let Action::Get(mut normal) = action else {
            return Err(failure("git's credential helpers are not asked"));
        };
        normal.www_authenticate = context.www_authenticate;
        let cascade = self.asked.insert(cascade);
        let may_type = options.mode != gix::prompt::Mode::Disable;
        // An askpass is not a terminal: GIT_TERMINAL_PROMPT does not forbid it.
        options.askpass = options.askpass.filter(|program| !program.as_os_str().is_empty());
        options.mode = match options.askpass {
            Some(_) => gix::prompt::Mode::Hidden,
            None => gix::prompt::Mode::Disable,
        };
        let mut known = normal.clone();
        let answer = self.pulse.while_a_person_may_answer(|| {
            let answer = cascade.invoke(Action::Get(normal), options);
            match answer {
                Err(error) if may_type && error.is_unauthenticated() => {
                    known.destructure_url_in_place(cascade.use_http_path)?;
                    typed(known, error)
                }
                answer => answer,
            }
        })?;
        let answer = answer.ok_or_else(|| failure("git's credential helpers answered nothing"))?;
        self.answers.keep(asked, answer.identity.clone());
        Ok(answer)
    }
}

/// The typed credentials; without a terminal the error stays what it was.
fn typed(mut context: Context, error: gix::Error) -> gix::Result<Option<Outcome>> {
    context.url = None;
    let (protocol, host) = (context.protocol.clone(), context.host.clone());
    let place = |user: &str| {
        format!("{}://{user}{}", protocol.as_deref().unwrap_or(""), host.as_deref().unwrap_or(""))
    };
    let username = match context.username.take() {
        Some(username) => username,
        None => match prompt::ask(&format!("Username for '{}': ", place("")), false) {
            Ok(username) => username,
            Err(_) => return Err(error),
        },
    };
    let question = format!("Password for '{}': ", place(&format!("{username}@")));
    let Ok(password) = prompt::ask(&question, true) else { return Err(error) };
    context.username = Some(username.clone());
    context.password = Some(password.clone());
    let identity = Account { username, password, oauth_refresh_token: None };
    Ok(Some(Outcome { identity, next: context.into() }))
}

/// The password for a proxy whose URL names a user alone, as git asks for it.
///
/// # Errors
///
/// When there is no answer.
pub(super) fn for_proxy(
    repo: &gix::Repository,
    pulse: &ActivityCounter,
    url: &str,
) -> gix::Result<Option<Account>> {
    let parsed = gix::url::parse(gix::bstr::BStr::new(url))?;
    if parsed.user().is_none() || parsed.password().is_some() {
        return Ok(None);
    }
    let context = Context { url: Some(BString::from(url)), ..Context::default() };
    match Asking::new(repo.clone(), pulse.clone(), None).get(context) {
        Err(error) if error.is_unauthenticated() => {
            Err(failure("proxy authorization required: git has no password for its user"))
        }
        outcome => outcome.map(|outcome| Some(outcome.identity)),
    }
}

/// Whether credentials of one are good for the other: scheme, host and port.
pub(super) fn is_same_server(one: &gix::Url, other: &gix::Url) -> bool {
    one.scheme == other.scheme
        && one.host() == other.host()
        && one.port_or_default() == other.port_or_default()
}

fn disabled() -> gix::prompt::Options {
    gix::prompt::Options { askpass: None, mode: gix::prompt::Mode::Disable }
}

fn failure(text: &str) -> gix::Error {
    gix::Error::from_error(std::io::Error::other(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use gix::bstr::BStr;

    use super::*;

    #[test]
    fn credentials_are_for_the_server_that_they_were_given_for() {
        let parse = |url| gix::url::parse(BStr::new(url)).unwrap();
        let given = parse("https://host:8443/shop.git");
        for (url, is_same) in [
            ("https://host:8443/shop.git", true),
            ("https://host:8443/other", true),
            ("https://HOST:8443/shop.git", true),
            ("http://host:8443/shop.git", false),
            ("https://host/shop.git", false),
            ("https://host:443/shop.git", false),
            ("https://other:8443/shop.git", false),
            ("https://sub.host:8443/shop.git", false),
            ("https://host:8443@other/shop.git", false),
            ("https://other/?@host:8443/shop.git", false),
        ] {
            assert_eq!(is_same_server(&given, &parse(url)), is_same, "{url}");
        }
    }
}
