#!/usr/bin/env bash
# A fetch of gix locks every reference that its refspec maps, also those that do not move.
#
# Version: gix 0.90.0, beside git (2.39.5 was used).
#
# Behaviour: the remote has the branches `idle` and `main`, and the clone has both. A file
# `refs/remotes/origin/idle.lock` is in the clone: another process is writing that reference, or
# was ended while it did. Where only `main` moves, git fetches it. gix fails for the lock of
# `idle`, and leaves `main` where it was. It also fails where nothing moves at all. Where the
# reference that moves is locked, both fail, as they should.
#
# Output:
#   moves    locked  git    gix
#   nothing  idle    ok     fails
#   main     idle    ok     fails
#   main     main    fails  fails
#   main     none    ok     ok
#
# Expected: success for the first two. A lock file protects a change of the reference, and git
# takes one for the references that it changes. The documentation of gix says of such a reference
# (`NoChangeNeeded`) that no change is attempted and that its value is compared once more. It does
# not say that this takes the lock.
#
# What it means: a lock that was left over by a killed process stops all further fetches of the
# clone, rather than those that move its reference. A process that holds the lock for longer than
# `core.filesRefLockTimeout` (100 ms) does the same for as long.
#
# What to do: narrow the refspec to the branch that is wanted, and try again after a failed lock.
set -euo pipefail

for tool in cargo git; do
    command -v "$tool" >/dev/null || {
        echo "$tool is missing: install Rust with rustup, and Debian's package git" >&2
        exit 1
    }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/rust/src"

cat >"$work/rust/Cargo.toml" <<'END'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"

[dependencies]
gix = { version = "=0.90.0", default-features = false, features = ["blocking-network-client", "sha1"] }

[profile.dev]
debug = false

[workspace]
END

cat >"$work/rust/src/main.rs" <<'END'
use std::{error::Error, sync::atomic::AtomicBool};

use gix::{progress::Discard, remote::Direction};

fn fetch(path: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
    let repo = gix::open(path)?;
    let remote = repo.find_remote("origin")?;
    let connection = remote.connect(Direction::Fetch)?;
    let prepared = connection.prepare_fetch(Discard, Default::default())?;
    prepared.receive(Discard, &AtomicBool::new(false))?;
    Ok(())
}

fn main() {
    let path = std::env::args().nth(1).unwrap();
    if let Err(error) = fetch(&path) {
        eprintln!("{error:?}");
        std::process::exit(1);
    }
}
END
cargo build --quiet --manifest-path "$work/rust/Cargo.toml" \
    --target-dir "${CARGO_TARGET_DIR:-$work/target}"
cp "${CARGO_TARGET_DIR:-$work/target}/debug/finding" "$work/with-gix"

export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=example GIT_AUTHOR_EMAIL=example@example.org
export GIT_COMMITTER_NAME=example GIT_COMMITTER_EMAIL=example@example.org
git init --quiet --initial-branch=main "$work/remote"
git -C "$work/remote" commit --quiet --allow-empty --message=one
git -C "$work/remote" branch idle
git clone --quiet "$work/remote" "$work/clone"
git -C "$work/remote" rev-parse main >"$work/one"

# Runs a fetch in a fresh copy of the clone, and says whether it and what it did agree.
# Arguments: the reference to lock, and the command.
fetch() {
    local locked=$1 answer=ok at
    shift
    rm -rf "$work/copy"
    cp -R "$work/clone" "$work/copy"
    [ "$locked" = none ] || : >"$work/copy/.git/refs/remotes/origin/$locked.lock"
    if ! "$@" >"$work/log" 2>&1; then
        answer=fails
        # Any other error is no finding.
        grep -q "origin/$locked\.lock" "$work/log" || answer="fails otherwise: $(cat "$work/log")"
    fi
    at=$(git -C "$work/copy" rev-parse refs/remotes/origin/main)
    if [ "$answer" = ok ]; then
        [ "$at" = "$(git -C "$work/remote" rev-parse main)" ] || answer="ok, but main did not move"
    else
        [ "$at" = "$(cat "$work/one")" ] || answer="$answer, but main moved"
    fi
    printf '%s\n' "$answer"
}
row() {
    printf '%-8s %-7s %-6s %s\n' "$1" "$2" "$(fetch "$2" git -C "$work/copy" fetch origin)" \
        "$(fetch "$2" "$work/with-gix" "$work/copy")"
}
got=$(
    echo "moves    locked  git    gix"
    row nothing idle
    git -C "$work/remote" commit --quiet --allow-empty --message=two
    row main idle
    row main main
    row main none
)
printf '%s\n' "$got"
expected=$(sed -n '/^# Output:/,/^#$/s/^#   //p' "$0")
if [ "$got" != "$expected" ]; then
    echo "changed: this was expected:" >&2
    printf '%s\n' "$expected" >&2
    exit 1
fi
