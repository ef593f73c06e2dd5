//! Killed while what holds a value, or forbids something, is deleted before the object that waits for
//! that.

use http::Method;

use crate::support::api::Api;
use crate::support::faults::{Fault, Faulty, Run};
use crate::support::objects;
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A Service with a port of the nodes.
fn service(name: &str, port: u16) -> String {
    objects::service(name, &format!("type: NodePort, ports: [{{port: 80, nodePort: {port}}}]"))
}

/// Kills at each write of the run that moves the port to another Service; says at how many.
fn sweep(name: &str, port: u16, fault: Fault) -> usize {
    let plane = sandbox::bare();
    let (line, api) = (Faulty::start(plane), Api::new(plane));
    let repo = Repo::new(name, plane);
    repo.write("a.yaml", service("before", port)).commit("One has it");
    repo.write("a.yaml", service("after", port)).commit("Another has it");
    let cache = tempfile::tempdir().unwrap();
    let apply = |args: &[&str]| {
        let args = [&["apply", "--concurrency", "1"], args].concat();
        repo.trueup(&args).env("XDG_CACHE_HOME", cache.path())
    };
    let ports = ["get", "services", "-o", "jsonpath={range .items[*]}{.metadata.name} {end}"];
    let lease = format!("/apis/coordination.k8s.io/v1/namespaces/{name}/leases/trueup-{name}");
    for nth in 1.. {
        line.run(apply(&["--rev", "HEAD~1"]), |_| None).output.exits(0);
        let mut count = 0;
        let Run { output, struck, .. } = line.run(apply(&[]), move |seen| {
            count += usize::from(seen.is_write());
            (seen.is_write() && count == nth).then_some(fault)
        });
        if struck == 0 {
            output.exits(0);
            return nth - 1;
        }
        assert_eq!(output.status, None, "{output}");
        let _ = api.send(Method::DELETE, &lease, "", None);
        let next = line.run(apply(&[]), |_| None).output.exits(0);
        assert_eq!(repo.kubectl(&ports).stdout, "after ", "{fault:?} {nth}\n{next}");
        let Run { output, seen, .. } = line.run(apply(&[]), |_| None);
        let writes = seen.iter().filter(|seen| seen.is_write()).count();
        assert_eq!(writes, 0, "{fault:?} {nth}\n{next}\n{}", output.exits(0));
    }
    unreachable!("there are fewer writes than numbers")
}

#[test]
fn a_run_that_was_killed_between_the_deletion_and_what_waits_for_it_is_finished_by_the_next() {
    let before = sweep("deleted-first-before", 31_871, Fault::KillBefore);
    let after = sweep("deleted-first-after", 31_872, Fault::KillAfter);
    // The deletion, the other Service and the record, at the least.
    assert!(before >= 3 && after >= 3, "{before} {after}");
}
