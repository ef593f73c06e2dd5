//! Which branch of a remote is cloned: the one that was asked for, else the one that its `HEAD` is on.

use gix::bstr::{BStr, BString, ByteSlice};
use gix::protocol::handshake::Ref;
use gix::refs::FullName;

use super::PullError;
use super::ls_refs::Line;

/// The branch to clone from the remote at `url`. It is `None` where the remote's `HEAD` is on no
/// branch, and then the branches that are at its commit have to be looked through.
///
/// # Errors
///
/// The outer one is the transport's, the inner one says that there is no such branch.
pub(super) fn branch(
    line: &mut Line<'_, '_>,
    wanted: Option<&str>,
    url: &str,
) -> Result<Result<Option<FullName>, PullError>, gix::Error> {
    let Some(wanted) = wanted else {
        let refs = line.list(&["HEAD".into()])?.remote_refs;
        return Ok(match refs.iter().find(|known| known.unpack().0 == "HEAD") {
            Some(Ref::Symbolic { target, .. }) if target.starts_with(b"refs/heads/") => {
                Ok(FullName::try_from(target.clone()).ok())
            }
            Some(Ref::Unborn { target, .. }) => {
                let branch = target.strip_prefix(b"refs/heads/").unwrap_or(target);
                Err(line.no_branch(&branch.to_str_lossy(), url)?)
            }
            // git leaves a `HEAD` out that is on a branch without commits.
            None => Err(match line.no_branch("HEAD", url)? {
                PullError::BranchGone { url, others, .. } => PullError::NoHead { url, others },
                error => error,
            }),
            Some(_) => Ok(None),
        });
    };
    let names = match wanted.starts_with("refs/") {
        true => vec![wanted.to_owned()],
        false => vec![format!("refs/heads/{wanted}"), format!("refs/tags/{wanted}")],
    };
    let Some(names) = names.into_iter().map(|name| FullName::try_from(name).ok()).collect() else {
        return Ok(Err(line.no_branch(wanted, url)?));
    };
    let names: Vec<FullName> = names;
    let specs: Vec<BString> = names.iter().map(|name| name.as_bstr().to_owned()).collect();
    let refs = line.list(&specs)?.remote_refs;
    let has = |name: &&FullName| refs.iter().any(|known| known.unpack().0 == name.as_bstr());
    let Some(found) = names.iter().find(has) else {
        return Ok(Err(line.no_branch(wanted, url)?));
    };
    if found.as_bstr().starts_with(b"refs/heads/") {
        return Ok(Ok(Some(found.clone())));
    }
    let name = shortened(found.as_bstr());
    Ok(Err(PullError::NotABranch { name, url: url.to_owned() }))
}

fn shortened(name: &BStr) -> String {
    name.strip_prefix(b"refs/tags/").unwrap_or(name).to_str_lossy().into_owned()
}
