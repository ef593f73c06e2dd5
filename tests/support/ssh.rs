//! A real sshd on the loopback, for one test, with keys of its own.

use std::fs;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::command::Cmd;

/// A running sshd that lets the current user in.
pub struct Sshd {
    folder: TempDir,
    port: u16,
    child: Child,
}

impl Sshd {
    /// Starts it.
    pub fn start() -> Self {
        let program = Path::new("/usr/sbin/sshd");
        assert!(program.exists(), "sshd is missing: apt-get install openssh-server openssh-client");
        let folder = tempfile::tempdir().unwrap();
        for key in ["host", "user"] {
            let path = folder.path().join(key);
            let made = Cmd::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .args([&path])
                .run();
            made.exits(0);
        }
        // Where it runs as root, sshd insists on a folder to lock its helpers in.
        let _ = fs::create_dir_all("/run/sshd");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let at = folder.path().display();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host\nPidFile none\n\
             AuthorizedKeysFile {at}/user.pub\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nAcceptEnv GIT_PROTOCOL\n"
        );
        fs::write(folder.path().join("config"), config).unwrap();
        let child = Command::new(program)
            .args(["-D", "-e", "-f"])
            .arg(folder.path().join("config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let host_key = fs::read_to_string(folder.path().join("host.pub")).unwrap();
        let known = format!("[127.0.0.1]:{port} {host_key}");
        fs::write(folder.path().join("known_hosts"), known).unwrap();
        let mut sshd = Self { folder, port, child };
        sshd.wait_until_it_greets();
        sshd
    }

    fn wait_until_it_greets(&mut self) {
        loop {
            let mut banner = [0; 4];
            let greeted = TcpStream::connect(("127.0.0.1", self.port))
                .and_then(|mut stream| stream.read_exact(&mut banner));
            if greeted.is_ok() && &banner == b"SSH-" {
                return;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                let log = fs::read_to_string(self.folder.path().join("log")).unwrap();
                panic!("sshd ended with {status}: {log}");
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The URL of a repository on this machine.
    pub fn url(&self, path: &Path) -> String {
        let user = Cmd::new("id").args(["-un"]).run().exits(0).stdout;
        format!("ssh://{}@127.0.0.1:{}{}", user.trim(), self.port, path.display())
    }

    /// An ssh command that knows the host and has the key.
    pub fn command(&self) -> String {
        self.command_with_key(&self.folder.path().join("user"))
    }

    /// An ssh command with some other key.
    pub fn command_with_key(&self, key: &Path) -> String {
        format!(
            "ssh -F /dev/null -o BatchMode=yes -o IdentitiesOnly=yes -o UserKnownHostsFile={} -i {}",
            self.folder.path().join("known_hosts").display(),
            key.display()
        )
    }

    /// A key that nobody lets in.
    pub fn stranger(&self) -> PathBuf {
        self.folder.path().join("host")
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
