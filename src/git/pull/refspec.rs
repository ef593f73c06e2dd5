//! Which refs a pull asks for, and where they go: the upstream's branch alone, to where the
//! configured refspecs put it.

use gix::bstr::{BStr, BString};
use gix::refspec::{MatchGroup, RefSpec, match_group::Item};

/// A refspec for one ref of the remote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SingleRefspec {
    /// As git writes it.
    pub(super) spec: BString,
    /// The ref of here that follows it, if one does.
    pub(super) follows: Option<BString>,
}

/// The refspecs of `configured` about `branch` of the remote, limited to it.
pub(super) fn of_branch(configured: &[RefSpec], branch: &BStr) -> Vec<SingleRefspec> {
    let group = MatchGroup::from_fetch_specs(configured.iter().map(RefSpec::to_ref));
    let null = gix::hash::Kind::Sha1.null();
    let item = Item { full_ref_name: branch, target: &null, object: None };
    let matched = group.match_lhs(std::iter::once(item)).mappings;
    let mut narrow: Vec<SingleRefspec> = matched
        .into_iter()
        // A refspec for a commit names no branch.
        .filter(|mapping| mapping.item_index.is_some())
        .filter_map(|mapping| {
            let follows = mapping.rhs?.into_owned();
            let forced = configured[mapping.spec_index].allow_non_fast_forward();
            let plus = if forced { "+" } else { "" };
            Some(SingleRefspec {
                spec: format!("{plus}{branch}:{follows}").into(),
                follows: Some(follows),
            })
        })
        .collect();
    if narrow.is_empty() {
        // They may leave the branch out, as they do in a bare clone.
        narrow.push(SingleRefspec { spec: branch.to_owned(), follows: None });
    }
    narrow
}

#[cfg(test)]
mod tests {
    use gix::refspec::parse::Operation;

    use super::*;

    #[test]
    fn one_branch_is_asked_for_whatever_is_configured() {
        for (configured, expected) in [
            (
                &["+refs/heads/*:refs/remotes/origin/*"][..],
                "+refs/heads/a/b:refs/remotes/origin/a/b",
            ),
            (&["refs/heads/*:refs/heads/*"], "refs/heads/a/b:refs/heads/a/b"),
            (&["+refs/*:refs/*"], "+refs/heads/a/b:refs/heads/a/b"),
            (&["+refs/heads/a/*:refs/x/*"], "+refs/heads/a/b:refs/x/b"),
            (&["refs/heads/other:refs/remotes/origin/other"], "refs/heads/a/b"),
            (&["refs/heads/a/b"], "refs/heads/a/b"),
            (&["0123456789012345678901234567890123456789:refs/heads/x"], "refs/heads/a/b"),
            (&["+refs/heads/*:refs/remotes/o/*", "^refs/heads/a/b"], "refs/heads/a/b"),
            (&[], "refs/heads/a/b"),
            (
                &["+refs/heads/*:refs/remotes/o/*", "refs/heads/a/b:refs/heads/c"],
                "+refs/heads/a/b:refs/remotes/o/a/b refs/heads/a/b:refs/heads/c",
            ),
        ] {
            let parse = |spec: &&str| {
                gix::refspec::parse(BStr::new(*spec), Operation::Fetch).unwrap().to_owned()
            };
            let configured: Vec<RefSpec> = configured.iter().map(parse).collect();
            let narrow = of_branch(&configured, BStr::new("refs/heads/a/b"));
            let specs: Vec<String> = narrow.iter().map(|narrow| narrow.spec.to_string()).collect();
            assert_eq!(specs.join(" "), expected);
        }
    }
}
