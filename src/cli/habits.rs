//! Arguments that people type from the habit of kubectl, Flux, Argo CD, kapp, Helm or Terraform,
//! and trueup's equivalents.

use clap::error::{ContextKind, ContextValue};

/// A command of another tool, and what does the same here.
const COMMANDS: [(&[&str], &str); 18] = [
    (&["plan", "preview", "dry-run"], "`trueup diff` shows what apply would change"),
    (
        &["get", "tree", "inspect", "describe", "top"],
        "`trueup status` says what runs, and whether it is in sync and healthy",
    ),
    (&["log", "revisions", "releases"], "`trueup history` shows which commit ran where and when"),
    (
        &["deploy", "upgrade", "up", "reconcile", "create", "replace", "patch"],
        "`trueup apply` brings the cluster to the commit",
    ),
    (&["bootstrap", "init"], "nothing needs to be installed: `trueup apply` is the first step"),
    (
        &["delete", "destroy", "uninstall", "down", "prune", "remove"],
        "`trueup apply` deletes what git no longer declares",
    ),
    (&["rollback", "undo", "rollout"], "`trueup apply --rev REV` goes back to a commit"),
    (&["template", "build", "kustomize"], "`trueup render` prints the objects of the commit"),
    (&["validate", "lint", "test"], "`trueup check` says whether the manifests are sound"),
    (&["fetch", "clone", "update"], "`trueup pull` clones the repository or updates the checkout"),
    (&["wait"], "`trueup apply --wait` waits until all is healthy"),
    (&["run", "start", "daemon", "controller"], "`trueup watch` pulls and applies every 30 s"),
    (&["logs", "exec", "events", "port-forward"], "kubectl has it: trueup only applies"),
    (
        &["api-resources", "schema", "fields"],
        "`trueup explain KIND` lists the fields of a kind, without a cluster",
    ),
    (
        &["crd", "crds", "openapi"],
        "`trueup schemas pull` keeps the schemas of a cluster's custom resources",
    ),
    (&["completion"], "`trueup completions SHELL` prints them"),
    (&["version"], "`trueup --version` prints it"),
    (&["topics", "docs"], "`trueup help` lists the commands and the topics"),
];

/// An option of another tool, and what does the same here.
const OPTIONS: [(&[&str], &str); 21] = [
    (&["-f", "--filename", "--file"], "files and folders are arguments: `trueup apply FILE`"),
    (&["-k", "--kustomize"], "a folder with a kustomization.yaml is built: `trueup apply DIR`"),
    (&["--path", "--dir", "--chart"], "files and folders are arguments: `trueup apply DIR`"),
    (&["-R", "--recursive"], "a folder is read with all that is below it"),
    (&["--dry-run"], "`trueup diff` shows what apply would change"),
    (
        &["--prune", "--apply-set", "--applyset"],
        "apply deletes what git no longer declares; --max-prune limits it",
    ),
    (&["--no-prune"], "`trueup apply --max-prune 0` refuses every deletion"),
    (
        &["--server-side", "--field-manager", "--validate"],
        "every apply is server-side, by the field manager `trueup`",
    ),
    (&["--force-conflicts"], "fields are taken from others, unless --on-conflict says otherwise"),
    (&["--force"], "`trueup apply --replace KIND` may delete and recreate such objects"),
    (&["-l", "--selector"], "name files and folders, or a target: `trueup apply PATH`"),
    (&["-A", "--all-namespaces", "--all"], "a target is always applied in all its namespaces"),
    (&["--auto-approve"], "`trueup apply --yes` skips the question"),
    (
        &["--atomic", "--rollback-on-failure"],
        "`trueup apply --on-failure rollback` goes back to a healthy commit",
    ),
    (
        &["--revision", "--branch", "--tag", "--commit", "--ref"],
        "`trueup apply --rev REV` applies that commit, branch or tag",
    ),
    (&["-w", "--watch"], "`trueup watch` pulls and applies every 30 s"),
    (&["-v", "--verbose", "--debug"], "`trueup diff -o json` has every detail"),
    (&["-q", "--quiet", "--silent"], "`trueup diff -o name` prints one line for each change"),
    (&["--cluster", "--kube-context"], "`trueup apply --context NAME` chooses the cluster"),
    (
        &["--repo", "--repository"],
        "`trueup pull --url URL` clones a repository; -C names the checkout",
    ),
    (&["--diff", "--show-diff"], "`trueup diff` shows it, and so does apply on a terminal"),
];

/// The hint for an argument that clap does not know.
pub fn hint(error: &clap::Error) -> Option<&'static str> {
    let among = |table: &'static [(&[&str], &str)], name: &str| {
        table.iter().find(|(names, _)| names.contains(&name)).map(|(_, hint)| *hint)
    };
    if let Some(ContextValue::String(command)) = error.get(ContextKind::InvalidSubcommand) {
        return among(&COMMANDS, command);
    }
    let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    among(&OPTIONS, option.split('=').next().unwrap_or(option))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::*;
    use crate::cli::Cli;

    fn hint_of(arguments: &[&str]) -> Option<&'static str> {
        let arguments = ["trueup"].iter().chain(arguments);
        Cli::try_parse_from(arguments).err().and_then(|error| hint(&error))
    }

    #[test]
    fn every_habit_of_another_tool_gets_its_hint() {
        for (commands, expected) in COMMANDS {
            for command in commands {
                assert_eq!(hint_of(&[command]), Some(expected), "{command}");
            }
        }
        for (options, expected) in OPTIONS {
            for option in options {
                assert_eq!(hint_of(&["apply", option]), Some(expected), "{option}");
            }
        }
        assert_eq!(hint_of(&["apply", "--dry-run=server"]), hint_of(&["apply", "--dry-run"]));
        assert_eq!(hint_of(&["apply", "--nope"]), None);
    }

    #[test]
    fn a_hint_fits_its_line_and_names_options_that_exist() {
        let apply = Cli::command().find_subcommand("apply").unwrap().clone();
        let known = |name: &str| {
            let is = |arg: &clap::Arg| arg.get_long() == Some(name);
            apply.get_arguments().any(is) || name == "version"
        };
        for (_, hint) in COMMANDS.iter().chain(&OPTIONS) {
            assert!("  tip: ".len() + hint.len() <= 80, "{hint}");
            let words = hint.split(|c: char| c.is_whitespace() || "`;:".contains(c));
            for name in words.filter_map(|word| word.strip_prefix("--")) {
                assert!(known(name) || name == "url", "{hint}");
            }
        }
    }
}
