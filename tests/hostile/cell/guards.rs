//! What is said of the cell, and what is done where this machine can't make it.

use crate::support::command::{Cmd, Output};

use super::planted::{planted, without};

/// The numbers of landlock_create_ruleset, and of seccomp: the kernel's, and libc's older way.
const LANDLOCK: &str = "444";
#[cfg(target_arch = "x86_64")]
const SECCOMP: &str = "317";
#[cfg(not(target_arch = "x86_64"))]
const SECCOMP: &str = "277";

/// A repository with something to render, and the machine's own file.
struct Place(tempfile::TempDir);

impl Place {
    fn new(render: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let own = place.0.path().join("config/trueup");
        std::fs::create_dir_all(&own).unwrap();
        let named = format!("programs: {{kustomize: {}}}\n{render}\n", planted().display());
        std::fs::write(own.join("config.yaml"), named).unwrap();
        let repo = place.0.path().join("repo");
        std::fs::create_dir(&repo).unwrap();
        std::fs::write(repo.join("kustomization.yaml"), "").unwrap();
        std::fs::write(repo.join("order"), "read /etc/hostname\nenvironment\nfiles\n").unwrap();
        for args in [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "-m", "One"]] {
            Cmd::new("git").args(args).dir(&repo).run().exits(0);
        }
        place
    }

    /// Runs trueup, as a kernel has it that lacks these system calls.
    fn trueup(&self, lacking: &[&str], args: &[&str]) -> Output {
        let trueup = env!("CARGO_BIN_EXE_trueup");
        let cmd = match lacking {
            [] => Cmd::new(trueup),
            lacking => Cmd::new(without()).args([lacking.join(","), trueup.to_owned()]),
        };
        self.run(cmd.args(args))
    }

    fn run(&self, cmd: Cmd) -> Output {
        cmd.dir(self.0.path().join("repo"))
            .env("XDG_CONFIG_HOME", self.0.path().join("config"))
            .env("XDG_CACHE_HOME", self.0.path().join("cache"))
            .env("CANARY", "of the user's")
            .run()
    }
}

#[test]
fn render_verbose_lists_the_guards() {
    let place = Place::new("");
    let output = place.trueup(&[], &["render", "--verbose"]).exits(0);
    let lines: Vec<&str> = output.stderr.lines().collect();
    assert_eq!(lines.len(), 4, "{output}");
    for (line, begin, end) in [
        (lines[0], "cell: files: a renderer reads its private copy, ", "(Landlock "),
        (lines[1], "cell: network: no sockets ", "(seccomp)"),
        (lines[2], "cell: processes: no other program is started or reached ", "(seccomp)"),
        (lines[3], "cell: limits: 2 GiB of memory, files of 64 MiB, ", "(rlimits)"),
    ] {
        assert!(line.starts_with(begin) && line.contains(end), "{line}");
    }
    let quiet = place.trueup(&[], &["render"]).exits(0);
    assert_eq!(quiet.stderr, "", "where all holds, nothing is said");
}

#[test]
fn missing_kernel_guard_warns_once() {
    let place = Place::new("");
    let output = place.trueup(&[LANDLOCK], &["render"]).exits(0);
    assert!(output.stdout.contains("read /etc/hostname: works"), "no guard: {output}");
    let warning = "warning: renderers are not fully confined on this machine: nothing \
                   guards files (the kernel has no Landlock)";
    assert_eq!(output.stderr.matches(warning).count(), 1, "{output}");

    let output = place.trueup(&[LANDLOCK, SECCOMP], &["render", "-v"]).exits(0);
    let lines = &output.stderr;
    assert!(lines.contains("cell: files: not guarded (the kernel has no Landlock)"), "{output}");
    assert!(
        lines.contains("cell: network: not guarded (the kernel rejects the seccomp"),
        "{output}"
    );
    assert!(lines.contains("cell: limits: 2 GiB of memory"), "{output}");

    // With all guards, what was rendered without one does not count.
    let output = place.trueup(&[], &["render"]).exits(0);
    assert!(output.stdout.contains("read /etc/hostname: Permission denied"), "{output}");
}

#[test]
fn a_machine_may_require_the_cell() {
    let place = Place::new("render: {cell: require}");
    let output = place.trueup(&[], &["render"]).exits(0);
    assert!(output.stdout.contains("read /etc/hostname: Permission denied"), "{output}");
    let output = place.trueup(&[LANDLOCK], &["render"]).exits(1);
    assert_eq!(output.stdout, "", "{output}");
    for said in [
        "kustomization.yaml:1:1: can't be rendered, since the machine's file requires a cell: \
         nothing guards files (the kernel has no Landlock)",
        "render: {cell: best-effort} in trueup's config.yaml",
    ] {
        let flat = output.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(said), "no {said:?} in\n{output}");
    }
}

#[test]
fn wrong_settings_of_the_cell_are_errors_with_their_place() {
    for (render, said) in [
        ("render: {cell: maybe}", "config.yaml:2:16: render.cell: unknown value \"maybe\""),
        (
            "render: {readable: [x]}",
            "config.yaml:2:21: render.readable[0]: x is not an absolute path",
        ),
        ("render: {readable: [/x/y]}", "config.yaml:2:21: render.readable[0]: /x/y is not there"),
        (
            "render: {memory: lots}",
            "config.yaml:2:18: render.memory: invalid memory size \"lots\": expected",
        ),
        ("render: {network: yes}", "config.yaml:2:10: render: unknown key \"network\""),
    ] {
        let output = Place::new(render).trueup(&[], &["render"]).exits(2);
        assert!(output.stderr.contains(said), "no {said:?} in\n{output}");
    }
}

#[test]
fn a_program_gets_no_variable_and_no_open_file_of_the_user() {
    let place = Place::new("");
    let script =
        format!("exec 7</etc/hostname 9>/dev/null; exec {} render", env!("CARGO_BIN_EXE_trueup"));
    let output = Cmd::new("sh")
        .args(["-c", &script])
        .dir(place.0.path().join("repo"))
        .env("XDG_CONFIG_HOME", place.0.path().join("config"))
        .env("XDG_CACHE_HOME", place.0.path().join("cache"))
        .env("CANARY", "of the user's")
        .run()
        .exits(0);
    assert!(output.stdout.contains("environment: "), "{output}");
    assert!(!output.stdout.contains("CANARY"), "{output}");
    assert!(output.stdout.contains("files: \"0 1 2 3 \""), "{output}");
}

#[test]
fn without_proc_nothing_is_run_and_all_else_is_rendered() {
    let place = Place::new("");
    let plain = place.0.path().join("repo/plain");
    std::fs::create_dir(&plain).unwrap();
    let config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n";
    std::fs::write(plain.join("one.yaml"), config).unwrap();
    let script = "mount -t tmpfs none /proc && exec \"$@\"";
    let hidden = |args: &[&str]| {
        let away = ["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"];
        place.run(Cmd::new("unshare").args(away).args(args))
    };
    // A system may keep its users from doing this.
    if hidden(&["true"]).status != Some(0) {
        return;
    }
    let trueup = env!("CARGO_BIN_EXE_trueup");
    let rendered = hidden(&[trueup, "render", "--worktree", "plain"]).exits(0);
    assert!(rendered.stdout.contains("name: one"), "{rendered}");
    let refused = hidden(&[trueup, "render", "."]).exits(1);
    assert_eq!(refused.stdout, "", "{refused}");
    assert!(
        refused.stderr.contains("can't be run: trueup, which starts it, is not found: no /proc/"),
        "{refused}"
    );
}
