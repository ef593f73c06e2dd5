#!/usr/bin/env bash
# kustomize turns an unquoted date of a manifest into a date and time, and kubectl does not.
#
# Versions: sigs.k8s.io/kustomize/kustomize/v5 v5.8.1, beside sigs.k8s.io/yaml v1.6.0, with which
# kubectl reads the files of `apply -f`.
#
# Behaviour: a kustomization that lists one ConfigMap and changes nothing prints two values of it
# otherwise than the reader of kubectl gives them. A date becomes text with a time of day that the
# file does not have. A date and time without a zone gets the zone UTC. One with a zone stays as it
# is, as do annotations, whose values kustomize takes as text.
#
# Output:
#   where         written                    kubectl                    kustomize
#   data.day      2024-01-02                 2024-01-02                 2024-01-02T00:00:00Z
#   data.minute   2024-01-02 03:04:05        2024-01-02 03:04:05        2024-01-02T03:04:05Z
#   data.zone     2024-01-02T03:04:05+01:00  2024-01-02T03:04:05+01:00  2024-01-02T03:04:05+01:00
#   annotations   2024-01-02                 2024-01-02                 2024-01-02
#
# Expected: one value, whether a file is applied with `kubectl apply -f` or, through a kustomization
# that only lists it, with `kubectl apply -k`. A ConfigMap's value is text, so the API server takes
# both.
#
# What to do: quote dates in manifests.
set -euo pipefail

command -v go >/dev/null || {
    echo "go is missing: install Go 1.24 or later from go.dev/dl" >&2
    exit 1
}
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
mkdir -p "$work/set" "$work/read"

cat >"$work/set/config.yaml" <<'END'
apiVersion: v1
kind: ConfigMap
metadata:
  name: release
  annotations:
    day: 2024-01-02
data:
  day: 2024-01-02
  minute: 2024-01-02 03:04:05
  zone: 2024-01-02T03:04:05+01:00
END
echo 'resources: [config.yaml]' >"$work/set/kustomization.yaml"

cat >"$work/read/main.go" <<'END'
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"sigs.k8s.io/yaml"
)

func main() {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	converted, err := yaml.YAMLToJSON(text)
	if err != nil {
		panic(err)
	}
	var object struct {
		Metadata struct{ Annotations map[string]any }
		Data     map[string]any
	}
	if err := json.Unmarshal(converted, &object); err != nil {
		panic(err)
	}
	for _, key := range []string{"day", "minute", "zone"} {
		fmt.Println(object.Data[key])
	}
	fmt.Println(object.Metadata.Annotations["day"])
}
END

export GOFLAGS=-mod=mod GOWORK=off GOBIN=$work/bin
go install sigs.k8s.io/kustomize/kustomize/v5@v5.8.1 2>"$work/log" || {
    cat "$work/log" >&2
    exit 1
}
(
    cd "$work/read"
    go mod init finding
    go get sigs.k8s.io/yaml@v1.6.0
    go build -o "$work/bin/read" .
) 2>"$work/log" || {
    cat "$work/log" >&2
    exit 1
}

"$work/bin/read" <"$work/set/config.yaml" >"$work/kubectl"
"$work/bin/kustomize" build "$work/set" | "$work/bin/read" >"$work/kustomize"
printf '%s\n' data.day data.minute data.zone annotations >"$work/where"
{
    sed -n 's/^  \(day\|minute\|zone\): //p' "$work/set/config.yaml"
    sed -n 's/^    day: //p' "$work/set/config.yaml"
} >"$work/written"
got=$(paste "$work/where" "$work/written" "$work/kubectl" "$work/kustomize" |
    awk -F'\t' '{ printf "%-13s %-26s %-26s %s\n", $1, $2, $3, $4 }')
printf '%s\n' "$got"
expected=$(sed -n 's/^#   \(\(data\.\|annotations \).*\)$/\1/p' "$0")
if [ "$got" != "$expected" ]; then
    echo "changed: this was expected:" >&2
    printf '%s\n' "$expected" >&2
    exit 1
fi
