//! Files that this user alone reads and writes. A link in place of one leads elsewhere and is refused.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

/// Makes a folder for this user alone, with those above it.
///
/// # Errors
///
/// When it can't be made, or is a link or another user's.
pub(super) fn own_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    let metadata = fs::symlink_metadata(folder)?;
    match metadata.is_dir() && is_own(&metadata) {
        true => Ok(()),
        false => {
            Err(io::Error::other(format!("{} is not a folder of this user", folder.display())))
        }
    }
}

/// Opens a file to read it and write to its end, and makes it where it does not exist.
///
/// # Errors
///
/// When it can't be opened, or is not a file of this user.
pub(super) fn append(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).append(true).create(true);
    open(options, path)
}

/// Opens a file to read and write it, and makes it where it does not exist.
///
/// # Errors
///
/// When it can't be opened, or is not a file of this user.
pub(super) fn open_or_make(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    open(options, path)
}

/// Opens a file to read and write it.
///
/// # Errors
///
/// When it can't be opened, or is not a file of this user.
pub(super) fn read_and_write(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true);
    open(options, path)
}

/// Opens a file to read it.
///
/// # Errors
///
/// When it can't be opened, or is not a file of this user.
pub(super) fn read(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true);
    open(options, path)
}

/// Writes a file whole or not at all, on disk once this returns. One process does so at a time: the new file
/// has the same name each time, so that one that is killed leaves nothing that stays.
///
/// # Errors
///
/// When it can't be written.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = Path::new(&new);
    let mut file = open_or_make(new)?;
    file.set_len(0)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    fs::rename(new, path)
}

fn open(mut options: fs::OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;

        use rustix::fs::OFlags;
        // A pipe must not be waited for.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        options.mode(0o600).custom_flags(flags.bits() as i32);
    }
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    match metadata.is_file() && is_own(&metadata) {
        true => Ok(file),
        false => Err(io::Error::other(format!("{} is not a file of this user", path.display()))),
    }
}

/// Whether it is a file or a folder of this user.
#[cfg(unix)]
pub(super) fn is_own(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(metadata) == rustix::process::geteuid().as_raw()
}

/// Elsewhere that is not known.
#[cfg(not(unix))]
pub(super) fn is_own(_: &fs::Metadata) -> bool {
    true
}
