#!/usr/bin/env bash
# The Rust CEL library reads the pattern of matches() by the rules of the regex crate, not of RE2.
#
# Versions: cel 0.15.0 (Rust), beside github.com/google/cel-go v0.31.0, which Kubernetes uses.
# (The proxy also lists v0.32.0, but its go.mod names it cel.dev/cel-go: Go refuses it under the
# old path.)
#
# Behaviour: four valid patterns, all of ASCII, get another answer, without an error. Three more
# are errors in Rust. In a class of the regex crate `&&` is an intersection, `--` a difference and
# `~~` a symmetric difference, and a `[` opens an inner class. `\<` is the start of a word there,
# and `\Q` and a lone `{` are errors. In RE2 all of these stand for the characters themselves, or
# for a range of them, and `\Q` quotes what follows.
#
# Output:
#   cel    cel-go  expression
#   false  true    '&'.matches('^[a&&b]$')
#   false  true    'b'.matches('^[a-c--b]$')
#   false  true    '~'.matches('^[+~~]$')
#   true   false   'x'.matches('\\<x')
#   error  true    '['.matches('^[[]$')
#   error  true    'a.b'.matches('^\\Qa.b\\E$')
#   error  true    '{'.matches('^{$')
#
# Expected: the same answers. The definition of CEL says that matches() takes the syntax of RE2,
# and the documentation of cel-go says so too. Both libraries come from the same family of engines
# (no backreferences, linear time), so that a difference is easily overlooked: most patterns are
# read alike.
#
# What to do: in a rule that has to give one answer in both, escape `&`, `~`, `-`, `[` and braces
# with a backslash, but not `<` and `>`, and do not use `\Q`.
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

cat >"$work/expressions" <<'END'
'&'.matches('^[a&&b]$')
'b'.matches('^[a-c--b]$')
'~'.matches('^[+~~]$')
'x'.matches('\\<x')
'['.matches('^[[]$')
'a.b'.matches('^\\Qa.b\\E$')
'{'.matches('^{$')
END

cat >"$work/rust/Cargo.toml" <<'END'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"

[dependencies]
cel = { version = "=0.15.0", default-features = false, features = ["regex"] }

[profile.dev]
debug = false

[workspace]
END

cat >"$work/rust/src/main.rs" <<'END'
use cel::{Context, Program, Value};

fn main() {
    for line in std::io::stdin().lines() {
        let program = Program::compile(&line.unwrap()).unwrap();
        match program.execute(&Context::default()) {
            Ok(Value::Bool(answer)) => println!("{answer}"),
            Ok(other) => panic!("{other:?}"),
            Err(_) => println!("error"),
        }
    }
}
END

cat >"$work/go/main.go" <<'END'
package main

import (
	"bufio"
	"fmt"
	"os"

	"github.com/google/cel-go/cel"
)

func main() {
	env, err := cel.NewEnv()
	if err != nil {
		panic(err)
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		ast, issues := env.Compile(lines.Text())
		if issues.Err() != nil {
			panic(issues.Err())
		}
		program, err := env.Program(ast)
		if err != nil {
			panic(err)
		}
		answer, _, err := program.Eval(map[string]any{})
		if err != nil {
			fmt.Println("error")
		} else {
			fmt.Println(answer.Value())
		}
	}
}
END

(
    cd "$work/rust"
    cargo run --quiet <"$work/expressions" >"$work/rust.out"
)
(
    cd "$work/go"
    export GOFLAGS=-mod=mod GOWORK=off
    {
        go mod init finding
        go get github.com/google/cel-go/cel@v0.31.0
    } 2>"$work/go.log" || {
        cat "$work/go.log" >&2
        exit 1
    }
    go run . <"$work/expressions" >"$work/go.out"
)

got=$(paste "$work/rust.out" "$work/go.out" "$work/expressions" |
    awk -F'\t' 'BEGIN { print "cel    cel-go  expression" } { printf "%-6s %-7s %s\n", $1, $2, $3 }')
printf '%s\n' "$got"
expected=$(sed -n 's/^#   \(\(cel\|true\|false\|error\) .*\)$/\1/p' "$0")
if [ "$got" != "$expected" ]; then
    echo "changed: this was expected:" >&2
    printf '%s\n' "$expected" >&2
    exit 1
fi
