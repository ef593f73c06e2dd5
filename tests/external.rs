//! `KUBECTL_EXTERNAL_DIFF`: a program of the user's own shows the differences.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::support::command::Cmd;
use crate::support::eventually::eventually;
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A repository that has something to create, to update and to delete, and a program beside it.
fn repo(name: &str, script: &str) -> (Repo<'static>, PathBuf) {
    let repo = Repo::new(name, sandbox::bare());
    repo.write_config("kept", "1").write_config("old", "1").write_config("one", "1");
    repo.commit("First");
    repo.run(&["apply", "--yes"]).exits(0);
    let secret =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {key: hidden-word}\n";
    repo.write_config("one", "hidden-word").write("db.yaml", secret).remove("old.yaml");
    repo.commit("Second");
    let program = repo.outside().join("my diff");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(repo.outside().join("tmp")).unwrap();
    (repo, program)
}

/// A diff with the program, its temporary files in a folder of the test's own.
fn diff(repo: &Repo<'_>, command: &str) -> Cmd {
    let folder = repo.outside().join("tmp");
    repo.trueup(&["diff"]).env("KUBECTL_EXTERNAL_DIFF", command).env("TMPDIR", folder)
}

fn left_behind(repo: &Repo<'_>) -> Vec<String> {
    let left = fs::read_dir(repo.outside().join("tmp")).unwrap();
    left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn the_program_gets_its_arguments_and_two_folders_that_are_gone_afterwards() {
    let script = r#"for arg; do echo "<${arg##*/}>"; done
eval "live=\${$(($# - 1))} merged=\${$#}"
cd "$live" && grep -r . . | sort
echo
cd "$merged" && grep -r . . | sort
stat -c '%a' "$live" "$merged" "$live"/* "$merged"/* | sort | uniq -c
exit 1"#;
    let (repo, program) = repo("external", script);
    let command = format!(r#""{}" -u --label='a b' -I"^ x: [0-9]+$""#, program.display());
    let shown = diff(&repo, &command).run().exits(1);
    let lines: Vec<&str> = shown.stdout.lines().collect();
    assert_eq!(lines[..3], ["<-u>", "<--label=a b>", "<-I^ x: [0-9]+$>"], "{shown}");
    assert!(lines[3].starts_with("<LIVE-") && lines[4].starts_with("<MERGED-"), "{shown}");
    let (live, merged) = shown.stdout.split_once("\n\n").unwrap();
    for (side, file, line) in [
        (live, "v1.ConfigMap.external.old", "  key: \"1\""),
        (live, "v1.ConfigMap.external.one", "  key: \"1\""),
        (merged, "v1.ConfigMap.external.one", "  key: ‹secret 1›"),
        (merged, "v1.Secret.external.db", "  key: ‹secret 1›"),
    ] {
        assert!(side.contains(&format!("./{file}:{line}\n")), "{file}: {line}\n{shown}");
    }
    assert!(!live.contains("external.db") && !merged.contains("external.old"), "{shown}");
    assert!(!shown.to_string().contains("hidden-word"), "{shown}");
    assert!(!shown.to_string().contains("external.kept"), "{shown}");
    assert!(merged.ends_with("      4 600\n      2 700\n"), "{shown}");
    let summary = "4 objects · 1 to create, 1 to update, 1 to delete · ";
    assert!(shown.stderr.contains(summary), "{shown}");
    assert_eq!(left_behind(&repo), Vec::<String>::new());

    // diff itself, as kubectl runs it; other forms are trueup's own.
    let shown = diff(&repo, "diff -u -N -r").run().exits(1);
    assert!(shown.stdout.contains("\n-  key: \"1\"\n+  key: ‹secret 1›\n"), "{shown}");
    let names = diff(&repo, "false").args(["-o", "name"]).run().exits(1);
    assert!(names.stdout.contains("create secret/db -n external\n"), "{names}");
    repo.run(&["apply", "--yes"]).exits(0);
    let same = diff(&repo, "no-such-program").run().exits(0);
    assert_eq!(same.stdout, "");
}

#[test]
fn a_program_that_fails_or_is_not_there_is_an_error() {
    let (repo, program) = repo("external-fails", "exit 3");
    let program = format!("'{}'", program.display());
    for (command, wrong) in [
        (program.as_str(), "my diff of KUBECTL_EXTERNAL_DIFF failed: exit status: 3"),
        ("no-such-program -u", "cannot run no-such-program of KUBECTL_EXTERNAL_DIFF"),
        ("diff 'a", "KUBECTL_EXTERNAL_DIFF has an unterminated quote"),
    ] {
        let shown = diff(&repo, command).run().exits(2);
        assert!(shown.stderr.contains(wrong), "{shown}");
        assert_eq!((left_behind(&repo), shown.stdout.as_str()), (Vec::new(), ""));
    }
    let none = diff(&repo, " ").run().exits(1);
    assert!(none.stdout.contains("~ v1 ConfigMap external-fails/one"), "{none}");
}

#[test]
fn a_signal_leaves_no_file_behind() {
    for signal in ["-INT", "-TERM"] {
        let name = format!("external{}", signal.to_lowercase());
        let (repo, program) = repo(&name, "exec sleep 1000");
        let command = format!("'{}'", program.display());
        let mut running = diff(&repo, &command)
            .into_inner()
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        eventually("the program is shown files", || left_behind(&repo).len() == 2);
        let id = running.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        assert_eq!(running.wait().unwrap().code(), Some(130));
        assert_eq!(left_behind(&repo), Vec::<String>::new());
    }
}
