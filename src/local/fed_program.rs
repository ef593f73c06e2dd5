//! A program that gets text on its stdin and has a limited time. What it prints is not read.

use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How often its end is looked for.
const PAUSE: Duration = Duration::from_millis(10);

/// Runs a program with `input` on stdin, without a shell.
///
/// # Errors
///
/// When it can't be run, takes longer than `limit`, or ends with another status than 0.
pub fn run(argv: &[impl AsRef<OsStr>], input: Vec<u8>, limit: Duration) -> io::Result<()> {
    let Some((program, arguments)) = argv.split_first() else {
        return Err(io::Error::other("no program is named"));
    };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    // Its own group, so that what it starts ends with it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program need not read it, and may end before it has.
        thread::spawn(move || drop(stdin.write_all(&input)));
    }
    let begin = Instant::now();
    loop {
        match child.try_wait()? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(io::Error::other(format!("it ended with {status}"))),
            None if begin.elapsed() < limit => thread::sleep(PAUSE),
            None => {
                end(&mut child);
                let seconds = limit.as_secs_f64();
                let message = format!("it did not end within {seconds} s and was killed");
                return Err(io::Error::new(io::ErrorKind::TimedOut, message));
            }
        }
    }
}

fn end(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn program_gets_the_text_and_no_shell_reads_the_arguments() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a $(b);c");
        let limit = Duration::from_secs(60);
        run(&["/usr/bin/tee", file.to_str().unwrap()], b"text".to_vec(), limit).unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"text");
        let error = run(&["/bin/false"], Vec::new(), limit).unwrap_err();
        assert_eq!(error.to_string(), "it ended with exit status: 1");
        assert!(run(&["/no/such/program"], Vec::new(), limit).is_err());
        // One that does not read.
        run(&["/bin/true"], vec![b'x'; 1 << 20], limit).unwrap();
    }

    #[test]
    fn program_that_does_not_end_is_killed_with_what_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let script = format!("sleep 1000 & echo $! > {}; wait", file.display());
        let limit = Duration::from_secs(1);
        let error = run(&["/bin/sh", "-c", &script], Vec::new(), limit).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let pid: i32 = std::fs::read_to_string(file).unwrap().trim().parse().unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        // Whoever takes over orphans may not have waited for it yet: what is left of it does not run.
        let is_over = || {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
            let state = |stat: String| stat.rsplit(')').next()?.trim_start().chars().next();
            stat.ok().and_then(state).is_none_or(|state| matches!(state, 'Z' | 'X'))
        };
        // A signal arrives when the process is next scheduled.
        let begin = Instant::now();
        while !is_over() && begin.elapsed() < Duration::from_secs(30) {
            thread::sleep(PAUSE);
        }
        assert!(is_over());
    }
}
