//! Values of which the cluster has each only once change hands in one run, in an order that the
//! diff says; where they can't, it is said who holds them.

use serde_json::Value;

use crate::support::objects;
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A Service of this node port: one of 30000 to 30085, which no other Service of the shared cluster is
/// given by the server (KEP-3668).
fn node_port(name: &str, port: u16) -> String {
    service(name, &format!("type: NodePort, ports: [{{name: web, port: 80, nodePort: {port}}}]"))
}

fn service(name: &str, spec: &str) -> String {
    objects::service(name, &format!("selector: {{app: gate}}, {spec}"))
}

fn port_of(repo: &Repo<'_>, name: &str) -> String {
    let path = "jsonpath={.spec.ports[0].nodePort}";
    repo.kubectl(&["get", "service", name, "-o", path]).stdout
}

/// Applies once, and it is right then: nothing differs, and nothing more is written.
#[track_caller]
fn one_run_does_it(repo: &Repo<'_>) {
    repo.run(&["apply"]).exits(0);
    let writes = repo.writes();
    repo.run(&["diff"]).exits(0);
    repo.run(&["apply"]).exits(0);
    assert_eq!(repo.writes(), writes);
}

#[test]
fn a_node_port_moves_to_a_renamed_service_and_the_diff_says_the_order() {
    let repo = Repo::new("unique-renamed", sandbox::bare());
    let ingress = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: gate}\nspec: {defaultBackend: {service: {name: NAME, port: {number: 80}}}}\n";
    repo.write("s.yaml", node_port("gate", 30051)).write("i.yaml", ingress.replace("NAME", "gate"));
    repo.write_config("old", "1").commit("First").run(&["apply"]).exits(0);
    repo.write("s.yaml", node_port("gate-web", 30051));
    repo.write("i.yaml", ingress.replace("NAME", "gate-web"));
    repo.remove("old.yaml").write_config("new", "1").commit("Renamed");
    let diff = repo.run(&["diff"]).exits(1);
    let order = "spec.ports[0].nodePort 30051 is still Service unique-renamed/gate's: this comes after that is deleted";
    assert!(diff.stdout.contains(order), "{diff}");
    let json: Value = serde_json::from_str(&repo.run(&["diff", "-o", "json"]).stdout).unwrap();
    let changes = json["changes"].as_array().unwrap();
    let names: Vec<String> = changes
        .iter()
        .map(|it| {
            format!("{} {}", it["action"].as_str().unwrap(), it["object"]["name"].as_str().unwrap())
        })
        .collect();
    let expected = ["create new", "delete gate", "create gate-web", "update gate", "delete old"];
    assert_eq!(names, expected);
    assert_eq!(changes[2]["needs"][0]["name"], "gate");
    one_run_does_it(&repo);
    assert_eq!(port_of(&repo, "gate-web"), "30051");
    assert_eq!(port_of(&repo, "gate"), "");
}

#[test]
fn a_service_gives_its_port_to_another_that_stays() {
    let repo = Repo::new("unique-given", sandbox::bare());
    repo.write("a.yaml", node_port("a", 30053)).write("b.yaml", node_port("b", 30054));
    repo.write("c.yaml", node_port("c", 30055)).commit("First").run(&["apply"]).exits(0);
    // From b to a, from c to b: a chain against the order of names.
    repo.write("a.yaml", node_port("a", 30054)).write("b.yaml", node_port("b", 30055));
    repo.write("c.yaml", node_port("c", 30056)).commit("Moved on");
    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stdout.contains("this comes after that has given it up"), "{diff}");
    one_run_does_it(&repo);
    assert_eq!(port_of(&repo, "a"), "30054");
    assert_eq!(port_of(&repo, "b"), "30055");
}

#[test]
fn a_swap_is_refused_with_the_circle_and_a_way_out() {
    let repo = Repo::new("unique-swap", sandbox::bare());
    repo.write("a.yaml", node_port("a", 30057)).write("b.yaml", node_port("b", 30058));
    repo.commit("First").run(&["apply"]).exits(0);
    repo.write("a.yaml", node_port("a", 30058)).write("b.yaml", node_port("b", 30057));
    repo.commit("Swapped");
    let applied = repo.run(&["apply"]).exits(1);
    for part in [
        "dependency cycle: Service unique-swap/a → Service unique-swap/b → Service unique-swap/a",
        "Service unique-swap/a is to have spec.ports[0].nodePort 30058, which Service unique-swap/b holds",
        "give one of them another value, or none, in a commit of its own",
    ] {
        assert!(applied.stdout.contains(part), "{part}\n{applied}");
    }
    let without = service("b", "type: NodePort, ports: [{name: web, port: 80, nodePort: 30059}]");
    repo.write("b.yaml", without).commit("First out of the way").run(&["apply"]).exits(0);
    repo.write("b.yaml", node_port("b", 30057)).commit("And then there");
    one_run_does_it(&repo);
    assert_eq!(port_of(&repo, "a"), "30058");
    assert_eq!(port_of(&repo, "b"), "30057");
}

