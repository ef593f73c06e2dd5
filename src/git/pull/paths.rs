//! Paths of an index as this system spells them.

use std::path::PathBuf;

use gix::bstr::BStr;

use crate::git::Error;

/// The path as the system needs it.
pub(super) fn system_path(path: &BStr) -> Result<PathBuf, Error> {
    let path = gix::path::from_bstr(path).map_err(Error::read(format!("path `{path}`")))?;
    Ok(path.into_owned())
}
