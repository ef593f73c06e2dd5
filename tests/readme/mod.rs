//! The README can't lie: its blocks are run, or say in the source why they are not.
//!
//! A `console` block is part of one story: its commands are run in order, in one shell beside a
//! sandbox, next to a repository `git/shop` with the content of `fixtures/shop`, and have to print
//! what stands below them. A `sh` block is a script that is run in the checkout and has to end
//! with 0. A `text` block is a picture. Every other block, and what can't be run, has a comment
//! `<!-- not run: REASON -->` right above it.

mod blocks;

use std::fs;
use std::path::Path;

use crate::support::command::Cmd;
use blocks::{Block, Step, alike, blocks};

fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> Vec<Block> {
    blocks(&fs::read_to_string(checkout().join("README.md")).unwrap())
}

#[test]
fn every_block_is_run_or_says_why_not() {
    let blocks = readme();
    for block in &blocks {
        let known = ["console", "sh", "text"].contains(&block.language.as_str());
        assert!(
            known || block.not_run.is_some(),
            "README.md:{}: nobody runs a block of {:?}; put `<!-- not run: REASON -->` above it",
            block.line,
            block.language
        );
        assert!(block.not_run.as_deref() != Some(""), "README.md:{}: and the reason?", block.line);
    }
    let not_run = |block: &&Block| block.not_run.is_some() && block.language == "console";
    assert_eq!(blocks.iter().filter(not_run).count(), 0, "the story is not to have holes");
}

#[test]
fn the_story_prints_what_the_readme_says() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let remote = at("story/git/shop");
    fs::create_dir_all(remote.parent().unwrap()).unwrap();
    let copy = Cmd::new("cp").args(["-R"]).args([&checkout().join("fixtures/shop"), &remote]);
    let _ = copy.run().exits(0);
    for args in [
        &["init", "--quiet", "--initial-branch", "main"][..],
        &["add", "--all"],
        &["commit", "--quiet", "--message", "The shop as it opened"],
    ] {
        let _ = Cmd::new("git").args(args).dir(&remote).run().exits(0);
    }

    let steps: Vec<(Step, usize)> = readme()
        .into_iter()
        .filter(|block| block.language == "console")
        .flat_map(|block| block.steps().into_iter().map(move |step| (step, block.line)))
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
    for (number, (step, line)) in steps.iter().enumerate() {
        let said = fs::read_to_string(at(&format!("{number}"))).unwrap_or_default();
        assert!(
            alike(&step.output, &said),
            "README.md:{line}: `{}` prints\n\n{said}\nwhere the README has\n\n{}\nThe sandbox said\n{ran}",
            step.command,
            step.output
        );
    }
}

#[test]
fn the_scripts_end_well() {
    let scripts: Vec<Block> = readme().into_iter().filter(|b| b.language == "sh").collect();
    let mut ran = 0;
    for Block { line, text, .. } in scripts.iter().filter(|block| block.not_run.is_none()) {
        let mut bash = Cmd::new("bash").args(["-euo", "pipefail", "-c", text]).dir(checkout());
        // What cargo tells a test about its package would make cargo build the package anew.
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
        assert_eq!(output.status, Some(0), "README.md:{line}\n{output}");
        for line in output.stdout.lines() {
            assert!(line.chars().count() <= 80 || line.starts_with("$ "), "wide: {line}");
        }
        ran += 1;
    }
    assert!(ran > 0);
}

#[test]
fn the_json_keys_are_those_of_the_source() {
    let readme = fs::read_to_string(checkout().join("README.md")).unwrap();
    let source = include_str!("../../src/cli/present/json/mod.rs");
    let rows = source.lines().filter_map(|line| line.strip_prefix("//! | `"));
    let mut count = 0;
    for row in rows {
        assert!(readme.contains(&format!("\n| `{row}\n")), "README.md lacks the row | `{row}");
        count += 1;
    }
    assert!(count > 10);
}

/// The search path of a user who has installed trueup.
fn path_with_trueup() -> std::ffi::OsString {
    let folder = Path::new(env!("CARGO_BIN_EXE_trueup")).parent().unwrap().to_owned();
    let path = std::env::vars_os().find(|(name, _)| name == "PATH").unwrap().1;
    let folders: Vec<_> = std::iter::once(folder).chain(std::env::split_paths(&path)).collect();
    std::env::join_paths(folders).unwrap()
}
