//! A remote that a program speaks for: ssh, or `git-upload-pack` for a folder of this machine. What
//! it writes to its stderr is kept, where gix shows it to the terminal as it comes, or drops it.

use std::any::Any;
use std::borrow::Cow;
use std::ffi::OsString;
use std::io;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use gix::bstr::{BStr, BString, ByteSlice};
use gix::command::Prepare;
use gix::protocol::transport::client::blocking_io::ssh::ProgramKind;
use gix::protocol::transport::client::blocking_io::{RequestWriter, SetServiceResponse, Transport};
use gix::protocol::transport::client::git::{ConnectMode, blocking_io::Connection};
use gix::protocol::transport::client::{Error, MessageKind, TransportWithoutIO, WriteMode};
use gix::protocol::transport::{Protocol, Service};

use super::remote_messages::{RemoteMessages, TappedStream};

/// Variables that belong to our repository and not to the remote's, as in git.
const OURS: [&str; 16] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
    "GIT_OBJECT_DIRECTORY",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_REPLACE_REF_BASE",
    "GIT_PREFIX",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_COMMON_DIR",
];

/// How to start the program.
pub(super) struct TransportProgram {
    pub(super) url: gix::Url,
    pub(super) version: Protocol,
    /// `remote.<name>.uploadpack`, where it is set.
    pub(super) upload_pack: Option<String>,
    /// How ssh is called, for a remote that is reached with it.
    pub(super) ssh: Option<Ssh>,
}

/// The command that is run for ssh.
pub(super) struct Ssh {
    pub(super) command: OsString,
    pub(super) may_be_script: bool,
    pub(super) kind: Option<ProgramKind>,
}

/// A connection that starts with its program.
pub(super) struct Spawned {
    program: TransportProgram,
    url: BString,
    words: RemoteMessages,
    connection: Option<Connection<TappedStream<ChildStdout>, ChildStdin>>,
    child: Option<Child>,
}

impl Spawned {
    pub(super) fn new(program: TransportProgram, words: RemoteMessages) -> Self {
        let url = program.url.to_bstring();
        Self { program, url, words, connection: None, child: None }
    }
}

impl TransportProgram {
    fn start(&self) -> io::Result<Child> {
        match (&self.ssh, &self.upload_pack) {
            (Some(ssh), _) => spawn(self.over(ssh)?),
            (None, Some(program)) => {
                let prepare = gix::command::prepare(program).command_may_be_shell_script();
                spawn(self.with_version(prepare.arg(self.url.path.to_os_str_lossy())))
            }
            (None, None) => {
                let path = self.url.path.to_os_str_lossy();
                let prepare = gix::command::prepare("git-upload-pack").arg(&path);
                match spawn(self.with_version(prepare)) {
                    // It may be where git alone finds it.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {
                        let git = gix::command::prepare("git").arg("upload-pack").arg(&path);
                        spawn(self.with_version(git))
                    }
                    started => started,
                }
            }
        }
    }

    /// The whole call of ssh.
    fn over(&self, ssh: &Ssh) -> io::Result<Prepare> {
        let (host, user) = (self.url.host().unwrap_or_default(), self.url.user());
        let kind = match ssh.kind {
            Some(kind) => kind,
            None => ssh.kind_of(host),
        };
        let mut prepare = ssh.prepare();
        let port = self.url.port.map(|port| port.to_string());
        match (kind, port) {
            (ProgramKind::Ssh, port) => {
                if self.version != Protocol::V1 {
                    prepare = prepare.args(["-o", "SendEnv=GIT_PROTOCOL"]);
                }
                prepare = prepare.args(port.map(|port| format!("-p{port}")));
            }
            (ProgramKind::Plink | ProgramKind::Putty | ProgramKind::TortoisePlink, port) => {
                if kind == ProgramKind::TortoisePlink {
                    prepare = prepare.arg("-batch");
                }
                prepare = prepare.args(port.into_iter().flat_map(|port| ["-P".to_owned(), port]));
            }
            (ProgramKind::Simple, Some(_)) => {
                let why = "this variant of ssh takes no port: say which it is with ssh.variant";
                return Err(io::Error::other(why));
            }
            (ProgramKind::Simple, None) => {}
        }
        let place = user.map_or_else(|| host.to_owned(), |user| format!("{user}@{host}"));
        let path = gix::url::expand_path::for_shell(self.url.path.clone());
        let program = self.upload_pack.as_deref().unwrap_or("git-upload-pack");
        let command = format!("{program} {}", gix::quote::single(path.as_ref()));
        // In a language that hints are looked up in.
        let prepare = prepare.arg(place).arg(command).env("LANG", "C").env("LC_ALL", "C");
        Ok(self.with_version(prepare))
    }

    fn with_version(&self, prepare: Prepare) -> Prepare {
        match self.version {
            Protocol::V1 => prepare,
            version => prepare.env("GIT_PROTOCOL", format!("version={}", version as usize)),
        }
    }
}

