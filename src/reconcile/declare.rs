//! Git → manifests: what the target's paths declare at a commit.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::thread;

use super::{Error, Target};
use crate::git::Checkout;
use crate::manifest::{self, Manifest};
use crate::problem::{Place, Problem};
use crate::selection::{IGNORE_FILE, Selection};
use crate::snapshot::{Revision, Skipped, Snapshot, WhySkipped};

/// What the target's paths declare.
pub struct Declared {
    /// The commit that declares it.
    pub revision: Revision,
    /// Every object, in the order of files and documents.
    pub manifests: Vec<Manifest>,
    /// Every document that can't be read.
    pub problems: Vec<Problem>,
    /// Changes in the work tree under the target's paths that are not in the commit; empty when
    /// the work tree itself is read.
    pub uncommitted: Vec<String>,
}

/// Reads what `target` declares from the object database, or from the work tree where it says so.
///
/// # Errors
///
/// When git can't be read, or a path is not there.
pub async fn declare(target: &Target, checkout: &Checkout) -> Result<Declared, Error> {
    let (target, checkout) = (target.clone(), checkout.clone());
    tokio::task::spawn_blocking(move || {
        let (snapshot, uncommitted) = match target.worktree {
            true => (worktree(&target, &checkout)?, Vec::new()),
            false => {
                let revision = checkout.resolve(target.rev.as_deref())?;
                let uncommitted = match &target.rev {
                    None => checkout.uncommitted(&target.paths)?,
                    Some(_) => Vec::new(),
                };
                (committed(&target, &checkout, &revision)?, uncommitted)
            }
        };
        let (manifests, mut problems) = read(&snapshot);
        problems.extend(snapshot.skipped.iter().map(unread));
        Ok(Declared { revision: snapshot.revision, manifests, problems, uncommitted })
    })
    .await?
}

fn committed(target: &Target, checkout: &Checkout, revision: &Revision) -> Result<Snapshot, Error> {
    let mut ignores = checkout.snapshot(revision, &target.paths, &is_ignore_file)?.files;
    for path in ignore_files_above(&target.paths) {
        if let Some(content) = checkout.read_file(revision, &path)? {
            ignores.insert(path, content);
        }
    }
    let taken = taken(target, ignores)?;
    Ok(only_manifests(checkout.snapshot(revision, &target.paths, &taken)?, &taken))
}

fn worktree(target: &Target, checkout: &Checkout) -> Result<Snapshot, Error> {
    let mut ignores = checkout.worktree(&target.paths, &is_ignore_file)?.files;
    for path in ignore_files_above(&target.paths) {
        if let Some(content) = checkout.read_worktree_file(&path)? {
            ignores.insert(path, content);
        }
    }
    let taken = taken(target, ignores)?;
    Ok(only_manifests(checkout.worktree(&target.paths, &taken)?, &taken))
}

/// The ignore files that the folders above the target's paths may have.
fn ignore_files_above(paths: &[String]) -> BTreeSet<String> {
    let mut above = BTreeSet::from([IGNORE_FILE.to_owned()]);
    for path in paths {
        above.extend(
            path.match_indices('/').map(|(end, _)| format!("{}/{IGNORE_FILE}", &path[..end])),
        );
    }
    above
}

fn is_ignore_file(path: &str) -> bool {
    path.rsplit('/').next() == Some(IGNORE_FILE)
}

/// Which files are manifests, as their names, the target's paths and the ignore files say.
fn taken(
    target: &Target,
    ignores: BTreeMap<String, Vec<u8>>,
) -> Result<impl Fn(&str) -> bool + Sync, Error> {
    let folder = |path: String| match path.rsplit_once('/') {
        Some((folder, _)) => folder.to_owned(),
        None => String::new(),
    };
    let ignores = ignores.into_iter().map(|(path, content)| (folder(path), content)).collect();
    let selection = Selection::new(&ignores).map_err(Error::Ignore)?;
    let given = target.paths.clone();
    Ok(move |path: &str| given.iter().any(|given| selection.takes_below(given, path)))
}

/// Without what was skipped and would be no manifest anyway, such as a picture whose name is not
/// UTF-8.
fn only_manifests(mut snapshot: Snapshot, taken: &impl Fn(&str) -> bool) -> Snapshot {
    snapshot.skipped.retain(|skipped| taken(&skipped.path));
    snapshot
}

/// A file that can't be read may declare anything, so it is a problem and no matter of taste.
fn unread(skipped: &Skipped) -> Problem {
    let message = match skipped.why {
        WhySkipped::Symlink => "is a symbolic link, which is never followed".to_owned(),
        WhySkipped::Submodule => "is a submodule, whose files are another repository's".to_owned(),
        WhySkipped::NotUtf8 => "has a path that is not UTF-8".to_owned(),
        WhySkipped::TooLarge { bytes } => {
            format!("has {} MiB, more than any manifest", bytes >> 20)
        }
    };
    Problem {
        place: Place { path: skipped.path.clone(), line: 1, column: 1 },
        message,
        excerpt: None,
        hint: Some("name it in .trueupignore if it declares nothing".to_owned()),
    }
}

/// Reads every file's documents, with all cores at once.
fn read(snapshot: &Snapshot) -> (Vec<Manifest>, Vec<Problem>) {
    let files: Vec<(&String, &Vec<u8>)> = snapshot.files.iter().collect();
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let share = files.len().div_ceil(threads).max(1);
    let readings: Vec<manifest::Reading> = thread::scope(|scope| {
        let workers: Vec<_> = files
            .chunks(share)
            .map(|part| {
                scope.spawn(|| {
                    part.iter().map(|(path, bytes)| manifest::read(path, bytes)).collect()
                })
            })
            .collect();
        let joined = workers.into_iter().map(|worker| {
            let readings: Vec<manifest::Reading> =
                worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            readings
        });
        joined.flatten().collect()
    });
    let (mut manifests, mut problems) = (Vec::new(), Vec::new());
    for reading in readings {
        manifests.extend(reading.manifests);
        problems.extend(reading.problems);
    }
    (manifests, problems)
}
