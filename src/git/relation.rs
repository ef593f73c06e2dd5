//! How two commits of a checkout relate, and when the last fetch was.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use jiff::Timestamp;

use super::revision::parse;
use super::trees::Trees;
use super::{Checkout, walk};
use crate::core::status::{CommitOrder, CommitRelation};

impl Checkout {
    /// The relation of the commit `runs` to the commit `now`, with the number of commits between them
    /// where the history shows it.
    pub fn relation(&self, runs: &str, now: &str) -> CommitRelation {
        if runs == now {
            return CommitRelation::Same;
        }
        match self.order(runs, now) {
            CommitOrder::Before => CommitRelation::Behind(self.count_between(now, runs)),
            CommitOrder::After => CommitRelation::Ahead(self.count_between(runs, now)),
            CommitOrder::Apart => CommitRelation::Diverged,
            CommitOrder::Unknown => CommitRelation::Missing,
        }
    }

    /// How the commit `runs` stands towards the commit `other`, which is another one.
    pub fn order(&self, runs: &str, other: &str) -> CommitOrder {
        if !self.has_commit(runs) || !self.has_commit(other) {
            return CommitOrder::Unknown;
        }
        match (self.is_in_history(runs, other), self.is_in_history(other, runs)) {
            (true, _) => CommitOrder::Before,
            (false, true) => CommitOrder::After,
            // Where the history is cut short, an ancestor may be behind the cut.
            (false, false) if self.is_shallow() => CommitOrder::Unknown,
            (false, false) => CommitOrder::Apart,
        }
    }

    /// Whether two commits have the same at each of these paths; the empty path is the whole. Not, where
    /// either can't be read.
    pub fn is_same_at(&self, one: &str, other: &str, paths: &[String]) -> bool {
        let repo = self.local();
        let trees = |commit| Trees::of(&repo, &self.limits, parse(commit)?);
        let (Ok(one), Ok(other)) = (trees(one), trees(other)) else { return false };
        let at = |trees: &Trees<'_>, path: &str| {
            Some(trees.find(path).ok()?.map(|entry| (entry.kind, entry.id)))
        };
        paths.iter().all(|path| match (at(&one, path), at(&other, path)) {
            (Some(one), Some(other)) => one == other,
            _ => false,
        })
    }

    /// How many commits `of` has that `without` lacks; `None` where the history is cut short.
    fn count_between(&self, of: &str, without: &str) -> Option<usize> {
        let repo = self.local();
        let (of, without) = (parse(of).ok()?, parse(without).ok()?);
        let commits = walk::commits(&repo, of, Some(without)).ok()?;
        (!self.is_shallow()).then_some(commits.len())
    }

    /// When something was last fetched, as far as git's own files say it: a fetch by git itself leaves
    /// `FETCH_HEAD`, and one that moved a remote's branch leaves its log.
    pub fn last_fetch(&self) -> Option<Timestamp> {
        let repo = self.local();
        let head = modified(&repo.git_dir().join("FETCH_HEAD"));
        let logs = newest_below(&repo.common_dir().join("logs/refs/remotes"), 3);
        head.into_iter().chain(logs).max().and_then(|time| Timestamp::try_from(time).ok())
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.symlink_metadata().ok()?.modified().ok()
}

/// The newest file in a folder and so many levels of folders below it.
fn newest_below(folder: &Path, levels: usize) -> Option<SystemTime> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let times = entries.filter_map(|entry| match entry.file_type().ok()?.is_dir() {
        true => levels.checked_sub(1).and_then(|levels| newest_below(&entry.path(), levels)),
        false => modified(&entry.path()),
    });
    times.max()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn commits_are_before_after_or_beside_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let git = |args: &[&str]| {
            let identity = ["-c", "user.name=Author", "-c", "user.email=author@example.com"];
            let mut git = Command::new("git");
            git.args(identity).args(args).current_dir(folder.path());
            let output = git.env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap();
            assert!(output.status.success());
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        let commit = |name: &str| {
            git(&["commit", "--quiet", "--allow-empty", "-m", name]);
            git(&["rev-parse", "HEAD"])
        };
        git(&["init", "--quiet"]);
        let (one, two, three) = (commit("1"), commit("2"), commit("3"));
        git(&["checkout", "--quiet", "-b", "other", &one]);
        let other = commit("other");
        let checkout = Checkout::discover(folder.path()).unwrap();
        let missing = "0123456789012345678901234567890123456789";
        for (runs, now, expected) in [
            (&one, &one, CommitRelation::Same),
            (&one, &three, CommitRelation::Behind(Some(2))),
            (&three, &two, CommitRelation::Ahead(Some(1))),
            (&three, &other, CommitRelation::Diverged),
            (&missing.to_owned(), &other, CommitRelation::Missing),
        ] {
            assert_eq!(checkout.relation(runs, now), expected);
        }
        assert_eq!(checkout.last_fetch(), None);
        std::fs::write(folder.path().join(".git/FETCH_HEAD"), "").unwrap();
        assert!(checkout.last_fetch().is_some());
        std::fs::create_dir(folder.path().join("a")).unwrap();
        std::fs::write(folder.path().join("a/file"), "1").unwrap();
        git(&["add", "a"]);
        let file = commit("file");
        let same = |one: &str, other: &str, paths: &[&str]| {
            let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
            checkout.is_same_at(one, other, &paths)
        };
        assert!(same(&one, &three, &["", "a"]));
        assert!(!same(&other, &file, &["b", "a"]) && !same(&other, &file, &[""]));
        assert!(same(&other, &file, &["b"]), "neither has it");
        assert!(!same(&other, missing, &["b"]), "it is not known");
    }
}
