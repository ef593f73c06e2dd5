//! Pushes that forges tell: they wake the targets whose repository and ref they name.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueHint};

use super::figures;
use crate::app::watch::{WakeReason, Wakes};
use crate::cli::exit::Failure;
use crate::cli::headings::HOW;
use crate::cli::tracked::tracking;
use crate::config::webhook_secret;
use crate::core::tracking::TrackedRef;
use crate::core::webhook::{
    LARGEST, Push, Refusal, RepositoryId, SHORTEST_SECRET, Told, WebhookSecret, read,
};
use crate::git::Checkout;
use crate::local::bounded_read;
use crate::local::push_listener::{Takes, listen};

/// The most bytes of a secret's file.
const LARGEST_SECRET: u64 = 4 << 10;

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
    pub(super) async fn listen(
        &self,
        directory: &Path,
        wakes: &Wakes,
    ) -> Result<Option<SocketAddr>, Failure> {
        let Some(address) = self.webhook else { return Ok(None) };
        let secret = self.secret()?;
        let (wakes, directory) = (wakes.clone(), directory.to_owned());
        let takes: Takes = Arc::new(move |headers, body| match read(headers, body, &secret) {
            Ok(Told::Push(push)) => {
                for name in concerned(&push, &wakes.names(), &directory) {
                    wakes.ring(name, WakeReason::Pushed);
                }
                202
            }
            Ok(Told::Other) => 202,
            Err(Refusal::Unproven) => 401,
            Err(Refusal::UnknownForge | Refusal::Garbled) => 400,
        });
        let heard = listen(address, LARGEST, takes).await;
        let heard =
            heard.map_err(|error| anyhow::anyhow!("cannot listen at {address}: {error}"))?;
        Ok(Some(heard))
    }

    fn secret(&self) -> Result<WebhookSecret, Failure> {
        let text = match &self.webhook_secret_file {
            Some(file) => {
                let bytes = bounded_read::read_regular(file, LARGEST_SECRET);
                let bytes = bytes.map_err(|error| {
                    anyhow::anyhow!("cannot read the webhook's secret {}: {error}", file.display())
                })?;
                String::from_utf8_lossy(&bytes).into_owned()
            }
            None => match webhook_secret::variable() {
                Some(text) => text,
                None => {
                    let error = anyhow::anyhow!("--webhook needs a secret");
                    let hint = format!(
                        "name its file by --webhook-secret-file, or set {}",
                        webhook_secret::VARIABLE
                    );
                    return Err(Failure { error, hints: vec![hint] });
                }
            },
        };
        let short =
            || anyhow::anyhow!("the webhook's secret is shorter than {SHORTEST_SECRET} characters");
        Ok(WebhookSecret::new(&text).ok_or_else(short)?)
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
