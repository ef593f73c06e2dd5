//! Links and submodules whose own names say nothing: the folders that they may be in place of are
//! not read. A link to a file of the same revision is one file, and its name decides about it.

use gix::bstr::{BStr, ByteSlice};
use gix::objs::tree::EntryKind;

use super::Error;
use super::trees::{File, TreeEntry, Trees};
use crate::core::source::snapshot::{Skipped, WhySkipped, resolve};

/// Links that lead to links are followed so far, as systems do with fewer.
const HOPS: usize = 40;
/// No system has a longer target.
const LONGEST: u64 = 4096;

impl Trees<'_> {
    /// The link or submodule that a folder may be behind.
    ///
    /// # Errors
    ///
    /// When a link, or a folder on its way, can't be read.
    pub(super) fn bars(&self, file: &File) -> Result<Option<Skipped>, Error> {
        let path = file.path.to_string();
        Ok(match file.kind {
            EntryKind::Commit => Some(Skipped { path, why: WhySkipped::Submodule }),
            EntryKind::Link if !self.leads_to_a_file(file)? => {
                Some(Skipped { path, why: WhySkipped::Symlink })
            }
            EntryKind::Link | EntryKind::Tree | EntryKind::Blob | EntryKind::BlobExecutable => None,
        })
    }

    /// Whether a link leads to a regular file of the commit.
    fn leads_to_a_file(&self, link: &File) -> Result<bool, Error> {
        let (mut path, mut id) = (link.path.to_string(), link.id);
        for _ in 0..HOPS {
            // Many links through large folders: each counts as one that leads anywhere.
            if self.is_long_enough() {
                return Ok(false);
            }
            let Some(target) = self.text_of(id, LONGEST)? else { return Ok(false) };
            let Some(next) = join(&path, target.as_ref()) else { return Ok(false) };
            match self.find(&next)? {
                Some(TreeEntry { kind: EntryKind::Link, id: further, .. }) => {
                    (path, id) = (next, further);
                }
                Some(TreeEntry { kind: EntryKind::Blob | EntryKind::BlobExecutable, .. }) => {
                    return Ok(true);
                }
                _ => return Ok(false),
            }
        }
        Ok(false)
    }
}

/// The path from the root that a link at `path` leads to; `None` where it leads out of the
/// checkout, or has a name that is not UTF-8.
pub(super) fn join(path: &str, target: &BStr) -> Option<String> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    resolve(folder, target.to_str().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_from_the_folder_that_it_is_in() {
        for (path, target, leads) in [
            ("a/b", "c", Some("a/c")),
            ("a/b", "./c//d/", Some("a/c/d")),
            ("a/b", "../c", Some("c")),
            ("a/b", "..", Some("")),
            ("a/b", "../../c", None),
            ("b", "../c", None),
            ("b", "/a/c", None),
            ("b", ".", Some("")),
        ] {
            assert_eq!(join(path, target.into()).as_deref(), leads, "{path} -> {target}");
        }
    }
}
