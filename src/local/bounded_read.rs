//! Files of this machine that are read whole, and no further than they may be long: a device or a
//! pipe may have no end.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Reads a file that has no more than `most` bytes. It may be a pipe.
///
/// # Errors
///
/// When it can't be read, or is longer.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let mut bytes = Vec::new();
    let read = file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(read).is_ok_and(|read| read <= most) {
        return Ok(bytes);
    }
    let message = format!("it has more than {most} bytes, and is not read any further");
    Err(io::Error::new(io::ErrorKind::FileTooLarge, message))
}

/// Reads a regular file that has no more than `most` bytes.
///
/// # Errors
///
/// When it can't be read, is longer, or is a pipe or a device, which could be waited for for ever.
pub fn read_regular(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    read(path, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        assert_eq!(read_regular(&path, 5).unwrap(), b"12345");
        let error = read(&path, 4).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(error.to_string(), "it has more than 4 bytes, and is not read any further");
    }

    #[cfg(unix)]
    #[test]
    fn endless_file_is_refused() {
        let endless = Path::new("/dev/zero");
        assert_eq!(read(endless, 100).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(read_regular(endless, 100).unwrap_err().to_string(), "it is not a regular file");
    }
}
