//! A rollback of a target that tracks a ref: it goes back to the last healthy commit of that ref, not to
//! one of the branch that is checked out, and stays there until the ref moves.

use crate::support::objects::WEB;
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A Deployment of which it is soon known that no scheduler takes its pods.
fn bad() -> String {
    let spec = "spec:\n      schedulerName: none\n      containers";
    WEB.replace("spec:\n      containers", spec)
        .replace("replicas: 2", "replicas: 3\n  progressDeadlineSeconds: 1")
}

fn targets(reference: &str) -> String {
    format!(
        "targets:\n  app:\n    paths: [app]\n    ref: {reference}\n    on-failure: rollback\n    \
         timeout: 20s\n    wait: true\n"
    )
}

/// A commit of these files, and where the target's ref is then.
fn release(repo: &Repo<'_>, web: &str, value: &str, tag: &str) -> String {
    repo.git(&["switch", "--quiet", "release"]);
    repo.write("app/web.yaml", web).write("app/stays.yaml", config(value)).commit(tag);
    repo.git(&["tag", tag]);
    let commit = repo.git(&["rev-parse", "HEAD"]).stdout.trim().to_owned();
    repo.git(&["switch", "--quiet", "main"]);
    commit
}

fn config(value: &str) -> String {
    crate::support::objects::config("stays", value)
}

fn past(repo: &Repo<'_>, name: &str) -> String {
    repo.annotation("trueup-app", &format!("trueup.dev/{name}"))
}

fn replicas(repo: &Repo<'_>) -> String {
    repo.live("deployment", "web").map_or(String::new(), |web| web["spec"]["replicas"].to_string())
}

fn goes_back(name: &str, reference: &str, second: &str, third: &str) {
    let repo = Repo::new(name, sandbox::with_controllers());
    repo.write("trueup.yaml", targets(reference)).commit("Targets");
    repo.git(&["branch", "release"]);
    let good = release(&repo, WEB, "1", "v1.0.0");
    repo.run(&["apply", "--yes"]).exits(0);
    assert_eq!(past(&repo, "healthy-revision"), good);
    // What is checked out is none of it.
    repo.write("app/stays.yaml", config("main")).commit("Not released");

    let failed = release(&repo, &bad(), "2", "v1.1.0");
    let output = repo.run(&["apply", "--yes"]).exits(1);
    let shown = output.stdout.replace("\n    ", " ");
    let line = format!("app is NOT at {second} ({}): web did not get ready", &failed[..7]);
    assert!(shown.contains(&line), "{output}");
    assert!(shown.contains(&format!("rolled back to {}", &good[..7])), "{output}");
    assert_eq!((replicas(&repo), repo.value("stays")), ("2".to_owned(), "1".to_owned()));
    assert_eq!((past(&repo, "revision"), past(&repo, "failed-revision")), (good.clone(), failed));

    // Drift goes back to the healthy commit, and the failed one is not tried again.
    repo.delete_config_map("stays");
    let stays = repo.run(&["watch", "--once"]).exits(1);
    assert!(stays.stdout.contains(&format!("stays at {}", &good[..7])), "{stays}");
    assert!(stays.stdout.contains("stays gone, put back"), "{stays}");
    assert_eq!(repo.value("stays"), "1");

    let mended = release(&repo, &WEB.replace("replicas: 2", "replicas: 1"), "3", "v1.2.0");
    let watch = repo.run(&["watch", "--once"]).exits(0);
    let at = format!("at {third} ({})", &mended[..7]);
    assert!(watch.stdout.contains(&at), "{watch}");
    assert_eq!((replicas(&repo), repo.value("stays")), ("1".to_owned(), "3".to_owned()));
    assert_eq!(past(&repo, "healthy-revision"), mended);
}

#[test]
fn a_branch_goes_back_to_its_healthy_commit() {
    goes_back("rollback-branch", "release", "release", "release");
}

#[test]
fn a_range_goes_back_to_its_healthy_tag() {
    goes_back("rollback-range", "{semver: 1.x}", "v1.1.0", "v1.2.0");
}
