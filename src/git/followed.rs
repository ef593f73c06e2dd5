//! The addresses of the remotes, and the branch that is followed there.

use gix::remote::Direction;

use super::Checkout;

impl Checkout {
    /// The addresses of all remotes. They may have credentials.
    pub fn remote_addresses(&self) -> Vec<String> {
        let repo = self.local();
        let addresses = repo.remote_names().into_iter().filter_map(|name| {
            let remote = repo.find_remote(&*name).ok()?;
            remote.url(Direction::Fetch).map(|url| url.to_bstring().to_string())
        });
        addresses.collect()
    }

    /// The full name of the remote's branch that `HEAD` follows; `None` where `HEAD` is on no branch.
    pub fn followed_branch(&self) -> Option<String> {
        let repo = self.local();
        let branch = repo.head().ok()?.referent_name()?.to_owned();
        let merge = repo.branch_remote_ref_name(branch.as_ref(), Direction::Fetch);
        let merge = merge.and_then(Result::ok).map(|merge| merge.as_bstr().to_string());
        Some(merge.unwrap_or_else(|| branch.as_bstr().to_string()))
    }
}
