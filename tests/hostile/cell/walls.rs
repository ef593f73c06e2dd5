//! The walls of the cell, each tried by a planted program, and what it got.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use super::planted::{expect, expect_with, planted, render, said};

const DENIED: &str = "Permission denied";
const REFUSED: &str = "Operation not permitted";
const ABSENT: &str = "Function not implemented";
const FULL: &str = "Cannot allocate memory";

#[test]
fn cell_reads_no_file_outside() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    let secret = format!("read {}", secret.path().display());
    expect(&[
        ("read /etc/hostname", DENIED),
        ("read /etc/passwd", DENIED),
        ("read /proc/self/environ", DENIED),
        ("read /proc/1/cmdline", DENIED),
        ("read /", DENIED),
        (&secret, DENIED),
        // What it needs, and what it should render.
        ("read k/kustomization.yaml", "works"),
        ("read /etc/ld.so.cache", "works"),
        ("read /dev/urandom", "works"),
    ]);
}

#[test]
fn cell_writes_only_to_the_scratch_folder() {
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().join("there");
    std::fs::write(&there, "old").unwrap();
    std::fs::set_permissions(&there, std::fs::Permissions::from_mode(0o644)).unwrap();
    let outside = format!("write {}/new", folder.path().display());
    let over = format!("write {}", there.display());
    let mode = format!("chmod {}", there.display());
    expect(&[
        (&outside, DENIED),
        (&over, DENIED),
        (&mode, REFUSED),
        ("write k/kustomization.yaml", DENIED),
        ("write k/new", DENIED),
        ("write ../given/new", DENIED),
        ("write-home", "works"),
    ]);
    assert_eq!(std::fs::read(&there).unwrap(), b"old");
    assert_eq!(there.metadata().unwrap().permissions().mode() & 0o777, 0o644);
    assert!(!folder.path().join("new").exists());
}

#[test]
fn no_socket_is_opened_on_loopback_or_anywhere() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let connect = format!("connect {}", listener.local_addr().unwrap().port());
    // Unix, IPv4, IPv6, netlink, packet, kernel crypto, the hypervisor's.
    expect(&[
        (&connect, REFUSED),
        ("socket 1", REFUSED),
        ("socket 2", REFUSED),
        ("socket 10", REFUSED),
        ("socket 16", REFUSED),
        ("socket 17", REFUSED),
        ("socket 38", REFUSED),
        ("socket 40", REFUSED),
    ]);
    assert!(listener.accept().is_err(), "somebody connected");
}

#[test]
fn no_process_is_started_and_none_is_reached() {
    expect(&[
        ("fork", REFUSED),
        ("spawn", REFUSED),
        ("run /bin/true", DENIED),
        ("signal-parent", ABSENT),
        ("signal-itself", "works"),
    ]);
}

#[cfg(target_arch = "x86_64")]
#[test]
fn system_calls_that_lead_out_are_not_there() {
    let calls = [
        (101, REFUSED, "ptrace"),
        (165, ABSENT, "mount"),
        (175, ABSENT, "init_module"),
        (246, ABSENT, "kexec_load"),
        (250, ABSENT, "keyctl"),
        (272, ABSENT, "unshare"),
        (298, ABSENT, "perf_event_open"),
        (304, ABSENT, "open_by_handle_at"),
        (308, ABSENT, "setns"),
        (310, ABSENT, "process_vm_readv"),
        (317, ABSENT, "seccomp"),
        (319, ABSENT, "memfd_create"),
        (321, ABSENT, "bpf"),
        (322, ABSENT, "execveat"),
        (323, ABSENT, "userfaultfd"),
        (425, ABSENT, "io_uring_setup"),
        (435, ABSENT, "clone3"),
        (438, ABSENT, "pidfd_getfd"),
        // The same call as 41, socket, by its number in x32.
        (0x4000_0000 + 41, ABSENT, "x32"),
    ];
    let lines: Vec<String> = calls.iter().map(|(call, ..)| format!("call {call}")).collect();
    let said = said(&lines.join("\n"), |_| {});
    for ((_, expected, name), line) in calls.iter().zip(&lines) {
        assert_eq!(said[line], *expected, "{name}");
    }
}

