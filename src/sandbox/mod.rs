//! A throwaway real control plane on this machine: etcd and kube-apiserver, and where wanted the
//! controllers, the scheduler and simulated nodes.
//!
//! [`Sandbox::start`] tells the story. [`places`] names the programs, [`programs`] finds them, [`build`] makes them where
//! there are none, and [`keeper`] runs them so that none outlives this process. `identity` makes
//! the certificates, `plane` knows every program's flags and `api` asks whether they are ready.
//! [`command`] runs a program of the user's beside them.

mod api;
pub mod build;
pub mod command;
mod control_plane;
pub mod error;
mod identity;
pub mod keeper;
mod nodes;
pub mod places;
pub mod programs;

use std::path::{Path, PathBuf};

pub use error::Error;
use keeper::Keeper;
use programs::Programs;

/// The kind of sandbox, and where to look for its programs.
#[derive(Clone, Debug)]
pub struct SandboxOptions {
    /// With kube-controller-manager, kube-scheduler and simulated nodes.
    pub controllers: bool,
    /// Whether the API server may call others, as for webhooks and aggregated APIs.
    pub calls: WebhookCalls,
    /// Where the programs may be.
    pub places: places::ProgramPlaces,
    /// The folder that the sandbox's own private folder is made in.
    pub temporary: PathBuf,
    /// The trueup binary, which also answers to the hidden verbs in [`keeper`].
    pub trueup: PathBuf,
}

/// The servers that the sandbox's API server may call, where an object says so: the webhooks of
/// admission and of conversion, and the servers of APIServices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookCalls {
    /// All that this machine reaches.
    Enabled,
    /// Not at all: what a commit names is not called, wherever it is.
    Disabled,
}

/// An event on the way to a running sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SandboxEvent {
    /// A place holds some of the programs, and others that are needed are missing there.
    Lacking {
        /// The place, in words.
        place: String,
        /// The programs that it does not hold.
        missing: Vec<&'static str>,
    },
    /// A program is on the search path only where it is not searched, in words.
    Skipped(String),
    /// Another process builds the same programs; this one waits for it.
    WaitingForBuild,
    /// The programs are being fetched and compiled.
    Building(build::BuildProgress),
    /// The programs were built.
    Built,
    /// A program is being started.
    Starting(&'static str),
    /// Everything answers.
    Ready {
        /// Where the programs are from, in words.
        programs: String,
    },
}

/// The receiver of the events.
pub type Listener<'a> = &'a mut (dyn FnMut(SandboxEvent) + Send);

/// A running control plane. Dropped, it is taken down and leaves nothing.
#[derive(Debug)]
pub struct Sandbox {
    keeper: Keeper,
    kubeconfig: PathBuf,
    bin_dir: PathBuf,
    audit_log: PathBuf,
    trueup: PathBuf,
}

impl Sandbox {
    /// Finds or builds the programs, starts them and waits until they answer.
    ///
    /// # Errors
    ///
    /// When the programs are missing and can't be built, or one of them does not start.
    pub async fn start(options: &SandboxOptions, events: Listener<'_>) -> Result<Self, Error> {
        let programs = programs::obtain(options, events).await?;
        let mut keeper = Keeper::start(&options.trueup, &options.temporary, "trueup-sandbox-")?;
        let server = control_plane::start(&programs, options.calls, &mut keeper, events).await?;
        if let Some(controllers) = &programs.controllers {
            control_plane::start_controllers(controllers, &server, &mut keeper, events).await?;
        }
        events(SandboxEvent::Ready { programs: programs.place.clone() });
        Ok(Self {
            kubeconfig: server.kubeconfig,
            bin_dir: bin_dir(&programs),
            audit_log: server.audit_log,
            trueup: options.trueup.clone(),
            keeper,
        })
    }

    /// The kubeconfig of a user who may do everything, readable by this user alone.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The folder that holds the sandbox's kubectl.
    pub fn bin_dir(&self) -> &Path {
        &self.bin_dir
    }

    /// The API server's audit log: one JSON event a line, for every request and every stage of it.
    pub fn audit_log(&self) -> &Path {
        &self.audit_log
    }

    /// Waits until one of the programs ends, which none does of its own accord.
    pub async fn ended(&mut self) -> Error {
        match self.keeper.ended().await {
            Ok(ended) => self.keeper.died(&ended),
            Err(error) => error,
        }
    }
}

fn bin_dir(programs: &Programs) -> PathBuf {
    programs.kubectl.parent().unwrap_or(Path::new("/")).to_owned()
}
