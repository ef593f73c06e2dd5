//! Repositories that unfold to far more than they store. Every limit is tried with harmless input
//! just below and just above it; nothing here is large.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use trueup::core::source::snapshot::Snapshot;
use trueup::git::pull::{PullError, PullOptions, TrackedRefs, Traffic, pull};
use trueup::git::{Checkout, Error, LimitKind, RepositoryLimits};

use crate::support::git::{Upstream, blob, commit_tree, git, tree, write};
use crate::support::http::GitServer;

/// A commit with `narrow/one.yaml`, and `wide`, in which each of three folders within each other
/// has the same four below it: 4 + 16 + 64 folders and 64 files of five objects.
fn shared_subtrees(dir: &Path) -> String {
    let file = blob(dir, "kind: One\n");
    let mut below = tree(dir, &[("100644", b"one.yaml", &file)]);
    for _ in 0..3 {
        let names: [&[u8]; 4] = [b"a", b"b", b"c", b"d"];
        let entries: Vec<_> = names.iter().map(|name| ("40000", *name, below.as_str())).collect();
        below = tree(dir, &entries);
    }
    let narrow = tree(dir, &[("100644", b"one.yaml", &file)]);
    let root = tree(dir, &[("40000", b"narrow", &narrow), ("40000", b"wide", &below)]);
    commit_tree(dir, &root, None)
}

fn snapshot(dir: &Path, limits: &RepositoryLimits, path: &str) -> Result<Snapshot, Error> {
    let checkout = Checkout::discover_within(dir, limits)?;
    let revision = checkout.resolve(None)?;
    checkout.snapshot(&revision, &[path.to_owned()], &|_| true)
}

/// A repository whose `HEAD` is `commit`, in a folder of its own.
fn at(make: impl FnOnce(&Path) -> String) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), ["init", "--quiet", "--initial-branch=main"]);
    let commit = make(folder.path());
    git(folder.path(), ["update-ref", "refs/heads/main", &commit]);
    folder
}

