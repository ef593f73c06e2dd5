#!/usr/bin/env bash
# kube compares NO_PROXY with the address of the proxy, not with that of the cluster.
#
# Version: kube-client 5.0.0 (what `kube` re-exports), with the feature `http-proxy`.
#
# Behaviour: the kubeconfig names the server https://api.example.org:6443, and HTTPS_PROXY names
# the proxy http://proxy.example.net:3128. A NO_PROXY that excludes the server changes nothing:
# `Config::infer` still sets `proxy_url`. A NO_PROXY that names the proxy turns it off for every
# cluster, if it has the port too: without one, `proxy.example.net` does not match the proxy.
#
# Output (`direct` is without a proxy; Go is `http.ProxyFromEnvironment`, which kubectl follows):
#   kube    Go      NO_PROXY
#   proxy   proxy   (unset)
#   proxy   direct  api.example.org
#   proxy   direct  api.example.org:6443
#   proxy   direct  .example.org
#   direct  proxy   proxy.example.net:3128
#   proxy   proxy   proxy.example.net
#   direct  direct  *
#
# Expected: the column of Go. NO_PROXY lists the hosts that are reached without a proxy, in Go,
# curl and Python alike. A cluster inside a company network, listed there, is asked through the
# proxy, which often cannot reach it, while kubectl with the same environment works.
#
# What to do: after `Config::infer`, compare `cluster_url` with NO_PROXY oneself, and set
# `proxy_url`. kubectl does not apply NO_PROXY where the kubeconfig has a `proxy-url`.
set -euo pipefail

for tool in cargo go; do
    command -v "$tool" >/dev/null || {
        echo "$tool is missing: install Rust with rustup, and Go 1.24 or later from go.dev/dl" >&2
        exit 1
    }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/rust/src" "$work/go"

cat >"$work/rust/Cargo.toml" <<'END'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"

[dependencies]
k8s-openapi = { version = "=0.29.0", features = ["latest"] }
kube-client = { version = "=5.0.0", default-features = false, features = ["client", "http-proxy"] }
tokio = { version = "=1.54.1", features = ["rt"] }

[profile.dev]
debug = false

[workspace]
END

cat >"$work/rust/src/main.rs" <<'END'
fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let config = runtime.block_on(kube_client::Config::infer()).unwrap();
    assert_eq!(config.cluster_url.to_string(), "https://api.example.org:6443/");
    println!("{}", if config.proxy_url.is_some() { "proxy" } else { "direct" });
}
END

cat >"$work/go/main.go" <<'END'
package main

import (
	"fmt"
	"net/http"
)

func main() {
	request, err := http.NewRequest("GET", "https://api.example.org:6443/", nil)
	if err != nil {
		panic(err)
	}
	proxy, err := http.ProxyFromEnvironment(request)
	if err != nil {
		panic(err)
	}
	if proxy == nil {
		fmt.Println("direct")
	} else {
		fmt.Println("proxy")
	}
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
    user: {}
END

cargo build --quiet --manifest-path "$work/rust/Cargo.toml" \
    --target-dir "${CARGO_TARGET_DIR:-$work/target}"
cp "${CARGO_TARGET_DIR:-$work/target}/debug/finding" "$work/with-kube"
(
    cd "$work/go"
    GOWORK=off GO111MODULE=off go build -o "$work/with-go" main.go
)

# Both programs ask for no network: they only say what they would do.
ask() {
    env -u no_proxy -u NO_PROXY -u https_proxy -u http_proxy -u HTTP_PROXY \
        KUBECONFIG="$work/kubeconfig" HTTPS_PROXY=http://proxy.example.net:3128 "$@"
}
got=$(
    echo "kube    Go      NO_PROXY"
    printf '%-7s %-7s (unset)\n' "$(ask "$work/with-kube")" "$(ask "$work/with-go")"
    for value in api.example.org api.example.org:6443 .example.org \
        proxy.example.net:3128 proxy.example.net '*'; do
        printf '%-7s %-7s %s\n' "$(ask NO_PROXY="$value" "$work/with-kube")" \
            "$(ask NO_PROXY="$value" "$work/with-go")" "$value"
    done
)
printf '%s\n' "$got"
expected=$(sed -n 's/^#   \(\(kube\|proxy\|direct\) .*\)$/\1/p' "$0")
if [ "$got" != "$expected" ]; then
    echo "changed: this was expected:" >&2
    printf '%s\n' "$expected" >&2
    exit 1
fi
