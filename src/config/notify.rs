//! `notify` of the machine's file: the sinks of messages. A repository can't choose them.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::scalars::{time, time_or_none};
use super::verify::RuleFault;
use crate::core::manifest::{self, PathPart};
use crate::core::notify::{
    Address, Email, Forge, ForgeApi, MailTls, Rules, SecretSource, Sink, SinkFilter, SinkKind,
    Template, Transition,
};

/// The value of a variable that the machine's file names.
#[allow(clippy::disallowed_methods, reason = "the machine's file names it")]
pub fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// How long each request of a delivery may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a message waits for those of other targets that say the same.
const GROUP_WAIT: Duration = Duration::from_secs(5);
/// The most that may be asked for.
const LONGEST_GROUP_WAIT: Duration = Duration::from_secs(3600);
/// GitHub's API.
const GITHUB: &str = "https://api.github.com";
/// GitLab's own forge.
const GITLAB: &str = "https://gitlab.com";

/// The sinks, and when lasting states make messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NotifySettings {
    /// How long git or a cluster may be away before that makes a message.
    #[serde(deserialize_with = "time")]
    pub grace: Option<Duration>,
    /// The sinks.
    pub sinks: Vec<SinkEntry>,
}

/// A sink. The keys that count depend on the type.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SinkEntry {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: SinkType,
    /// Patterns of the targets.
    #[serde(default)]
    pub targets: Vec<String>,
    /// The transitions that it wants.
    #[serde(default)]
    pub transitions: BTreeSet<Transition>,
    /// After how many rounds it wants to hear again of a failure.
    pub reminder: Option<u32>,
    /// The text of a message.
    pub template: Option<String>,
    /// How long each request of a delivery may take.
    #[serde(default, deserialize_with = "time")]
    pub timeout: Option<Duration>,
    /// How long a message waits for those of other targets that say the same.
    #[serde(default, deserialize_with = "time_or_none")]
    pub group_wait: Option<Duration>,
    /// Where messages go.
    pub url: Option<String>,
    /// The key of signatures.
    pub secret: Option<String>,
    /// The token.
    pub token: Option<String>,
    /// The room of Matrix.
    pub room: Option<String>,
    /// The repository of a forge.
    pub repository: Option<String>,
    /// Whether pull requests get a comment.
    pub comments: Option<bool>,
    /// The mail server.
    pub server: Option<String>,
    /// The mail server's port.
    pub port: Option<u16>,
    /// How the connection with the mail server is encrypted.
    pub tls: Option<TlsMode>,
    /// The user at the mail server.
    pub user: Option<String>,
    /// The password there.
    pub password: Option<String>,
    /// The sender.
    pub from: Option<String>,
    /// The recipients.
    pub to: Option<Vec<String>>,
    /// The program and its arguments.
    pub command: Option<Vec<String>>,
}

/// The type of a sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each is the name of what it is")]
pub enum SinkType {
    Webhook,
    Slack,
    Teams,
    Discord,
    Matrix,
    Alertmanager,
    Email,
    Github,
    Gitlab,
    Gitea,
    Command,
}

/// How a connection with a mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each is the name of what it is")]
pub enum TlsMode {
    Starttls,
    Tls,
    None,
}

/// The key that is wrong, and why.
type EntryFault = (&'static str, String);

impl SinkType {
    /// The keys that it needs, and those that it takes besides.
    fn keys(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Webhook => (&["url"], &["secret", "token"]),
            Self::Slack | Self::Teams | Self::Discord => (&["url"], &["group_wait"]),
            Self::Matrix => (&["url", "room", "token"], &["group_wait"]),
            Self::Alertmanager => (&["url"], &["token"]),
            Self::Email => {
                (&["server", "from", "to"], &["port", "tls", "user", "password", "group_wait"])
            }
            Self::Github | Self::Gitlab => (&["repository", "token"], &["url", "comments"]),
            Self::Gitea => (&["url", "repository", "token"], &["comments"]),
            Self::Command => (&["command"], &[]),
        }
    }
}

impl NotifySettings {
    /// The sinks. Those of a file that was read are all valid.
    pub fn sinks(&self) -> Vec<Sink> {
        self.sinks.iter().filter_map(|entry| entry.sink().ok()).collect()
    }

