//! A terminal for a program to run on.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// A program on a terminal, and what it shows there.
pub struct Terminal {
    screen: File,
    child: Child,
    shown: Vec<u8>,
}

/// A terminal, whatever runs on it.
pub struct Screen(File);

impl Screen {
    /// Whether what is typed is shown.
    pub fn echoes(&self) -> bool {
        let modes = rustix::termios::tcgetattr(&self.0).unwrap().local_modes;
        modes.contains(rustix::termios::LocalModes::ECHO)
    }
}

impl Terminal {
    /// Runs a program whose stdin, stdout and stderr are a terminal.
    pub fn run(mut command: Command) -> Self {
        let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&screen).unwrap();
        unlockpt(&screen).unwrap();
        let name = ptsname(&screen, Vec::new()).unwrap().into_string().unwrap();
        let end = || File::options().read(true).write(true).open(&name).unwrap();
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        drop(command); // which has the other end, too
        Self { screen: File::from(screen), child, shown: Vec::new() }
    }

    /// Types a text.
    pub fn types(&mut self, text: &str) {
        self.screen.write_all(text.as_bytes()).unwrap();
    }

    /// Waits until it shows `text`.
    pub fn shows(&mut self, text: &str) {
        let mut part = [0; 4096];
        while !String::from_utf8_lossy(&self.shown).contains(text) {
            let length = self.screen.read(&mut part).unwrap_or(0);
            let shown = String::from_utf8_lossy(&self.shown).into_owned();
            assert!(length > 0, "it ended without {text:?}: {shown}");
            self.shown.extend_from_slice(&part[..length]);
        }
    }

    /// Whether what is typed is shown.
    pub fn echoes(&self) -> bool {
        self.screen().echoes()
    }

    /// The terminal itself, which outlives the program.
    pub fn screen(&self) -> Screen {
        Screen(self.screen.try_clone().unwrap())
    }

    /// Everything that was shown, and the exit status.
    pub fn ends(mut self) -> (String, Option<i32>) {
        let mut shown = std::mem::take(&mut self.shown);
        let mut part = [0; 4096];
        // Once nobody has the other end, reading fails.
        while let Ok(length @ 1..) = self.screen.read(&mut part) {
            shown.extend_from_slice(&part[..length]);
        }
        let status = self.child.wait().unwrap().code();
        (String::from_utf8_lossy(&shown).replace("\r\n", "\n"), status)
    }
}
