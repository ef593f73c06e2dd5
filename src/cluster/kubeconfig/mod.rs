//! Kubeconfigs as client-go reads them (k8s.io/client-go, `tools/clientcmd`): which files, what they
//! say together, which context of them is meant, and whether that can be used.

mod credentials;
mod decode;
mod pem;
mod server;
mod usable;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub(super) use credentials::bytes as data_or_file;
pub(super) use pem::authorities as authorities_of;
pub(super) use usable::{KubeconfigOverrides, UsableContext};

use self::decode::NamedEntry;
use crate::local::bounded_read;

/// How many bytes a kubeconfig may have.
pub(super) const LARGEST: u64 = 16 << 20;

/// The pipes that were read, as one that a shell makes of `<(…)`, which give what is in them once:
/// shared by all that connect in the same way, such as the rounds of a watch.
#[derive(Clone, Default)]
pub struct PipeCache(Arc<Mutex<BTreeMap<PathBuf, Vec<u8>>>>);

impl fmt::Debug for PipeCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PipeCache")
    }
}

/// The files merged: of each name and of the current context, the first that says something.
#[derive(Debug, Default)]
pub(super) struct Kubeconfig {
    pub(super) contexts: Vec<NamedEntry>,
    clusters: Vec<NamedEntry>,
    users: Vec<NamedEntry>,
    current: String,
}

/// Why there is no kubeconfig.
#[derive(Debug)]
pub(super) enum ReadError {
    /// None of the files is there; the first of them.
    Missing(Option<PathBuf>),
    /// A file can't be read, or is not a kubeconfig.
    Unreadable { path: PathBuf, reason: String },
}

/// The files that `KUBECONFIG` names; none where it is empty or not set.
#[allow(clippy::disallowed_methods, reason = "a convention of kubectl's")]
pub(super) fn listed() -> Vec<PathBuf> {
    let paths = std::env::var_os("KUBECONFIG").unwrap_or_default();
    std::env::split_paths(&paths).filter(|path| !path.as_os_str().is_empty()).collect()
}

/// The kubeconfig of one file, or else of those that are `listed`, or else the usual one.
///
/// # Errors
///
/// When a file can't be read or is not a kubeconfig, or when none of those is there.
pub(super) fn read(
    file: Option<&Path>,
    listed: &[PathBuf],
    pipes: &PipeCache,
) -> Result<Kubeconfig, ReadError> {
    let usual = || std::env::home_dir().map(|home| home.join(".kube").join("config"));
    let paths: Vec<PathBuf> = match (file, listed) {
        (Some(file), _) => vec![file.to_owned()],
        (None, []) => usual().into_iter().collect(),
        (None, listed) => listed.to_vec(),
    };
    let mut merged: Option<Kubeconfig> = None;
    for path in &paths {
        match one(path, pipes) {
            Ok(next) => merged.get_or_insert_default().add(next),
            // Those that are missing say nothing.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(ReadError::Unreadable {
                    path: path.clone(),
                    reason: error.to_string(),
                });
            }
        }
    }
    merged.ok_or(ReadError::Missing(paths.into_iter().next()))
}

/// The names of the contexts of the kubeconfig that [`read`] would read, as far as files have them.
pub fn context_names(file: Option<&Path>) -> Vec<String> {
    let contexts = of_files(file).map(|kubeconfig| kubeconfig.contexts).unwrap_or_default();
    contexts.into_iter().map(|context| context.name).collect()
}

/// The kubeconfig that [`read`] would read, as far as files have it: nothing is run, and a pipe is left to
/// who needs what is in it.
pub(super) fn of_files(file: Option<&Path>) -> Option<Kubeconfig> {
    let listed: Vec<PathBuf> = listed().into_iter().filter(|path| path.is_file()).collect();
    if file.is_some_and(|file| !file.is_file()) {
        return None;
    }
    read(file, &listed, &PipeCache::default()).ok()
}

