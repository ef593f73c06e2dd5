//! Reading a checkout: revisions, files of a commit and of the work tree, identity.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use trueup::core::source::snapshot::{Snapshot, WhySkipped};
use trueup::git::{Checkout, Descent, Error};

use crate::support::git::{Upstream, git, write};

fn all(_path: &str) -> bool {
    true
}

fn texts(snapshot: &Snapshot) -> BTreeMap<&str, &str> {
    let files = snapshot.files.iter();
    files.map(|(path, bytes)| (path.as_str(), std::str::from_utf8(bytes).unwrap())).collect()
}

fn paths(paths: &[&str]) -> Vec<String> {
    paths.iter().map(|path| (*path).to_owned()).collect()
}

#[test]
fn a_checkout_is_found_upwards_and_has_a_name() {
    let upstream = Upstream::new();
    let folder = upstream.clone("shop");
    let checkout = Checkout::discover(&folder.join("envs/prod")).unwrap();
    assert_eq!(checkout.root(), folder.canonicalize().unwrap());
    assert_eq!(checkout.folder_name(), "shop");
    assert!(checkout.has_remote());

    let bare = Checkout::discover(&upstream.bare()).unwrap();
    assert_eq!(bare.folder_name(), "shop");
    assert!(bare.is_bare() && !bare.has_remote());
    assert_eq!(bare.uncommitted(&paths(&[""])).unwrap().paths, Vec::<String>::new());

    let nowhere = tempfile::tempdir().unwrap();
    let error = Checkout::discover(nowhere.path()).unwrap_err();
    assert!(matches!(error, Error::NotARepository { .. }), "{error:?}");
}

#[test]
fn path_arguments_count_from_where_the_user_is() {
    let upstream = Upstream::new();
    let folder = upstream.clone("shop");
    let checkout = Checkout::discover(&folder).unwrap();
    let path = |cwd: &str, arg: &str| checkout.repo_path(&folder.join(cwd), Path::new(arg));
    for (cwd, arg, wanted) in [
        ("", ".", ""),
        ("", "envs/prod", "envs/prod"),
        ("envs", "prod/", "envs/prod"),
        ("envs/prod", "../../web.yaml", "web.yaml"),
        ("envs", "..", ""),
        ("", "not/there", "not/there"),
    ] {
        assert_eq!(path(cwd, arg).unwrap(), wanted, "{arg} in {cwd}");
    }
    let whole = folder.join("envs");
    assert_eq!(path("", whole.to_str().unwrap()).unwrap(), "envs");
    let link = upstream.folder().join("link");
    symlink(&folder, &link).unwrap();
    assert_eq!(path("", link.join("envs").to_str().unwrap()).unwrap(), "envs");
    assert_eq!(checkout.repo_path(&link.join("envs"), Path::new("prod")).unwrap(), "envs/prod");
    for outside in ["..", "../work", "/etc"] {
        let error = path("", outside).unwrap_err();
        assert!(matches!(error, Error::Outside { .. }), "{error:?}");
    }
}

#[test]
fn revisions_have_names() {
    let upstream = Upstream::new();
    let first = upstream.tip();
    git(upstream.work(), ["tag", "--annotate", "v1.0", "--message", "One"]);
    upstream.write("web.yaml", "kind: Web\nreplicas: 2\n");
    let second = upstream.commit("Second replica\n\nWith a body.");
    let checkout = Checkout::discover(&upstream.work()).unwrap();

    let head = checkout.resolve(None).unwrap();
    assert_eq!((head.commit.as_str(), head.named.as_str()), (second.as_str(), "main"));
    assert_eq!((head.summary.as_str(), head.author.as_str()), ("Second replica", "Author"));
    assert_eq!(head.short(), &second[..7]);
    for rev in ["v1.0", "HEAD~1", &first[..10], &first] {
        let revision = checkout.resolve(Some(rev)).unwrap();
        assert_eq!((revision.commit.as_str(), revision.named.as_str()), (first.as_str(), rev));
    }
    git(upstream.work(), ["checkout", "--quiet", "--detach"]);
    assert_eq!(checkout.resolve(None).unwrap().named, "HEAD");

    let error = checkout.resolve(Some("v1.1")).unwrap_err();
    assert_eq!(error.to_string(), "unknown revision `v1.1`");
    assert_eq!(error.hint().unwrap(), "did you mean `v1.0`?");

    let unborn = Upstream::empty();
    let error = Checkout::discover(&unborn.work()).unwrap().resolve(None).unwrap_err();
    assert!(matches!(error, Error::Unborn { branch } if branch == "main"));
}

