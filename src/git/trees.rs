//! Reads a commit's folders: checks each, counts as it goes, and stops where a limit is reached.

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::rc::Rc;

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::objs::tree::{EntryKind, EntryMode};

use super::error::{LimitExceeded, LimitKind};
use super::tree_fault::{self, TreeFault, inert};
use super::{Error, RepositoryLimits};

/// One entry of a folder.
#[derive(Clone, Debug)]
pub(super) struct TreeEntry {
    pub(super) name: BString,
    pub(super) kind: EntryKind,
    pub(super) id: ObjectId,
}

/// A file, link or submodule of a commit.
#[derive(Clone, Debug)]
pub(super) struct File {
    /// From the root.
    pub(super) path: BString,
    pub(super) kind: EntryKind,
    pub(super) id: ObjectId,
}

/// The size of a folder, the folders in it included.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FolderSize {
    /// Files and folders.
    pub(super) entries: u64,
    /// An entry that is not a folder.
    pub(super) files: u64,
    /// The bytes of all paths from this folder.
    path_bytes: u64,
    /// The bytes of the longest of them.
    longest: usize,
    /// Folders within each other.
    depth: usize,
}

/// The folders of one commit.
pub(super) struct Trees<'a> {
    repo: &'a gix::Repository,
    limits: &'a RepositoryLimits,
    commit: ObjectId,
    pub(super) root: ObjectId,
    /// The size of the walk so far.
    walked: FolderSize,
    /// The bytes of the tree objects that were read so far.
    loaded: Cell<u64>,
}

impl<'a> Trees<'a> {
    /// The folders of `commit`.
    ///
    /// # Errors
    ///
    /// When the commit is not there, or larger than a commit is.
    pub(super) fn of(
        repo: &'a gix::Repository,
        limits: &'a RepositoryLimits,
        commit: ObjectId,
    ) -> Result<Self, Error> {
        let root = find_commit(repo, limits, commit)?
            .tree_id()
            .map_err(Error::read(format!("commit {commit}")))?
            .detach();
        Ok(Self { repo, limits, commit, root, walked: FolderSize::default(), loaded: Cell::new(0) })
    }

