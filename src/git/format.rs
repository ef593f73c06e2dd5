//! Which formats of repositories can be read: git's `Documentation/technical/repository-version.txt`.
//! What a repository needs and a program does not know makes the program's writes wrong, so it is
//! refused, as git refuses it.

use std::path::Path;

use gix::config::Source;

use super::{Cause, Error};

/// The newest version of the format that is known.
const NEWEST: i64 = 1;
/// The extensions that are known, in lower case (git's `setup.c`, `handle_extension`).
const KNOWN: [&str; 7] = [
    "noop",
    "objectformat",
    "partialclone",
    "preciousobjects",
    "refstorage",
    "relativeworktrees",
    "worktreeconfig",
];

/// The requirements of a repository on a program that reads it.
#[derive(Debug, Default)]
struct Needs {
    version: i64,
    /// Names, in lower case, and values.
    extensions: Vec<Extension>,
}

#[derive(Debug)]
struct Extension {
    name: String,
    value: String,
}

/// Refuses a repository whose format is not known.
///
/// # Errors
///
/// [`Error::Format`]; [`Error::Config`] where its configuration can't be read.
pub(super) fn check(common_dir: &Path, dir: &Path) -> Result<(), Error> {
    let path = common_dir.join("config");
    if !path.is_file() {
        return Ok(());
    }
    let failed = |error| Error::Config { path: path.clone(), source: Cause::from(error) };
    let config = gix::config::File::from_path_no_includes(path.clone(), Source::Local);
    let needs = config.and_then(|config| Needs::of(&config)).map_err(failed)?;
    match unknown(&needs) {
        None => Ok(()),
        Some(what) => Err(Error::Format { dir: dir.to_owned(), what }),
    }
}

/// The user's or the system's configuration file that can't be read, if there is one: what gix says
/// does not name it.
pub(super) fn broken_config() -> Option<Error> {
    // Where a file is depends on the environment, as in git.
    #[allow(clippy::disallowed_methods, reason = "git's own variables, which gix asks for")]
    let mut environment = |name: &str| std::env::var_os(name);
    let sources = [Source::GitInstallation, Source::System, Source::Git, Source::User];
    sources.into_iter().find_map(|source| {
        let path = source.storage_location(&mut environment)?;
        let read = gix::config::File::from_path_no_includes(path.clone(), source);
        // One that is missing is none.
        let error = read.err().filter(|_| path.is_file())?;
        Some(Error::Config { path, source: Cause::from(error) })
    })
}

impl Needs {
    fn of(config: &gix::config::File) -> Result<Self, gix::Error> {
        let version = config.integer("core.repositoryFormatVersion")?.unwrap_or_default();
        let sections = config.sections_by_name("extensions").into_iter().flatten();
        let mut extensions = Vec::new();
        for section in sections {
            let body = section.body();
            for name in body.value_names() {
                let value = body.value(&name).unwrap_or_default().to_string();
                extensions.push(Extension { name: name.to_ascii_lowercase(), value });
            }
        }
        Ok(Self { version, extensions })
    }
}

/// The unknown part of `needs`, as the end of "the repository … has".
fn unknown(needs: &Needs) -> Option<String> {
    if needs.version > NEWEST {
        return Some(format!("format version {}", needs.version));
    }
    needs.extensions.iter().find_map(|Extension { name, value }| match name.as_str() {
        "refstorage" if value != "files" => Some(format!("references stored as {value}")),
        // They count since version 1, as in git.
        name if needs.version >= 1 && !KNOWN.contains(&name) => {
            Some(format!("the extension {name}"))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown_extensions(config: &str) -> Option<String> {
        let config = gix::config::File::try_from(config).unwrap();
        unknown(&Needs::of(&config).unwrap())
    }

    #[test]
    fn unknown_repository_extension_is_refused() {
        for (config, expected) in [
            ("", None),
            ("[core]\nrepositoryFormatVersion = 0\n[extensions]\nfuture = 1", None),
            (
                "[core]\nrepositoryFormatVersion = 1\n[extensions]\nnoop\nWorktreeConfig = true",
                None,
            ),
            ("[core]\nrepositoryFormatVersion = 1\n[extensions]\nrefStorage = files", None),
            (
                "[core]\nrepositoryFormatVersion = 1\n[extensions]\nrefStorage = reftable",
                Some("references stored as reftable"),
            ),
            (
                "[core]\nrepositoryFormatVersion = 1\n[extensions]\nFuture = x",
                Some("the extension future"),
            ),
            ("[core]\nrepositoryFormatVersion = 99", Some("format version 99")),
        ] {
            assert_eq!(unknown_extensions(config).as_deref(), expected, "{config}");
        }
    }
}