#[test]
fn names_of_a_steady_checkout_stay_the_commits_that_they_are() {
    let upstream = Upstream::new();
    let first = upstream.tip();
    let moving = Checkout::discover(&upstream.work()).unwrap();
    let steady = moving.clone().steady();
    let commits =
        |checkout: &Checkout| [None, Some("main")].map(|rev| checkout.resolve(rev).unwrap().commit);
    assert_eq!(commits(&steady), [&*first, &*first]);
    upstream.write("web.yaml", "kind: Web\nreplicas: 2\n");
    let second = upstream.commit("Second replica");
    assert_eq!(commits(&moving), [&*second, &*second]);
    assert_eq!(commits(&steady.clone()), [&*first, &*first]);
    assert_eq!(commits(&moving.steady()), [&*second, &*second]);
}

#[test]
fn a_commits_files_are_read_whatever_the_work_tree_has() {
    let upstream = Upstream::new();
    upstream.write("envs/prod/app.jsonnet", "{}");
    upstream.write("envs/staging/db.yaml", "kind: Db\n");
    symlink("../prod", upstream.work().join("envs/link")).unwrap();
    upstream.commit("More");
    upstream.write("envs/prod/db.yaml", "half-edited");
    fs::remove_file(upstream.work().join("web.yaml")).unwrap();
    let checkout = Checkout::discover(&upstream.work()).unwrap();
    let head = checkout.resolve(None).unwrap();

    let snapshot = checkout.snapshot(&head, &paths(&["envs", "web.yaml"]), &all).unwrap();
    let wanted = [
        ("envs/prod/app.jsonnet", "{}"),
        ("envs/prod/db.yaml", "kind: Db\n"),
        ("envs/staging/db.yaml", "kind: Db\n"),
        ("web.yaml", "kind: Web\n"),
    ];
    assert_eq!(texts(&snapshot), BTreeMap::from(wanted));
    assert_eq!(snapshot.skipped.len(), 1);
    assert_eq!(snapshot.skipped[0].path, "envs/link");
    assert_eq!(snapshot.skipped[0].why, WhySkipped::Symlink);

    let yaml = |path: &str| path.ends_with(".yaml");
    let some = checkout.snapshot(&head, &paths(&["", "envs/prod"]), &yaml).unwrap();
    assert_eq!(some.files.len(), 3);
    assert_eq!(some.skipped, []);

    assert_eq!(checkout.read_file(&head, "web.yaml").unwrap().unwrap(), b"kind: Web\n");
    for none in ["nope", "envs"] {
        assert_eq!(checkout.read_file(&head, none).unwrap(), None);
    }
    let error = checkout.read_file(&head, "envs/link").unwrap_err();
    assert_eq!(error.to_string(), "`envs/link` is a symbolic link, which is never followed");
}

#[test]
fn many_files_are_read_by_many_threads() {
    let upstream = Upstream::empty();
    for file in 0..500 {
        upstream.write(&format!("apps/{}/{file}.yaml", file % 7), &format!("file: {file}\n"));
    }
    upstream.commit("Many");
    let checkout = Checkout::discover(&upstream.work()).unwrap();
    let head = checkout.resolve(None).unwrap();

    let snapshot = checkout.snapshot(&head, &paths(&[""]), &all).unwrap();

    assert_eq!(snapshot.files.len(), 500);
    assert_eq!(snapshot.files["apps/3/10.yaml"], b"file: 10\n");
}

