//! Objects as git blame reads them: as many as are allowed, each of them sound.
//!
//! Blame compares the folders of one commit after the other, all of them where a file was moved. It
//! can't be interrupted, so what it reads ends instead.

use std::cell::Cell;

use gix::hash::oid;
use gix::objs::{Data, Find, FindHeader, Header, Kind, TreeRef};

use super::{RepositoryLimits, tree_fault};

/// An object database that gives out only so much.
pub(super) struct LimitedObjects<'a> {
    objects: &'a gix::OdbHandle,
    limits: &'a RepositoryLimits,
    read: Cell<u64>,
    bytes: Cell<u64>,
}

impl<'a> LimitedObjects<'a> {
    pub(super) fn new(objects: &'a gix::OdbHandle, limits: &'a RepositoryLimits) -> Self {
        Self { objects, limits, read: Cell::new(0), bytes: Cell::new(0) }
    }

    /// Whether an object of this size may still be read; then it counts as read.
    fn admit(&self, header: &Header) -> gix::Result<()> {
        let (read, bytes) = (self.read.get() + 1, self.bytes.get().saturating_add(header.size));
        let largest = match header.kind {
            Kind::Tree => self.limits.tree,
            Kind::Commit | Kind::Tag => self.limits.commit,
            Kind::Blob => crate::core::source::snapshot::LARGEST,
        };
        if header.size > largest || read > self.limits.history || bytes > self.limits.history_bytes
        {
            return Err(refused("the history is too long to tell who wrote a line"));
        }
        self.read.set(read);
        self.bytes.set(bytes);
        Ok(())
    }
}

impl Find for LimitedObjects<'_> {
    fn try_find<'b>(&self, id: &oid, buffer: &'b mut Vec<u8>) -> gix::Result<Option<Data<'b>>> {
        let Some(header) = self.try_header(id)? else { return Ok(None) };
        self.admit(&header)?;
        let Some(data) = self.objects.try_find(id, buffer)? else { return Ok(None) };
        if data.kind == Kind::Tree {
            let tree = TreeRef::from_bytes(data.data, id.kind())?;
            tree_fault::check(&tree.entries)
                .map_err(|(_, fault)| refused(&format!("an entry of tree {id} {fault}")))?;
        }
        Ok(Some(data))
    }
}

impl FindHeader for LimitedObjects<'_> {
    fn try_header(&self, id: &oid) -> gix::Result<Option<Header>> {
        FindHeader::try_header(self.objects, id)
    }
}

fn refused(why: &str) -> gix::Error {
    gix::Error::from_error(std::io::Error::other(why.to_owned()))
}
