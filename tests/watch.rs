//! watch: commits arrive in the cluster, drift is put back, failures are told once, and a signal
//! ends it between two objects.

use std::fs;
use std::process::Stdio;

use crate::support::command::Cmd;
use crate::support::eventually::eventually;
use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::sandbox;
use crate::support::screens;
use crate::support::watching::Watching;

fn value(repo: &Repo, name: &str) -> String {
    repo.value(name)
}

#[test]
fn watch_applies_commits_reverts_drift_and_reports_failures_once() {
    let repo = Repo::new("watch-all", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let watching = Watching::start(&repo, &[]);
    watching.says("1 changed");
    assert_eq!(value(&repo, "one"), "1");

    repo.write_config("one", "2").commit("Second");
    watching.says("new commit");
    eventually("the second commit is live", || value(&repo, "one") == "2");

    repo.edit(&["configmap", "one"], "s/key: \"2\"/key: \"by hand\"/").exits(0);
    watching.says("drift: ConfigMap watch-all/one data.key by hand → 2, put back");
    assert_eq!(value(&repo, "one"), "2");

    repo.write("bad.yaml", "a: b: c\n").write_config("two", "2").commit("Broken");
    watching.says("! bad.yaml:1:");
    eventually("the sound part is live", || value(&repo, "two") == "2");
    let rounds = repo.rounds();
    eventually("more rounds", || repo.rounds() > rounds + 3);
    assert_eq!(watching.times("bad.yaml"), 1, "{:#?}", watching.said());

    repo.remove("bad.yaml").commit("Mended");
    watching.says("recovered @");
    let said = watching.said();
    let rounds = repo.rounds();
    eventually("more rounds", || repo.rounds() > rounds + 3);
    assert_eq!(watching.said(), said, "quiet rounds say nothing");

    fs::rename(repo.path(), repo.outside().join("away")).unwrap();
    watching.says("! ");
    repo.delete_config_map("two");
    eventually("drift is put back without the remote", || value(&repo, "two") == "2");
    fs::rename(repo.outside().join("away"), repo.path()).unwrap();
    watching.says("recovered @");

    let log = watching.log.clone();
    assert_eq!(watching.stop(), Some(0));
    assert!(fs::read_to_string(log).unwrap().ends_with("stopped\n"));
}

#[test]
fn a_commit_that_was_read_is_not_read_again() {
    let repo = Repo::new("watch-again", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let watching = Watching::in_folder(&repo, &repo.path(), &[]);
    watching.says("1 changed");

    // From now on the files of this commit can't be read.
    let tree = repo.git(&["ls-tree", "-r", "HEAD"]);
    for blob in tree.stdout.lines().filter_map(|line| line.split_whitespace().nth(2)) {
        let (folder, file) = blob.split_at(2);
        fs::remove_file(repo.path().join(".git/objects").join(folder).join(file)).unwrap();
    }
    let diff = repo.run(&["diff"]).exits(2);
    assert!(diff.stderr.contains("error:"), "{diff}");
    repo.delete_config_map("one");
    eventually("it is put back", || value(&repo, "one") == "1");

    repo.write_config("two", "2").write_config("one", "3").commit("Second");
    eventually("the next commit is read", || value(&repo, "one") == "3");
    assert_eq!(watching.times("! "), 0, "{:#?}", watching.said());
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn watch_uses_the_settings_of_each_commit() {
    let repo = Repo::new("watch-settings", sandbox::bare());
    let rules = "targets:\n  all:\n    paths: [.]\n";
    repo.write("trueup.yaml", rules).write_config("one", "1").commit("First");
    let watching = Watching::start(&repo, &[]);
    watching.says("1 changed");
    let by_hand = |value: &str| {
        let sed = format!("s/key: \".*\"/key: \"{value}\"/");
        repo.edit(&["configmap", "one"], &sed).exits(0);
    };
    by_hand("3");
    eventually("it is put back", || value(&repo, "one") == "1");

    let ignore = "    ignore: [{kind: ConfigMap, paths: [/data/key]}]\n";
    let others = "  another:\n    paths: [nowhere]\n";
    repo.write("trueup.yaml", format!("{rules}{ignore}{others}")).commit("Ignore the key");
    watching.says("new commit");
    by_hand("4");
    let rounds = repo.rounds();
    eventually("more rounds", || repo.rounds() > rounds + 3);
    assert_eq!(value(&repo, "one"), "4", "{:#?}", watching.said());

    repo.write("trueup.yaml", format!("{rules}    pahts: [.]\n")).commit("Broken");
    watching.says("! trueup.yaml:4:5");
    repo.write("trueup.yaml", rules).commit("Mended");
    watching.says("recovered @");
    eventually("it is put back again", || value(&repo, "one") == "1");
    let log = watching.log.clone();
    assert_eq!(watching.stop(), Some(0));
    screens::shows("watch/log", &fs::read_to_string(log).unwrap());
}

/// A repository with 300 objects.
fn many(name: &str) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    let objects: String = (0..300)
        .map(|n| format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: o{n}}}\n"))
        .collect();
    repo.write("all.yaml", objects).commit("Many");
    repo
}

/// How many of them are there.
fn there(repo: &Repo) -> usize {
    repo.config_maps().iter().filter(|name| name.starts_with('o')).count()
}

#[test]
fn signal_lets_watch_finish_requests_in_flight() {
    let repo = many("watch-signal");
    let watching = Watching::start(&repo, &[]);
    eventually("some are there", || there(&repo) > 0);
    assert_eq!(watching.stop(), Some(0));
    assert_eq!(repo.applied(), there(&repo), "every object that was sent is there");
    repo.run(&["apply", "--name", "checkout"]).exits(0);
    assert_eq!(there(&repo), 300);
}

#[test]
fn signal_lets_apply_finish_requests_in_flight() {
    let repo = many("apply-signal");
    let mut apply = repo.trueup(&["apply"]).into_inner();
    let mut apply = apply.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    eventually("some are sent", || repo.applied() > 0);
    Cmd::new("kill").args(["-INT", &apply.id().to_string()]).run().exits(0);
    let status = apply.wait().unwrap().code();
    assert_eq!(repo.applied(), there(&repo), "every object that was sent is there");
    assert_eq!(status, Some(if there(&repo) == 300 { 0 } else { 130 }));
    repo.run(&["apply"]).exits(0);
    assert_eq!(there(&repo), 300);
}

#[test]
fn once_ends_with_the_rounds_result() {
    let repo = Repo::new("watch-once", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    repo.run(&["watch", "--once"]).shows("watch/first-round").exits(0);
    let second = repo.run(&["watch", "--once"]).exits(0);
    assert_eq!(second.to_string(), "---- stderr\n---- status Some(0)", "cron sends no mail");
    // One that runs on says to whoever starts it that no commit will come.
    let said = repo.outside().join("said");
    let mut watch = repo.trueup(&["watch", "--interval", "0.2"]).into_inner();
    watch.stdout(Stdio::null()).stderr(fs::File::create(&said).unwrap());
    let mut watch = watch.spawn().unwrap();
    let warning = "the repository has no remote, so nothing is pulled: use --no-pull";
    eventually("it warns", || fs::read_to_string(&said).unwrap().contains(warning));
    Cmd::new("kill").args(["-TERM", &watch.id().to_string()]).run().exits(0);
    assert_eq!(watch.wait().unwrap().code(), Some(0));
    repo.write("bad.yaml", "a: b: c\n").commit("Broken");
    repo.run(&["watch", "--once"]).shows("watch/broken-document").exits(1);
    let fourth = repo.run(&["watch", "--once", "--context", "none"]);
    fourth.shows("watch/unknown-context").exits(2);
}

#[test]
fn page_follows_the_rounds() {
    let repo = Repo::new("watch-page", sandbox::bare());
    repo.write("trueup.yaml", "targets:\n  shop: {paths: [shop]}\n");
    repo.write("shop/one.yaml", config("one", "1")).commit("The first of all");
    let file = repo.outside().join("page.html");
    let page = || fs::read_to_string(&file).unwrap_or_default();
    let html = ["--html", file.to_str().unwrap()];
    let watching = Watching::start(&repo, &html);
    eventually("a page of the first commit", || page().contains("The first of all"));
    repo.write("shop/one.yaml", config("one", "2")).commit("Then a second");
    eventually("a page of the second", || page().contains("Then a second"));
    assert_eq!(watching.stop(), Some(0));
    // A page that can't be made is told once, and the rounds go on.
    let nowhere = repo.outside().join("none/page.html");
    let watching = Watching::start(&repo, &["--html", nowhere.to_str().unwrap()]);
    watching.says("cannot make the page: cannot write the page");
    let rounds = repo.rounds();
    eventually("more rounds", || repo.rounds() > rounds + 3);
    assert_eq!(watching.times("cannot make the page"), 1, "{:#?}", watching.said());
    assert_eq!(watching.stop(), Some(0));
    fs::remove_file(&file).unwrap();
    repo.run(&["watch", "--once", "--no-pull", "--html", html[1]]).exits(0);
    assert!(page().contains("Then a second"), "{}", page());
    let refused = repo.run(&["watch", "--once", "--html", html[1], "shop"]).exits(2);
    assert!(refused.stderr.contains("cannot be used with"), "{refused}");
}
