//! The cluster itself goes away in the middle of a run: its store for ten seconds, its API server
//! for as long as it takes to start again.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::point::Demand;
use super::world::World;
use crate::support::eventually::{eventually, eventually_none};
use crate::support::faults::{Fault, Faulty, Run, Seen};
use crate::support::sandbox::{self, Plane};
use crate::support::second_server::{SecondServer, process};

#[test]
fn etcd_outage_of_ten_seconds_is_waited_for() {
    // A world is of a plane that stays: this one goes with the test process.
    let plane: &Plane = Box::leak(Box::new(sandbox::own()));
    let world = World::new(plane);
    let etcd = process(plane, "etcd").file_name().unwrap().to_str().unwrap().parse().unwrap();
    let etcd = Pid::from_raw(etcd).unwrap();
    world.undisturbed(&["apply", "--rev", "HEAD~1"]);
    let mut count = 0;
    let Run { output, struck, .. } = world.disturbed(&["apply"], move |_| {
        count += 1;
        // Half of it is written.
        (count == 60).then(|| {
            kill_process(etcd, Signal::STOP).unwrap();
            thread::spawn(move || {
                thread::sleep(Duration::from_secs(10));
                kill_process(etcd, Signal::CONT).unwrap();
            });
            Fault::Meddled
        })
    });
    assert_eq!(struck, 1);
    let output = output.exits(0);
    assert_eq!(world.state(), world.second, "{output}");
}

/// Which requests count.
type Wanted = fn(&Seen) -> bool;

/// A second API server over a plane of its own, and a world that reaches the plane through it.
fn second_server() -> (World, Arc<Mutex<SecondServer>>, impl Fn(), tempfile::TempDir) {
    // A world is of a plane that stays: this one goes with the test process.
    let plane: &Plane = Box::leak(Box::new(sandbox::own()));
    let mut world = World::new(plane);
    let folder = tempfile::tempdir().unwrap();
    let (mut server, kubeconfig) = SecondServer::new(plane, folder.path());
    world.line = Faulty::on_the_way_to(&kubeconfig, plane);
    server.start();
    let until_it_answers = move || {
        let ready = ["--kubeconfig", kubeconfig.to_str().unwrap(), "get", "--raw", "/readyz"];
        eventually("the second API server answers", || plane.kubectl(ready).status == Some(0));
    };
    (world, Arc::new(Mutex::new(server)), until_it_answers, folder)
}

/// Kills the server at the `nth` request that is `wanted`, and starts it again after longer than
/// whoever is not patient would try.
fn restarting(
    server: &Arc<Mutex<SecondServer>>,
    (wanted, nth): (Wanted, usize),
) -> impl FnMut(&Seen) -> Option<Fault> + Send + 'static {
    let (server, mut count) = (Arc::clone(server), 0);
    move |seen| {
        count += usize::from(wanted(seen));
        (wanted(seen) && count == nth).then(|| {
            count += 1;
            server.lock().unwrap().kill();
            let server = Arc::clone(&server);
            thread::spawn(move || {
                thread::sleep(Duration::from_secs(4));
                server.lock().unwrap().start();
            });
            Fault::Meddled
        })
    }
}

#[test]
fn api_server_killed_during_the_read_fails_at_most_one_run() {
    let (world, server, until_it_answers, _folder) = second_server();
    until_it_answers();
    let verdict = world.point(&["apply"], Demand::Tells, restarting(&server, (|_| true, 5)));
    assert_eq!(verdict, Ok(1));
}

#[test]
fn api_server_killed_during_writes_is_waited_for() {
    fn lock(seen: &Seen) -> bool {
        seen.path.contains("/leases")
    }
    fn record(seen: &Seen) -> bool {
        seen.is_write() && seen.path.contains("/configmaps/trueup-")
    }
    let (world, server, until_it_answers, _folder) = second_server();
    let points: [(&str, Wanted, usize); 8] = [
        ("before the lock is read", lock, 1),
        ("before the lock is taken", lock, 2),
        // The lock was given back a moment ago, so somebody else may have written.
        ("while it is looked again under the lock", Seen::is_list, 12),
        ("before the record is widened", record, 1),
        ("while it writes", Seen::is_write, 20),
        ("while it deletes", |seen| seen.method == "DELETE", 5),
        ("before the record is narrowed", record, 2),
        ("before the lock is given back", |seen| lock(seen) && seen.method == "PUT", 2),
    ];
    for (what, wanted, nth) in points {
        until_it_answers();
        world.undisturbed(&["apply", "--rev", "HEAD~1"]);
        let Run { output, struck, .. } =
            world.disturbed(&["apply"], restarting(&server, (wanted, nth)));
        assert_eq!((struck, output.status), (1, Some(0)), "{what}\n{output}");
        // The server that is asked here learns of new kinds when it does.
        eventually_none(what, || world.difference(&world.second));
        assert!(world.leaves_strangers_alone(), "{what}");
    }
}
