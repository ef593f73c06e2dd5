//! Tells systemd how a service is: sd_notify(3), which is one datagram for each message.
//!
//! A service manager that does not listen is no fault of the service: nothing waits for it.

use std::ffi::OsString;

/// The way to the service manager.
#[derive(Clone, Debug, Default)]
pub struct Notifier {
    /// The socket; `None` where there is no service manager.
    socket: Option<OsString>,
}

impl Notifier {
    /// The service manager that listens at `socket`; a leading `@` stands for an abstract one.
    pub fn new(socket: Option<OsString>) -> Self {
        Self { socket: socket.filter(|socket| !socket.is_empty()) }
    }

    /// The service is ready.
    pub fn ready(&self) {
        self.send("READY=1");
    }

    /// The service ends.
    pub fn stopping(&self) {
        self.send("STOPPING=1");
    }

    /// The service is alive.
    pub fn alive(&self) {
        self.send("WATCHDOG=1");
    }

    /// The state of the service in words, for `systemctl status`.
    pub fn status(&self, text: &str) {
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.send(&format!("STATUS={text}"));
    }

    #[cfg(unix)]
    fn send(&self, message: &str) {
        let Some(socket) = &self.socket else { return };
        let _ = send(socket, message.as_bytes());
    }

    #[cfg(not(unix))]
    fn send(&self, _: &str) {}
}

#[cfg(unix)]
fn send(socket: &std::ffi::OsStr, message: &[u8]) -> std::io::Result<()> {
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::net::UnixDatagram;
    let sender = UnixDatagram::unbound()?;
    sender.set_nonblocking(true)?;
    #[cfg(target_os = "linux")]
    if let Some(name) = socket.as_bytes().strip_prefix(b"@") {
        use std::os::linux::net::SocketAddrExt as _;
        let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
        return sender.send_to_addr(message, &address).map(drop);
    }
    sender.send_to(message, socket).map(drop)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::*;

    #[test]
    fn each_message_is_one_datagram() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        let notifier = Notifier::new(Some(path.into()));
        let heard = || {
            let mut buffer = [0; 100];
            let length = manager.recv(&mut buffer).unwrap();
            String::from_utf8_lossy(&buffer[..length]).into_owned()
        };
        notifier.ready();
        assert_eq!(heard(), "READY=1");
        notifier.status("one\ntwo");
        assert_eq!(heard(), "STATUS=one two");
        notifier.alive();
        assert_eq!(heard(), "WATCHDOG=1");
        // No manager, and one that is gone.
        Notifier::new(Some(OsString::new())).ready();
        drop(manager);
        notifier.stopping();
    }
}
