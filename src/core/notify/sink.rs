//! Sinks take messages: those that the machine's file names.

use std::path::PathBuf;
use std::time::Duration;

use super::message::Message;
use super::rules::SinkFilter;
use super::template::Template;

/// Something that takes messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sink {
    /// Its name, which no other sink has.
    pub name: String,
    /// The messages that it wants.
    pub filter: SinkFilter,
    /// The text of a message.
    pub template: Template,
    /// How long each request of a delivery may take.
    pub timeout: Duration,
    /// How long a message waits for those of other targets that say the same; zero to send each by itself.
    pub group_wait: Duration,
    /// Its kind, with the way to it.
    pub kind: SinkKind,
}

/// Where a secret is. The secret itself is never in the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// In a file.
    File(PathBuf),
    /// In a variable of the environment.
    Env(String),
}

/// An address, which may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// It is not.
    Plain(String),
    /// It is, or it is kept where secrets are.
    Secret(SecretSource),
}

/// The kind of a sink, and the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkKind {
    /// JSON by POST.
    Webhook {
        /// The address.
        url: Address,
        /// The key that requests are signed with.
        secret: Option<SecretSource>,
        /// A bearer token.
        token: Option<SecretSource>,
    },
    /// An incoming webhook of Slack, Mattermost or Rocket.Chat.
    Slack(SecretSource),
    /// A workflow of Teams.
    Teams(SecretSource),
    /// A webhook of Discord.
    Discord(SecretSource),
    /// A room of Matrix.
    Matrix {
        /// The homeserver.
        url: Address,
        /// The room's id.
        room: String,
        /// The access token.
        token: SecretSource,
    },
    /// Alertmanager.
    Alertmanager {
        /// The address.
        url: Address,
        /// A bearer token.
        token: Option<SecretSource>,
    },
    /// E-mail.
    Email(Email),
    /// The commit on a forge.
    Forge(Forge),
    /// A program of this machine.
    Command(Vec<String>),
}

/// How e-mail is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    /// The server's name.
    pub server: String,
    /// Its port; by default that of the encryption.
    pub port: Option<u16>,
    /// How the connection is encrypted.
    pub tls: MailTls,
    /// The user, where the server asks for one.
    pub user: Option<String>,
    /// The password.
    pub password: Option<SecretSource>,
    /// The sender.
    pub from: String,
    /// The recipients.
    pub to: Vec<String>,
}

/// How a connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MailTls {
    /// After it was asked for, or else nothing is sent.
    #[default]
    Starttls,
    /// From the beginning.
    Tls,
    /// Not at all; to this machine alone.
    None,
}

/// A forge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forge {
    /// Which API it has.
    pub api: ForgeApi,
    /// The address of the forge or of its API.
    pub url: Address,
    /// The repository: owner and name.
    pub repository: String,
    /// The token.
    pub token: SecretSource,
    /// Whether pull requests of the commit get a comment.
    pub comments: bool,
}

/// The API of a forge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForgeApi {
    /// GitHub's.
    GitHub,
    /// GitLab's.
    GitLab,
    /// Gitea's, which is Forgejo's, too.
    Gitea,
}

impl SinkKind {
    /// Whether people read it, one message after another. All others take the messages of each target apart.
    pub fn is_read_by_people(&self) -> bool {
        match self {
            Self::Slack(_) | Self::Teams(_) | Self::Discord(_) => true,
            Self::Matrix { .. } | Self::Email(_) => true,
            Self::Webhook { .. } | Self::Alertmanager { .. } => false,
            Self::Forge(_) | Self::Command(_) => false,
        }
    }
}

impl Sink {
    /// Whether it wants a message, and can say it.
    pub fn wants(&self, message: &Message) -> bool {
        let can_say = match &self.kind {
            SinkKind::Alertmanager { .. } => message.alert().is_some(),
            SinkKind::Forge(_) => message.verdict().is_some(),
            _ => true,
        };
        can_say && self.filter.wants(message)
    }
}
