//! Where a sandbox's programs come from. The control plane itself takes minutes to build, so here
//! the builder is given a small module, or the verb a Go that only pretends.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use trueup::sandbox::build::{self, Module};
use trueup::sandbox::places::ProgramPlaces;
use trueup::sandbox::{SandboxEvent, SandboxOptions, WebhookCalls};

use crate::support::command::Cmd;
use crate::support::eventually::eventually;

const HELLO: Module = Module {
    name: "hello",
    files: &[
        ("go.mod", "module example.com/hello\n\ngo 1.20\n"),
        ("main.go", "package main\n\nimport \"os\"\n\nfunc main() { println(os.Args[0]) }\n"),
    ],
    programs: &["good", "morning"],
};

/// Builds the module as a process of its own would; its lock knows no difference.
fn build_hello(cache: &Path) -> (PathBuf, Vec<SandboxEvent>) {
    let options = SandboxOptions {
        calls: WebhookCalls::Enabled,
        controllers: false,
        places: ProgramPlaces {
            assets: None,
            envtest: None,
            path: std::env::vars_os().find(|(name, _)| name == "PATH").unwrap().1,
            cache: cache.to_owned(),
        },
        temporary: cache.to_owned(),
        trueup: env!("CARGO_BIN_EXE_trueup").into(),
    };
    let mut events = Vec::new();
    let mut listener = |event| events.push(event);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = runtime.block_on(build::built(&HELLO, &options, &mut listener));
    let folder = folder.unwrap_or_else(|error| panic!("{error} (the tests need Go on PATH)"));
    (folder, events)
}

#[test]
fn concurrent_sandboxes_share_one_build() {
    let cache = tempfile::tempdir().unwrap();

    let both = thread::scope(|scope| {
        [(); 2].map(|()| scope.spawn(|| build_hello(cache.path()))).map(|it| it.join().unwrap())
    });

    let [(one, one_s_events), (other, other_s_events)] = both;
    assert_eq!(one, other);
    let built = one_s_events.iter().chain(&other_s_events).filter(|it| **it == SandboxEvent::Built);
    assert_eq!(built.count(), 1);
    for program in HELLO.programs {
        let output = Cmd::new(one.join(program)).run().exits(0);
        assert_eq!(Path::new(output.stderr.trim()), one.join(program));
    }
    // The lock stays, and nothing of the build does.
    assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 2);
}

/// A user's home with nothing in it, and a Go that does as the test says.
struct Home(tempfile::TempDir);

