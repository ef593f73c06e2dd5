//! The completion scripts in `completions/` are those that this trueup prints, and complete what is
//! here: targets, contexts, kinds and revisions.
//! A trueup without `sandbox`, as on Windows, has fewer verbs to complete.

use std::fs;
use std::path::Path;

use crate::support::command::Cmd;

const SCRIPTS: [(&str, &str); 5] = [
    ("bash", "trueup.bash"),
    ("elvish", "trueup.elv"),
    ("fish", "trueup.fish"),
    ("powershell", "_trueup.ps1"),
    ("zsh", "_trueup"),
];

#[test]
fn the_committed_scripts_are_what_completions_prints() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
    for (shell, file) in SCRIPTS {
        let printed = Cmd::trueup().args(["completions", shell]).run().exits(0);
        assert_eq!(printed.stderr, "");
        assert!(printed.stdout.contains("trueup"), "{printed}");
        let committed = fs::read_to_string(folder.join(file)).unwrap_or_default();
        assert!(
            committed == printed.stdout,
            "completions/{file} is old; bring it up to date with\n\
             \x20 cargo run -- completions {shell} > completions/{file}"
        );
    }
    let committed = fs::read_dir(folder).unwrap().count();
    assert_eq!(committed, SCRIPTS.len(), "completions/ holds a script that nobody checks");
}

#[test]
fn an_unknown_shell_is_a_usage_error_that_names_the_known_ones() {
    let output = Cmd::trueup().args(["completions", "tcsh"]).run().exits(2);
    assert_eq!(output.stdout, "");
    for (shell, _) in SCRIPTS {
        assert!(output.stderr.contains(shell), "{output}");
    }
}

const CONFIG: &str = "targets:
  prod: {paths: [a]}
  preview: {paths: [b]}
  \"$(id)\": {paths: [c]}
";

/// A kubeconfig whose plugin would leave a trace.
const KUBECONFIG: &str = "contexts:
- {name: one, context: {cluster: a, user: b}}
- {name: two, context: {cluster: a, user: b}}
clusters:
- {name: a, cluster: {server: 'https://127.0.0.1:1'}}
users:
- name: b
  user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: touch, args: [ran]}}
";

/// Completes the last word of each line in bash, as a person's TAB does.
const BASH: &str = r#"
source "$1"; shift
for line in "$@"; do
    read -ra COMP_WORDS <<< "$line"
    [[ $line == *" " ]] && COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_TYPE=9 COMPREPLY=()
    _clap_complete_trueup trueup "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    echo "${COMPREPLY[*]}"
done
"#;

/// A checkout with targets, a branch and a tag, and a kubeconfig beside it.
fn checkout() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("kubeconfig"), KUBECONFIG).unwrap();
    let shop = folder.path().join("shop");
    fs::create_dir(&shop).unwrap();
    fs::write(shop.join("trueup.yaml"), CONFIG).unwrap();
    for args in [
        &["init", "--quiet", "--initial-branch", "main"][..],
        &["add", "."],
        &["commit", "--quiet", "-m", "Targets"],
        &["branch", "feature/x"],
        &["tag", "v1"],
    ] {
        Cmd::new("git").args(args).dir(&shop).run().exits(0);
    }
    folder
}

/// A command that has this trueup on its search path, and the kubeconfig beside the checkout.
fn beside(program: &str, folder: &Path) -> Cmd {
    let trueup = Path::new(env!("CARGO_BIN_EXE_trueup")).parent().unwrap();
    let search = search_path();
    let path = [trueup.to_owned()].into_iter().chain(std::env::split_paths(&search));
    let command = Cmd::new(program).env("PATH", std::env::join_paths(path).unwrap());
    command.env("KUBECONFIG", folder.join("kubeconfig")).dir(folder.join("shop"))
}

#[allow(clippy::disallowed_methods, reason = "where the shells are is the machine's to say")]
fn search_path() -> std::ffi::OsString {
    std::env::var_os("PATH").unwrap_or_default()
}

fn script(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(name)
}

#[test]
fn bash_completes_what_is_here_and_runs_nothing() {
    let folder = checkout();
    let cases = [
        ("trueup diff --target ", "preview prod"),
        ("trueup diff -t pre", "preview"),
        ("trueup diff --rev ", "feature/x main v1"),
        ("trueup apply --context ", "one two"),
        ("trueup apply --kubeconfig=/no/such/file --context ", ""),
        ("trueup apply --allow-delete Name", "Namespace"),
        ("trueup apply --replace StatefulS", "StatefulSet"),
        ("trueup apply --on-failure ", "stop rollback"),
        ("trueup -C / diff --target p", ""),
        ("trueup app", "apply"),
        ("trueup apply --wai", "--wait"),
        ("trueup help wai", "waiting"),
    ];
    let bash = beside("bash", folder.path()).args(["--norc", "-c", BASH, "bash"]);
    let bash = bash.args([script("trueup.bash")]).args(cases.map(|(line, _)| line));
    let output = bash.run().exits(0);
    assert_eq!(output.stderr, "");
    let expected: Vec<&str> = cases.iter().map(|(_, expected)| *expected).collect();
    assert_eq!(output.stdout.lines().collect::<Vec<_>>(), expected);
    assert!(!folder.path().join("shop/ran").exists(), "the plugin of the kubeconfig ran");
}

#[test]
fn completion_never_prints_an_error() {
    let folder = checkout();
    fs::write(folder.path().join("shop/trueup.yaml"), "targets: [").unwrap();
    fs::write(folder.path().join("kubeconfig"), "contexts: {").unwrap();
    for words in [&["diff", "--target", ""][..], &["apply", "--context", ""]] {
        let asked = beside(env!("CARGO_BIN_EXE_trueup"), folder.path());
        let index = words.len().to_string();
        let asked = asked.env("_TRUEUP_COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", index);
        let output = asked.args(["--", "trueup"]).args(words).run().exits(0);
        assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
    }
    let asked = beside(env!("CARGO_BIN_EXE_trueup"), folder.path());
    let output = asked.env("_TRUEUP_COMPLETE", "tcsh").args(["--", "trueup", ""]).run().exits(0);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
    // The shell knows the script, and there is no trueup.
    let bash = Cmd::new("/bin/bash").env("PATH", "/no/such/folder");
    let bash = bash.args(["--norc", "-c", BASH, "bash"]).args([script("trueup.bash")]);
    let output = bash.args(["trueup diff "]).run().exits(0);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("\n", ""));
}

#[test]
fn fish_and_zsh_complete_where_they_are_installed() {
    let folder = checkout();
    let is_there = |shell: &str| {
        std::env::split_paths(&search_path()).any(|folder| folder.join(shell).is_file())
    };
    if is_there("fish") {
        let asks = "source $argv[1]; complete -C 'trueup diff --target pre'";
        let fish = beside("fish", folder.path()).args(["--no-config", "-c", asks]);
        let output = fish.args([script("trueup.fish")]).run().exits(0);
        assert_eq!((output.stdout.trim_end(), output.stderr.as_str()), ("preview", ""));
    }
    if is_there("zsh") {
        let asks = "autoload -U compinit; compinit -u -D; source $1; print $_comps[trueup]";
        let zsh = beside("zsh", folder.path()).args(["-f", "-c", asks, "zsh"]);
        let output = zsh.args([script("_trueup")]).run().exits(0);
        assert_eq!(output.stdout, "_clap_dynamic_completer_trueup\n");
        assert_eq!(output.stderr, "");
    }
}
