//! watch of several targets in one process: each has its loop, none delays another, and a quiet round of
//! all of them costs little more than one.

use std::fs;
use std::net::TcpListener;
use std::thread;

use crate::support::command::{Cmd, Output};
use crate::support::eventually::eventually;
use crate::support::objects::{WEB, config};
use crate::support::repo::Repo;
use crate::support::sandbox::{self, Plane};
use crate::support::watching::Watching;

/// A target with one ConfigMap of its name.
fn add(repo: &Repo<'_>, target: &str, value: &str) {
    repo.write(&format!("{target}/config.yaml"), config(target, value));
}

/// Declares targets, each with more settings of its own.
fn declare(repo: &Repo<'_>, targets: &[(&str, &str)]) {
    let target =
        |(name, settings): &(&str, &str)| format!("  {name}:\n    paths: [{name}]\n{settings}");
    let targets: String = targets.iter().map(target).collect();
    repo.write("trueup.yaml", format!("targets:\n{targets}"));
}

fn repository(name: &str, plane: &'static Plane, targets: &[&str]) -> Repo<'static> {
    let repo = Repo::new(name, plane);
    targets.iter().for_each(|target| add(&repo, target, "1"));
    declare(&repo, &targets.iter().map(|name| (*name, "")).collect::<Vec<_>>());
    repo.commit("First");
    repo
}

fn by_hand(repo: &Repo<'_>, name: &str) {
    repo.edit(&["configmap", name], "s/key: \".*\"/key: \"by hand\"/").exits(0);
}

#[test]
fn all_targets_are_watched_and_new_and_removed_ones_are_taken_in() {
    let repo = repository("many-all", sandbox::bare(), &["blue", "green-one"]);
    let watching = Watching::start(&repo, &["--all-targets"]);
    watching.says("trueup     watching 2 targets every 0.2 s");
    eventually("both are applied", || {
        ["blue", "green-one"].iter().all(|it| watching.times(&format!("{it:9}  at ")) == 1)
    });
    by_hand(&repo, "blue");
    watching.says("blue       drift: ConfigMap many-all/blue data.key by hand → 1, put back");

    add(&repo, "red", "1");
    declare(&repo, &[("blue", ""), ("green-one", ""), ("red", "")]);
    repo.commit("Second");
    watching.says("trueup     new target red");
    eventually("it is applied", || repo.value("red") == "1");

    add(&repo, "blue", "2");
    declare(&repo, &[("blue", ""), ("red", "")]);
    repo.commit("Third");
    watching.says("warning: target green-one is gone from trueup.yaml, and its inventory");
    eventually("the others go on", || repo.value("blue") == "2");
    assert_eq!(repo.value("green-one"), "1", "nothing is deleted");
    assert_eq!(watching.times("is gone from"), 1, "{:#?}", watching.said());

    // The settings are broken for all of them, which is one line.
    let sound = fs::read_to_string(repo.path().join("trueup.yaml")).unwrap();
    repo.write("trueup.yaml", format!("{sound}    pahts: [.]\n")).commit("Broken");
    watching.says("! trueup.yaml:");
    repo.write("trueup.yaml", sound);
    add(&repo, "red", "3");
    repo.commit("Mended");
    eventually("the mended commit is applied", || repo.value("red") == "3");
    assert_eq!(watching.times("! trueup.yaml:"), 1, "{:#?}", watching.said());
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn named_targets_are_watched_and_once_ends_with_the_worst_result() {
    let repo = repository("many-once", sandbox::bare(), &["a", "b", "c"]);
    repo.run(&["watch", "--once", "--targets", "a,b"]).exits(0);
    assert_eq!(
        repo.config_maps().iter().filter(|it| ["a", "b", "c"].contains(&it.as_str())).count(),
        2
    );
    let second = repo.run(&["watch", "--once", "--all-targets"]).exits(0);
    assert!(second.stdout.contains(" c  at "), "{second}");
    let third = repo.run(&["watch", "--once", "--all-targets"]).exits(0);
    assert_eq!(third.to_string(), "---- stderr\n---- status Some(0)", "cron sends no mail");
    let unknown = repo.run(&["watch", "--once", "--targets", "a,nowhere"]).exits(2);
    assert!(unknown.stderr.contains("trueup.yaml has no target \"nowhere\""), "{unknown}");

    // `b` is not at its commit, and `c`, which comes after it, keeps the one that it has.
    add(&repo, "a", "2");
    add(&repo, "c", "2");
    repo.write("b/bad.yaml", "a: b: c\n");
    declare(&repo, &[("a", ""), ("b", ""), ("c", "    after: [b]\n")]);
    repo.commit("Second");
    let broken = repo.run(&["watch", "--once", "--all-targets"]).exits(1);
    assert!(broken.stdout.contains(" b  ! b/bad.yaml:1:5"), "{broken}");
    assert!(broken.stdout.contains(" c  ! a new commit is held back by target b"), "{broken}");
    assert_eq!([repo.value("a"), repo.value("c")], ["2", "1"]);
    fs::remove_file(repo.path().join("b/bad.yaml")).unwrap();
    repo.commit("Third");
    repo.run(&["watch", "--once", "--all-targets"]).exits(0);
    assert_eq!(repo.value("c"), "2");
}

#[test]
fn new_commit_waits_for_earlier_targets_while_drift_is_put_back() {
    let repo = repository("many-after", sandbox::bare(), &["base", "top"]);
    declare(&repo, &[("base", "    timeout: 1s\n"), ("top", "    after: [base]\n")]);
    repo.commit("Second");
    let watching = Watching::start(&repo, &["--all-targets"]);
    eventually("both are applied", || repo.config_maps().contains(&"top".to_owned()));

    // Without controllers it gets ready never.
    repo.write("base/web.yaml", WEB);
    add(&repo, "top", "2");
    repo.commit("Third");
    watching.says("top     ! a new commit is held back by target base");
    by_hand(&repo, "top");
    watching.says("top     drift: ConfigMap many-after/top data.key by hand → 1, put back");
    assert_eq!(repo.value("top"), "1");

    fs::remove_file(repo.path().join("base/web.yaml")).unwrap();
    repo.commit("Fourth");
    eventually("the commit is applied", || repo.value("top") == "2");
    assert_eq!(watching.stop(), Some(0));
}

/// Runs one round of each target, which must not take for ever.
fn once(repo: &Repo<'_>, more: &str) -> Output {
    let program = env!("CARGO_BIN_EXE_trueup");
    let script = format!("timeout 100 {program} watch --once --all-targets {more}");
    repo.trueup(&[]).shell(&script).run()
}

/// A target that is at no commit that it could be good at ends its one round all the same.
#[test]
fn one_round_of_each_ends_where_a_target_is_held_or_cannot_be_looked_at() {
    let repo = repository("many-held", sandbox::bare(), &["base", "top"]);
    declare(&repo, &[("base", ""), ("top", "    after: [base]\n")]);
    repo.commit("Second");
    once(&repo, "").exits(0);
    repo.run(&["suspend", "base", "--reason", "x"]).exits(0);
    add(&repo, "base", "2");
    add(&repo, "top", "2");
    repo.commit("Third");
    let held = once(&repo, "").exits(1);
    assert!(held.stdout.contains(" top   ! a new commit is held back by target base"), "{held}");
    assert_eq!([repo.value("base"), repo.value("top")], ["1", "1"]);
    repo.run(&["resume", "base"]).exits(0);

    // Another run has the lock, and does not give it back.
    let lease = format!(
        "apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {{name: trueup-base}}\nspec: \
         {{holderIdentity: other, leaseDurationSeconds: 3000, renewTime: \"{}\"}}\n",
        jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    );
    let file = repo.outside().join("lease.yaml");
    fs::write(&file, lease).unwrap();
    let replace = ["apply", "--server-side", "--force-conflicts", "-f", file.to_str().unwrap()];
    repo.kubectl(&replace).exits(0);
    let locked = once(&repo, "--lock-timeout 1s").exits(2);
    assert!(
        locked.stdout.contains(" top   ! a new commit is held back by target base"),
        "{locked}"
    );
    repo.kubectl(&["delete", "lease", "trueup-base"]).exits(0);
    once(&repo, "").exits(0);
    assert_eq!([repo.value("base"), repo.value("top")], ["2", "2"]);
}

#[test]
fn a_commit_that_waits_at_one_target_waits_at_those_after_it() {
    let repo = repository("many-release", sandbox::bare(), &["base", "top"]);
    declare(&repo, &[("base", "    mode: hold\n"), ("top", "    after: [base]\n")]);
    repo.commit("Second");
    repo.run(&["apply", "--target", "base", "--yes", "--release"]).exits(0);
    let watching = Watching::start(&repo, &["--all-targets"]);
    eventually("both are applied", || repo.config_maps().contains(&"top".to_owned()));
    // The first one waited, too, until the other target had looked.
    let told = watching.times("top     a new commit waits for target base");
    add(&repo, "base", "2");
    add(&repo, "top", "2");
    repo.commit("Third");
    watching.says("waits: not released, in mode hold");
    let times = || watching.times("top     a new commit waits for target base");
    eventually("the other one waits, too", || times() > told);
    for _ in 0..2 {
        by_hand(&repo, "top");
        eventually("drift is put back", || repo.value("top") != "by hand");
        by_hand(&repo, "base");
        eventually("drift is put back", || repo.value("base") != "by hand");
    }
    assert_eq!([repo.value("base"), repo.value("top")], ["1", "1"]);
    assert_eq!(times(), told + 1);
    repo.run(&["release", "base"]).exits(0);
    eventually("both have it", || [repo.value("base"), repo.value("top")] == ["2", "2"]);
    assert_eq!(watching.stop(), Some(0));
}

/// A target that others come after, and that no one writes to, is good once it is as git says.
#[test]
fn those_after_a_target_in_mode_detect_go_on_once_it_is_at_its_commit() {
    let repo = repository("many-detect", sandbox::bare(), &["base", "top"]);
    declare(&repo, &[("base", "    mode: detect\n"), ("top", "    after: [base]\n")]);
    repo.commit("Second");
    let watching = Watching::start(&repo, &["--all-targets"]);
    watching.says("base    ");
    repo.run(&["apply", "--target", "base", "--yes", "--mode", "enforce"]).exits(0);
    eventually("the other one is applied", || repo.config_maps().contains(&"top".to_owned()));
    assert_eq!(watching.stop(), Some(0));
}

/// A kubeconfig with a second context, whose server takes connections and never answers.
fn with_hung_context(repo: &Repo<'_>) -> (String, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let file = repo.outside().join("hung");
    let text = format!(
        "apiVersion: v1\nkind: Config\nclusters: [{{name: h, cluster: {{server: 'https://{address}', \
         insecure-skip-tls-verify: true}}}}]\nusers: [{{name: h, user: {{token: t}}}}]\n\
         contexts: [{{name: hung, context: {{cluster: h, user: h}}}}]\n"
    );
    fs::write(&file, text).unwrap();
    let taken = listener.try_clone().unwrap();
    thread::spawn(move || {
        let connections: Vec<_> = taken.incoming().flatten().collect();
        drop(connections);
    });
    (format!("{}:{}", repo.plane().kubeconfig.display(), file.display()), listener)
}

#[test]
fn slow_and_broken_targets_delay_no_other() {
    // More of each than are looked at side by side.
    let named = |prefix: &str| (0..10).map(|n| format!("{prefix}{n}")).collect::<Vec<_>>();
    let (hung, slow) = (named("hung"), named("slow"));
    let repo = Repo::new("many-slow", sandbox::bare());
    let all: Vec<&str> = hung.iter().chain(&slow).map(String::as_str).chain(["quick"]).collect();
    all.iter().for_each(|target| add(&repo, target, "1"));
    for target in &slow {
        let web = WEB.replace("name: web", &format!("name: {target}"));
        repo.write(&format!("{target}/web.yaml"), web);
    }
    declare(&repo, &all.iter().map(|name| (*name, "")).collect::<Vec<_>>());
    repo.commit("First");
    let (kubeconfig, _listener) = with_hung_context(&repo);
    let settings = repo.outside().join("settings");
    fs::create_dir_all(settings.join("trueup")).unwrap();
    let rule = "clusters:\n- targets: [hung*]\n  context: hung\n";
    fs::write(settings.join("trueup/config.yaml"), rule).unwrap();
    let watch = ["watch", "--all-targets", "--interval", "0.2", "--no-pull"];
    let watch = repo.trueup(&watch).env("KUBECONFIG", kubeconfig).env("XDG_CONFIG_HOME", settings);
    let watching = Watching::running(&repo, watch);
    eventually("the rollouts are waited for", || {
        slow.iter().all(|target| repo.config_maps().contains(target))
    });
    eventually("the quick one is applied", || repo.config_maps().contains(&"quick".to_owned()));
    for _ in 0..3 {
        by_hand(&repo, "quick");
        eventually("drift is put back", || repo.value("quick") == "1");
    }
    assert_eq!(watching.times("hung0   at "), 0, "{:#?}", watching.said());
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn the_machines_file_counts_as_it_is_and_its_faults_are_no_commits() {
    let repo = repository("many-machine", sandbox::bare(), &["blue", "green"]);
    let settings = repo.outside().join("settings");
    fs::create_dir_all(settings.join("trueup")).unwrap();
    let file = settings.join("trueup/config.yaml");
    let (kubeconfig, _listener) = with_hung_context(&repo);
    let watch = ["watch", "--all-targets", "--interval", "0.2", "--no-pull", "--no-watch-api"];
    let watch = repo.trueup(&watch).env("KUBECONFIG", kubeconfig).env("XDG_CONFIG_HOME", settings);
    let watching = Watching::running(&repo, watch);
    eventually("both are applied", || watching.times("1 changed") == 2);
    let healed = || {
        for _ in 0..3 {
            by_hand(&repo, "green");
            eventually("drift is put back", || repo.value("green") == "1");
        }
    };
    fs::write(&file, "clusters:\n- {targets: [blue], context: hung}\n").unwrap();
    // A round that has begun may end.
    healed();
    by_hand(&repo, "blue");
    healed();
    assert_eq!(repo.value("blue"), "by hand", "it is reached by another context");
    fs::remove_file(&file).unwrap();
    eventually("it is reached as before", || repo.value("blue") == "1");

    fs::write(&file, "clusters: [\n").unwrap();
    watching.says("config.yaml:");
    let faults: Vec<_> =
        watching.said().into_iter().filter(|line| line.contains("config.yaml:")).collect();
    assert!(faults.iter().all(|line| !line.contains(" by Author")), "{faults:#?}");
    fs::remove_file(&file).unwrap();
    by_hand(&repo, "blue");
    eventually("rounds go on", || repo.value("blue") == "1");
    assert_eq!(watching.stop(), Some(0));
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn memory_is_kept_in_few_arenas_unless_somebody_says_how_many() {
    let repo = repository("many-arenas", sandbox::bare(), &["a"]);
    let watch = || repo.trueup(&["watch", "--all-targets", "--no-pull", "--interval", "0.2"]);
    for (watch, expected) in [(watch(), "2"), (watch().env("MALLOC_ARENA_MAX", "5"), "5")] {
        let watching = Watching::running(&repo, watch.env("ANOTHER", "it's there"));
        watching.says("trueup  watching 1 target");
        let environment = watching.environment();
        assert!(environment.contains(&format!("MALLOC_ARENA_MAX={expected}")), "{environment:?}");
        assert!(environment.contains(&"ANOTHER=it's there".to_owned()), "{environment:?}");
        assert_eq!(watching.stop(), Some(0), "by the same process id");
    }
}

/// The sum of a metric's samples.
fn sum(repo: &Repo<'_>, metric: &str) -> usize {
    let text = fs::read_to_string(repo.outside().join("metrics.prom")).unwrap_or_default();
    let samples = text.lines().filter(|line| line.starts_with(&format!("trueup_{metric}{{")));
    samples.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok()).sum()
}

#[test]
fn quiet_round_of_a_hundred_targets_costs_little_more_than_one() {
    let plane = sandbox::own();
    let repo = Repo::new("many-quiet", &plane);
    let targets: Vec<String> = (0..100).map(|n| format!("t{n}")).collect();
    targets.iter().for_each(|target| add(&repo, target, "1"));
    declare(&repo, &targets.iter().map(|name| (name.as_str(), "")).collect::<Vec<_>>());
    repo.commit("First");
    let metrics = repo.outside().join("metrics.prom");
    let watch = ["watch", "--all-targets", "--interval", "4", "--no-pull", "--metrics-file"];
    let mut watch = watch.map(str::to_owned).to_vec();
    watch.push(metrics.display().to_string());
    let watch = repo.trueup(&watch.iter().map(String::as_str).collect::<Vec<_>>());
    let watching = Watching::running(&repo, watch);
    let quiet = |count: usize| sum(&repo, "rounds_total") >= count;
    eventually("all are quiet", || quiet(400));
    let is_ours = |before: usize| {
        plane.audit_log.requests_after(before).iter().filter(|it| it.is_ours()).count()
    };
    let (rounds, before) = (sum(&repo, "rounds_total"), plane.audit_log.count());
    eventually("five rounds of each", || quiet(rounds + 500));
    let (rounds, requests) = (sum(&repo, "rounds_total") - rounds, is_ours(before));
    assert!(requests * 4 <= rounds, "{requests} requests in {rounds} rounds");
    assert_eq!(sum(&repo, "drifts_total"), 0);
    assert_eq!(watching.stop(), Some(0));
    let said = Cmd::new("tail").args(["-n", "1", watching_log(&repo).as_str()]).run().exits(0);
    assert!(said.stdout.ends_with("stopped\n"), "{said}");
}

fn watching_log(repo: &Repo<'_>) -> String {
    repo.outside().join("log").display().to_string()
}

#[test]
fn no_targets_are_told_as_they_are() {
    let repo = Repo::new("many-none", sandbox::bare());
    repo.write("README.md", "x\n").commit("Nothing yet");
    let args = ["watch", "--all-targets", "--no-pull"];
    let missing = repo.run(&args).exits(2);
    assert!(missing.stderr.contains(" has no trueup.yaml\n"), "{missing}");
    repo.write("trueup.yaml", "{}\n").commit("A file");
    let empty = repo.run(&args).exits(2);
    assert!(empty.stderr.contains("trueup.yaml declares no targets"), "{empty}");
    assert!(empty.stderr.contains("do this: leave --all-targets out"), "{empty}");
}
