//! A kind of which the inventory has the last object to prune, and that can't be listed: nobody
//! knows what is left of it, so it has to stay in the record.

use super::world::World;
use crate::support::command::Output;
use crate::support::faults::{Fault, Run};
use crate::support::sandbox;

/// Applies the second commit over the first while LimitRanges, of which it has none any more, are
/// refused with this status.
fn without_limits(world: &World, code: u16) -> Output {
    world.undisturbed(&["apply", "--rev", "HEAD~1"]);
    let Run { output, struck, .. } = world.disturbed(&["apply"], move |seen| {
        (seen.is_list() && seen.path.ends_with("/limitranges")).then_some(Fault::Status(code))
    });
    assert!(struck > 0, "{output}");
    assert!(output.stderr.contains("LimitRange can't be listed, so nothing is pruned"), "{output}");
    output
}

#[test]
fn unlisted_kind_is_pruned_once_listed() {
    let world = World::new(sandbox::bare());
    let limits = format!("/api/v1/namespaces/{}/limitranges/only", world.name);
    // A fault, or no right to ask: the run does not say that all is well. Where there is no right
    // it knows by its name what the commit before declared.
    for (code, status, says) in
        [(401, 1, "NOT at"), (404, 1, "1 kind not listed"), (403, 1, "NOT at")]
    {
        let output = without_limits(&world, code).exits(status);
        assert!(output.stdout.contains(says), "{code}\n{output}");
        assert_eq!(output.stdout.contains(": 16 not pruned, "), code == 403, "{code}\n{output}");
        assert!(world.state().contains_key(&limits), "{code}\n{output}");
        let next = world.peace(&["apply"], &world.second).map(|_| ());
        assert_eq!(next, Ok(()), "{code}\n{output}");
    }
}