#[test]
fn a_path_that_is_not_in_the_commit_is_named_with_those_like_it() {
    let upstream = Upstream::new();
    symlink("envs", upstream.work().join("link")).unwrap();
    let tip = upstream.commit("A link");
    let checkout = Checkout::discover(&upstream.work()).unwrap();
    let head = checkout.resolve(None).unwrap();

    let error = checkout.snapshot(&head, &paths(&["envs/prdo"]), &all).unwrap_err();
    assert_eq!(error.to_string(), format!("`envs/prdo` does not exist in commit {}", &tip[..7]));
    assert_eq!(error.hint().unwrap(), "did you mean `envs/prod`?");

    let error = checkout.snapshot(&head, &paths(&["link"]), &all).unwrap_err();
    assert!(error.to_string().starts_with("`link` is a symbolic link in commit"), "{error}");
}

#[test]
fn the_work_tree_is_read_as_committing_it_would_store_it() {
    let upstream = Upstream::new();
    upstream.write(".gitignore", "*.ignored\n");
    upstream.write(".gitattributes", "*.txt text eol=crlf\n");
    upstream.write("envs/same.txt", "one\r\ntwo\r\n");
    upstream.write("envs/gone.yaml", "kind: Gone\n");
    upstream.commit("More");
    let folder = upstream.work();
    write(folder.join("envs/prod/db.yaml"), "kind: Changed\n");
    write(folder.join("envs/staged.yaml"), "kind: Staged\n");
    git(&folder, ["add", "envs/staged.yaml"]);
    write(folder.join("envs/new.txt"), "new\r\n");
    write(folder.join("envs/a.ignored"), "ignored");
    fs::remove_file(folder.join("envs/gone.yaml")).unwrap();
    write(folder.join("outside.yaml"), "kind: Outside\n");
    let checkout = Checkout::discover(&folder).unwrap();

    let changed = checkout.uncommitted(&paths(&["envs"])).unwrap();
    let wanted = ["envs/gone.yaml", "envs/new.txt", "envs/prod/db.yaml", "envs/staged.yaml"];
    assert_eq!(changed.paths, wanted);
    assert_eq!(checkout.uncommitted(&paths(&["web.yaml"])).unwrap().paths, Vec::<String>::new());

    let snapshot = checkout.worktree(&paths(&["envs"]), &all).unwrap();
    let wanted = [
        ("envs/new.txt", "new\n"),
        ("envs/prod/db.yaml", "kind: Changed\n"),
        ("envs/same.txt", "one\ntwo\n"),
        ("envs/staged.yaml", "kind: Staged\n"),
    ];
    assert_eq!(texts(&snapshot), BTreeMap::from(wanted));
    assert!(snapshot.revision.dirty);
    assert_eq!(snapshot.revision.commit, upstream.tip());

    let clean = checkout.worktree(&paths(&["web.yaml"]), &all).unwrap();
    assert!(!clean.revision.dirty);
    let error = checkout.worktree(&paths(&["env"]), &all).unwrap_err();
    assert!(matches!(error, Error::UnknownPath { .. }), "{error:?}");
}

#[test]
fn a_repository_is_known_by_its_first_commit() {
    let upstream = Upstream::new();
    let first = upstream.tip();
    upstream.commit("Second");
    let last = upstream.commit("Third");
    let checkout = Checkout::discover(&upstream.work()).unwrap();
    let head = checkout.resolve(None).unwrap();

    assert_eq!(checkout.root_commit(&head).unwrap().0, first);
    assert_eq!(checkout.descent(&head, &first, None).unwrap(), Descent::Same);
    assert_eq!(checkout.descent(&head, &first, Some(&last)).unwrap(), Descent::Same);
    for other in [last.as_str(), &"0".repeat(40), "nonsense"] {
        assert_eq!(checkout.descent(&head, other, None).unwrap(), Descent::Other, "{other}");
    }

    git(upstream.folder(), ["clone", "--quiet", "--depth=1", &upstream.url(), "shallow"]);
    let shallow = Checkout::discover(&upstream.folder().join("shallow")).unwrap();
    let head = shallow.resolve(None).unwrap();
    assert!(matches!(shallow.root_commit(&head).unwrap_err(), Error::Shallow));
    assert_eq!(shallow.descent(&head, &first, None).unwrap(), Descent::Unknown);
    assert_eq!(shallow.descent(&head, &first, Some(&head.commit)).unwrap(), Descent::Same);
}
