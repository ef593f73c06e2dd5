#!/usr/bin/env bash
# kubectl proxy answers 500 where the API server refuses connections, in plain text. A gateway says 502.
#
# Version: k8s.io/kubectl v0.36.3 (its package `proxy`, which is the command `kubectl proxy`), beside
# Go's own `httputil.ReverseProxy`.
#
# Behaviour: nothing listens at the address of the API server, as while it is being restarted. A GET
# of /api/v1/namespaces through each proxy. The answer of kubectl's is no Status object of the API.
#
# Output:
#   proxy         status  type                       body
#   kubectl       500     text/plain; charset=utf-8  dial tcp ADDRESS: connect: connection refused
#   ReverseProxy  502     -                          -
#
# Expected: 502 or 503. Clients take those for an outage that passes, and try again. They take a 500
# for a fault of the server or of the request: an admission webhook, a converter, an allocator.
#
# What to do: take a 500 whose body is no Status, and which names a connection that was refused, cut
# or timed out, for an outage.
set -euo pipefail

command -v go >/dev/null || {
    echo "go is missing: install Go 1.26 or later from go.dev/dl" >&2
    exit 1
}
expected=$(sed -n 's/^#   \(\(proxy\|kubectl\|ReverseProxy\) .*\)$/\1/p' "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat >go.mod <<'END'
module finding

go 1.26.0

require (
	k8s.io/client-go v0.36.3
	k8s.io/kubectl v0.36.3
)
END

cat >main.go <<'END'
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/kubectl/pkg/proxy"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// An address at which nothing listens any more.
func refusing() string {
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	defer listener.Close()
	return listener.Addr().String()
}

func row(name, at, refusing string) {
	answer := must(http.Get("http://" + at + "/api/v1/namespaces"))
	body := strings.TrimSpace(string(must(io.ReadAll(answer.Body))))
	body = strings.ReplaceAll(body, refusing, "ADDRESS")
	kind := answer.Header.Get("Content-Type")
	for _, text := range []*string{&kind, &body} {
		if *text == "" {
			*text = "-"
		}
	}
	fmt.Printf("%-13s %-7d %-26s %s\n", name, answer.StatusCode, kind, body)
}

func main() {
	server := refusing()
	config := &rest.Config{Host: "http://" + server}
	filter := &proxy.FilterServer{
		AcceptPaths:   proxy.MakeRegexpArrayOrDie(proxy.DefaultPathAcceptRE),
		RejectPaths:   proxy.MakeRegexpArrayOrDie(proxy.DefaultPathRejectRE),
		AcceptHosts:   proxy.MakeRegexpArrayOrDie(proxy.DefaultHostAcceptRE),
		RejectMethods: proxy.MakeRegexpArrayOrDie(proxy.DefaultMethodRejectRE),
	}
	kubectl := must(proxy.NewServer("", "/", "/static/", filter, config, 0, false))
	listener := must(kubectl.Listen("127.0.0.1", 0))
	go kubectl.ServeOnListener(listener)

	usual := httputil.NewSingleHostReverseProxy(must(url.Parse(config.Host)))
	other := httptest.NewServer(usual)

	fmt.Printf("%-13s %-7s %-26s %s\n", "proxy", "status", "type", "body")
	row("kubectl", listener.Addr().String(), server)
	row("ReverseProxy", strings.TrimPrefix(other.URL, "http://"), server)
}
END

go mod tidy >tidy.out 2>&1 || { cat tidy.out >&2; exit 1; }
got=$(go run .)
printf '%s\n' "$got"
if [ "$got" != "$expected" ]; then
    echo "changed: this was expected:" >&2
    printf '%s\n' "$expected" >&2
    exit 1
fi
