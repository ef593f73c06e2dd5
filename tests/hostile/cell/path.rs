//! A search path with elements that are not absolute runs nothing out of a checkout.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::command::{Cmd, Output};

/// A checkout with programs in it that leave a mark when they are run.
struct Checkout(tempfile::TempDir);

impl Checkout {
    fn new(programs: &[&str]) -> Self {
        let checkout = Self(tempfile::tempdir().unwrap());
        for folder in ["repo/bin", "cache", "home"] {
            std::fs::create_dir_all(checkout.path(folder)).unwrap();
        }
        std::fs::write(checkout.path("repo/kustomization.yaml"), "").unwrap();
        for program in programs {
            for place in ["repo", "repo/bin"] {
                let path = checkout.path(place).join(program);
                let mark = checkout.path("mark");
                std::fs::write(&path, format!("#!/bin/sh\n>'{}'\n", mark.display())).unwrap();
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            }
        }
        for args in [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "-m", "One"]] {
            Cmd::new("git").args(args).dir(checkout.path("repo")).run().exits(0);
        }
        checkout
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    /// trueup within the checkout; `search` stands for its search path.
    fn trueup(&self, search: &str, args: &[&str]) -> Cmd {
        Cmd::trueup()
            .dir(self.path("repo"))
            .env("PATH", search)
            .env("HOME", self.path("home"))
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env_remove("KUBEBUILDER_ASSETS")
            .args(args)
    }

    #[track_caller]
    fn runs_nothing(&self, output: &Output) {
        assert!(!self.path("mark").exists(), "something of the checkout was run\n{output}");
    }
}

/// Search paths that lead into the working directory.
const RELATIVE: [&str; 5] = ["", ".", ":/nowhere", "/nowhere:", "/nowhere:./bin:bin"];

#[test]
fn committed_renderer_is_not_run_and_reported() {
    let checkout = Checkout::new(&["kustomize", "kubectl"]);
    for search in RELATIVE {
        let output = checkout.trueup(search, &["render"]).run().exits(1);
        checkout.runs_nothing(&output);
        let flat = output.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        let said = "neither kustomize nor kubectl is on PATH: PATH has kustomize only in ";
        assert!(flat.contains(said), "{search:?}: no {said:?} in\n{output}");
        assert!(flat.contains("is not an absolute path and is skipped"), "{search:?}\n{output}");
    }
    // Beside an absolute element, which counts.
    let folder = tempfile::tempdir().unwrap();
    let good = folder.path().join("kustomize");
    std::fs::write(
        &good,
        "#!/bin/sh\necho 'apiVersion: v1'; echo 'kind: Good'; echo 'metadata: {name: g}'\n",
    )
    .unwrap();
    std::fs::set_permissions(&good, std::fs::Permissions::from_mode(0o755)).unwrap();
    let search = format!(".:bin:{}", folder.path().display());
    let output = checkout.trueup(&search, &["render"]).run().exits(0);
    checkout.runs_nothing(&output);
    assert!(output.stdout.contains("kind: Good"), "{output}");
}

#[test]
fn a_committed_control_plane_is_not_run() {
    let checkout = Checkout::new(&["etcd", "kube-apiserver", "kubectl", "go"]);
    for search in RELATIVE {
        for args in [&["sandbox", "--", "/bin/true"][..], &["diff", "--sandbox"]] {
            let output = checkout.trueup(search, args).run();
            checkout.runs_nothing(&output);
            assert!(output.stderr.contains("and no Go to build them with"), "{search:?}\n{output}");
            let said = "PATH has kube-apiserver only in ";
            assert!(output.stderr.contains(said), "{search:?}: no {said:?} in\n{output}");
        }
    }
}

#[test]
fn committed_git_and_ssh_programs_are_not_run() {
    // ssh and git for a remote, and a credential helper.
    let checkout = Checkout::new(&["ssh", "git", "git-credential-x"]);
    let git = |args: &[&str]| Cmd::new("git").args(args).dir(checkout.path("repo")).run().exits(0);
    git(&["remote", "add", "origin", "ssh://localhost:1/x"]);
    git(&["config", "branch.master.remote", "origin"]);
    git(&["config", "branch.master.merge", "refs/heads/master"]);
    git(&["symbolic-ref", "HEAD", "refs/heads/master"]);
    git(&["config", "credential.helper", "x"]);
    for search in RELATIVE {
        let output = checkout.trueup(search, &["pull", "--timeout", "3"]).run();
        checkout.runs_nothing(&output);
    }
}

#[test]
fn a_search_path_of_absolute_elements_is_left_alone() {
    let checkout = Checkout::new(&[]);
    let program = checkout.path("cache/kustomize");
    std::fs::write(&program, "#!/bin/sh\nexit 0\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let search = Path::new("/nowhere").display().to_string()
        + ":"
        + checkout.path("cache").to_str().unwrap();
    checkout.trueup(&search, &["render"]).run().exits(0);
}
