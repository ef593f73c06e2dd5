//! The README and the pages of `docs/` can't lie: their blocks are run, or [`NOT_RUN`] says why not.
//!
//! A `console` block is part of one story: its commands are run in order, the README's first, in one
//! shell beside a sandbox, next to a repository `git/shop` with the content of `fixtures/shop`. They
//! have to print what stands below them. A `sh` block is a script that is run in the checkout and has
//! to end with 0. A `yaml` block that begins with `# trueup.yaml` or `# config.yaml` is read as that
//! file. A `text` block is a picture.

mod blocks;

use std::fs;
use std::path::Path;

use trueup::config::Config;
use trueup::config::machine::{Machine, MachineProbe};

use crate::support::command::Cmd;
use blocks::{Block, Step, alike, blocks};

/// A block that is not run.
struct NotRun {
    page: &'static str,
    /// Its first line.
    begins: &'static str,
    why: &'static str,
}

const NOT_RUN: &[NotRun] = &[
    NotRun { page: "README.md", begins: "bash tests/run", why: "it is what runs these blocks" },
    NotRun {
        page: "README.md",
        begins: "cargo install --locked --path .",
        why: "builds with every optimization, which takes minutes, and writes to the user's folders",
    },
    NotRun {
        page: "CONTRIBUTING.md",
        begins: "bash fixtures/first-run",
        why: "the README's first block is the same",
    },
    NotRun {
        page: "CONTRIBUTING.md",
        begins: "cargo test --locked --no-run",
        why: "it builds what runs these blocks",
    },
    NotRun {
        page: "CONTRIBUTING.md",
        begins: "INSTA_UPDATE=always cargo test --locked",
        why: "it writes the screens that the tests compare with",
    },
    NotRun {
        page: "CONTRIBUTING.md",
        begins: "bash .ci/run",
        why: "it runs these blocks, and much more",
    },
    NotRun {
        page: "docs/ci.md",
        begins: "on: pull_request",
        why: "it is for GitHub Actions; the page's console blocks run its commands",
    },
    NotRun {
        page: "docs/ci.md",
        begins: "      - run: trueup diff --exit-zero -o markdown > diff.md",
        why: "it is for GitHub Actions",
    },
    NotRun {
        page: "docs/dependencies.md",
        begins: "cargo install --locked cargo-deny",
        why: ".ci/run does it",
    },
    NotRun {
        page: "docs/dependencies.md",
        begins: "cargo install --locked cargo-cyclonedx",
        why: "installs a program that nothing else here needs",
    },
    NotRun {
        page: "docs/state.md",
        begins: "# .gitlab-ci.yml",
        why: "it is for GitLab; tests/status.rs writes the page",
    },
    NotRun {
        page: "docs/state.md",
        begins: "# A job of a GitHub workflow",
        why: "it is for GitHub Actions; tests/status.rs writes the page",
    },
    NotRun {
        page: "docs/locking.md",
        begins: "kubectl delete lease trueup-NAME",
        why: "NAME stands for the reader's own",
    },
    NotRun { page: "docs/recipes.md", begins: "[Unit]", why: "needs root, systemd and a cluster" },
    NotRun { page: "docs/recipes.md", begins: "MAILTO=ops@example.com", why: "cron would run it" },
    NotRun {
        page: "docs/recipes.md",
        begins: "*/5 * * * * trueup -C /srv/shop watch --once 2>&1 | tee -a $HOME/shop.log",
        why: "cron would run it",
    },
    NotRun {
        page: "docs/targets.md",
        begins: "# yaml-language-server: $schema=trueup.yaml.json",
        why: "it is for an editor; `docs::schema` checks the schema",
    },
    NotRun {
        page: "docs/reliability.md",
        begins: "TRUEUP_POINTS=7 cargo test --test trueup from_a_fault_at_any -- --ignored --nocapture",
        why: "takes a quarter of an hour; .ci/run runs a part of it",
    },
    NotRun {
        page: "docs/reliability.md",
        begins: "TRUEUP_SOAK=3600 cargo test --test trueup weathers_a_storm -- --ignored --show-output",
        why: "takes an hour",
    },
];

fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The README, CONTRIBUTING.md and the pages of `docs/`, in the order of the story.
pub fn pages() -> Vec<String> {
    let names = fs::read_dir(checkout().join("docs")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".md")).collect();
    names.sort();
    let docs = names.into_iter().map(|name| format!("docs/{name}"));
    ["README.md", "CONTRIBUTING.md"].map(str::to_owned).into_iter().chain(docs).collect()
}

/// The text of a page.
pub fn read(page: &str) -> String {
    fs::read_to_string(checkout().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"))
}

fn all_blocks() -> Vec<Block> {
    pages().iter().flat_map(|page| blocks(page, &read(page))).collect()
}

fn not_run(block: &Block) -> Option<&'static NotRun> {
    NOT_RUN.iter().find(|it| it.page == block.page && it.begins == block.first())
}

/// The file of settings that a block shows.
fn settings(block: &Block) -> Option<&str> {
    let name = block.first().strip_prefix("# ")?;
    (block.language == "yaml" && ["trueup.yaml", "config.yaml"].contains(&name)).then_some(name)
}

