//! `trueup sandbox`: a throwaway control plane, and a command that sees it.

mod progress;

use std::ffi::OsString;
use std::io::{self, Write};

use anyhow::Context;
use clap::Args;
use rustix::process::Signal;

use super::exit::{Exit, Failure};
use super::headings::{HOW, WHAT};
use super::ui::Ui;
use crate::sandbox::command::{self, CommandSignals, SandboxCommand};
use crate::sandbox::places::ProgramPlaces;
use crate::sandbox::{Sandbox, SandboxOptions, WebhookCalls};
use progress::BuildDisplay;

/// The end of `trueup sandbox --help`.
const EXAMPLES: &str = "\
Examples:
  trueup sandbox -- kubectl version
  trueup sandbox --controllers -- bash
  trueup sandbox -- trueup apply --yes   do these manifests apply?";

/// Run a throwaway Kubernetes control plane on this machine
///
/// COMMAND sees it through KUBECONFIG and ends with its own status; then everything is taken down.
/// Without COMMAND the control plane stays until Ctrl-C.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SandboxArgs {
    /// Command to run with KUBECONFIG set to the sandbox
    #[arg(last = true, value_name = "COMMAND", help_heading = WHAT)]
    command: Vec<OsString>,

    /// Add the controllers, the scheduler and simulated nodes, so that Deployments roll out, Jobs
    /// finish, namespaces go away and owned objects are collected
    #[arg(long, help_heading = HOW)]
    controllers: bool,
}

/// Answers `trueup sandbox`.
///
/// # Errors
///
/// When the control plane can't be built or started, or the command can't be run.
pub fn run(args: SandboxArgs, ui: &mut Ui) -> Result<Exit, Failure> {
    // The command dies with the thread that starts it, so everything happens on the main thread.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(answer(args, ui));
    runtime.shutdown_background();
    result
}

async fn answer(args: SandboxArgs, ui: &mut Ui) -> Result<Exit, Failure> {
    let SandboxArgs { controllers, command } = args;
    let options = options(controllers, WebhookCalls::Enabled)?;
    let path = options.places.path.clone();
    let mut signals = CommandSignals::new()?;
    let started = tokio::select! {
        started = start(&options, ui) => started,
        signal = signals.next() => return Ok(match signal {
            Signal::INT => Exit::Interrupted,
            signal => Exit::Passed(command::death_by(signal.as_raw())),
        }),
    };
    let mut sandbox = started?;
    if command.is_empty() {
        say_how_to_use(&sandbox, ui)?;
        return tokio::select! {
            _ = signals.next() => Ok(Exit::AtCommit),
            error = sandbox.ended() => Err(error.into()),
        };
    }
    let request = SandboxCommand { command: &command, path: &path, signals };
    let run = command::run(&mut sandbox, request, |error| ui.failure(&error.into()));
    let status = run.await?;
    Ok(Exit::Passed(command::shell_status(status)))
}

/// Starts a sandbox, and shows what happens meanwhile.
///
/// # Errors
///
/// When its programs can't be had, or don't start.
pub async fn start(options: &SandboxOptions, ui: &mut Ui) -> Result<Sandbox, Failure> {
    let mut shown = BuildDisplay::new(ui);
    let mut events = |event| shown.show(event);
    Ok(Sandbox::start(options, &mut events).await?)
}

/// The options of a sandbox: its controllers, and the webhooks that its API server may call. Its
/// programs are those of this user.
///
/// # Errors
///
/// When the user has no home folder.
pub fn options(controllers: bool, calls: WebhookCalls) -> Result<SandboxOptions, Failure> {
    let places = places().context("this user has no home folder")?;
    let (temporary, trueup) = (std::env::temp_dir(), std::env::current_exe()?);
    Ok(SandboxOptions { controllers, calls, places, temporary, trueup })
}

#[allow(
    clippy::disallowed_methods,
    reason = "a convention of Kubebuilder, and no setting of trueup's"
)]
fn places() -> Option<ProgramPlaces> {
    let assets = std::env::var_os("KUBEBUILDER_ASSETS").filter(|folder| !folder.is_empty());
    let mac = cfg!(target_os = "macos");
    let envtest = if mac { "io.kubebuilder.envtest" } else { "kubebuilder-envtest" };
    Some(ProgramPlaces {
        assets: assets.map(Into::into),
        envtest: Some(directories::BaseDirs::new()?.data_dir().join(envtest)),
        path: super::search_path::path(),
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
    ui.note("run these lines in another shell to use it; Ctrl-C takes it down");
    Ok(())
}