#[track_caller]
fn assert_too_much<T: std::fmt::Debug>(result: Result<T, Error>, wanted: LimitKind) {
    match result {
        Err(error @ Error::TooMuch { .. }) => {
            let Error::TooMuch { excess, .. } = &error else { unreachable!() };
            assert_eq!(excess.measure, wanted, "{error}");
            assert!(error.to_string().contains(&excess.limit.to_string()), "{error}");
            assert!(error.hint().is_some());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn entries_are_counted_under_the_paths_that_are_read() {
    let folder = at(shared_subtrees);
    let limits = |entries| RepositoryLimits { entries, ..RepositoryLimits::default() };
    // Below `wide`: 4 + 16 + 64 folders, and 64 files.
    assert_eq!(snapshot(folder.path(), &limits(148), "wide").unwrap().files.len(), 64);
    assert_too_much(snapshot(folder.path(), &limits(147), "wide"), LimitKind::Entries);
    assert_too_much(snapshot(folder.path(), &limits(147), ""), LimitKind::Entries);
    // What lies beside the path that is read costs nothing.
    assert_eq!(snapshot(folder.path(), &limits(1), "narrow").unwrap().files.len(), 1);
    assert_eq!(snapshot(folder.path(), &limits(1), "narrow/one.yaml").unwrap().files.len(), 1);
    // Nor does a path that is not there.
    match snapshot(folder.path(), &limits(1), "narow") {
        Err(Error::UnknownPath { near, .. }) => assert_eq!(near, ["narrow"]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn commit_size_is_checked_before_the_work_tree_comparison() {
    let folder = at(shared_subtrees);
    let uncommitted = |limits: RepositoryLimits| {
        let checkout = Checkout::discover_within(folder.path(), &limits).unwrap();
        checkout.uncommitted(&["narrow".to_owned()])
    };
    let limits =
        |checkout_entries| RepositoryLimits { checkout_entries, ..RepositoryLimits::default() };
    // `narrow`, its file, `wide` and all below.
    assert_eq!(uncommitted(limits(151)).unwrap().paths, ["narrow/one.yaml"]);
    assert_too_much(uncommitted(limits(150)), LimitKind::Entries);
    // wide/a/b/c/one.yaml and its like, 64 times 19 bytes, and more.
    assert_too_much(
        uncommitted(RepositoryLimits { path_bytes: 1200, ..RepositoryLimits::default() }),
        LimitKind::PathBytes,
    );
}

#[test]
fn folders_within_each_other_and_long_paths() {
    let folder = at(shared_subtrees);
    let depth = |depth| RepositoryLimits { depth, ..RepositoryLimits::default() };
    assert!(snapshot(folder.path(), &depth(4), "").is_ok());
    assert_too_much(snapshot(folder.path(), &depth(3), ""), LimitKind::Depth);
    assert_too_much(snapshot(folder.path(), &depth(3), "wide/a"), LimitKind::Depth);
    let path = |path| RepositoryLimits { path, ..RepositoryLimits::default() };
    let longest = "wide/a/b/c/one.yaml".len();
    assert!(snapshot(folder.path(), &path(longest), "").is_ok());
    assert_too_much(snapshot(folder.path(), &path(longest - 1), ""), LimitKind::Path);
    let bytes = |path_bytes| RepositoryLimits { path_bytes, ..RepositoryLimits::default() };
    assert!(snapshot(folder.path(), &bytes(15 + 6), "narrow").is_ok());
    assert_too_much(snapshot(folder.path(), &bytes(14), "narrow"), LimitKind::PathBytes);
    for limits in [depth(3), path(longest - 1)] {
        let checkout = Checkout::discover_within(folder.path(), &limits).unwrap();
        assert!(checkout.uncommitted(&[String::new()]).is_err());
    }
}

#[test]
fn object_size_is_checked_before_inflating() {
    let folder = at(shared_subtrees);
    // One entry: `100644 one.yaml`, NUL, and 20 bytes.
    let tree = |tree| RepositoryLimits { tree, ..RepositoryLimits::default() };
    let one = 7 + 8 + 1 + 20;
    // Each of four: `40000 a`, NUL, 20 bytes. The root has but two.
    let widest = 4 * (6 + 1 + 1 + 20);
    assert!(one < widest);
    assert!(snapshot(folder.path(), &tree(widest), "").is_ok());
    assert_too_much(snapshot(folder.path(), &tree(widest - 1), ""), LimitKind::TreeBytes);
    let content = |content| RepositoryLimits { content, ..RepositoryLimits::default() };
    let bytes = "kind: One\n".len() as u64;
    assert!(snapshot(folder.path(), &content(bytes), "narrow").is_ok());
    assert_too_much(snapshot(folder.path(), &content(bytes - 1), "narrow"), LimitKind::Content);
    // One blob, 64 times: it is the paths that are filled.
    assert!(snapshot(folder.path(), &content(64 * bytes), "wide").is_ok());
    assert_too_much(snapshot(folder.path(), &content(64 * bytes - 1), "wide"), LimitKind::Content);
}

#[test]
fn commit_object_size_is_limited() {
    let folder = at(shared_subtrees);
    let size: u64 = git(folder.path(), ["cat-file", "-s", "HEAD"]).parse().unwrap();
    let limits = |commit| RepositoryLimits { commit, ..RepositoryLimits::default() };
    let resolve = |limits: RepositoryLimits| {
        Checkout::discover_within(folder.path(), &limits).unwrap().resolve(None)
    };
    assert!(resolve(limits(size)).is_ok());
    assert_too_much(resolve(limits(size - 1)), LimitKind::CommitBytes);

    let long = "x".repeat(2000);
    let message = format!("{long}\n\nbody\n");
    let author = format!("user.name={}", "y".repeat(2000));
    git(
        folder.path(),
        ["-c", &author, "commit", "--quiet", "--allow-empty", "--message", &message],
    );
    let revision = resolve(RepositoryLimits::default()).unwrap();
    assert_eq!(revision.summary.chars().count(), 501);
    assert!(revision.summary.ends_with('…'));
}

#[test]
fn blame_depth_is_limited() {
    let upstream = Upstream::new();
    for replicas in 2..6 {
        upstream.write("web.yaml", &format!("kind: Web\nreplicas: {replicas}\n"));
        upstream.commit("Scale");
    }
    let authors = |limits: RepositoryLimits| {
        let checkout = Checkout::discover_within(&upstream.work(), &limits).unwrap();
        let revision = checkout.resolve(None).unwrap();
        checkout.authors(&revision, "web.yaml", &[1, 2])
    };
    assert_eq!(authors(RepositoryLimits::default()).unwrap().len(), 2);
    assert!(authors(RepositoryLimits { history: 3, ..RepositoryLimits::default() }).is_err());
    assert!(
        authors(RepositoryLimits { history_bytes: 100, ..RepositoryLimits::default() }).is_err()
    );
}

/// Pulls with limits of the test's own.
fn pull_within(
    directory: &Path,
    url: Option<String>,
    limits: RepositoryLimits,
) -> Result<(), PullError> {
    pull(&PullOptions {
        directory: directory.to_owned(),
        url,
        branch: None,
        bare: false,
        timeout: Duration::from_secs(60),
        interrupt: Arc::default(),
        limits,
        warnings: trueup::git::pull::Warnings::default(),
        traffic: Traffic::default(),
        tracked: TrackedRefs::default(),
        allow_rewind: false,
    })
    .map(drop)
}

#[test]
fn pull_limits_files_of_a_commit() {
    let upstream = Upstream::new();
    let checkout = upstream.clone("checkout");
    let before = upstream.tip();
    let commit = {
        let made = shared_subtrees(&upstream.work());
        let tree = git(upstream.work(), ["rev-parse", &format!("{made}^{{tree}}")]);
        commit_tree(upstream.work(), &tree, Some("HEAD"))
    };
    git(upstream.work(), ["push", "--quiet", "origin", &format!("{commit}:refs/heads/main")]);
    let limits =
        |checkout_entries| RepositoryLimits { checkout_entries, ..RepositoryLimits::default() };

    match pull_within(&checkout, None, limits(150)) {
        Err(PullError::Checkout(error)) => assert_too_much::<()>(Err(error), LimitKind::Entries),
        other => panic!("{other:?}"),
    }
    assert_eq!(git(&checkout, ["rev-parse", "HEAD"]), before);
    let place = upstream.folder().join("place");
    assert!(pull_within(&place, Some(upstream.url()), limits(150)).is_err());
    assert!(!place.exists());

    pull_within(&checkout, None, limits(151)).unwrap();
    assert_eq!(git(&checkout, ["rev-parse", "HEAD"]), commit);
    assert_eq!(git(&checkout, ["status", "--porcelain"]), "");
    pull_within(&place, Some(upstream.url()), limits(151)).unwrap();
}

#[test]
fn pull_limits_inflated_bytes() {
    let upstream = Upstream::new();
    let checkout = upstream.clone("checkout");
    let before = upstream.tip();
    write(upstream.work().join("large.bin"), &"x".repeat(100_000));
    let commit = upstream.commit("Large");
    // A pull is allowed four times as much as reading.
    let limits = |object| RepositoryLimits { object, ..RepositoryLimits::default() };

    assert!(matches!(pull_within(&checkout, None, limits(20_000)), Err(PullError::Fetch { .. })));
    assert_eq!(git(&checkout, ["rev-parse", "HEAD"]), before);

    pull_within(&checkout, None, limits(50_000)).unwrap();
    assert_eq!(git(&checkout, ["rev-parse", "HEAD"]), commit);
    assert!(snapshot(&checkout, &limits(50_000), "web.yaml").is_ok());
    assert!(snapshot(&checkout, &limits(50_000), "large.bin").is_err());
}

#[test]
fn pull_limits_pack_size() {
    let upstream = Upstream::new();
    let checkout = upstream.clone("checkout");
    let before = upstream.tip();
    // Digits that zlib makes little of.
    let digits: String =
        (0..20_000_u64).map(|n| (n * 7_919 * 104_729 % 65_537).to_string()).collect();
    write(upstream.work().join("large.txt"), &digits);
    let commit = upstream.commit("Large");
    let limits = |pack| RepositoryLimits { pack, ..RepositoryLimits::default() };

    let error = pull_within(&checkout, None, limits(1000)).unwrap_err();
    assert!(matches!(error, PullError::TooLarge { bytes: 1000, .. }), "{error}");
    assert_eq!(git(&checkout, ["rev-parse", "HEAD"]), before);
    let place = upstream.folder().join("place");
    let error = pull_within(&place, Some(upstream.url()), limits(1000)).unwrap_err();
    assert!(matches!(error, PullError::TooLarge { .. }), "{error}");
    assert!(!place.exists());

    pull_within(&checkout, None, limits(1_000_000)).unwrap();
    assert_eq!(git(&checkout, ["rev-parse", "HEAD"]), commit);
}

#[test]
fn pull_limits_ref_list_size() {
    // As the program does when it starts.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let upstream = Upstream::new();
    // A server that knows prefixes sends all that begin with the name that is asked for.
    for branch in 0..60 {
        git(upstream.bare(), ["branch", &format!("main-{branch}"), "main"]);
    }
    let server = GitServer::http(upstream.folder());
    let checkout = upstream.clone("checkout");
    git(&checkout, ["remote", "set-url", "origin", &server.url("shop.git")]);
    for version in ["0", "1", "2"] {
        git(&checkout, ["config", "protocol.version", version]);
        let limits = |refs| RepositoryLimits { refs, ..RepositoryLimits::default() };
        // More than the capabilities have, and less than 60 lines of an id and a name.
        let error = pull_within(&checkout, None, limits(2000)).unwrap_err();
        assert!(matches!(error, PullError::Fetch { .. }), "{version}: {error:?}");
        assert!(format!("{error:?}").contains("list of refs"), "{version}: {error:?}");
        pull_within(&checkout, None, limits(20_000)).unwrap();
    }
}
