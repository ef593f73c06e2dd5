//! Pushes that forges tell: they wake the targets whose repository and ref they name.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clap::{Args, ValueHint};

use super::{Begun, figures};
use crate::app::watch::WakeReason;
use crate::cli::exit::Failure;
use crate::cli::headings::HOW;
use crate::cli::tracked::tracking;
use crate::config::webhook_secret;
use crate::core::notify::SecretSource;
use crate::core::tracking::TrackedRef;
use crate::core::webhook::{
    LARGEST, Push, Refusal, RepositoryId, SHORTEST_SECRET, Told, WebhookSecret, read,
};
use crate::git::Checkout;
use crate::local::push_listener::{Takes, listen};
use crate::local::secrets::Secrets;

/// Where pushes are heard.
#[derive(Clone, Debug, Args)]
pub struct WebhookArgs {
    /// Hear of pushes at ADDRESS, such as 9465 or 0.0.0.0:9465, and begin a round
    ///
    /// A port alone is heard on this machine alone. Pushes of GitHub, Gitea, Gogs, GitLab and Bitbucket
    /// Server are understood. The secret is that of `--webhook-secret-file`, else of
    /// TRUEUP_WEBHOOK_SECRET.
    #[arg(long, value_name = "ADDRESS", value_parser = figures::address, conflicts_with = "once", help_heading = HOW, display_order = 21, hide_short_help = true)]
    webhook: Option<SocketAddr>,

    /// The file with the secret that the forge signs pushes with
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "webhook", help_heading = HOW, display_order = 22, hide_short_help = true)]
    webhook_secret_file: Option<PathBuf>,
}

impl WebhookArgs {
    /// Listens from now on, where that is wanted. Gives the address.
    ///
    /// # Errors
    ///
    /// When there is no secret, or the address can't be listened at.
    pub(super) async fn listen(&self, begun: &Begun<'_>) -> Result<Option<SocketAddr>, Failure> {
        let Some(address) = self.webhook else { return Ok(None) };
        let secret = self.secret(begun.checkout.folders())?;
        // One that is of no use is no reason to begin.
        secret.read()?;
        let (wakes, directory) = (begun.wakes.clone(), begun.directory.to_owned());
        let faults = begun.faults.clone();
        let takes: Takes = Arc::new(move |headers, body| {
            let Ok(secret) = secret.read().map_err(|failure| faults.note(&failure)) else {
                return 503;
            };
            match read(headers, body, &secret) {
                Ok(Told::Push(push)) => {
                    for name in concerned(&push, &wakes.names(), &directory) {
                        wakes.ring(name, WakeReason::Pushed);
                    }
                    202
                }
                Ok(Told::Other) => 202,
                Err(Refusal::Unproven) => 401,
                Err(Refusal::UnknownForge | Refusal::Garbled) => 400,
            }
        });
        let heard = listen(address, LARGEST, takes).await;
        let heard =
            heard.map_err(|error| anyhow::anyhow!("cannot listen at {address}: {error}"))?;
        Ok(Some(heard))
    }

    fn secret(&self, checkout: Vec<PathBuf>) -> Result<SharedSecret, Failure> {
        let source = match &self.webhook_secret_file {
            Some(file) => SecretSource::File(std::path::absolute(file)?),
            None if webhook_secret::variable().is_some() => {
                SecretSource::Env(webhook_secret::VARIABLE.to_owned())
            }
            None => {
                let error = anyhow::anyhow!("--webhook needs a secret");
                let hint = format!(
                    "name its file by --webhook-secret-file, or set {}",
                    webhook_secret::VARIABLE
                );
                return Err(Failure { error, hints: vec![hint] });
            }
        };
        let secrets = Secrets { variable: |_| webhook_secret::variable(), checkout };
        Ok(SharedSecret { secrets, source })
    }
}

/// The secret that the forge has, too. It may be replaced while the watch runs.
struct SharedSecret {
    secrets: Secrets,
    source: SecretSource,
}

