//! Files that this user alone may write, whatever the umask is.

use std::fs;
use std::path::Path;

/// Writes one.
pub fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs::write(path, content).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
}
