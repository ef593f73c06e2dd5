//! Expressions of `health:` that would cost too much: reading them runs nothing, working one out
//! ends, and the run goes on to what mends it.

use std::fmt::Write as _;

use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::sandbox;
use crate::support::watching::Watching;

/// Loops inside of each other, each over ten elements: as many rounds as ten to the power of
/// `loops`, of which a thousand may be had and a million may not.
fn loops(loops: usize) -> String {
    let opened: String = (0..loops).fold(String::new(), |mut opened, depth| {
        write!(opened, "[1,1,1,1,1,1,1,1,1,1].all(v{depth},").unwrap();
        opened
    });
    format!("{opened}true{}", ")".repeat(loops))
}

fn says(repo: &Repo<'_>, expression: &str) {
    let name = repo.namespace();
    repo.write(
        "trueup.yaml",
        format!(
            "targets:\n  {name}:\n    paths: [objects]\n    health:\n    - kind: ConfigMap\n      ready: {expression:?}\n"
        ),
    );
}

fn repo(name: &str, expression: &str) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    repo.write("objects/a.yaml", config("a", "1")).write("objects/b.yaml", config("b", "1"));
    says(&repo, expression);
    repo.commit("Objects and a rule for them");
    repo
}

const COSTLY: &str = "its health rule can't be evaluated: it costs more than 1000000 units";

#[test]
fn costly_health_expression_names_its_objects() {
    let repo = repo("endless-cel", &loops(3));
    repo.run(&["apply", "--wait"]).exits(0);
    says(&repo, &loops(6));
    repo.commit("A rule that costs too much");
    repo.run(&["check"]).exits(0);
    repo.run(&["diff"]).exits(0);
    let apply = repo.run(&["apply", "--wait", "--timeout", "1s"]).exits(1);
    assert!(apply.stdout.contains(COSTLY), "{apply}");
    assert_eq!(repo.members("configmap"), ["configmap/a", "configmap/b"]);
}

#[test]
fn invalid_health_expression_has_its_position() {
    let deep = format!("{}{} == []", "[".repeat(70), "]".repeat(70));
    let rows = [
        (deep.as_str(), "it is nested more than 64 levels deep"),
        ("object.data.key.matches('(a{1,9}){1,999}')", "a pattern takes more than 262144 bytes"),
        ("false && objct.data.key == ''", "unknown name `objct`; only `object` is defined"),
    ];
    let repo = repo("endless-cel-wrong", "true");
    for (expression, wrong) in rows {
        says(&repo, expression);
        repo.commit("A rule that is wrong");
        for verb in ["diff", "check"] {
            let output = repo.run(&[verb]).exits(2);
            let place = "trueup.yaml:6:14: targets.endless-cel-wrong.health[0].ready: ";
            assert!(output.stderr.contains(&format!("{place}{wrong}")), "{output}");
        }
    }
}

#[test]
fn watch_recovers_with_a_fixed_health_rule() {
    let repo = repo("endless-cel-watch", &loops(3));
    let watching = Watching::start(&repo, &["--wait-timeout", "1s"]);
    watching.says("2 changed");
    says(&repo, &loops(6));
    repo.write("objects/a.yaml", config("a", "2")).commit("A rule that costs too much");
    watching.says(COSTLY);
    says(&repo, &loops(2));
    repo.write("objects/a.yaml", config("a", "3")).commit("A rule that does not");
    watching.says("recovered @");
    assert_eq!(watching.stop(), Some(0));
}