    /// The entry at `path`; the root is the empty string.
    pub(super) fn find(&self, path: &str) -> Result<Option<TreeEntry>, Error> {
        let mut found =
            TreeEntry { name: BString::default(), kind: EntryKind::Tree, id: self.root };
        let mut at = 0;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            if found.kind != EntryKind::Tree {
                return Ok(None);
            }
            let here = self.load(found.id, path[..at].trim_end_matches('/').into())?;
            let Some(next) = here.into_iter().find(|entry| entry.name == part) else {
                return Ok(None);
            };
            found = next;
            at = (at + part.len() + 1).min(path.len());
        }
        Ok(Some(found))
    }

    /// Whether more was read than is needed to find where links lead.
    pub(super) fn is_long_enough(&self) -> bool {
        self.loaded.get() > self.limits.path_bytes
    }

    /// The first part of `path` that is a link or a submodule.
    pub(super) fn first_barrier(&self, path: &str) -> Result<Option<(String, EntryKind)>, Error> {
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        for above in ends.map(|end| &path[..end]) {
            match self.find(above)?.map(|entry| entry.kind) {
                Some(EntryKind::Tree) => {}
                Some(kind @ (EntryKind::Link | EntryKind::Commit)) => {
                    return Ok(Some((above.to_owned(), kind)));
                }
                _ => break,
            }
        }
        Ok(None)
    }

    /// The content of a blob, unless it has more bytes than this.
    pub(super) fn text_of(&self, id: ObjectId, longest: u64) -> Result<Option<BString>, Error> {
        let reading = || format!("a link of commit {}", self.commit);
        let header = self.repo.find_header(id).map_err(Error::read(reading()))?;
        if header.kind() != gix::objs::Kind::Blob || header.size() > longest {
            return Ok(None);
        }
        let mut object = self.repo.find_object(id).map_err(Error::read(reading()))?;
        Ok(Some(std::mem::take(&mut object.data).into()))
    }

    /// Hands everything below `folder`, which is at `path`, to `each`; folders are walked into where
    /// their paths are to be `entered`.
    pub(super) fn walk(
        &mut self,
        folder: ObjectId,
        path: &str,
        entered: &dyn Fn(&str) -> bool,
        each: &mut dyn FnMut(File),
    ) -> Result<(), Error> {
        let depth = path.split('/').filter(|part| !part.is_empty()).count();
        let mut open = vec![(BString::from(path), folder, depth)];
        // A folder that is used again is not read again. All that is kept here was counted.
        let mut known: HashMap<ObjectId, Rc<Vec<TreeEntry>>> = HashMap::new();
        while let Some((path, id, depth)) = open.pop() {
            if depth > self.limits.depth {
                let limit = self.limits.depth as u64;
                return Err(self.excess(path.as_ref(), LimitKind::Depth, limit));
            }
            let entries = match known.get(&id) {
                Some(entries) => Rc::clone(entries),
                None => {
                    let entries = Rc::new(self.load(id, path.as_ref())?);
                    known.insert(id, Rc::clone(&entries));
                    entries
                }
            };
            for TreeEntry { name, kind, id } in entries.iter() {
                let full = joined(path.as_ref(), name.as_ref());
                self.count(full.as_ref())?;
                match kind {
                    EntryKind::Tree if full.to_str().is_ok_and(|path| !entered(path)) => {}
                    EntryKind::Tree => open.push((full, *id, depth + 1)),
                    kind => each(File { path: full, kind: *kind, id: *id }),
                }
            }
        }
        Ok(())
    }

    /// Counts one path that was met, and stops at the limits.
    fn count(&mut self, path: &BStr) -> Result<(), Error> {
        self.walked.entries += 1;
        self.walked.path_bytes += path.len() as u64;
        let RepositoryLimits { entries, path_bytes, path: longest, .. } = *self.limits;
        if path.len() > longest {
            return Err(self.excess(path, LimitKind::Path, longest as u64));
        }
        if self.walked.entries > entries {
            return Err(self.excess(path, LimitKind::Entries, entries));
        }
        if self.walked.path_bytes > path_bytes {
            return Err(self.excess(path, LimitKind::PathBytes, path_bytes));
        }
        Ok(())
    }

    /// Checks every folder of the commit, each tree object once however often it is used, and says
    /// what they add up to. So the time follows what is stored, and not what it would unfold to.
    pub(super) fn inspect(&self) -> Result<FolderSize, Error> {
        let root = FolderVisit { id: self.root, path: BString::default(), depth: 0, held: 0 };
        self.weigh(root, &mut HashMap::new())
    }

    fn weigh(
        &self,
        place: FolderVisit,
        known: &mut HashMap<ObjectId, FolderSize>,
    ) -> Result<FolderSize, Error> {
        let weight = match known.get(&place.id) {
            Some(weight) => *weight,
            None => {
                let weight = self.add_up(&place, known)?;
                known.insert(place.id, weight);
                weight
            }
        };
        let FolderVisit { path, depth, .. } = place;
        let limits = self.limits;
        for (has, measure, limit) in [
            ((depth + weight.depth) as u64, LimitKind::Depth, limits.depth as u64),
            ((path.len() + weight.longest) as u64, LimitKind::Path, limits.path as u64),
            (weight.entries, LimitKind::Entries, limits.checkout_entries),
            (weight.path_bytes, LimitKind::PathBytes, limits.path_bytes),
        ] {
            if has > limit {
                return Err(self.excess(path.as_ref(), measure, limit));
            }
        }
        Ok(weight)
    }

    fn add_up(
        &self,
        FolderVisit { id, path, depth, held }: &FolderVisit,
        known: &mut HashMap<ObjectId, FolderSize>,
    ) -> Result<FolderSize, Error> {
        if *depth > self.limits.depth {
            return Err(self.excess(path.as_ref(), LimitKind::Depth, self.limits.depth as u64));
        }
        let entries = self.load(*id, path.as_ref())?;
        // The entries of the folders above stay in memory meanwhile, and count.
        let held = held + entries.len() as u64;
        if held > self.limits.checkout_entries {
            let limit = self.limits.checkout_entries;
            return Err(self.excess(path.as_ref(), LimitKind::Entries, limit));
        }
        let mut sum = FolderSize::default();
        for TreeEntry { name, kind, id } in entries {
            let below = match kind {
                EntryKind::Tree => {
                    let path = joined(path.as_ref(), name.as_ref());
                    let below =
                        self.weigh(FolderVisit { id, path, depth: depth + 1, held }, known)?;
                    FolderSize { depth: below.depth + 1, ..below }
                }
                _ => FolderSize { files: 1, ..FolderSize::default() },
            };
            let prefix = (name.len() as u64 + 1).saturating_mul(below.entries.saturating_add(1));
            sum.entries = sum.entries.saturating_add(below.entries).saturating_add(1);
            sum.files = sum.files.saturating_add(below.files);
            sum.path_bytes = sum.path_bytes.saturating_add(below.path_bytes).saturating_add(prefix);
            sum.longest = sum.longest.max(name.len() + 1 + below.longest);
            sum.depth = sum.depth.max(below.depth);
        }
        Ok(sum)
    }

    /// The entries of the tree object `id`, which is at `path`.
    pub(super) fn load(&self, id: ObjectId, path: &BStr) -> Result<Vec<TreeEntry>, Error> {
        let reading = || format!("`{}` of commit {}", inert(path), self.commit);
        let header = self.repo.find_header(id).map_err(Error::read(reading()))?;
        if header.kind() != gix::objs::Kind::Tree {
            return Err(self.unsound(path, TreeFault::Kind));
        }
        if header.size() > self.limits.tree {
            return Err(self.excess(path, LimitKind::TreeBytes, self.limits.tree));
        }
        self.loaded.set(self.loaded.get().saturating_add(header.size()));
        let object = self.repo.find_object(id).map_err(Error::read(reading()))?;
        let Ok(tree) = gix::objs::TreeRef::from_bytes(&object.data, id.kind()) else {
            return Err(self.unsound(path, TreeFault::Malformed));
        };
        if let Err((at, fault)) = tree_fault::check(&tree.entries) {
            let name = tree.entries[at].filename;
            return Err(self.unsound(joined(path, name).as_ref(), fault));
        }
        let entry = |entry: &gix::objs::tree::EntryRef<'_>| TreeEntry {
            name: entry.filename.to_owned(),
            kind: EntryMode::kind(&entry.mode),
            id: entry.oid.to_owned(),
        };
        Ok(tree.entries.iter().map(entry).collect())
    }

    fn unsound(&self, path: &BStr, fault: TreeFault) -> Error {
        Error::Unsound { path: inert(path), commit: self.commit.to_string(), fault }
    }

    pub(super) fn excess(&self, path: &BStr, measure: LimitKind, limit: u64) -> Error {
        let excess = LimitExceeded { measure, limit };
        Error::TooMuch { path: inert(path), commit: self.commit.to_string(), excess }
    }

    /// Names like `wanted` in the first few folders. It only makes a hint, so that a folder that
    /// can't be read is left out.
    pub(super) fn suggestions(&self, wanted: &str) -> Vec<String> {
        /// As many as are worth looking through.
        const ENOUGH: usize = 10_000;
        let mut names = BTreeSet::new();
        let mut open = VecDeque::from([(BString::default(), self.root, 0)]);
        let mut seen = 0;
        while let Some((path, id, depth)) = open.pop_front() {
            let Ok(entries) = self.load(id, path.as_ref()) else { continue };
            for TreeEntry { name, kind, id } in entries {
                let full = joined(path.as_ref(), name.as_ref());
                seen += 1;
                if seen > ENOUGH || full.len() > self.limits.path {
                    return crate::core::suggest::suggest(wanted, names);
                }
                if let Ok(text) = full.to_str() {
                    names.insert(text.to_owned());
                }
                if kind == EntryKind::Tree && depth < self.limits.depth {
                    open.push_back((full, id, depth + 1));
                }
            }
        }
        crate::core::suggest::suggest(wanted, names)
    }
}

/// A folder on the way down.
struct FolderVisit {
    id: ObjectId,
    path: BString,
    depth: usize,
    /// The entries of all folders above.
    held: u64,
}

/// The commit `id`, unless it is larger than any commit is.
pub(super) fn find_commit<'repo>(
    repo: &'repo gix::Repository,
    limits: &RepositoryLimits,
    id: ObjectId,
) -> Result<gix::Commit<'repo>, Error> {
    let reading = || format!("commit {id}");
    let bytes = repo.find_header(id).map_err(Error::read(reading()))?.size();
    if bytes > limits.commit {
        let excess = LimitExceeded { measure: LimitKind::CommitBytes, limit: limits.commit };
        return Err(Error::TooMuch { path: String::new(), commit: id.to_string(), excess });
    }
    repo.find_commit(id).map_err(Error::read(reading()))
}

pub(super) fn joined(folder: &BStr, name: &BStr) -> BString {
    let mut path = BString::from(folder);
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}