impl Ssh {
    fn prepare(&self) -> Prepare {
        let mut prepare = gix::command::prepare(&self.command).command_may_be_shell_script();
        if !self.may_be_script {
            prepare.use_shell = false;
        }
        prepare
    }

    /// The kind by its name, or else by whether it takes an option of OpenSSH's.
    fn kind_of(&self, host: &str) -> ProgramKind {
        let command = self.command.to_string_lossy();
        let name = if self.may_be_script { command.split(' ').next() } else { Some(&*command) };
        match ProgramKind::from(std::ffi::OsStr::new(name.unwrap_or_default())) {
            ProgramKind::Simple => {
                let command = Command::try_from(self.prepare().arg("-G").arg(host));
                let quiet = command.map(|mut command| {
                    command
                        .stdin(Stdio::null())
                        .stdout(Stdio::null())
                        .stderr(Stdio::null())
                        .status()
                });
                match quiet {
                    Ok(Ok(status)) if status.success() => ProgramKind::Ssh,
                    _ => ProgramKind::Simple,
                }
            }
            kind => kind,
        }
    }
}

fn spawn(prepare: Prepare) -> io::Result<Child> {
    let mut command = Command::try_from(prepare).map_err(io::Error::other)?;
    for name in OURS {
        command.env_remove(name);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
}

impl TransportWithoutIO for Spawned {
    fn to_url(&self) -> Cow<'_, BStr> {
        Cow::Borrowed(self.url.as_ref())
    }

    fn connection_persists_across_multiple_requests(&self) -> bool {
        true
    }

    fn configure(&mut self, _config: &dyn Any) -> gix::Result {
        Ok(())
    }
}

impl Transport for Spawned {
    fn handshake<'a>(
        &mut self,
        service: Service,
        extra_parameters: &'a [(&'a str, Option<&'a str>)],
    ) -> Result<SetServiceResponse<'_>, Error> {
        let mut child = self.program.start().map_err(|source| {
            let command = match &self.program.ssh {
                Some(ssh) => ssh.command.clone(),
                None => self.program.upload_pack.as_deref().unwrap_or("git-upload-pack").into(),
            };
            Error::InvokeProgram { source, command }
        })?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        if let Some(stderr) = child.stderr.take() {
            self.words.listen(stderr);
        }
        self.child = Some(child);
        let (Some(stdin), Some(stdout)) = (stdin, stdout) else {
            return Err(Error::Io(io::ErrorKind::BrokenPipe.into()));
        };
        let connection = Connection::new(
            TappedStream::new(stdout, self.words.clone()),
            stdin,
            self.program.version,
            self.program.url.path.clone(),
            None::<(&str, Option<u16>)>,
            ConnectMode::Process,
            false,
        );
        self.connection.insert(connection).handshake(service, extra_parameters)
    }

    fn request(
        &mut self,
        write_mode: WriteMode,
        on_into_read: MessageKind,
        trace: bool,
    ) -> Result<RequestWriter<'_>, Error> {
        let connection = self.connection.as_mut().ok_or(Error::MissingHandshake)?;
        connection.request(write_mode, on_into_read, trace)
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may wait for more from us.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
