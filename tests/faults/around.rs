//! What goes wrong around a run: clocks that do not agree, a memory that can't be kept, another run
//! at the same time, and somebody who has rights of his own.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use http::Method;

use super::world::World;
use crate::support::api::Api;
use crate::support::command::Cmd;
use crate::support::eventually::eventually;
use crate::support::faults::{Fault, Faulty, Run};
use crate::support::objects::{config, namespace};
use crate::support::repo::Repo;
use crate::support::sandbox;

#[test]
fn clock_skew_is_tolerated() {
    let world = World::new(sandbox::bare());
    for hours in [-1, 1] {
        let apply = |args: &[&str]| {
            let script = move |_: &_| Some(Fault::Skewed(hours * 3600));
            let Run { output, seen, .. } = world.disturbed(args, script);
            let output = output.exits(0);
            (seen.iter().filter(|seen| seen.is_write()).count(), output)
        };
        apply(&["apply", "--rev", "HEAD~1"]);
        assert_eq!(world.state(), world.first, "{hours} h");
        apply(&["apply"]);
        assert_eq!(world.state(), world.second, "{hours} h");
        let (writes, output) = apply(&["apply"]);
        assert_eq!(writes, 0, "{hours} h\n{output}");
    }
}

/// Goes to the first commit and back, with a command made of each.
#[track_caller]
fn there_and_back(world: &World, what: &str, command: impl Fn(&[&str]) -> Cmd) {
    let steps: [(&[&str], _); 3] = [
        (&["apply", "--rev", "HEAD~1"], &world.first),
        (&["apply"], &world.second),
        (&["diff"], &world.second),
    ];
    for (args, state) in steps {
        let output = world.line.run(command(args), |_| None).output.exits(0);
        assert_eq!(&world.state(), state, "{what}\n{output}");
    }
}

#[test]
fn cached_state_is_optional() {
    let world = World::new(sandbox::bare());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "no folder").unwrap();
    for cache in [&file, Path::new("/dev/full"), Path::new("/proc/nowhere")] {
        let command = |args: &[&str]| world.trueup(args).env("XDG_CACHE_HOME", cache);
        there_and_back(&world, &cache.display().to_string(), command);
    }
    // Whatever is remembered is cut in the middle, or something else.
    let cache = folder.path().join("cache");
    let remembering = |args: &[&str]| world.trueup(args).env("XDG_CACHE_HOME", &cache);
    there_and_back(&world, "before it is broken", remembering);
    for broken in [None, Some(""), Some("null"), Some("[{}]")] {
        let mut count = 0;
        for entry in fs::read_dir(cache.join("trueup/memory")).unwrap() {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            let half = &bytes[..bytes.len() / 2];
            fs::write(&path, broken.map_or(half, str::as_bytes)).unwrap();
            count += 1;
        }
        assert!(count >= 3, "only {count} things are remembered");
        there_and_back(&world, &format!("{broken:?}"), remembering);
    }
}

/// A limit on how large a file may be is as good as a full disk, and any user can set it.
#[cfg(unix)]
#[test]
fn full_disk_loses_only_cached_state() {
    let world = World::new(sandbox::bare());
    for blocks in 0..2 {
        let cache = tempfile::tempdir().unwrap();
        let command = |args: &[&str]| {
            let (trueup, args) = (env!("CARGO_BIN_EXE_trueup"), args.join(" "));
            let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec '{trueup}' {args}");
            world.trueup(&[]).env("XDG_CACHE_HOME", cache.path()).shell(&script)
        };
        there_and_back(&world, &format!("{blocks} blocks"), command);
        for entry in fs::read_dir(cache.path().join("trueup/memory")).unwrap() {
            let size = entry.unwrap().metadata().unwrap().len();
            assert!(size > 0 && size <= 1024, "half a memory of {size} bytes is left");
        }
    }
}

