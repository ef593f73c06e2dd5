//! Commits that would do harm: each is refused with a message that says what, where, why and what
//! to do, and the rest of the commit is applied.

use std::fmt::Write as _;
use std::os::unix::fs::symlink;

use crate::support::command::{Cmd, Output};
use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::{renderers, sandbox};

/// A repository with a sound manifest, and beside it what a test adds.
struct Hostile(Repo<'static>);

impl Hostile {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let repo = Repo::new(&format!("hostile-{name}"), sandbox::bare());
        repo.write_config("sound", "1");
        for (path, content) in files {
            repo.write(path, content);
        }
        Self(repo)
    }

    fn command(&self, args: &[&str]) -> Cmd {
        renderers::with(self.0.trueup(args))
    }

    /// Commits, and asserts that diff says exactly this of what can't be used, that apply says so,
    /// too, and that the sound manifest is applied all the same.
    #[track_caller]
    fn refuse(self, said: &[&str]) {
        self.0.commit("Something odd");
        let diff = self.command(&["diff"]).run().exits(1);
        assert_eq!(problems(&diff), said, "\n{diff}");
        assert!(diff.stdout.contains("nothing is pruned until"), "\n{diff}");
        let apply = self.command(&["apply", "--yes"]).run().exits(1);
        for line in said.iter().filter(|line| line.starts_with("! ")) {
            assert!(apply.stdout.contains(line), "no {line:?} in\n{apply}");
        }
        assert_eq!(self.0.members("configmap,secret"), ["configmap/sound"], "\n{apply}");
    }
}

/// What a diff says of what can't be used.
fn problems(diff: &Output) -> Vec<&str> {
    let lines = diff.stdout.lines().skip_while(|line| !line.starts_with("! "));
    lines.take_while(|line| !line.starts_with("? ")).collect()
}

#[test]
fn a_link_out_of_the_checkout() {
    let hostile = Hostile::new("link", &[]);
    symlink("/etc/hostname", hostile.0.path().join("name.yaml")).unwrap();
    hostile.refuse(&[
        "! name.yaml:1:1: is a symbolic link, which is never followed",
        "    do this: commit a copy of its target, or name it in .trueupignore if it declares \
        nothing",
    ]);
}

#[test]
fn symlink_in_place_of_a_settings_file() {
    for (name, path) in [("link-settings", "trueup.yaml"), ("link-ignore", "envs/.trueupignore")] {
        let secret = "secret: hunter2hunter2\n";
        let hostile = Hostile::new(name, &[("envs/other.yaml", &config("other", "1"))]);
        let outside = hostile.0.outside().join("outside");
        std::fs::write(&outside, secret).unwrap();
        symlink(&outside, hostile.0.path().join(path)).unwrap();
        hostile.0.commit("Something odd");
        let verbs: [&[&str]; 3] = [&["diff"], &["apply", "--yes"], &["diff", "--worktree"]];
        for args in verbs {
            let output = hostile.command(args).run().exits(2);
            let said = format!(
                "error: `{path}` is a symbolic link, which is never followed\n  do this: commit a \
                copy of its target\n"
            );
            assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", said.as_str()));
        }
        assert_eq!(hostile.0.writes(), 0);
    }
}

#[test]
fn a_kustomization_that_leads_out_of_the_checkout() {
    let kustomization = "resources:\n- web.yaml\n- ../../elsewhere\n";
    let files = [("web/kustomization.yaml", kustomization), ("web/web.yaml", &config("web", "1"))];
    Hostile::new("up", &files).refuse(&[
        "! web/kustomization.yaml:3:3: ../../elsewhere leads out of the checkout",
        "    do this: put what it refers to into the repository",
    ]);
}

#[test]
fn a_kustomization_with_a_remote_base() {
    let kustomization = "resources:\n- https://github.com/example/app//deploy?ref=v1.0.0\n";
    Hostile::new("base", &[("web/kustomization.yaml", kustomization)]).refuse(&[
        "! web/kustomization.yaml:2:3: https://github.com/example/app//deploy?ref=v1.0.0 is not in the checkout, and nothing is fetched while rendering",
        "    do this: put a copy of it into the repository, and refer to that",
    ]);
}

#[test]
fn a_kustomization_that_would_run_a_program() {
    let hostile = Hostile::new("exec", &[("web/kustomization.yaml", "generators: [run.yaml]\n")]);
    let was_run = hostile.0.outside().join("was-run");
    let script = format!("#!/bin/sh\ntouch {}\n", was_run.display());
    let run = "apiVersion: example.com/v1\nkind: Run\nmetadata:\n  name: run\n  annotations:\n    \
               config.kubernetes.io/function: |\n      exec:\n        path: ./run.sh\n";
    hostile.0.write("web/run.yaml", run).write("web/run.sh", script);
    hostile.0.commit("Something odd");
    hostile.command(&["render"]).run().exits(1);
    assert!(!was_run.exists(), "the program was run");
    hostile.refuse(&[
        "! web/run.yaml:2:1: Run of example.com/v1 is not built into kustomize, and kustomize runs no plugins here",
        "    do this: commit the plugin's output, and refer to that",
    ]);
}

