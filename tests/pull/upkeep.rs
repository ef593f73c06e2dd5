//! However often it is pulled to, a repository stays quick.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::git::{Upstream, assert_clean_at, git, pull, write};

/// How many packs a checkout has.
fn packs(checkout: &Path) -> usize {
    let files = fs::read_dir(checkout.join(".git/objects/pack")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".pack")).count()
}

/// A checkout that was pulled to again and again, with these settings.
fn pulled(count: usize, settings: &[(&str, &str)]) -> (Upstream, std::path::PathBuf) {
    let upstream = Upstream::new();
    let checkout = upstream.clone("checkout");
    for (key, value) in settings {
        git(&checkout, ["config", key, value]);
    }
    let said = upstream.folder().join("said");
    for name in ["pre-auto-gc", "monitor"] {
        let hook = checkout.join(".git/hooks").join(name);
        write(&hook, &format!("#!/bin/sh\necho {name} >> {}\n", said.display()));
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    }
    git(&checkout, ["config", "core.fsmonitor", ".git/hooks/monitor"]);
    for n in 0..count {
        upstream.write("web.yaml", &format!("kind: Web\nreplicas: {n}\n"));
        upstream.commit("Another count");
        pull(&checkout).run().exits(0);
    }
    assert!(!said.exists(), "no program of the checkout is run");
    git(&checkout, ["config", "--unset", "core.fsmonitor"]);
    assert_clean_at(&checkout, &upstream.tip());
    (upstream, checkout)
}

#[test]
fn few_objects_are_no_pack_of_their_own() {
    let (_upstream, checkout) = pulled(6, &[]);
    assert_eq!(packs(&checkout), 1, "the clone's");
}

#[test]
fn git_gathers_packs_as_it_is_configured_to() {
    let here = [("gc.autoDetach", "false"), ("maintenance.autoDetach", "false")];
    for (more, is_bounded) in [
        (&[("fetch.unpackLimit", "1"), ("gc.autoPackLimit", "3")][..], true),
        (&[("fetch.unpackLimit", "1"), ("gc.autoPackLimit", "3"), ("gc.auto", "0")], false),
        (
            &[
                ("transfer.unpackLimit", "1"),
                ("gc.autoPackLimit", "3"),
                ("maintenance.auto", "false"),
            ],
            false,
        ),
    ] {
        let (_upstream, checkout) = pulled(8, &[&here[..], more].concat());
        assert_eq!(packs(&checkout) <= 4, is_bounded, "{more:?}: {}", packs(&checkout));
    }
}
