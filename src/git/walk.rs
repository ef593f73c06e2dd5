//! The commits of a history, also of one with commits that no git of today makes: such as one whose
//! author has no e-mail address, as converters of other systems left them.

use std::collections::HashSet;

use gix::ObjectId;
use gix::bstr::{BString, ByteSlice};

use super::Error;

/// The commits that are reached from `of`, and not from `without`.
///
/// # Errors
///
/// When one of them is not there.
pub(super) fn commits(
    repo: &gix::Repository,
    of: ObjectId,
    without: Option<ObjectId>,
) -> Result<Vec<ObjectId>, Error> {
    let quick = repo.rev_walk([of]).with_hidden(without).all().ok().and_then(|walk| {
        walk.map(|info| info.map(|info| info.id)).collect::<Result<Vec<_>, _>>().ok()
    });
    match (quick, without) {
        (Some(found), _) => Ok(found),
        // Stops at nothing but what is missing, and takes longer.
        (None, without) => {
            let hidden = without.map(|id| reached(repo, id, &HashSet::new())).transpose()?;
            let found = reached(repo, of, &hidden.unwrap_or_default())?;
            Ok(found.into_iter().collect())
        }
    }
}

fn reached(
    repo: &gix::Repository,
    from: ObjectId,
    hidden: &HashSet<ObjectId>,
) -> Result<HashSet<ObjectId>, Error> {
    let shallow = repo.shallow_commits().map_err(Error::read("the shallow boundary"))?;
    let (mut found, mut open) = (HashSet::new(), vec![from]);
    while let Some(id) = open.pop() {
        if hidden.contains(&id) || !found.insert(id) {
            continue;
        }
        if !shallow.as_ref().is_some_and(|edge| edge.contains(&id)) {
            let commit = repo.find_commit(id).map_err(Error::read(format!("commit {id}")))?;
            open.extend(commit.parent_ids().map(gix::Id::detach));
        }
    }
    Ok(found)
}

/// The author of a commit, and its time, as far as it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Author {
    pub(super) name: BString,
    /// The identity of the author: the address, or else the name.
    pub(super) identity: BString,
}

/// The author of the commit with this content.
pub(super) fn author(commit: &[u8]) -> Author {
    let line = header(commit, b"author ").unwrap_or_default();
    let (name, address) = match line.split_once_str("<") {
        Some((name, rest)) => (name, rest.split_once_str(">").map_or(rest, |(inside, _)| inside)),
        None => (without_time(line), &b""[..]),
    };
    let name = name.trim();
    let identity = if address.is_empty() { name } else { address };
    Author { name: name.into(), identity: identity.into() }
}

/// When the commit with this content was made, in seconds of Unix time.
pub(super) fn seconds(commit: &[u8]) -> Option<i64> {
    let line = header(commit, b"committer ")?;
    line.rsplit_str(" ").nth(1)?.to_str().ok()?.parse().ok()
}

fn header<'a>(commit: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let lines = commit.lines().take_while(|line| !line.is_empty());
    lines.into_iter().find_map(|line| line.strip_prefix(name))
}

fn without_time(line: &[u8]) -> &[u8] {
    let mut parts = line.rsplitn_str(3, " ");
    parts.nth(2).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_author_is_read_whatever_is_missing() {
        for (line, name, identity) in [
            ("A U Thor <a@b> 1700000000 +0000", "A U Thor", "a@b"),
            ("A U Thor <> 1700000000 +0000", "A U Thor", "A U Thor"),
            ("A U Thor 1700000000 +0000", "A U Thor", "A U Thor"),
            ("A U Thor <a@b 1700000000 +0000", "A U Thor", "a@b 1700000000 +0000"),
            ("<a@b> 1700000000 +0000", "", "a@b"),
            ("A", "A", "A"),
        ] {
            let commit = format!("tree 0\nauthor {line}\ncommitter {line}\n\nauthor B <c> 1 +0\n");
            let author = author(commit.as_bytes());
            assert_eq!((author.name, author.identity), (name.into(), identity.into()), "{line}");
            let expected = line.contains(' ').then_some(1_700_000_000);
            assert_eq!(seconds(commit.as_bytes()), expected, "{line}");
        }
    }
}
