//! The owner of a repository, and whether another user's may be used: git's `safe.directory`.
//!
//! A repository's configuration names programs that reach its remotes, and its objects what to apply.
//! So nothing of one that another user can write is obeyed unless a protected configuration, which no
//! repository can write, allows it.

use std::path::{Path, PathBuf};

use gix::bstr::{BStr, BString, ByteSlice};

use super::{Cause, Error};

/// A repository as the search found it, before anything of it is read.
#[derive(Debug)]
pub(super) struct RepositoryCandidate {
    /// The `.git` folder or file, or the bare repository.
    pub(super) candidate: PathBuf,
    /// Where the repository's own files are.
    git_dir: PathBuf,
    work_dir: Option<PathBuf>,
}

impl RepositoryCandidate {
    /// The repository that `dir` is in.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub(super) fn above(dir: &Path) -> Result<Self, gix::Error> {
        // The owner is checked here, not by the search.
        let options = gix::discover::upwards::Options {
            trust: gix::discover::upwards::TrustPolicy::Assume(gix::sec::Trust::Full),
            // A ceiling elsewhere is none.
            match_ceiling_dir_or_error: false,
            ..Default::default()
        };
        // GIT_CEILING_DIRECTORIES, and whether other file systems are searched.
        let options = options.apply_environment();
        let (found, _) = gix::discover::upwards_opts(dir, options)?;
        Ok(match found {
            gix::discover::repository::Path::WorkTree(dir) => Self::of_work_tree(dir, None),
            gix::discover::repository::Path::LinkedWorkTree { work_dir, git_dir } => {
                Self::of_work_tree(work_dir, Some(git_dir))
            }
            gix::discover::repository::Path::Repository(dir) => {
                Self { candidate: dir.clone(), git_dir: dir, work_dir: None }
            }
        })
    }

    /// The repository that is exactly at `dir`.
    pub(super) fn at(dir: &Path) -> Self {
        match dir.join(".git").symlink_metadata() {
            // A file leads to the git directory; the search knows how to follow it.
            Ok(_) => Self::above(dir).unwrap_or_else(|_| Self::of_work_tree(dir.to_owned(), None)),
            Err(_) => Self { candidate: dir.to_owned(), git_dir: dir.to_owned(), work_dir: None },
        }
    }

    fn of_work_tree(work_dir: PathBuf, git_dir: Option<PathBuf>) -> Self {
        let candidate = work_dir.join(".git");
        let git_dir = git_dir.unwrap_or_else(|| candidate.clone());
        Self { candidate, git_dir, work_dir: Some(work_dir) }
    }

    /// The name of the repository in git's question of trust.
    fn name(&self) -> PathBuf {
        let name = self.work_dir.as_ref().unwrap_or(&self.git_dir);
        name.canonicalize().unwrap_or_else(|_| name.clone())
    }

    /// Everything whose owner could make us run something.
    fn parts(&self) -> Vec<PathBuf> {
        let mut parts = vec![self.candidate.clone(), self.git_dir.clone()];
        parts.extend(self.work_dir.clone());
        parts.push(self.common_dir());
        // A link has an owner, and so has what it leads to.
        let real: Vec<_> = parts.iter().filter_map(|part| part.canonicalize().ok()).collect();
        parts.extend(real);
        parts.dedup();
        parts
    }

    /// The git directory, or that of which a linked work tree shares the objects and the configuration.
    pub(super) fn common_dir(&self) -> PathBuf {
        match std::fs::read_to_string(self.git_dir.join("commondir")) {
            Ok(shared) => self.git_dir.join(shared.trim_end()),
            Err(_) => self.git_dir.clone(),
        }
    }

    /// Refuses the repository of another user.
    ///
    /// # Errors
    ///
    /// [`Error::DubiousOwnership`], or when the configuration can't be read.
    pub(super) fn check_owner(&self) -> Result<(), Error> {
        if self.parts().iter().all(|part| is_ours(part)) {
            return Ok(());
        }
        let root = self.name();
        let config = protected(&root)?;
        let safe = config.strings("safe.directory").unwrap_or_default();
        let home = directories::BaseDirs::new();
        let home = home.as_ref().map(directories::BaseDirs::home_dir);
        match is_safe(&root, &safe, home) {
            true => Ok(()),
            false => Err(Error::DubiousOwnership { root }),
        }
    }

    /// Refuses a bare repository that nothing but the search named, where the user wants that.
    ///
    /// # Errors
    ///
    /// [`Error::ImplicitBare`], or when the configuration can't be read.
    pub(super) fn check_bare(&self) -> Result<(), Error> {
        let root = self.name();
        match protected(&root)?.string("safe.bareRepository") {
            Some(value) if value == "explicit" => Err(Error::ImplicitBare { root }),
            _ => Ok(()),
        }
    }
}

