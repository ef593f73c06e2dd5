//! Why there is no sandbox, and what to do about it.

use std::io;
use std::path::PathBuf;

/// Why a sandbox could not be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No place holds the programs, and without Go they can't be built.
    #[error("this machine has no {}, and no Go to build them with", .0.join(", "))]
    NoGo(Vec<&'static str>),
    /// The build lacks programs.
    #[error("the cache holds no {}", .0.join(", "))]
    Missing(Vec<&'static str>),
    /// The build failed; the log's last lines say why.
    #[error("cannot build the control plane: `go {command}` failed ({how})\n{log}")]
    Build {
        /// Which of Go's commands.
        command: String,
        /// Its exit status, in words.
        how: String,
        /// The last lines that it said.
        log: String,
    },
    /// A program ended without a request.
    #[error("{name} ended ({how})\n{log}")]
    Died {
        /// Which program.
        name: String,
        /// Its exit status, in words.
        how: String,
        /// The last lines of its log.
        log: String,
    },
    /// Everything runs and yet does not answer.
    #[error("{what} is not ready after {seconds} seconds\n{log}")]
    NotReady {
        /// The awaited condition.
        what: String,
        /// How long.
        seconds: u64,
        /// The last lines of its log.
        log: String,
    },
    /// The API server refused what a sandbox needs at its start.
    #[error("the API server answers {status} to {request}")]
    Refused {
        /// The request's method and path.
        request: String,
        /// The answer.
        status: u16,
    },
    /// The keeper process can't be started, or is gone.
    #[error("the keeper process {0}")]
    Keeper(&'static str, #[source] Option<io::Error>),
    /// A file or folder of the sandbox.
    #[error("cannot {verb} {}", path.display())]
    File {
        /// The attempt.
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Keys and certificates.
    #[error("cannot make the sandbox's certificates")]
    Certificates(#[from] rcgen::Error),
    /// The client that asks whether the API server is ready.
    #[error("cannot set up TLS towards the API server")]
    Tls(#[from] rustls::Error),
    /// The request itself failed.
    #[error("cannot ask the API server")]
    Request(#[from] reqwest::Error),
    /// The user's command.
    #[error("cannot run the command")]
    Command(#[source] io::Error),
    /// The user's command is only where nothing is searched.
    #[error("{0}")]
    Skipped(String),
}

impl Error {
    /// The remedy.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoGo(_) => Some(
                "install Go 1.26 or newer, or provide the programs: let KUBEBUILDER_ASSETS name a \
                 folder that holds them, or run `setup-envtest use` (enough without \
                 --controllers), or put them on PATH"
                    .to_owned(),
            ),
            Self::Build { .. } => Some(
                "fix the error that Go reports (it needs the network and 5 GB of disk, once), or \
                 provide the programs: KUBEBUILDER_ASSETS, `setup-envtest use`, or PATH"
                    .to_owned(),
            ),
            Self::Skipped(_) => {
                Some("name the program by its path, or make its folder in PATH absolute".to_owned())
            }
            Self::Missing(_) => Some("remove trueup's cache folder and try again".to_owned()),
            _ => None,
        }
    }

    /// Names the file that something failed on.
    pub(super) fn file(
        verb: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { verb, path, source }
    }
}
