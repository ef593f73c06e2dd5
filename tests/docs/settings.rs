//! `docs/settings.md` lists the flags, variables and keys that the code knows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use clap::CommandFactory as _;
use trueup::cli::Cli;
use trueup::config::Config;
use trueup::config::machine::{Machine, MachineProbe};

use crate::docs::{code_spans, rows};
use crate::readme::read;

/// Flags that are not settings.
const NOT_SETTINGS: [&str; 2] = ["--help", "--version"];

/// The rows whose first cell is a flag or a dash, with five cells.
fn settings() -> Vec<Vec<String>> {
    let rows = rows(&read("docs/settings.md")).into_iter();
    rows.filter(|row| row.len() == 5 && row[0] != "flag").collect()
}

/// Each flag with the commands that have it, in words.
fn flags() -> BTreeMap<String, String> {
    let mut cli = Cli::command();
    cli.build();
    let mut flags: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let commands = || cli.get_subcommands().filter(|command| !command.is_hide_set());
    for command in commands() {
        for flag in command.get_arguments().filter_map(|argument| argument.get_long()) {
            flags.entry(format!("--{flag}")).or_default().push(command.get_name().to_owned());
        }
    }
    let count = commands().count();
    let words = |of: Vec<String>| if of.len() == count { "all".to_owned() } else { of.join(", ") };
    flags.retain(|flag, _| !NOT_SETTINGS.contains(&flag.as_str()));
    flags.into_iter().map(|(flag, commands)| (flag, words(commands))).collect()
}

#[test]
fn the_page_lists_every_flag_with_its_commands() {
    let mut listed = BTreeMap::new();
    for row in settings() {
        for flag in code_spans(&row[0]) {
            assert!(listed.insert(flag, row[3].clone()).is_none(), "twice: {row:?}");
        }
    }
    assert_eq!(listed, flags());
}

#[test]
fn the_page_lists_every_variable_of_a_flag() {
    let mut cli = Cli::command();
    cli.build();
    let mut known = BTreeSet::new();
    for argument in cli.get_subcommands().flat_map(|command| command.get_arguments()) {
        let variable = argument.get_env().map(|name| name.to_string_lossy().into_owned());
        known.extend(variable.map(|name| format!("--{} {name}", argument.get_long().unwrap())));
    }
    let listed = settings().into_iter().flat_map(|row| {
        let flag = code_spans(&row[0]).first().cloned().unwrap_or_default();
        code_spans(&row[1]).into_iter().map(move |name| format!("{flag} {name}"))
    });
    let mut listed: BTreeSet<String> = listed.collect();
    assert!(listed.remove("--kubeconfig KUBECONFIG"), "kubectl's own is listed");
    assert_eq!(listed, known);
}

#[test]
fn the_page_lists_every_variable_of_trueup() {
    let page = read("docs/settings.md");
    let is_ours = |text: &str| {
        let name = text.strip_prefix("TRUEUP_").unwrap_or_default();
        !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
    };
    let mut known = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("tests") {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                known.extend(text.split('"').filter(|it| is_ours(it)).map(str::to_owned));
            }
        }
    }
    // Contributors' own: it makes a unit test write docs/schema.
    assert!(known.remove("TRUEUP_BLESS") && read("CONTRIBUTING.md").contains("TRUEUP_BLESS"));
    let listed = code_spans(&page).into_iter().filter(|name| is_ours(name));
    assert_eq!(listed.collect::<BTreeSet<_>>(), known);
}

/// The keys that an error about an unknown one lists.
fn keys(error: &str) -> BTreeSet<String> {
    let allowed = error.split_once("allowed here: ").unwrap_or_else(|| panic!("{error}")).1;
    allowed.replace(" and ", ", ").split(", ").map(str::to_owned).collect()
}

/// The keys, or words, that are known where a `trueup.yaml` has `zzz`.
pub(super) fn of_config(yaml: &str) -> BTreeSet<String> {
    keys(&Config::read(yaml.as_bytes()).unwrap_err().to_string())
}

fn of_machine(yaml: &str) -> BTreeSet<String> {
    let look = MachineProbe { is_file: &|_| true, exists: &|_| true };
    keys(&Machine::read(Path::new("c"), yaml.as_bytes(), look).unwrap_err().to_string())
}

#[test]
fn the_page_lists_every_key_of_a_target() {
    let mut known = of_config("targets: {a: {zzz: 1}}");
    let listed = settings().into_iter().flat_map(|row| code_spans(&row[2]));
    assert_eq!(listed.collect::<BTreeSet<_>>(), known);
    // The page about targets has the same.
    let targets = rows(&read("docs/targets.md")).into_iter();
    for key in targets.flat_map(|row| code_spans(&row[0])) {
        assert!(known.remove(&key), "docs/targets.md: {key}");
    }
    assert_eq!(known, BTreeSet::new(), "docs/targets.md lacks these");
}

#[test]
fn the_page_lists_every_nested_key() {
    let mut known = BTreeSet::new();
    for (prefix, yaml) in [
        ("", "zzz: 1"),
        ("render.", "targets: {a: {paths: [], render: {zzz: 1}}}"),
        ("render.helm.", "targets: {a: {paths: [], render: {helm: {zzz: 1}}}}"),
        ("render.jsonnet.", "targets: {a: {paths: [], render: {jsonnet: {zzz: 1}}}}"),
        ("ignore[].", "targets: {a: {paths: [], ignore: [{zzz: 1}]}}"),
        ("windows[].", "targets: {a: {paths: [], windows: [{zzz: 1}]}}"),
        ("health[].", "targets: {a: {paths: [], health: [{zzz: 1}]}}"),
        ("health[].ready[].", "targets: {a: {paths: [], health: [{kind: A, ready: [{zzz: 1}]}]}}"),
    ] {
        known.extend(of_config(yaml).into_iter().map(|key| format!("{prefix}{key}")));
    }
    // Those with options of their own are listed by these.
    known.retain(|key| !["render.helm", "render.jsonnet"].contains(&key.as_str()));
    let machine = [
        ("programs.", "programs: {zzz: /a}"),
        ("render.", "render: {zzz: 1}"),
        ("clusters[].", "clusters: [{zzz: 1}]"),
        ("modes[].", "modes: [{zzz: 1}]"),
        ("verify[].", "verify: [{zzz: 1}]"),
        ("verify[].ssh.", "verify: [{targets: [a], ssh: {zzz: 1}}]"),
        ("verify[].openpgp.", "verify: [{targets: [a], openpgp: {zzz: 1}}]"),
        ("notify.", "notify: {zzz: 1}"),
        ("notify.sinks[].", "notify: {sinks: [{zzz: 1}]}"),
    ];
    for (prefix, yaml) in machine {
        known.extend(of_machine(yaml).into_iter().map(|key| format!("{prefix}{key}")));
    }
    known.retain(|key| !["verify[].ssh", "verify[].openpgp"].contains(&key.as_str()));
    known.extend(["verify", "contexts", "notify"].map(str::to_owned));
    assert_eq!(
        of_machine("zzz: 1"),
        ["programs", "render", "clusters", "verify", "modes", "contexts", "notify"]
            .map(str::to_owned)
            .into()
    );
    let page = read("docs/settings.md");
    let nested = page.split_once("\n## Nested keys").unwrap().1;
    let listed = rows(nested).into_iter().flat_map(|row| code_spans(&row[0]));
    assert_eq!(listed.collect::<BTreeSet<_>>(), known);
}