#[test]
fn a_chart_with_a_dependency_elsewhere() {
    let chart = "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- name: db\n  version: 1.0.0\n  repository: https://charts.example.com\n";
    let files = [("web/Chart.yaml", chart), ("web/templates/web.yaml", &config("web", "1"))];
    Hostile::new("chart", &files).refuse(&[
        "! web/Chart.yaml:5:3: the chart db from https://charts.example.com is not in charts/, and nothing is fetched while rendering",
        "    do this: run helm dependency build, and commit the charts folder",
    ]);
}

#[test]
fn a_program_that_imports_a_file_outside() {
    let program =
        "{\n  web: import 'web.libsonnet',\n  secret: importstr '../../../etc/shadow',\n}\n";
    let files = [("jobs/web.jsonnet", program), ("jobs/web.libsonnet", "{}")];
    Hostile::new("import", &files).refuse(&[
        "! jobs/web.jsonnet:3:21: ../../../etc/shadow leads out of the checkout",
        "    do this: put what is imported into the repository",
    ]);
}

#[test]
fn a_program_that_hides_an_import_behind_a_block_of_text() {
    // The block's lines begin with a tab, and its end does not.
    let program = "local x = |||\n\tit's\n  |||; [{ x: importstr '/etc/hostname' }]";
    Hostile::new("block", &[("jobs/web.jsonnet", program)]).refuse(&[
        "! jobs/web.jsonnet:3:24: /etc/hostname leads out of the checkout",
        "    do this: put what is imported into the repository",
    ]);
}

#[test]
fn a_library_outside_the_checkout() {
    let program = "import 'hostname'";
    let settings = "targets:\n  hostile-library:\n    paths: [.]\n    render: {jsonnet: {library: [../../../etc]}}\n";
    let hostile =
        Hostile::new("library", &[("jobs/web.jsonnet", program), ("trueup.yaml", settings)]);
    hostile.0.commit("Something odd");
    let verbs: [&[&str]; 3] = [&["diff"], &["apply", "--yes"], &["render"]];
    for args in verbs {
        let output = hostile.command(args).run().exits(2);
        let said = "error: trueup.yaml:4:34: targets.hostile-library.render.jsonnet.library[0]: leads out of the checkout; paths count from its root\n";
        assert!(output.stderr.starts_with(said), "{output}");
        assert_eq!(output.stdout, "");
    }
    assert_eq!(hostile.0.writes(), 0);
}

#[test]
fn a_bomb_of_aliases() {
    let mut bomb = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: bomb\ndata:\n".to_owned();
    bomb.push_str("  a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for level in 1..10 {
        let below = vec![format!("*a{}", level - 1); 9].join(",");
        writeln!(bomb, "  a{level}: &a{level} [{below}]").unwrap();
    }
    let files = [("bomb.yaml", bomb.as_str()), ("web/kustomization.yaml", &bomb)];
    Hostile::new("bomb", &files).refuse(&[
        "! bomb.yaml:6:7: the document consists of aliases for the most part",
        "      6 |   a0: &a0 [x,x,x,x,x,x,x,x,x]",
        "        |       ^",
        "    do this: Kubernetes refuses so many aliases (*name); write out what they stand for",
        "",
        "! web/kustomization.yaml:6:7: the document consists of aliases for the most part",
        "      6 |   a0: &a0 [x,x,x,x,x,x,x,x,x]",
        "        |       ^",
        "    do this: Kubernetes refuses so many aliases (*name); write out what they stand for",
    ]);
}

#[test]
fn a_file_of_100_megabytes() {
    let hostile = Hostile::new("large", &[("web/kustomization.yaml", "resources: [web.yaml]\n")]);
    let mut large = config("large", "");
    large.push_str("  large: ");
    large.push_str(&"x".repeat(100 << 20));
    hostile.0.write("large.yaml", &large).write("web/web.yaml", &large).commit("Something odd");
    drop(large);
    #[cfg(target_os = "linux")]
    for args in [&["diff"][..], &["diff", "--worktree"], &["render"]] {
        let peak = peak(hostile.command(args));
        assert!(peak < 100 << 20, "{args:?} took {} MiB at its peak", peak >> 20);
    }
    hostile.refuse(&[
        "! large.yaml:1:1: has 100 MiB; the limit is 64 MiB",
        "    do this: split it into several files, or name it in .trueupignore if it declares nothing",
        "",
        "! web/web.yaml:1:1: has 100 MiB; the limit is 64 MiB, so that web can't be rendered",
        "    do this: split it into several files",
    ]);
}

/// The most memory that a command had at once, in bytes, as the kernel kept count until shortly
/// before its end.
#[cfg(target_os = "linux")]
fn peak(cmd: Cmd) -> u64 {
    let mut command = cmd.into_inner();
    let quiet = std::process::Stdio::null;
    let mut child = command.stdout(quiet()).stderr(quiet()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let (mut peak, mut looks) = (0, 0);
    let ended = loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        if let Some(kib) = kib {
            (peak, looks) = (kib << 10, looks + 1);
        }
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    };
    assert_eq!(ended.code(), Some(1));
    assert!(looks > 3, "it was looked at {looks} times only");
    peak
}
