//! The completion scripts in `completions/` are those that this trueup prints, and complete what is
//! here: targets, contexts, kinds and revisions.
//! A trueup without `sandbox`, as on Windows, has fewer verbs to complete.

use std::fs;
use std::path::Path;

use crate::support::command::Cmd;
use crate::support::terminal::Terminal;

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
- {name: 'arn:aws:eks:eu:a', context: {cluster: a, user: b}}
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
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_TYPE=9 COMP_LINE=$line COMPREPLY=()
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
        ("trueup apply --context ", "one two arn:aws:eks:eu:a"),
        ("trueup apply --kubeconfig=/no/such/file --context ", ""),
        ("trueup apply --allow-delete Name", "Namespace"),
        ("trueup apply --replace StatefulS", "StatefulSet"),
        ("trueup apply --on-failure ", "stop rollback"),
        ("trueup -C / diff --target p", ""),
        ("trueup app", "apply"),
        ("trueup apply --wai", "--wait"),
        ("trueup help wai", "waiting"),
        (
            "trueup help re",
            "resume release render rendering remotes recipes replicas retries replacing recovery records",
        ),
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

/// Lines, and what TAB makes of them in any shell.
const TYPED: [(&str, &str); 6] = [
    ("trueup help wai", "trueup help waiting"),
    ("trueup diff --target pre", "trueup diff --target preview"),
    ("trueup diff --target=pre", "trueup diff --target=preview"),
    ("trueup apply --context arn:aws:e", "trueup apply --context arn:aws:eks:eu:a"),
    ("trueup apply --context=arn:aws:e", "trueup apply --context=arn:aws:eks:eu:a"),
    ("trueup app", "trueup apply"),
];

/// Types each line and TAB on a terminal, and then a key to which the shell prints the line, with
/// its number, in brackets, and clears it.
fn type_lines(shell: Cmd, setup: &str, key: &str) {
    let shell = shell.env("TERM", "xterm").env("INPUTRC", "/dev/null").env("HISTFILE", "/dev/null");
    let mut terminal = Terminal::run(shell.into_inner());
    terminal.types(&format!("{setup}; printf '%s-%s' are ready\n"));
    terminal.shows("are-ready");
    for (at, (line, _)) in TYPED.iter().enumerate() {
        terminal.types(&format!("{line}\t{key}"));
        terminal.shows(&format!("[{at} "));
    }
    terminal.types("exit\n");
    let (shown, _) = terminal.ends();
    for (at, (_, expected)) in TYPED.iter().enumerate() {
        let (_, line) = shown.split_once(&format!("[{at} ")).unwrap();
        let line = line.split(']').next().unwrap().trim_end();
        assert_eq!(line, *expected, "{shown}");
    }
}

#[test]
fn bash_completes_words_that_it_splits() {
    let folder = checkout();
    let bash = beside("bash", folder.path()).args(["--norc", "--noprofile", "-i"]);
    let setup = format!(
        r#"source {}; n=0; show() {{ echo "[$((n++)) $READLINE_LINE]"; READLINE_LINE= READLINE_POINT=0; }}; bind -x '"\C-g": show'"#,
        script("trueup.bash").display()
    );
    type_lines(bash, &setup, "\u{7}");
}

/// Whether a shell is on the search path.
fn is_there(shell: &str) -> bool {
    std::env::split_paths(&search_path()).any(|folder| folder.join(shell).is_file())
}

#[test]
fn zsh_completes_where_it_is_installed() {
    if !is_there("zsh") {
        return;
    }
    let folder = checkout();
    let setup = format!(
        r#"autoload -U compinit; compinit -u -D; source {}; n=0; show() {{ print "\n[$((n++)) $BUFFER]"; BUFFER=; }}; zle -N show; bindkey '^G' show"#,
        script("_trueup").display()
    );
    type_lines(beside("zsh", folder.path()).args(["-f", "-i"]), &setup, "\u{7}");
}

/// The last word of a line.
fn last_word(line: &str) -> &str {
    line.rsplit(' ').next().unwrap()
}

#[test]
fn fish_completes_where_it_is_installed() {
    if !is_there("fish") {
        return;
    }
    let folder = checkout();
    for (line, expected) in TYPED {
        let asks = "source $argv[1]; complete -C $argv[2]";
        let fish = beside("fish", folder.path()).args(["--no-config", "-c", asks]);
        let output = fish.args([script("trueup.fish")]).args([line]).run().exits(0);
        let candidate = output.stdout.trim_end().split('\t').next().unwrap_or_default();
        assert_eq!((candidate, output.stderr.as_str()), (last_word(expected), ""), "{line}");
    }
}

#[test]
fn elvish_completes_where_it_is_installed() {
    if !is_there("elvish") {
        return;
    }
    let folder = checkout();
    // Without a terminal there is no editor, so the function is called as the editor does.
    let script = fs::read_to_string(script("trueup.elv")).unwrap();
    let function = script.replace("set edit:completion:arg-completer[trueup] =", "var complete =");
    assert_ne!(function, script);
    for (line, expected) in TYPED {
        let asks = format!("{function}\n$complete $@args");
        let elvish = beside("elvish", folder.path()).args(["-norc", "-c", &asks]);
        let output = elvish.args(line.split(' ')).run().exits(0);
        let candidate = output.stdout.trim_end();
        assert_eq!((candidate, output.stderr.as_str()), (last_word(expected), ""), "{line}");
    }
    // The shell knows the script, and there is no trueup.
    let asks = format!("{function}\nset paths = [/usr/bin /bin]\n$complete trueup diff ''");
    let elvish = Cmd::new("elvish").args(["-norc", "-c", &asks]);
    let output = elvish.run().exits(0);
    assert_eq!((output.stdout.trim_end(), output.stderr.as_str()), ("", ""));
}

/// PowerShell hands the words on as arguments, and takes a line with a tab for each candidate.
#[test]
fn powershell_gets_an_answer() {
    let folder = checkout();
    for (line, expected) in TYPED {
        let asked = beside(env!("CARGO_BIN_EXE_trueup"), folder.path());
        let asked = asked.env("_TRUEUP_COMPLETE", "powershell").args(["--"]);
        let output = asked.args(line.split(' ')).run().exits(0);
        let candidate = output.stdout.trim_end().split('\t').next().unwrap_or_default();
        assert_eq!((candidate, output.stderr.as_str()), (last_word(expected), ""), "{line}");
    }
}
