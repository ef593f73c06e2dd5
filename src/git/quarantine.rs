//! Objects that are only on their way in: in a pre-receive hook git keeps what was pushed in a folder
//! of its own, and says where with variables (git's `tmp-objdir.c`). What is checked there is to be
//! refused before it is the repository's.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;

/// The place of the objects, as git passes it to its hooks.
#[derive(Debug)]
struct Quarantine {
    /// Those that came in.
    incoming: PathBuf,
    /// Those that the repository has.
    others: Vec<PathBuf>,
}

impl Quarantine {
    /// The settings of the environment; `None` where this is not such a hook.
    #[allow(clippy::disallowed_methods, reason = "git's own variables, for who it runs")]
    fn read() -> Option<Self> {
        env::var_os("GIT_QUARANTINE_PATH")?;
        let incoming = env::var_os("GIT_OBJECT_DIRECTORY")?.into();
        let others: OsString = env::var_os("GIT_ALTERNATE_OBJECT_DIRECTORIES").unwrap_or_default();
        let others = env::split_paths(&others).filter(|path| !path.as_os_str().is_empty());
        Some(Self { incoming, others: others.collect() })
    }

    /// The content of `info/alternates` of a folder that has all of them.
    fn alternates(&self) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        for folder in std::iter::once(&self.incoming).chain(&self.others) {
            text.extend_from_slice(folder.canonicalize()?.as_os_str().as_encoded_bytes());
            text.push(b'\n');
        }
        Ok(text)
    }
}

/// Whether git would refuse to move a ref, since what it would move to may yet be refused.
pub(super) fn is_active() -> bool {
    Quarantine::read().is_some()
}

/// Has `repository` read what came in, too. What is returned must live as long as it does.
///
/// # Errors
///
/// When one of the folders is not there, or the temporary folder can't be made.
pub(super) fn add_incoming(
    repository: &mut gix::ThreadSafeRepository,
) -> io::Result<Option<Arc<TempDir>>> {
    let Some(quarantine) = Quarantine::read() else { return Ok(None) };
    let folder = tempfile::Builder::new().prefix("trueup-objects-").tempdir()?;
    fs::create_dir(folder.path().join("info"))?;
    fs::write(folder.path().join("info/alternates"), quarantine.alternates()?)?;
    let hash = repository.to_thread_local().object_hash();
    let options = gix::odb::store::init::Options::default();
    let store =
        gix::odb::Store::at_opts(folder.path().to_owned(), hash, &mut std::iter::empty(), options)?;
    repository.objects = store.into();
    Ok(Some(Arc::new(folder)))
}
