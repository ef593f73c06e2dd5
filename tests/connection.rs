//! The connection to the API server: one, with HTTP/2 on it, which is opened again where it is cut.

use crate::support::random::Random;
use crate::support::relay::Relay;
use crate::support::repo::Repo;
use crate::support::sandbox;

const OBJECTS: usize = 40;

/// A repository of some ConfigMaps and Secrets.
fn repository(name: &str) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    change(&repo, "1");
    repo
}

fn change(repo: &Repo<'_>, value: &str) {
    for number in 0..OBJECTS {
        let name = format!("config-{number}");
        match number % 4 {
            0 => drop(repo.write(
                &format!("{name}.yaml"),
                format!(
                    "apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\nstringData: {{key: of-{value}}}\n"
                ),
            )),
            _ => drop(repo.write_config(&name, value)),
        }
    }
    repo.commit(value);
}

#[test]
fn one_connection_carries_a_whole_run() {
    let repo = repository("connection-one");
    for args in [&["diff"][..], &["apply"], &["diff"]] {
        let relay = Relay::cutting(sandbox::bare(), vec![]);
        let run = repo.trueup(args).env("KUBECONFIG", relay.kubeconfig()).run();
        assert!([Some(0), Some(1)].contains(&run.status), "{run}");
        assert_eq!(relay.connections(), 1, "{run}");
    }

    change(&repo, "2");
    let relay = Relay::cutting(sandbox::bare(), vec![]);
    let apply = repo.trueup(&["apply"]).env("KUBECONFIG", relay.kubeconfig());
    apply.env("DISABLE_HTTP2", "true").run().exits(0);
    assert!(relay.connections() > 1, "HTTP/1.1 needs one for each request in flight");
    repo.run(&["diff"]).exits(0);
}

#[test]
fn connection_that_is_cut_is_opened_again() {
    let repo = repository("connection-cut");
    let mut random = Random::new(20);
    for round in 0..6 {
        change(&repo, &format!("round-{round}"));
        // In the handshake, in the first answers, and later. Before anything is written, a request is
        // sent four times, and all that are on one connection are cut together.
        let cuts: Vec<usize> =
            (0..3).map(|_| 1 + random.below([500, 5_000, 50_000][round % 3])).collect();
        let relay = Relay::cutting(sandbox::bare(), cuts.clone());
        let apply = repo.trueup(&["apply"]).env("KUBECONFIG", relay.kubeconfig()).run().exits(0);
        assert!(relay.connections() > 1, "{cuts:?}: {apply}");
        let diff = repo.run(&["diff"]).exits(0);
        assert!(diff.stdout.contains(&format!("{OBJECTS} objects")), "{cuts:?}: {diff}");
    }
}
