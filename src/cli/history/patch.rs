//! `-p`: what the commit of each round changed, from the checkout.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::{self, Write};
use std::path::Path;

use super::sought::files;
use crate::app::{CommitsDifference, Target, commits_difference};
use crate::cli::exit::Failure;
use crate::cli::present::Glyphs;
use crate::cli::present::history::patch as present;
use crate::cli::target::FilesArgs;
use crate::cli::ui::Ui;
use crate::core::history::KnownRun;
use crate::core::source::snapshot::short;
use crate::git::Checkout;

/// The differences of rounds, by the target and the two commits.
#[derive(Debug, Default)]
pub(super) struct Patches {
    found: BTreeMap<PatchKey, Result<CommitsDifference, String>>,
}

/// Which difference it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct PatchKey {
    target: String,
    before: Option<String>,
    commit: String,
}

impl PatchKey {
    /// That of a round; `None` where its record was not read.
    fn of(run: &KnownRun) -> Option<Self> {
        let record = run.record.as_ref()?;
        Some(Self {
            target: run.summary.target.clone(),
            before: record.before.clone(),
            commit: run.summary.commit.clone(),
        })
    }
}

impl Patches {
    /// Writes the difference of a round.
    pub(super) fn write(
        &self,
        out: &mut dyn Write,
        run: &KnownRun,
        glyphs: Glyphs,
    ) -> io::Result<()> {
        let Some(found) = PatchKey::of(run).and_then(|key| self.found.get(&key)) else {
            return Ok(());
        };
        match found {
            Ok(difference) => present::write(out, difference, glyphs),
            Err(why) => present::unknown(out, why, glyphs),
        }
    }
}

/// The differences of the rounds that are shown.
pub(super) async fn patches(
    runs: &[&KnownRun],
    directory: &Path,
    checkout: &Checkout,
    ui: &mut Ui,
) -> Patches {
    let waiting = ui.waiting("reading the commits");
    let mut found = BTreeMap::new();
    for key in runs.iter().filter_map(|run| PatchKey::of(run)) {
        if let Entry::Vacant(vacant) = found.entry(key) {
            let difference = difference(vacant.key(), directory, checkout).await;
            vacant.insert(difference);
        }
    }
    waiting.finish_and_clear();
    Patches { found }
}

/// The difference, or why there is none.
async fn difference(
    key: &PatchKey,
    directory: &Path,
    checkout: &Checkout,
) -> Result<CommitsDifference, String> {
    let PatchKey { target, before, commit } = key;
    let before = before.as_ref().filter(|before| *before != commit);
    for id in before.into_iter().chain([commit]) {
        // A record may say anything, and a revision can be more than an id.
        let is_id = id.len() >= 40 && id.chars().all(|c| c.is_ascii_hexdigit());
        if !is_id || !checkout.has_commit(id) {
            return Err(format!("this checkout has no commit {}", short(id)));
        }
    }
    let at = |commit: &String| {
        resolved(target, commit, directory, checkout)
            .map_err(|failure| format!("cannot read commit {}: {}", short(commit), failure.error))
    };
    let (before, after) = (before.map(at).transpose()?, at(commit)?);
    commits_difference(before.as_ref(), &after, checkout).await.map_err(|error| error.to_string())
}

/// The target at a commit, with the settings that it had there; of a commit without settings, the whole
/// checkout.
fn resolved(
    name: &str,
    commit: &str,
    directory: &Path,
    checkout: &Checkout,
) -> Result<Target, Failure> {
    let files = files(Some(commit));
    let config = files.config(checkout)?;
    let target = config.targets.contains_key(name).then(|| name.to_owned());
    let paths = if target.is_none() { vec![checkout.root().to_owned()] } else { Vec::new() };
    FilesArgs { target, paths, ..files }.resolve(directory, checkout)
}
