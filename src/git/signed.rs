//! Commits and tags as they were signed, and what a commit changes, for whoever decides whether it is
//! trusted.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::path::PathBuf;

use gix::ObjectId;
use gix::bstr::BString;
use gix::objs::tree::EntryKind;

use super::revision::parse;
use super::trees::{TreeEntry, Trees, find_commit, joined};
use super::{Checkout, Error, LimitKind, tree_fault};
use crate::core::source::snapshot::Revision;
use crate::core::verification::SignedObject;

/// A commit as it was signed.
#[derive(Clone, Debug)]
pub struct SignedCommit {
    /// Its full id.
    pub commit: String,
    /// Its parents' full ids, as it names them.
    pub parents: Vec<String>,
    /// Whether the parents were left out when the repository was cloned.
    pub is_edge: bool,
    /// Its content.
    pub content: Vec<u8>,
    /// The signed bytes, and the signature.
    pub signed: SignedObject,
}

/// An annotated tag of a commit.
#[derive(Clone, Debug)]
pub struct SignedTag {
    /// Its name.
    pub name: String,
    /// Its content.
    pub content: Vec<u8>,
    /// The signed bytes, and the signature.
    pub signed: SignedObject,
}

impl Checkout {
    /// The commit `id`.
    ///
    /// # Errors
    ///
    /// When it is not there.
    pub fn signed_commit(&self, id: &str) -> Result<SignedCommit, Error> {
        let (repo, parsed) = (self.local(), parse(id)?);
        let commit = find_commit(&repo, self.limits(), parsed)?;
        let shallow = repo.shallow_commits().map_err(Error::read("the shallow boundary"))?;
        let header = match repo.object_hash() {
            gix::hash::Kind::Sha1 => "gpgsig",
            _ => "gpgsig-sha256",
        };
        Ok(SignedCommit {
            commit: id.to_owned(),
            parents: commit.parent_ids().map(|id| id.to_string()).collect(),
            is_edge: shallow.as_ref().is_some_and(|edge| edge.contains(&parsed)),
            signed: SignedObject::commit(&commit.data, header),
            content: commit.data.clone(),
        })
    }

    /// The revision of the commit `id`, by the name that led to it.
    ///
    /// # Errors
    ///
    /// When it is not there.
    pub fn revision_of(&self, id: &str, named: &str) -> Result<Revision, Error> {
        self.describe(parse(id)?, named.to_owned())
    }

    /// The annotated tags of commits, by the commits' ids and in the order of their names.
    ///
    /// # Errors
    ///
    /// When the references can't be read.
    pub fn signed_tags(&self) -> Result<BTreeMap<String, Vec<SignedTag>>, Error> {
        let repo = self.local();
        let platform = repo.references().map_err(Error::read("the references"))?;
        let tags = platform.tags().map_err(Error::read("the tags"))?;
        let mut found: BTreeMap<String, Vec<SignedTag>> = BTreeMap::new();
        for reference in tags.flatten() {
            let Some(target) = reference.target().try_id().map(ToOwned::to_owned) else { continue };
            let Ok(header) = repo.find_header(target) else { continue };
            if header.kind() != gix::objs::Kind::Tag || header.size() > self.limits().commit {
                continue;
            }
            let tag = repo.find_tag(target).map_err(Error::read(format!("tag {target}")))?;
            let Ok(decoded) = tag.decode() else { continue };
            // Its own name is signed, and the reference's is not.
            let name = reference.name().shorten().to_owned();
            if decoded.target_kind == gix::objs::Kind::Commit && decoded.name == name {
                let (commit, signed) = (decoded.target().to_string(), SignedObject::tag(&tag.data));
                let (name, content) = (name.to_string(), tag.data.clone());
                found.entry(commit).or_default().push(SignedTag { name, content, signed });
            }
        }
        found.values_mut().for_each(|tags| tags.sort_by(|a, b| a.name.cmp(&b.name)));
        Ok(found)
    }

