//! `trueup sandbox`: a throwaway control plane, and a command that sees it.

mod progress;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use super::exit::{Exit, Failure};
use super::ui::{ColorChoice, Ui};
use crate::sandbox::command::{self, Signals};
use crate::sandbox::keeper::{bound, process};
use crate::sandbox::programs::Places;
use crate::sandbox::{Options, Sandbox};
use progress::Shown;

/// Run a throwaway Kubernetes control plane on this machine
///
/// COMMAND sees it through KUBECONFIG and ends with its own status; then everything is taken down.
/// Without COMMAND the control plane stays until Ctrl-C.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// Add the controllers, the scheduler and simulated nodes, so that Deployments roll out, Jobs
    /// finish, namespaces go away and owned objects are collected
    #[arg(long)]
    controllers: bool,

    /// The folder to look in first for etcd, kube-apiserver and kubectl
    #[arg(long, value_name = "DIR", env = "KUBEBUILDER_ASSETS")]
    programs: Option<PathBuf>,

    /// What to run beside it
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Answers `trueup sandbox`.
pub fn run(args: SandboxArgs, ui: &mut Ui) -> Result<Exit, Failure> {
    // The command dies with the thread that starts it, so everything happens on the main thread.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(answer(args, ui));
    runtime.shutdown_background();
    result
}

async fn answer(args: SandboxArgs, ui: &mut Ui) -> Result<Exit, Failure> {
    let SandboxArgs { controllers, programs, command } = args;
    let options = options(controllers, programs)?;
    let path = options.places.path.clone();
    let mut signals = Signals::new()?;
    let started = tokio::select! {
        started = start(&options, ui) => started,
        _ = signals.next() => return Ok(Exit::Interrupted),
    };
    let mut sandbox = started?;
    if command.is_empty() {
        say_how_to_use(&sandbox, ui)?;
        return tokio::select! {
            _ = signals.next() => Ok(Exit::AtCommit),
            error = sandbox.ended() => Err(error.into()),
        };
    }
    let status = command::run(&mut sandbox, &command, &path, |error| ui.failure(&error.into()));
    let status = status.await?;
    Ok(Exit::Passed(command::shell_status(status)))
}

/// Starts a sandbox, and shows what happens meanwhile.
///
/// # Errors
///
/// When its programs can't be had, or don't start.
pub async fn start(options: &Options, ui: &mut Ui) -> Result<Sandbox, Failure> {
    let mut shown = Shown::new(ui);
    let mut events = |event| shown.show(event);
    Ok(Sandbox::start(options, &mut events).await?)
}

/// What kind of sandbox, with its programs from where this user has them.
///
/// # Errors
///
/// When the user has no home folder.
pub fn options(controllers: bool, programs: Option<PathBuf>) -> Result<Options, Failure> {
    let places = places(programs).context("this user has no home folder")?;
    let (temporary, trueup) = (std::env::temp_dir(), std::env::current_exe()?);
    Ok(Options { controllers, places, temporary, trueup })
}

#[allow(clippy::disallowed_methods, reason = "the search path is the system's, no setting of ours")]
fn places(assets: Option<PathBuf>) -> Option<Places> {
    let data = directories::BaseDirs::new()?.data_dir().to_owned();
    let envtest =
        if cfg!(target_os = "macos") { "io.kubebuilder.envtest" } else { "kubebuilder-envtest" };
    Some(Places {
        assets: assets.filter(|folder| !folder.as_os_str().is_empty()),
        envtest: Some(data.join(envtest)),
        path: std::env::var_os("PATH").unwrap_or_default(),
        cache: directories::ProjectDirs::from("", "", "trueup")?.cache_dir().join("sandbox"),
    })
}

fn say_how_to_use(sandbox: &Sandbox, ui: &mut Ui) -> io::Result<()> {
    let quote =
        |text: &std::path::Path| format!("'{}'", text.display().to_string().replace('\'', r"'\''"));
    let out = ui.stdout();
    writeln!(out, "export KUBECONFIG={}", quote(sandbox.kubeconfig()))?;
    writeln!(out, "export {}={}", command::AUDIT_LOG, quote(sandbox.audit_log()))?;
    writeln!(out, "export PATH=\"$PATH\":{}", quote(sandbox.bin_dir()))?;
    out.flush()?;
    writeln!(ui.stderr(), "run these lines in another shell to use it; Ctrl-C takes it down")
}

/// Answers the verbs that a sandbox calls trueup with, which are nobody else's to use.
pub fn hidden_verb(mut args: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    let verb = args.next()?;
    let (error, status) = if verb == process::VERB {
        match process::keep(args) {
            Ok(()) => return Some(ExitCode::SUCCESS),
            Err(error) => (anyhow::Error::new(error), 1),
        }
    } else if verb == bound::VERB {
        let args: Vec<OsString> = args.collect();
        let program = args.get(1).cloned().unwrap_or_default();
        let error = bound::become_program(args.into_iter());
        // As every shell has it: not there, or there and no program.
        let status = if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 };
        (anyhow::Error::new(error).context(format!("cannot run {}", program.display())), status)
    } else {
        return None;
    };
    Ui::new(ColorChoice::Auto).failure(&error.into());
    Some(ExitCode::from(status))
}
