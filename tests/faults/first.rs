//! Killed while everything is made for the first time: the namespace that the inventory is kept in,
//! a definition, and objects of the kind that it defines.

use http::Method;

use crate::support::api::Api;
use crate::support::faults::{Fault, Faulty, Run};
use crate::support::objects::{Definition, namespace};
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A namespace, a definition, and three objects each of a kind that is there and of the new one.
fn commit(name: &str) -> String {
    let gadgets = Definition::new(&format!("{name}.example"), "Gadget").schema("{type: object}");
    let around = format!("{}---\n{gadgets}", namespace(&format!("{name}-home")));
    let object = |n| {
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: o{n}}}\n\
             ---\napiVersion: {name}.example/v1\nkind: Gadget\nmetadata: {{name: o{n}}}\n"
        )
    };
    around + &(0..3).map(object).collect::<String>()
}

/// Kills a first apply at its Nth request; says whether it has as many.
fn killed(fault: Fault, nth: usize, (line, api): (&Faulty, &Api)) -> bool {
    let name =
        format!("first-{}{nth}", if fault == Fault::KillBefore { "before" } else { "after" });
    let repo = Repo::new(&name, sandbox::bare());
    repo.write("all.yaml", commit(&name)).commit("First");
    let home = format!("{name}-home");
    let cache = tempfile::tempdir().unwrap();
    let apply = || {
        let apply = repo.trueup(&["apply", "--concurrency", "1"]);
        apply.env("TRUEUP_NAMESPACE", &home).env("XDG_CACHE_HOME", cache.path())
    };
    let mut count = 0;
    let Run { output, struck, .. } = line.run(apply(), move |_| {
        count += 1;
        (count == nth).then_some(fault)
    });
    if struck == 0 {
        output.exits(0);
        return false;
    }
    assert_eq!(output.status, None, "{output}");
    let leases = format!("/apis/coordination.k8s.io/v1/namespaces/{home}/leases");
    let _ = api.send(Method::DELETE, &format!("{leases}/trueup-{name}"), "", None);
    let next = line.run(apply(), |_| None).output.exits(0);
    let Run { output, seen, .. } = line.run(apply(), |_| None);
    let writes = seen.iter().filter(|seen| seen.is_write()).count();
    assert_eq!(writes, 0, "{fault:?} {nth}\n{next}\n{}", output.exits(0));

    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let mut objects = vec![
        api.get(&format!("/api/v1/namespaces/{home}")).unwrap(),
        api.get(&format!("{definitions}/gadgets.{name}.example")).unwrap(),
    ];
    for collection in [
        format!("/api/v1/namespaces/{home}/configmaps"),
        format!("/apis/{name}.example/v1/namespaces/{home}/gadgets"),
    ] {
        objects.extend(api.get(&collection).unwrap()["items"].as_array().unwrap().clone());
    }
    // The record of rounds is beside the inventory.
    let is_record = |object: &serde_json::Value| {
        object["metadata"]["name"].as_str().is_some_and(|name| name.ends_with(".history"))
    };
    objects.retain(|object| !is_record(object));
    let labels = objects.iter().map(|object| &object["metadata"]["labels"]);
    let members = labels.filter(|labels| !labels["applyset.kubernetes.io/part-of"].is_null());
    // The parent is none, and nothing else is there.
    assert_eq!((members.count(), objects.len()), (8, 9), "{fault:?} {nth}\n{next}");
    true
}

/// Kills at every `step`th request; says at how many.
fn sweep(step: usize) -> usize {
    let plane = sandbox::bare();
    let (line, api) = (Faulty::start(plane), Api::new(plane));
    let mut points = 0;
    for (from, fault) in [(1, Fault::KillBefore), (1 + step / 2, Fault::KillAfter)] {
        let reached = (from..).step_by(step).take_while(|nth| killed(fault, *nth, (&line, &api)));
        points += reached.count();
    }
    points
}

#[test]
fn a_first_apply_that_is_killed_is_finished_by_the_next() {
    let points = sweep(7);
    assert!(points >= 4, "{points}");
}

#[test]
#[ignore = "takes a minute; .ci/run has it"]
fn a_first_apply_that_is_killed_at_any_request() {
    let points = sweep(1);
    assert!(points >= 30, "{points}");
}
