//! What somebody did by hand to a managed object: diff shows it, watch undoes it.

use crate::support::objects::WEB;
use crate::support::repo::Repo;
use crate::support::sandbox;

#[test]
fn drift_of_edit_deletion_and_scale_is_shown_and_reverted() {
    let repo = Repo::new("drift-undone", sandbox::with_controllers());
    repo.write("web.yaml", WEB).write_config("flags", "right").commit("The shop");
    repo.run(&["apply"]).exits(0);
    repo.run(&["diff"]).exits(0);

    repo.kubectl(&["scale", "deployment", "web", "--replicas", "5"]).exits(0);
    let diff = repo.run(&["diff"]).exits(1).stdout;
    assert!(diff.contains("-   replicas: 5") && diff.contains("+   replicas: 2"), "{diff}");
    let round = repo.run(&["watch", "--once"]).exits(0);
    assert!(round.stdout.contains("drift: Deployment drift-undone/web"), "{round}");
    let replicas = ["get", "deployment", "web", "-o", "jsonpath={.spec.replicas}"];
    assert_eq!(repo.kubectl(&replicas).stdout, "2");

    // `kubectl edit` with an editor that changes the value.
    let edit = repo.edit(&["configmap", "flags"], "s/right/wrong/");
    assert_eq!(edit.status, Some(0), "{edit}");
    repo.kubectl(&["delete", "deployment", "web"]).exits(0);
    let diff = repo.run(&["diff"]).exits(1).stdout;
    assert!(diff.contains("1 to create, 1 to update"), "{diff}");
    repo.run(&["watch", "--once"]).exits(0);
    assert_eq!(repo.value("flags"), "right");
    repo.kubectl(&["get", "deployment", "web"]).exits(0);
    repo.run(&["diff"]).exits(0);
}