impl Home {
    fn with_go(script: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        fs::create_dir(home.path("bin")).unwrap();
        home.go(script);
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Replaces Go. `$output` is the file that `go build` should make.
    fn go(&self, script: &str) {
        let start = "#!/bin/sh\nwhile [ $# -gt 0 ]; do [ \"$1\" = -o ] && output=$2; shift; done\n";
        let go = self.path("go-new");
        fs::write(&go, format!("{start}{script}\n")).unwrap();
        fs::set_permissions(&go, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(go, self.path("bin/go")).unwrap();
    }

    fn sandbox(&self) -> Cmd {
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        Cmd::trueup()
            .env_remove("KUBEBUILDER_ASSETS")
            .env_remove("XDG_DATA_HOME")
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("HOME", self.0.path())
            .env("TEST_HOME", self.0.path())
            .env("PATH", path)
            .args(["sandbox", "--", "true"])
    }

    fn start(&self) -> Child {
        let mut command = self.sandbox().into_inner();
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// What is in the cache, but for locks.
    fn cached(&self) -> Vec<String> {
        let Ok(cache) = fs::read_dir(self.path("cache/trueup/sandbox")) else { return Vec::new() };
        let names = cache.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !name.ends_with(".lock")).collect()
    }
}

/// A Go that makes programs which end at once.
const MAKES_BROKEN_PROGRAMS: &str = r#"[ -z "$output" ] && exit 0
printf '#!/bin/sh\necho broken on purpose; exit 5\n' > "$output"; chmod +x "$output""#;

#[cfg(target_os = "linux")]
#[test]
fn a_build_killed_in_the_middle_leaves_nothing_and_is_done_again() {
    let home = Home::with_go(
        r#"[ -z "$output" ] && exit 0
        echo half > "$output"; echo $$ > "$TEST_HOME/pid.new"
        mv "$TEST_HOME/pid.new" "$TEST_HOME/pid"; sleep 1000"#,
    );
    let mut trueup = home.start();
    eventually("Go runs", || home.path("pid").exists());
    let go = fs::read_to_string(home.path("pid")).unwrap().trim().parse().unwrap();
    let go = Pid::from_raw(go).unwrap();
    assert_eq!(home.cached().len(), 1, "{:?}", home.cached());

    trueup.kill().unwrap();
    trueup.wait().unwrap();

    eventually("Go is gone", || test_kill_process(go).is_err());
    eventually("the half-built is gone", || home.cached().is_empty());
    home.go(MAKES_BROKEN_PROGRAMS);
    let output = home.sandbox().run().exits(2);
    assert!(output.stderr.contains("built the control plane"), "\n{output}");
    assert_eq!(home.cached().len(), 1, "{:?}", home.cached());
}

#[test]
fn a_build_that_is_asked_to_end_ends() {
    let home = Home::with_go(r#"echo $$ > "$TEST_HOME/pid"; sleep 1000"#);
    let mut trueup = home.start();
    eventually("Go runs", || home.path("pid").exists());

    let id = Pid::from_raw(trueup.id().try_into().unwrap()).unwrap();
    kill_process(id, Signal::INT).unwrap();

    assert_eq!(trueup.wait().unwrap().code(), Some(130));
    assert!(home.cached().is_empty(), "{:?}", home.cached());
}

#[test]
fn failed_build_shows_the_output_of_go() {
    let home = Home::with_go("[ -z \"$output\" ] && exit 0; echo no space left >&2; exit 4");
    let output = home.sandbox().run().exits(2);
    assert!(output.stderr.contains("`go build` failed (exit status: 4)"), "\n{output}");
    assert!(output.stderr.contains("no space left"), "\n{output}");
    assert!(home.cached().is_empty(), "{:?}", home.cached());
}

#[test]
fn missing_go_hints_at_the_three_alternatives() {
    let home = Home::with_go("");
    fs::remove_file(home.path("bin/go")).unwrap();
    let output = home.sandbox().env("PATH", home.path("bin")).run().exits(2);
    for way in ["install Go", "KUBEBUILDER_ASSETS", "setup-envtest", "PATH"] {
        assert!(output.stderr.contains(way), "{way} is not named\n{output}");
    }
}

#[test]
fn a_place_that_lacks_a_program_is_named_and_passed_over() {
    let home = Home::with_go("exit 1");
    let output = home.sandbox().env("KUBEBUILDER_ASSETS", home.path("bin")).run().exits(2);
    let lacks = "KUBEBUILDER_ASSETS lacks etcd, kube-apiserver, kubectl; looking further";
    assert!(output.stderr.contains(lacks), "\n{output}");
}

#[test]
fn program_that_exits_at_start_is_shown_with_its_output() {
    let home = Home::with_go(MAKES_BROKEN_PROGRAMS);
    let output = home.sandbox().run().exits(2);
    assert!(output.stderr.contains("etcd ended (exit status: 5)"), "\n{output}");
    assert!(output.stderr.contains("broken on purpose"), "\n{output}");
}

/// A user's home with programs in `bin` that end at once.
fn home_with_broken_programs() -> Home {
    let home = Home::with_go("echo broken on purpose; exit 5");
    for program in ["etcd", "kube-apiserver", "kubectl"] {
        fs::copy(home.path("bin/go"), home.path("bin").join(program)).unwrap();
    }
    home
}

#[test]
fn the_programs_may_be_named_by_a_relative_path() {
    let home = home_with_broken_programs();
    let sandbox = home.sandbox().dir(home.path("bin/..")).env("KUBEBUILDER_ASSETS", "bin");
    let output = sandbox.run().exits(2);
    assert!(output.stderr.contains("etcd ended (exit status: 5)"), "\n{output}");
}

#[test]
fn unwritable_folder_is_named() {
    let home = home_with_broken_programs();
    let output = home.sandbox().env("TMPDIR", "/no/such/folder").run().exits(2);
    assert!(output.stderr.contains("error: cannot make a folder in /no/such/folder"), "\n{output}");
}
