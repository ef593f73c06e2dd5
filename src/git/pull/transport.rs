//! How to talk to a remote: what git's configuration says that gix leaves out, and patience.

use std::time::Duration;

use gix::bstr::BStr;
use gix::protocol::transport::client::blocking_io::{Transport, http};
use gix::remote::{Connection, Direction};
use gix::sec::identity::Account;
use gix::url::Scheme;

use super::credentials::{self, Answers, Asking, Credentials, UserAtServer, is_same_server};
use super::http_transport::Web;
use super::program_transport::{Spawned, Ssh, TransportProgram};
use super::proxy::Choices;
use super::remote_messages::RemoteMessages;
use super::session::{HttpSession, HttpSessionOptions};
use super::settings::HttpSettings;
use super::url::refuse_options;
use super::watchdog::ActivityCounter;
use super::{PullError, PullOptions, Warnings};

type GixResult<T> = gix::Result<T>;

/// The options of every connection of one pull.
#[derive(Clone)]
pub(super) struct TransportOptions {
    /// How long to wait for a connection, or for the next byte.
    pub(super) patience: Duration,
    /// The credentials that came with `--url`, and where they belong.
    pub(super) credentials: Option<Credentials>,
    /// The most bytes that a list of refs may have.
    pub(super) refs: u64,
    /// Messages of the remote.
    pub(super) words: RemoteMessages,
    warnings: Warnings,
    /// Answers to questions for credentials.
    answers: Answers,
}

impl TransportOptions {
    pub(super) fn of(options: &PullOptions, credentials: Option<Credentials>) -> Self {
        Self {
            patience: options.timeout,
            credentials,
            refs: options.limits.refs,
            words: RemoteMessages::counted(options.traffic.clone()),
            warnings: options.warnings.clone(),
            answers: Answers::default(),
        }
    }

    /// Counts a connection that asks for refs.
    pub(super) fn add_poll(&self) {
        self.words.traffic().add_poll();
    }
}

/// The ssh to run where the user chose none: one that does not prompt and does not wait for ever.
///
/// Returned as configuration overrides.
pub(super) fn ssh_defaults(repo: &gix::Repository, patience: Duration) -> Vec<String> {
    let Ok(chosen) = repo.ssh_connect_options() else { return Vec::new() };
    if chosen.command.is_some() || chosen.kind.is_some() {
        return Vec::new();
    }
    let seconds = patience.as_secs().clamp(1, 30);
    vec![
        format!(
            "core.sshCommand=ssh -o BatchMode=yes -o ConnectTimeout={seconds} \
             -o ServerAliveInterval=15"
        ),
        "ssh.variant=ssh".to_owned(),
    ]
}

/// Prepares `connection`, of the remote called `remote`, before its first use.
pub(super) fn prepare(
    connection: &mut Connection<'_, '_, '_, Box<dyn Transport + Send>>,
    remote: Option<&BStr>,
    manner: &TransportOptions,
    pulse: &ActivityCounter,
) -> GixResult<()> {
    let repo = connection.remote().repo().clone();
    let (mut url, version) = connection.remote().sanitized_url_and_version(Direction::Fetch)?;
    refuse_options(&url).map_err(refused)?;
    match url.scheme {
        Scheme::Http | Scheme::Https => {
            let credentials = credentials_of(&mut url, manner);
            let mut plan = plan(&repo, remote, &url, manner, pulse)?;
            if let Some(Credentials { user, password, .. }) = credentials.clone() {
                plan.user = Some(user.clone());
                plan.given = password.map(|password| Account {
                    username: user,
                    password,
                    oauth_refresh_token: None,
                });
            }
            let text = url.to_bstring();
            let session = HttpSession::new(plan, text.as_ref(), manner.words.clone())?;
            *connection.transport_mut() = Box::new(Web::new(session, url, version, manner.refs));
            let named = credentials.map(|Credentials { user, url, .. }| UserAtServer { user, url });
            let asking = Asking::new(repo, pulse.clone(), named);
            let mut asking = asking.with_answers(manner.answers.clone());
            connection.set_credentials(move |action| asking.act(action));
        }
        Scheme::Ssh | Scheme::File => {
            let ssh = match url.scheme {
                Scheme::Ssh => {
                    let chosen = repo.ssh_connect_options()?;
                    let command = chosen.ssh_command().to_owned();
                    let may_be_script = !chosen.disallow_shell;
                    Some(Ssh { command, may_be_script, kind: chosen.kind })
                }
                _ => None,
            };
            let key = remote.map(|remote| format!("remote.{remote}.uploadpack"));
            let upload_pack = key.and_then(|key| repo.config_snapshot().string(key.as_str()));
            let upload_pack = upload_pack.map(|program| program.to_string());
            let program = TransportProgram { url, version, upload_pack, ssh };
            *connection.transport_mut() = Box::new(Spawned::new(program, manner.words.clone()));
        }
        _ => {}
    }
    Ok(())
}

fn refused(error: PullError) -> gix::Error {
    let why =
        std::error::Error::source(&error).map_or_else(|| error.to_string(), |e| e.to_string());
    gix::Error::from_error(std::io::Error::other(why))
}

/// Takes the credentials out of `url`. Those that came with `--url` count at their server.
fn credentials_of(url: &mut gix::Url, manner: &TransportOptions) -> Option<Credentials> {
    let password = url.set_password(None);
    let user = url.set_user(None);
    let given = manner.credentials.clone().filter(|given| is_same_server(&given.url, url));
    given.or_else(|| user.map(|user| Credentials { user, password, url: url.clone() }))
}

/// The options of requests to `url`; the credentials are added later.
fn plan(
    repo: &gix::Repository,
    remote: Option<&BStr>,
    url: &gix::Url,
    manner: &TransportOptions,
    pulse: &ActivityCounter,
) -> GixResult<HttpSessionOptions> {
    let text = url.to_bstring();
    let options = repo.transport_options(text.as_ref() as &BStr, None)?;
    let options = options.and_then(|any| any.downcast::<http::Options>().ok());
    let options = options.map(|options| *options).unwrap_or_default();
    let settings = HttpSettings::of(repo, url, &options);
    let mut proxies =
        Choices::of(repo, remote, settings.proxy.clone()).map_err(gix::Error::from_error)?;
    // git asks for the one that it uses, and for no other.
    if let Some(proxy) = proxies.choose_mut(url.scheme.as_str(), url.host().unwrap_or_default())
        && let Some(account) = credentials::for_proxy(repo, pulse, &proxy.url)?
    {
        manner.words.hide(&account.password);
        proxy.set_account(&account);
    }
    Ok(HttpSessionOptions {
        settings,
        proxies,
        given: None,
        user: None,
        patience: manner.patience,
        warnings: manner.warnings.clone(),
    })
}