#[test]
fn concurrent_applies_end_at_one_commit() {
    let world = World::new(sandbox::bare());
    for nth in [20, 50, 70] {
        // From somewhere in the middle, so that both have something to do.
        world.undisturbed(&["apply", "--rev", "HEAD~1"]);
        let mut count = 0;
        let Run { output, .. } = world.disturbed(&["apply"], move |_| {
            count += 1;
            (count == nth).then_some(Fault::KillAfter)
        });
        assert_eq!(output.status, None, "{output}");
        world.unlock();
        let said = thread::scope(|scope| {
            let runs = [&["apply", "--rev", "HEAD~1"][..], &["apply"]];
            let runs = runs.map(|args| scope.spawn(|| world.trueup(args).run()));
            runs.map(|run| run.join().unwrap())
        });
        for output in &said {
            assert_eq!(output.status, Some(0), "\n{}\n{}", said[0], said[1]);
        }
        let state = world.state();
        let is_one = state == world.first || state == world.second;
        assert!(is_one, "neither commit is there\n{}\n{}", said[0], said[1]);
        let next = world.peace(&["apply"], &world.second).map(|_| ());
        assert_eq!(next, Ok(()), "\n{}\n{}", said[0], said[1]);
        let back = world.peace(&["apply", "--rev", "HEAD~1"], &world.first).map(|_| ());
        assert_eq!(back, Ok(()), "\n{}\n{}", said[0], said[1]);
    }
}

#[test]
fn namespace_deleted_during_apply_is_recreated() {
    let plane = sandbox::with_controllers();
    let repo = Repo::new("faults-gone", plane);
    let side = namespace("faults-gone-side");
    repo.write("side.yaml", side);
    for n in 0..12 {
        let aside = format!("a{n}\n  namespace: faults-gone-side");
        repo.write(&format!("a{n}.yaml"), config(&aside, "1")).write_config(&format!("o{n}"), "1");
    }
    repo.commit("Two namespaces");
    let (line, api) = (Faulty::start(plane), Api::new(plane));
    let count = AtomicUsize::new(0);
    let path = "/api/v1/namespaces/faults-gone-side";
    let apply = repo.trueup(&["apply", "--concurrency", "1"]);
    let Run { output, .. } = line.run(apply, move |seen| {
        let is_aside = seen.is_write() && seen.path.starts_with(&format!("{path}/"));
        if is_aside && count.fetch_add(1, Ordering::Relaxed) == 4 {
            api.send(Method::DELETE, path, "", None).unwrap();
        }
        None
    });
    let output = output.exits(1);
    assert!(output.stdout.contains("faults-gone is NOT at "), "{output}");
    let api = Api::new(plane);
    eventually("the namespace is gone", || api.get(path).is_err());
    repo.run(&["apply"]).exits(0);
    let all = ["get", "configmap", "-A", "-o", "name", "-l"];
    let label = format!("applyset.kubernetes.io/part-of={}", repo.applyset());
    let members = repo.kubectl(&[&all[..], &[&label]].concat()).exits(0).stdout;
    assert_eq!(members.lines().count(), 24, "{members}");
}

#[test]
fn object_taken_over_before_pruning_stays() {
    let world = World::new(sandbox::bare());
    world.undisturbed(&["apply", "--rev", "HEAD~1"]);
    // One is changed and still ours, one is somebody else's now, one was made anew by hand.
    let path = |name| format!("/api/v1/namespaces/{}/configmaps/{name}", world.name);
    let (changed, taken, anew) = (path("o0"), path("o5"), path("o10"));
    let (plane, name) = (sandbox::bare(), world.name.clone());
    let Run { output, .. } = world.disturbed(&["apply"], move |seen| {
        let kubectl = |args: &[&str]| {
            drop(plane.kubectl([&["-n", &name][..], args].concat()).exits(0));
        };
        match seen.method == "DELETE" {
            true if seen.path == changed => kubectl(&["annotate", "configmap", "o0", "seen=yes"]),
            true if seen.path == taken => kubectl(&[
                "label",
                "--overwrite",
                "configmap",
                "o5",
                "applyset.kubernetes.io/part-of=applyset-other-v1",
            ]),
            true if seen.path == anew => {
                kubectl(&["delete", "configmap", "o10"]);
                kubectl(&["create", "configmap", "o10", "--from-literal=key=mine"]);
            }
            _ => {}
        }
        None
    });
    let output = output.exits(1);
    let told = "it was taken over, changed or recreated since the plan was made";
    assert_eq!(output.stdout.matches(told).count(), 2, "{output}");
    let state = world.state();
    assert!(!state.contains_key(&path("o0")), "{output}");
    assert!(state[&path("o5")].contains("applyset-other-v1"), "{output}");
    assert!(state[&path("o10")].contains("mine"), "{output}");

    // They are none of the next run's business.
    world.undisturbed(&["apply"]);
    let mut state = world.state();
    assert!(state.remove(&path("o5")).is_some() && state.remove(&path("o10")).is_some());
    assert_eq!(state, world.second);
}