    /// When a lasting state makes a message.
    pub fn rules(&self) -> Rules {
        let (usual, sinks) = (Rules::default(), self.sinks());
        let reminders = sinks.iter().map(|sink| sink.filter.reminder).collect();
        Rules { grace: self.grace.unwrap_or(usual.grace), reminders }
    }

    /// The first entry that can't be meant, in a file called `name`.
    pub(super) fn first_fault(&self, name: &str, bytes: &[u8]) -> Option<RuleFault> {
        let mut names = BTreeSet::new();
        let mut faults = self.sinks.iter().enumerate().filter_map(|(index, entry)| {
            let fault = entry.sink().err();
            let is_new = names.insert(&entry.name);
            let twice = || ("name", format!("another sink has the name {:?}", entry.name));
            fault.or_else(|| (!is_new).then(twice)).map(|fault| (index, fault))
        });
        let (index, (key, message)) = faults.next()?;
        let entry = [PathPart::Key("notify"), PathPart::Key("sinks"), PathPart::Index(index)];
        let at = [&entry[..], &[PathPart::Key(key)]].concat();
        let value = manifest::value(name, bytes).ok().flatten();
        let place = |at: &[PathPart<'_>]| value.as_ref()?.1.of_value(at);
        let (line, column) = place(&at).or_else(|| place(&entry)).unwrap_or((1, 1));
        let message = format!("notify.sinks[{index}].{key}: {message}");
        Some(RuleFault { line, column, message })
    }
}

impl SinkEntry {
    /// The keys that depend on the type and are there.
    fn given(&self) -> Vec<&'static str> {
        let all = [
            ("group_wait", self.group_wait.is_some()),
            ("url", self.url.is_some()),
            ("secret", self.secret.is_some()),
            ("token", self.token.is_some()),
            ("room", self.room.is_some()),
            ("repository", self.repository.is_some()),
            ("comments", self.comments.is_some()),
            ("server", self.server.is_some()),
            ("port", self.port.is_some()),
            ("tls", self.tls.is_some()),
            ("user", self.user.is_some()),
            ("password", self.password.is_some()),
            ("from", self.from.is_some()),
            ("to", self.to.is_some()),
            ("command", self.command.is_some()),
        ];
        all.into_iter().filter(|(_, is_there)| *is_there).map(|(key, _)| key).collect()
    }

    fn sink(&self) -> Result<Sink, EntryFault> {
        let (needed, others) = self.kind.keys();
        let given = self.given();
        if self.name.is_empty() {
            return Err(("name", "a name is missing".to_owned()));
        }
        if let Some(key) = given.iter().find(|key| !needed.contains(key) && !others.contains(key)) {
            return Err((key, "a sink of this type does not have this key".to_owned()));
        }
        if let Some(key) = needed.iter().find(|key| !given.contains(key)) {
            return Err((key, "it is missing".to_owned()));
        }
        let template = self.template.as_deref().map(Template::read).transpose();
        let template = template.map_err(|error| ("template", error.to_string()))?;
        let reminder = self.reminder.unwrap_or(SinkFilter::default().reminder);
        let (targets, transitions) = (self.targets.clone(), self.transitions.clone());
        if transitions.contains(&Transition::Dropped) {
            return Err(("transitions", "every sink gets \"dropped\"".to_owned()));
        }
        let kind = self.sink_kind()?;
        let usual = if kind.is_read_by_people() { GROUP_WAIT } else { Duration::ZERO };
        let group_wait = self.group_wait.unwrap_or(usual);
        if group_wait > LONGEST_GROUP_WAIT {
            return Err(("group_wait", "it is longer than 1h".to_owned()));
        }
        Ok(Sink {
            name: self.name.clone(),
            filter: SinkFilter { targets, transitions, reminder },
            template: template.unwrap_or_default(),
            timeout: self.timeout.unwrap_or(TIMEOUT),
            group_wait,
            kind,
        })
    }