    /// The paths that differ between two commits; all paths of the second where there is no first. A
    /// path that is not UTF-8 is given with its bytes replaced.
    ///
    /// # Errors
    ///
    /// When a folder can't be read, or a limit is exceeded.
    pub fn changed_paths(&self, from: Option<&str>, to: &str) -> Result<BTreeSet<String>, Error> {
        let repo = self.local();
        let trees = |id: &str| Trees::of(&repo, self.limits(), parse(id)?);
        let (from, to) = (from.map(trees).transpose()?, trees(to)?);
        let mut changed = BTreeSet::new();
        let before = from.as_ref().map(|from| from.root);
        let mut open = vec![(BString::default(), [before, Some(to.root)], 0)];
        let mut looked_at = 0;
        while let Some((path, [before, after], depth)) = open.pop() {
            if before == after {
                continue;
            }
            let limits = self.limits();
            looked_at += 1;
            if depth > limits.depth {
                return Err(to.excess(path.as_ref(), LimitKind::Depth, limits.depth as u64));
            }
            if looked_at > limits.entries {
                return Err(to.excess(path.as_ref(), LimitKind::Entries, limits.entries));
            }
            let entries = |trees: Option<&Trees<'_>>, folder: Option<ObjectId>| {
                let loaded = trees.zip(folder).map(|(trees, id)| trees.load(id, path.as_ref()));
                let loaded = loaded.transpose()?.unwrap_or_default();
                Ok::<_, Error>(
                    loaded.into_iter().map(|entry| (entry.name.clone(), entry)).collect(),
                )
            };
            let before: BTreeMap<BString, TreeEntry> = entries(from.as_ref(), before)?;
            let after: BTreeMap<BString, TreeEntry> = entries(Some(&to), after)?;
            for name in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
                let both = [before.get(name), after.get(name)];
                if let [Some(old), Some(new)] = both
                    && old.id == new.id
                    && old.kind == new.kind
                {
                    continue;
                }
                let full = joined(path.as_ref(), name.as_ref());
                if both.into_iter().flatten().any(|it| it.kind != EntryKind::Tree) {
                    changed.insert(tree_fault::inert(full.as_ref()));
                }
                let folders =
                    both.map(|it| it.filter(|it| it.kind == EntryKind::Tree).map(|it| it.id));
                open.push((full, folders, depth + 1));
            }
        }
        Ok(changed)
    }

    /// The paths of a merge that another parent than the first changed, and that the merge has otherwise:
    /// with what the first parent has, it takes that change back. Where there is no common ancestor, all
    /// that differs.
    ///
    /// # Errors
    ///
    /// When a commit or a folder can't be read, or a limit is exceeded.
    pub fn dropped_paths(&self, merge: &SignedCommit) -> Result<BTreeSet<String>, Error> {
        let mut dropped = BTreeSet::new();
        let Some((first, others)) = merge.parents.split_first().filter(|_| !merge.is_edge) else {
            return Ok(dropped);
        };
        let repo = self.local();
        for parent in others {
            let differs = self.changed_paths(Some(parent), &merge.commit)?;
            if differs.is_empty() {
                continue;
            }
            let bases = repo
                .merge_bases_many(parse(first)?, &[parse(parent)?])
                .map_err(Error::read(format!("the history of {parent}")))?;
            if bases.is_empty() {
                dropped.extend(differs);
                continue;
            }
            for base in bases {
                let own = self.changed_paths(Some(&base.to_string()), parent)?;
                dropped.extend(own.intersection(&differs).cloned());
            }
        }
        Ok(dropped)
    }

    /// Whether the commit `ancestor` is `id` itself or an ancestor of it. One that is not here is none.
    ///
    /// # Errors
    ///
    /// When the history can't be read.
    pub fn is_ancestor(&self, ancestor: &str, id: &str) -> Result<bool, Error> {
        let repo = self.local();
        let shallow = repo.shallow_commits().map_err(Error::read("the shallow boundary"))?;
        let (ancestor, from) = (parse(ancestor)?, parse(id)?);
        let (mut seen, mut open) = (HashSet::new(), VecDeque::from([from]));
        while let Some(id) = open.pop_front() {
            if id == ancestor {
                return Ok(true);
            }
            let is_edge = shallow.as_ref().is_some_and(|edge| edge.contains(&id));
            if !seen.insert(id) || is_edge {
                continue;
            }
            let commit = find_commit(&repo, self.limits(), id)?;
            open.extend(commit.parent_ids().map(gix::Id::detach));
        }
        Ok(false)
    }

    /// The folders that whoever writes to the checkout can write to: its work tree, and git's own.
    pub fn folders(&self) -> Vec<PathBuf> {
        let repo = self.local();
        let git = [repo.git_dir(), repo.common_dir()];
        let git = git.into_iter().filter_map(|folder| folder.canonicalize().ok());
        std::iter::once(self.root().to_owned()).chain(git).collect()
    }
}