/// Reads a file.
fn one(path: &Path, pipes: &PipeCache) -> io::Result<Kubeconfig> {
    if std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        let mut kubeconfig =
            decode::kubeconfig(&bounded_read::read(path, LARGEST)?).map_err(io::Error::other)?;
        let path = std::path::absolute(path)?;
        kubeconfig.resolve(path.parent().unwrap_or(Path::new("/")));
        kubeconfig.is_of(&path);
        return Ok(kubeconfig);
    }
    let mut pipes = pipes.0.lock().unwrap_or_else(PoisonError::into_inner);
    let bytes = match pipes.get(path) {
        Some(bytes) => bytes,
        None => pipes.entry(path.to_owned()).or_insert(bounded_read::read(path, LARGEST)?),
    };
    let mut kubeconfig = decode::kubeconfig(bytes).map_err(io::Error::other)?;
    kubeconfig.is_of(path);
    Ok(kubeconfig)
}

impl Kubeconfig {
    /// Adds what another file says of what is not said yet.
    fn add(&mut self, next: Self) {
        let Self { contexts, clusters, users, current } = next;
        for (all, more) in [
            (&mut self.contexts, contexts),
            (&mut self.clusters, clusters),
            (&mut self.users, users),
        ] {
            for named in more {
                if all.iter().all(|known| known.name != named.name) {
                    all.push(named);
                }
            }
        }
        if self.current.is_empty() {
            self.current = current;
        }
    }

    /// Notes which file it was read from.
    fn is_of(&mut self, file: &Path) {
        for user in &mut self.users {
            user.file = Some(file.to_owned());
        }
    }

    /// Takes paths to be relative to the folder of the file that they stand in.
    fn resolve(&mut self, folder: &Path) {
        for cluster in &mut self.clusters {
            cluster.resolve("certificate-authority", folder);
        }
        for user in &mut self.users {
            for key in ["client-certificate", "client-key", "tokenFile"] {
                user.resolve(key, folder);
            }
            user.resolve_command(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn current(paths: &[PathBuf]) -> Result<Kubeconfig, ReadError> {
        read(None, paths, &PipeCache::default())
    }

    #[test]
    fn missing_files_of_a_kubeconfig_list_are_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("one"), "current-context: ''\nusers: [{name: a, user: {}}]").unwrap();
        let two = "current-context: b\nusers: [{name: b, user: {}}, {name: a, user: {token: x}}]";
        std::fs::write(path("two"), two).unwrap();
        let found = current(&[path("gone"), path("one"), path("two")]).unwrap();
        assert_eq!(found.current, "b");
        assert_eq!(found.users.len(), 2);
        assert!(found.users[0].fields.is_empty(), "the first one wins, whole");
        let gone = current(&[path("gone"), path("gone-too")]).unwrap_err();
        assert!(matches!(gone, ReadError::Missing(Some(first)) if first == path("gone")));
        std::fs::write(path("bad"), "a: [").unwrap();
        assert!(current(&[path("one"), path("bad")]).is_err());
    }

    #[test]
    fn paths_are_relative_to_their_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        let text = "clusters: [{name: a, cluster: {certificate-authority: pki/ca.crt}}]\n\
                    users:\n- {name: a, user: {tokenFile: ../token, exec: {command: bin/log-in}}}\n\
                    - {name: b, user: {tokenFile: /token, exec: {command: log-in}}}";
        std::fs::write(&path, text).unwrap();
        let found = current(&[path]).unwrap();
        let at = |rest: &str| folder.path().join(rest).to_str().unwrap().to_owned();
        assert_eq!(found.clusters[0].fields["certificate-authority"], at("pki/ca.crt"));
        assert_eq!(found.users[0].fields["tokenFile"], at("../token"));
        assert_eq!(found.users[0].fields["exec"]["command"], at("bin/log-in"));
        assert_eq!(found.users[1].fields["tokenFile"], "/token");
        assert_eq!(found.users[1].fields["exec"]["command"], "log-in");
    }
}