    fn sink_kind(&self) -> Result<SinkKind, EntryFault> {
        let token = || secret("token", self.token.as_deref());
        let url = || address(self.url.as_deref().unwrap_or_default());
        let secret_url = || secret("url", self.url.as_deref()).and_then(needed("url"));
        Ok(match self.kind {
            SinkType::Webhook => SinkKind::Webhook {
                url: url()?,
                secret: secret("secret", self.secret.as_deref())?,
                token: token()?,
            },
            SinkType::Slack => SinkKind::Slack(secret_url()?),
            SinkType::Teams => SinkKind::Teams(secret_url()?),
            SinkType::Discord => SinkKind::Discord(secret_url()?),
            SinkType::Matrix => SinkKind::Matrix {
                url: url()?,
                room: self.room.clone().unwrap_or_default(),
                token: token().and_then(needed("token"))?,
            },
            SinkType::Alertmanager => SinkKind::Alertmanager { url: url()?, token: token()? },
            SinkType::Email => SinkKind::Email(self.email()?),
            SinkType::Github => SinkKind::Forge(self.forge(ForgeApi::GitHub, GITHUB)?),
            SinkType::Gitlab => SinkKind::Forge(self.forge(ForgeApi::GitLab, GITLAB)?),
            SinkType::Gitea => SinkKind::Forge(self.forge(ForgeApi::Gitea, "")?),
            SinkType::Command => {
                let argv = self.command.clone().unwrap_or_default();
                match argv.first().is_some_and(|program| PathBuf::from(program).is_absolute()) {
                    true => SinkKind::Command(argv),
                    false => {
                        let message = "the program is not an absolute path".to_owned();
                        return Err(("command", message));
                    }
                }
            }
        })
    }

    fn email(&self) -> Result<Email, EntryFault> {
        let password = secret("password", self.password.as_deref())?;
        if self.user.is_some() != password.is_some() {
            let key = if self.user.is_some() { "password" } else { "user" };
            return Err((key, "user and password go together".to_owned()));
        }
        let to = self.to.clone().unwrap_or_default();
        if to.is_empty() {
            return Err(("to", "a recipient is missing".to_owned()));
        }
        Ok(Email {
            server: self.server.clone().unwrap_or_default(),
            port: self.port,
            tls: match self.tls {
                None | Some(TlsMode::Starttls) => MailTls::Starttls,
                Some(TlsMode::Tls) => MailTls::Tls,
                Some(TlsMode::None) => MailTls::None,
            },
            user: self.user.clone(),
            password,
            from: self.from.clone().unwrap_or_default(),
            to,
        })
    }

    fn forge(&self, api: ForgeApi, usual: &str) -> Result<Forge, EntryFault> {
        let repository = self.repository.clone().unwrap_or_default();
        let count = repository.split('/').filter(|part| !part.is_empty()).count();
        let is_valid = match api {
            ForgeApi::GitLab => count >= 1,
            ForgeApi::GitHub | ForgeApi::Gitea => count == 2,
        };
        if !is_valid {
            let message = format!("invalid repository {repository:?}: expected owner/name");
            return Err(("repository", message));
        }
        Ok(Forge {
            api,
            url: address(self.url.as_deref().unwrap_or(usual))?,
            repository,
            token: secret("token", self.token.as_deref()).and_then(needed("token"))?,
            comments: self.comments.unwrap_or(false),
        })
    }
}

fn needed<T>(key: &'static str) -> impl Fn(Option<T>) -> Result<T, EntryFault> {
    move |value| value.ok_or_else(|| (key, "it is missing".to_owned()))
}

/// Where a secret is. It is never quoted: it may be the secret itself.
fn secret(key: &'static str, text: Option<&str>) -> Result<Option<SecretSource>, EntryFault> {
    let wrong = || (key, "it is secret: expected file:/PATH or env:NAME".to_owned());
    text.map(|text| source(text).ok_or_else(wrong)).transpose()
}

fn source(text: &str) -> Option<SecretSource> {
    if let Some(name) = text.strip_prefix("env:") {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let is_valid = !name.is_empty() && name.chars().all(is_name);
        return is_valid.then(|| SecretSource::Env(name.to_owned()));
    }
    let path = PathBuf::from(text.strip_prefix("file:")?);
    path.is_absolute().then_some(SecretSource::File(path))
}

fn address(text: &str) -> Result<Address, EntryFault> {
    if let Some(source) = source(text) {
        return Ok(Address::Secret(source));
    }
    match text.starts_with("https://") || text.starts_with("http://") {
        true => Ok(Address::Plain(text.to_owned())),
        false => Err(("url", "expected https://…, file:/PATH or env:NAME".to_owned())),
    }
}

#[cfg(test)]
mod tests;
