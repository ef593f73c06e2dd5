//! Mutated `trueup.yaml` and `.trueupignore`.

use trueup::config::{Config, ConfigError};
use trueup::core::problem::Location;
use trueup::core::source::selection::Selection;

use super::{fuzz, misplaced};
use crate::support::mutate::Mutator;

// The expressions of `health:` are another parser's.
const SEEDS: [&str; 3] = [
    "targets:\n  prod:\n    paths: [envs/prod, charts]\n    namespace: shop\n    name: shop\n    on-conflict: fail\n    replace: [Job]\n    max-prune: 20%\n    strict: true\n    wait: true\n    timeout: 5m\n    lock-timeout: 30s\n    cascade: foreground\n    on-failure: rollback\n",
    "targets:\n  a:\n    ignore:\n    - kind: Deployment.apps\n      name: web-*\n      namespace: 'x'\n      paths: [/spec/replicas, '/spec/template/spec/containers/*/image']\n    redact:\n    - kind: ConfigMap\n      paths: [/data/password]\n  b: {paths: [.]}\n",
    "targets:\n  r:\n    render:\n      kustomize: {}\n      helm: {release: cart, values: [v.yaml], set: {a.b: 3}, api-versions: [v1], kube-version: 1.34.0}\n      jsonnet: {library: [lib], tla: {env: prod}, ext: {days: [1, 2]}}\n",
];

const WORDS: [&str; 16] = [
    "targets",
    "paths",
    "ignore",
    "redact",
    "render",
    ": ",
    "- ",
    "\n",
    "  ",
    "{",
    "[",
    "]}",
    "/~2",
    "9999999999999999999s",
    "-1%",
    "\"\\u0000\"",
];

#[test]
#[ignore = "takes about a minute"]
fn settings() {
    let seeds = SEEDS.map(|seed| seed.as_bytes().to_vec()).to_vec();
    fuzz(
        200_000,
        |seed| Mutator::over(seed, seeds, &WORDS),
        |bytes| {
            let Err(ConfigError::Invalid { line, column, message }) = Config::read(bytes) else {
                return None;
            };
            let place = Location { path: "trueup.yaml".to_owned(), line, column };
            misplaced(&place, bytes).map(|wrong| format!("{wrong}: {message}"))
        },
    );
}

#[test]
#[ignore = "takes about a minute"]
fn ignore_files() {
    let seeds = ["# no\n*.md\n!README.md\n/docs/**/x?[a-z]\n\\#a\n  \nfoo/\n**/\\ b\\ \n"];
    let seeds = seeds.map(|seed| seed.as_bytes().to_vec()).to_vec();
    let words = ["**", "[", "]", "[!", "{a,b}", "\\", "/", "!", "\n", "?", "[[:alpha:]]", "\u{0}"];
    fuzz(
        80_000,
        |seed| Mutator::over(seed, seeds, &words),
        |bytes| match Selection::new(&[("a".to_owned(), bytes.to_vec())].into()) {
            Ok(selection) => {
                for path in ["a/docs/x", "a/README.md", "a/b/c.yaml", "b.yaml"] {
                    let _ = selection.takes(path) && selection.reaches("a", path);
                }
                None
            }
            Err(problem) => misplaced(&problem.place, bytes),
        },
    );
}