#[test]
fn cell_memory_is_limited() {
    expect_with(
        &[
            ("memory 16", "works"),
            ("memory 128", FULL),
            ("memory 4096", FULL),
            ("shared-memory 16", REFUSED),
            ("raise-limit", ABSENT),
            ("memory 129", FULL),
        ],
        |setting| setting.limits.memory = 64 << 20,
    );
    // By default 2 GiB.
    expect(&[("memory 512", "works"), ("memory 4096", FULL)]);
}

#[test]
fn no_file_grows_beyond_the_limit() {
    let limit = |setting: &mut trueup::render::Setting| setting.limits.file = 2 << 20;
    expect_with(&[("grow 2", "works")], limit);
    expect_with(&[("grow 3", "File too large")], limit);
}

#[test]
fn a_program_sees_neither_the_environment_nor_the_open_files_of_trueup() {
    let said = said("environment\nfiles\n", |_| {});
    for name in ["CARGO", "USER=", "SSH_", "LANG"] {
        assert!(!said["environment"].contains(name), "{name} is in {}", said["environment"]);
    }
    assert_eq!(said["files"], "0 1 2 3 ", "its order alone is open besides");
}

#[test]
fn a_wrapper_may_read_and_run_what_the_machines_file_names() {
    let folder = tempfile::tempdir().unwrap();
    let note = folder.path().join("note");
    std::fs::write(&note, "x").unwrap();
    let wrapper = folder.path().join("kustomize");
    std::fs::write(&wrapper, format!("#!/bin/sh\nexec {} \"$@\"\n", planted().display())).unwrap();
    std::fs::set_permissions(&wrapper, std::fs::Permissions::from_mode(0o755)).unwrap();
    let line = format!("read {}\n", note.display());
    let wrapped = |setting: &mut trueup::render::Setting| {
        setting
            .programs
            .insert(trueup::core::source::programs::RenderProgram::Kustomize, wrapper.clone());
    };
    let refused = render(&line, wrapped);
    let problem = &refused.problems[0];
    assert!(problem.message.contains(DENIED), "{problem:?}");
    assert!(problem.hint.as_ref().unwrap().contains("render: readable:"), "{problem:?}");

    let allowed = said(&line, |setting| {
        wrapped(setting);
        setting.readable = vec![planted(), note.clone()];
    });
    assert_eq!(allowed[line.trim_end()], "works");
}

#[test]
fn renderers_that_exceed_the_memory_limit_are_named() {
    // Too little for a runtime to start with, and enough for what there is to render.
    for (memory, problems) in [(48 << 20, 1), (256 << 20, 0)] {
        let rendered = render("", |setting| {
            let kustomize = crate::support::renderers::folder().join("kustomize");
            setting
                .programs
                .insert(trueup::core::source::programs::RenderProgram::Kustomize, kustomize);
            setting.limits.memory = memory;
        });
        assert_eq!(rendered.problems.len(), problems, "{rendered:?}");
        let told = rendered.problems.first().map(|problem| problem.message.as_str());
        let expected = "kustomize needs more memory than the limit of 48 MiB";
        assert_eq!(told, (problems > 0).then_some(expected));
    }
}

#[test]
fn error_names_the_limit_that_ended_a_program() {
    for (order, message, hint) in [
        (
            "die-without-memory",
            "planted needs more memory than the limit of 64 MiB",
            Some("render: memory:"),
        ),
        ("fail write: file too large", "planted would write a file of more than 2 MiB", None),
        (
            "fail socket: operation not permitted",
            "planted says: socket: operation",
            Some("in a cell"),
        ),
        ("fail no such color", "planted says: no such color", None),
        ("busy", "planted failed: it took more than 1 s and was stopped", None),
    ] {
        let rendered = render(order, |setting| {
            setting.limits.memory = 64 << 20;
            setting.limits.file = 2 << 20;
            if order == "busy" {
                setting.limits.time = Duration::from_secs(1);
            }
        });
        let problem = &rendered.problems[0];
        assert!(problem.message.starts_with(message), "{order}: {problem:?}");
        if let Some(hint) = hint {
            assert!(problem.hint.as_ref().unwrap().contains(hint), "{order}: {problem:?}");
        }
    }
}