/// The examples of a file of settings on all pages.
pub fn settings_of(file: &str) -> Vec<String> {
    let examples = all_blocks().into_iter().filter(|block| settings(block) == Some(file));
    examples.map(|block| block.text).collect()
}

#[test]
fn every_block_is_run_or_has_a_reason() {
    let blocks = all_blocks();
    for block in &blocks {
        let known = ["console", "sh", "text"].contains(&block.language.as_str());
        assert!(
            known || settings(block).is_some() || not_run(block).is_some(),
            "{}: no test runs a block of {:?}; say why in NOT_RUN",
            block.place(),
            block.language
        );
        let has_hole = block.language == "console" && not_run(block).is_some();
        assert!(!has_hole, "{}: the story must not have holes", block.place());
        let is_long = block.text.contains("--ignored") || block.text.contains("cargo bench");
        assert!(
            block.language != "sh" || !is_long || not_run(block).is_some(),
            "{}: a test would run what is too long for a test: put it into NOT_RUN",
            block.place()
        );
    }
    for NotRun { page, begins, why } in NOT_RUN {
        let count = blocks.iter().filter(|it| it.page == *page && it.first() == *begins).count();
        assert_eq!(count, 1, "{page}: NOT_RUN names a block that begins with {begins:?}");
        assert!(!why.is_empty(), "{page}: {begins:?} has no reason");
    }
}

#[test]
fn the_settings_of_all_pages_are_read() {
    let mut count = 0;
    for block in all_blocks() {
        let bytes = block.text.as_bytes();
        let wrong = match settings(&block) {
            Some("trueup.yaml") => Config::read(bytes).err().map(|error| error.to_string()),
            Some(name) => {
                let look = MachineProbe { is_file: &|_| true, exists: &|_| true };
                Machine::read(Path::new(name), bytes, look).err().map(|error| error.to_string())
            }
            None => continue,
        };
        assert_eq!(wrong, None, "{}", block.place());
        count += 1;
    }
    assert!(count > 4, "{count}");
}

#[test]
fn the_story_prints_what_the_pages_say() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let remote = at("story/git/shop");
    fs::create_dir_all(remote.parent().unwrap()).unwrap();
    let copy = Cmd::new("cp").args(["-R"]).args([&checkout().join("fixtures/shop"), &remote]);
    copy.run().exits(0);
    for args in [
        &["init", "--quiet", "--initial-branch", "main"][..],
        &["add", "--all"],
        &["commit", "--quiet", "--message", "The shop as it opened"],
    ] {
        Cmd::new("git").args(args).dir(&remote).run().exits(0);
    }

    let steps: Vec<(Step, String)> = all_blocks()
        .into_iter()
        .filter(|block| block.language == "console")
        .flat_map(|block| block.steps().into_iter().map(move |step| (step, block.place())))
        .collect();
    assert!(!steps.is_empty());
    let mut script = String::from("cd story\n");
    for (number, (step, _)) in steps.iter().enumerate() {
        let said = at(&format!("{number}"));
        script += &format!("{{ {}\n}} >{} 2>&1 </dev/null\n", step.command, said.display());
    }
    fs::write(at("script"), script).unwrap();

    let ran = Cmd::trueup().args(["sandbox", "--controllers", "--", "bash", "script"]);
    let ran = ran.env("PATH", path_with_trueup()).dir(folder.path()).run();
    for (number, (step, place)) in steps.iter().enumerate() {
        let said = fs::read_to_string(at(&format!("{number}"))).unwrap_or_default();
        assert!(
            alike(&step.output, &said),
            "{place}: `{}` prints\n\n{said}\nwhere the page has\n\n{}\nThe sandbox said\n{ran}",
            step.command,
            step.output
        );
    }
}

#[test]
fn the_scripts_end_well() {
    let blocks = all_blocks();
    let scripts = blocks.iter().filter(|block| block.language == "sh" && not_run(block).is_none());
    let mut ran = 0;
    for block in scripts {
        let script = ["-euo", "pipefail", "-c", &block.text];
        let mut bash = Cmd::new("bash").args(script).dir(checkout());
        // With cargo's variables about this package, cargo would build the package again.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"]
                .iter()
                .any(|start| name.starts_with(start))
            {
                bash = bash.env_remove(&name);
            }
        }
        let output = bash.run();
        assert_eq!(output.status, Some(0), "{}\n{output}", block.place());
        for line in output.stdout.lines() {
            let width = blocks::on_a_terminal(line).chars().count();
            assert!(width <= 80 || line.starts_with("$ "), "wide: {line}");
        }
        ran += 1;
    }
    assert!(ran > 0);
}

/// The search path of a user who has installed trueup.
fn path_with_trueup() -> std::ffi::OsString {
    let folder = Path::new(env!("CARGO_BIN_EXE_trueup")).parent().unwrap().to_owned();
    let path = std::env::vars_os().find(|(name, _)| name == "PATH").unwrap().1;
    let folders: Vec<_> = std::iter::once(folder).chain(std::env::split_paths(&path)).collect();
    std::env::join_paths(folders).unwrap()
}