#[test]
fn holder_of_a_taken_port_is_named() {
    let repo = Repo::new("unique-held", sandbox::bare());
    repo.kubectl(&["create", "service", "nodeport", "foreign", "--tcp=80", "--node-port=30060"])
        .exits(0);
    repo.write("a.yaml", node_port("a", 30061)).write_config("old", "1");
    repo.commit("First").run(&["apply"]).exits(0);
    // It is somebody else's.
    repo.write("b.yaml", node_port("b", 30060)).remove("old.yaml").commit("Taken");
    let applied = repo.run(&["apply"]).exits(1);
    let why = "b.yaml:4:77: spec.ports[0].nodePort: 30060 is held by Service unique-held/foreign, which is none of this target's";
    assert!(applied.stdout.contains(why), "{applied}");
    assert!(applied.stdout.contains("choose another value, leave it out"), "{applied}");
    // Another object of the commit declares it, too.
    repo.write("b.yaml", node_port("b", 30061)).commit("Twice");
    let applied = repo.run(&["apply"]).exits(1);
    let why = "30061 is held by Service unique-held/a, which declares it, too, at a.yaml:1";
    assert!(applied.stdout.contains(why), "{applied}");
    // What is kept, keeps its port, and nothing is deleted for it.
    repo.kubectl(&["annotate", "service", "a", "trueup.dev/prune=false"]).exits(0);
    repo.remove("a.yaml").commit("Kept");
    let applied = repo.run(&["apply"]).exits(1);
    assert!(
        applied.stdout.contains(
            "30061 is held by Service unique-held/a, which is no longer declared and not deleted"
        ),
        "{applied}"
    );
    assert_eq!(port_of(&repo, "a"), "30061");
}

/// What else is wrong with an object is seen before anything is deleted for it.
#[test]
fn nothing_is_deleted_for_what_is_refused_anyway() {
    let repo = Repo::new("unique-wrong", sandbox::bare());
    repo.write("a.yaml", node_port("a", 30062)).commit("First").run(&["apply"]).exits(0);
    repo.remove("a.yaml").write(
        "b.yaml",
        node_port("b", 30062).replace("type:", "sessionAffinity: Sometimes, type:"),
    );
    let applied = repo.commit("Wrong").run(&["apply"]).exits(1);
    assert!(applied.stdout.contains("Unsupported value: \"Sometimes\""), "{applied}");
    assert_eq!(port_of(&repo, "a"), "30062");
    // Nor for what is not to be deleted at once.
    let fixed = repo.write("b.yaml", node_port("b", 30062));
    let applied = fixed.commit("Right").run(&["apply", "--max-prune", "0"]).exits(1);
    assert!(applied.stdout.contains("no longer declared and not deleted"), "{applied}");
    assert_eq!(port_of(&repo, "a"), "30062");
    one_run_does_it(&repo);
    assert_eq!(port_of(&repo, "b"), "30062");
}

#[test]
fn addresses_and_ports_for_health_checks_move_as_well() {
    let repo = Repo::new("unique-others", sandbox::bare());
    let ports = "ports: [{port: 80}]";
    let address = format!("clusterIP: 10.96.0.123, {ports}");
    let check = format!(
        "type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 30063, {ports}"
    );
    repo.write("a.yaml", service("a", &address)).write("l.yaml", service("l", &check));
    repo.commit("First").run(&["apply"]).exits(0);
    repo.remove("a.yaml").remove("l.yaml");
    repo.write("b.yaml", service("b", &address)).write("m.yaml", service("m", &check));
    let diff = repo.commit("Renamed").run(&["diff"]).exits(1);
    assert!(
        diff.stdout.contains("spec.clusterIP 10.96.0.123 is still Service unique-others/a's"),
        "{diff}"
    );
    assert!(
        diff.stdout.contains("spec.healthCheckNodePort 30063 is still Service unique-others/l's"),
        "{diff}"
    );
    one_run_does_it(&repo);
    let foreign = service("c", &address);
    repo.write("c.yaml", foreign).commit("Twice");
    let applied = repo.run(&["apply"]).exits(1);
    assert!(
        applied
            .stdout
            .contains("10.96.0.123 is held by Service unique-others/b, which declares it, too"),
        "{applied}"
    );
}

#[test]
fn the_default_of_a_kind_moves_as_well() {
    let plane = sandbox::own();
    let repo = Repo::new("unique-default", &plane);
    let class = |name: &str, is_default: bool| {
        format!(
            "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {{name: {name}}}\nvalue: 7\nglobalDefault: {is_default}\n"
        )
    };
    repo.write("c.yaml", class("low", true)).commit("First").run(&["apply"]).exits(0);
    repo.write("c.yaml", class("high", true)).commit("Renamed");
    one_run_does_it(&repo);
}
