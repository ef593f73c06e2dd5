//! Programs on the search path. An element that is not absolute (`.`, an empty one, `bin`) is
//! skipped: in a checkout it would run a committed file. Go does so since 1.19.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// The result of a search for a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProgramSearch {
    /// The program, by its absolute path.
    Found(PathBuf),
    /// Only this element has it, which is not absolute and therefore skipped.
    Skipped(PathBuf),
    /// No element has it.
    Nowhere,
}

impl ProgramSearch {
    /// The program, where it was found.
    pub fn found(self) -> Option<PathBuf> {
        match self {
            Self::Found(path) => Some(path),
            Self::Skipped(_) | Self::Nowhere => None,
        }
    }

    /// The note about a program that was only in a skipped element.
    pub fn note(&self, name: &str) -> Option<String> {
        let Self::Skipped(element) = self else { return None };
        let element = match element.as_os_str().is_empty() {
            true => "an empty element".to_owned(),
            false => format!("`{}`", element.display()),
        };
        Some(format!(
            "PATH has {name} only in {element}, which is not an absolute path and is skipped"
        ))
    }
}

/// The first program called `name` in the absolute elements of `path`.
pub fn find(name: &str, path: &OsStr) -> ProgramSearch {
    if let Some(found) = find_in(name, &folders(path)) {
        return ProgramSearch::Found(found);
    }
    let mut skipped = skipped(path).into_iter();
    let has = |element: &PathBuf| is_program(&Path::new(".").join(element).join(file_name(name)));
    skipped.find(has).map_or(ProgramSearch::Nowhere, ProgramSearch::Skipped)
}

/// The first program called `name` in these folders, by its absolute path: it may be run in another
/// working directory than ours.
pub fn find_in(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let name = file_name(name);
    let found = folders.iter().map(|folder| folder.join(&name)).find(|path| is_program(path))?;
    std::path::absolute(found).ok()
}

/// The elements of `path` that are searched.
pub fn folders(path: &OsStr) -> Vec<PathBuf> {
    std::env::split_paths(path).filter(|element| element.is_absolute()).collect()
}

/// The elements of `path` that are skipped.
pub fn skipped(path: &OsStr) -> Vec<PathBuf> {
    std::env::split_paths(path).filter(|element| !element.is_absolute()).collect()
}

/// `path` without the elements that are skipped; `None` when nothing is left. An empty search path
/// would not do: the system reads it as the working directory.
pub fn absolute(path: &OsStr) -> Option<OsString> {
    let folders = folders(path);
    std::env::join_paths(folders).ok().filter(|path| !path.is_empty())
}

fn file_name(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn elements_that_are_not_absolute_are_skipped() {
        for (path, searched, left) in [
            ("/a:/b", &["/a", "/b"][..], Some("/a:/b")),
            (":/a", &["/a"], Some("/a")),
            ("/a:", &["/a"], Some("/a")),
            ("/a::bin:./b:../c:.:/d", &["/a", "/d"], Some("/a:/d")),
            (".", &[], None),
            ("", &[], None),
        ] {
            let path = OsStr::new(path);
            assert_eq!(folders(path), searched.iter().map(PathBuf::from).collect::<Vec<_>>());
            assert_eq!(absolute(path), left.map(OsString::from), "{path:?}");
        }
    }

    #[test]
    fn skipped_program_match_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("tool");
        std::fs::write(&program, "").unwrap();
        assert_eq!(
            find("tool", folder.path().as_os_str()),
            ProgramSearch::Nowhere,
            "it is not a program"
        );
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(find("tool", folder.path().as_os_str()), ProgramSearch::Found(program));

        // However deep the working directory is, this leads to the root and down again.
        let relative = format!("{}{}", "../".repeat(64), folder.path().display());
        let skipped = find("tool", OsStr::new(&format!("/nowhere:{relative}")));
        assert_eq!(skipped, ProgramSearch::Skipped(relative.into()));
        assert!(skipped.note("tool").unwrap().starts_with("PATH has tool only in `../"));
        assert_eq!(find("other", OsStr::new(".")), ProgramSearch::Nowhere);
    }
}
