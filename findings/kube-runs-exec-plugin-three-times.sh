#!/usr/bin/env bash
# kube runs an exec credential plugin three times to make one client.
#
# Version: kube-client 5.0.0 (what `kube` re-exports), with the feature `rustls-tls`.
#
# Behaviour: `Client::try_from(config)` runs the plugin of the kubeconfig three times, one after
# the other, on the calling thread, before any request. It does so whether or not the credential
# says when it expires. A second client of the same Config runs it three times again.
#
# Output:
#   token without expiry: 1 client, plugin ran 3 times
#   token without expiry: 2 clients, plugin ran 6 times
#   token with expiry: 1 client, plugin ran 3 times
#   token with expiry: 2 clients, plugin ran 6 times
#
# Expected: once. The Kubernetes documentation of client-go credential plugins says that the
# credential is cached until its expiry, or a 401, or, without an expiry, until the process ends.
# The cause: the header of requests, the client certificate of TLS and the time until which the
# client is valid are each asked for by a run of its own, and two of the three answers are thrown
# away.
#
# What it means: most plugins ask a service each time. One that asks a person (a browser, a
# code from a device) asks three times, unless it has a cache of its own.
#
# What to do: run the plugin once, put its token or certificate into `config.auth_info`, and clear
# `config.auth_info.exec` before making the client.
set -euo pipefail

command -v cargo >/dev/null || {
    echo "cargo is missing: install Rust with rustup, or Debian's package cargo" >&2
    exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/src"

cat >"$work/Cargo.toml" <<'END'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"

[dependencies]
k8s-openapi = { version = "=0.29.0", features = ["latest"] }
kube-client = { version = "=5.0.0", default-features = false, features = ["client", "ring", "rustls-tls"] }
tokio = { version = "=1.54.1", features = ["rt"] }

[profile.dev]
debug = false

[workspace]
END

cat >"$work/src/main.rs" <<'END'
use kube_client::{Client, Config};

/// Makes as many clients as the argument says. They are never used.
fn main() {
    let clients: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let config = Config::infer().await.unwrap();
        for _ in 0..clients {
            Client::try_from(config.clone()).unwrap();
        }
    });
}
END

cat >"$work/kubeconfig" <<'END'
apiVersion: v1
kind: Config
current-context: example
clusters:
  - name: example
    cluster:
      server: https://api.example.org:6443
contexts:
  - name: example
    context:
      cluster: example
      user: example
users:
  - name: example
    user:
      exec:
        apiVersion: client.authentication.k8s.io/v1
        command: ./plugin
        interactiveMode: Never
END

cat >"$work/plugin" <<'END'
#!/bin/sh
echo run >>"$RUNS"
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",'
printf '"status":{"token":"example"%s}}\n' "$EXPIRY"
END
chmod +x "$work/plugin"

cargo build --quiet --manifest-path "$work/Cargo.toml" --target-dir "${CARGO_TARGET_DIR:-$work/target}"
cp "${CARGO_TARGET_DIR:-$work/target}/debug/finding" "$work/finding"

count() {
    rm -f "$work/runs"
    RUNS="$work/runs" EXPIRY=$2 KUBECONFIG="$work/kubeconfig" "$work/finding" "$3"
    echo "$1: $4, plugin ran $(grep -c run "$work/runs") times"
}
got=$(
    count "token without expiry" '' 1 "1 client"
    count "token without expiry" '' 2 "2 clients"
    later=',"expirationTimestamp":"2999-01-01T00:00:00Z"'
    count "token with expiry" "$later" 1 "1 client"
    count "token with expiry" "$later" 2 "2 clients"
)
printf '%s\n' "$got"
expected=$(sed -n 's/^#   \(token .*\)$/\1/p' "$0")
if [ "$got" != "$expected" ]; then
    echo "changed: this was expected:" >&2
    printf '%s\n' "$expected" >&2
    exit 1
fi