impl SharedSecret {
    fn read(&self) -> Result<WebhookSecret, Failure> {
        let text = self.secrets.read(&self.source).map_err(|error| {
            let Failure { error, hints } = error.into();
            Failure { error: error.context("cannot use the webhook's secret"), hints }
        })?;
        let short =
            || anyhow::anyhow!("the webhook's secret is shorter than {SHORTEST_SECRET} characters");
        Ok(WebhookSecret::new(&text).ok_or_else(short)?)
    }
}

/// Why pushes can't be proven at the moment. Clones share it.
#[derive(Clone, Default)]
pub(super) struct PushFaults(Arc<Mutex<Option<String>>>);

impl PushFaults {
    fn note(&self, failure: &Failure) {
        *self.lock() = Some(format!("a push is refused: {:#}", failure.error));
    }

    /// The last fault since this was asked last.
    pub(super) fn take(&self) -> Option<String> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The targets that a push may bring a commit for. The remote and the refs are read each time: they may
/// change while the watch runs.
fn concerned<'n>(push: &Push, names: &'n [String], directory: &Path) -> Vec<&'n String> {
    let Ok(checkout) = Checkout::discover(directory) else { return Vec::new() };
    let addresses = checkout.remote_addresses();
    let mut here = addresses.iter().filter_map(|address| RepositoryId::of(address));
    if !here.any(|id| push.repositories.contains(&id)) {
        return Vec::new();
    }
    let (branch, tracking) = (checkout.followed_branch(), tracking(&checkout));
    let follows_it = |name: &&String| {
        let tracked = tracking.iter().find(|it| it.target == **name);
        follows(push, tracked.map(|it| &it.tracks), branch.as_deref())
    };
    names.iter().filter(follows_it).collect()
}

/// Whether one of the refs is the one that is tracked, or the `branch` that has the settings.
fn follows(push: &Push, tracked: Option<&TrackedRef>, branch: Option<&str>) -> bool {
    push.refs.iter().any(|name| {
        let is_tracked = match tracked {
            None => false,
            // The commit may come with any ref.
            Some(tracked) if tracked.commit().is_some() => true,
            Some(TrackedRef::Newest { prefix, .. }) => {
                name.strip_prefix("refs/tags/").is_some_and(|tag| tag.starts_with(prefix.as_str()))
            }
            Some(TrackedRef::Name(tracked)) => {
                let kinds = ["refs/heads/", "refs/tags/"];
                let short = kinds.iter().find_map(|kind| name.strip_prefix(kind));
                name == tracked || short == Some(tracked)
            }
        };
        is_tracked || branch == Some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_wakes_those_that_follow_its_ref() {
        let follows = |name: &str, tracked: Option<&str>, branch: Option<&str>| {
            let push = Push { repositories: Vec::new(), refs: vec![name.to_owned()] };
            let tracked = tracked.map(|tracked| TrackedRef::named(tracked).unwrap());
            super::follows(&push, tracked.as_ref(), branch)
        };
        let main = Some("refs/heads/main");
        assert!(follows("refs/heads/main", None, main));
        assert!(!follows("refs/heads/other", None, main));
        assert!(!follows("refs/tags/main", None, main));
        assert!(!follows("refs/heads/main", None, None));
        assert!(follows("refs/heads/prod", Some("prod"), main));
        assert!(follows("refs/tags/v1", Some("v1"), main));
        assert!(follows("refs/tags/v1", Some("refs/tags/v1"), main));
        assert!(!follows("refs/heads/v1", Some("refs/tags/v1"), main));
        assert!(!follows("refs/heads/other", Some("prod"), main));
        assert!(follows("refs/heads/main", Some("prod"), main), "trueup.yaml is there");
        assert!(follows("refs/heads/main", Some(&"a".repeat(40)), main), "any may bring it");
    }
}