/// The configuration that no repository can write: the system's, the user's, the environment's.
fn protected(root: &Path) -> Result<gix::config::File, Error> {
    let failed = |error| Error::Open { dir: root.to_owned(), source: Cause::from(error) };
    let mut config = gix::config::File::from_globals().map_err(failed)?;
    config
        .append(gix::config::File::from_environment_overrides().map_err(failed)?)
        .map_err(failed)?;
    Ok(config)
}

/// Whether the user who runs this owns `path`: for root, who called sudo counts too, as with git.
fn is_ours(path: &Path) -> bool {
    let ours = gix::sec::identity::is_path_owned_by_current_user(path).unwrap_or(false);
    #[cfg(unix)]
    let ours = ours && {
        use std::os::unix::fs::MetadataExt;
        let me = rustix::process::geteuid();
        let owner = path.symlink_metadata().map(|metadata| metadata.uid());
        // Any user but root could set SUDO_UID freely.
        me.is_root() || owner.is_ok_and(|owner| owner == me.as_raw())
    };
    ours
}

/// Whether the values of `safe.directory`, in their order, allow `root`.
fn is_safe(root: &Path, values: &[BString], home: Option<&Path>) -> bool {
    values.iter().fold(false, |is_safe, value| {
        // An empty value takes back all before it.
        !value.is_empty() && (is_safe || is_named(root, value.as_ref(), home))
    })
}

/// Whether one value of `safe.directory` means `root`: as its path, as one above it with `/*`, or
/// as `*`.
fn is_named(root: &Path, value: &BStr, home: Option<&Path>) -> bool {
    if value == "*" {
        return true;
    }
    let (value, is_prefix) = match value.strip_suffix(b"/*") {
        Some(folder) => (folder.as_bstr(), true),
        None => (value, false),
    };
    let below_home = if value == "~" { Some(&b""[..]) } else { value.strip_prefix(b"~/") };
    let path = match (below_home, home) {
        (Some(rest), Some(home)) => {
            gix::path::from_bstr(rest.as_bstr()).map(|rest| home.join(rest))
        }
        _ => gix::path::from_bstr(value).map(|path| path.into_owned()),
    };
    let Ok(path) = path else { return false };
    if !(path.is_absolute() || is_prefix && path.as_os_str().is_empty()) {
        return false;
    }
    let path = path.canonicalize().unwrap_or(path);
    match is_prefix {
        true => root.starts_with(&path) && root != path,
        false => root == path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(values: &[&str], root: &str) -> bool {
        let values: Vec<BString> = values.iter().map(|value| BString::from(*value)).collect();
        is_safe(Path::new(root), &values, Some(Path::new("/home/me")))
    }

    #[test]
    fn safe_directory_works_as_in_git() {
        let root = "/nowhere/shop";
        for (values, allowed) in [
            (vec![], false),
            (vec!["*"], true),
            (vec![root], true),
            (vec!["/nowhere/shop/"], true),
            (vec!["/nowhere/other"], false),
            (vec!["/nowhere"], false),
            (vec!["/nowhere/shop/deep"], false),
            (vec!["/nowhere/*"], true),
            (vec!["/*"], true),
            (vec!["/nowhere/sh*"], false),
            (vec!["/elsewhere/*"], false),
            (vec!["/nowhere/shop/*"], false),
            (vec!["nowhere/shop"], false),
            (vec![root, ""], false),
            (vec!["*", "", "/nowhere/other"], false),
            (vec!["", root], true),
        ] {
            assert_eq!(allows(&values, root), allowed, "{values:?}");
        }
        assert!(allows(&["~/shop"], "/home/me/shop"));
        assert!(allows(&["~/*"], "/home/me/work/shop"));
        assert!(!allows(&["~/shop"], "/home/you/shop"));
    }
}
