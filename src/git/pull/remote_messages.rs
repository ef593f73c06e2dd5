//! The remote's messages for people: over the side band, as an `ERR` line, in the body of an HTTP
//! error, on the stderr of ssh or of a local `git-upload-pack`. A failure shows the last of them.
//!
//! It is another's text, so it is bounded, and what we sent as secrets is taken out. The terminal is
//! guarded where errors are printed.

use std::io::{self, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::traffic::Traffic;
use crate::git::Cause;

/// How many lines are shown.
const LINES: usize = 16;
/// How many characters of each.
const WIDTH: usize = 300;
/// How long the end of a program's stderr may take after the end of its stdout.
const GRACE: Duration = Duration::from_secs(2);
/// The placeholder for a secret.
const HIDDEN: &str = "‹hidden›";

/// The remote's last words. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct RemoteMessages(Arc<MessageStore>);

#[derive(Debug, Default)]
struct MessageStore {
    state: Mutex<MessageState>,
    traffic: Traffic,
    closed: Condvar,
}

#[derive(Debug, Default)]
struct MessageState {
    lines: Vec<String>,
    secrets: Vec<String>,
    /// How many programs may still write to their stderr.
    open: usize,
}

impl RemoteMessages {
    /// Those of a remote whose bytes are counted.
    pub(super) fn counted(traffic: Traffic) -> Self {
        Self(Arc::new(MessageStore { traffic, ..MessageStore::default() }))
    }

    /// The count of the remote's bytes.
    pub(super) fn traffic(&self) -> &Traffic {
        &self.0.traffic
    }

    /// Hides a sent secret, should it come back.
    pub(super) fn hide(&self, secret: &str) {
        let mut state = self.state();
        if !secret.is_empty() && !state.secrets.iter().any(|known| known == secret) {
            state.secrets.push(secret.to_owned());
        }
    }

    /// Takes note of a text of one or more lines.
    pub(super) fn note(&self, text: &[u8]) {
        let text = String::from_utf8_lossy(text);
        let mut state = self.state();
        for line in
            text.split(['\n', '\r', '\0']).map(str::trim_end).filter(|line| says_something(line))
        {
            if state.lines.len() == LINES {
                state.lines.remove(0);
            }
            state.lines.push(line.chars().take(WIDTH).collect());
        }
    }

    /// Forgets what was said before the next request.
    pub(super) fn forget(&self) {
        self.state().lines.clear();
    }

    /// Takes note of what a program writes to `stderr`, in a thread of its own.
    pub(super) fn listen(&self, mut stderr: impl Read + Send + 'static) {
        self.state().open += 1;
        let words = self.clone();
        std::thread::spawn(move || {
            let mut rest = Vec::new();
            let mut part = [0; 1024];
            while let Ok(length @ 1..) = stderr.read(&mut part) {
                rest.extend_from_slice(&part[..length]);
                if let Some(end) = rest.iter().rposition(|byte| *byte == b'\n') {
                    words.note(&rest[..end]);
                    rest.drain(..=end);
                }
                rest.truncate(4 * WIDTH);
            }
            words.note(&rest);
            words.state().open -= 1;
            words.0.closed.notify_all();
        });
    }

    /// Waits until the programs have said all that they say.
    pub(super) fn wait(&self) {
        let is_open = |state: &mut MessageState| state.open > 0;
        let _ = self.0.closed.wait_timeout_while(self.state(), GRACE, is_open);
    }

    /// `cause`, and beneath it what the remote said that it does not say already.
    pub(super) fn explain(&self, cause: Cause) -> Cause {
        self.wait();
        let state = self.state();
        let mut lines = Vec::new();
        for line in &state.lines {
            let clean = state
                .secrets
                .iter()
                .fold(line.clone(), |text, secret| text.replace(secret.as_str(), HIDDEN));
            if !cause.mentions(&clean) {
                lines.push(clean);
            }
        }
        match lines.is_empty() {
            true => cause,
            false => cause.beneath(&format!("the remote says: {}", lines.join("\n"))),
        }
    }

    fn state(&self) -> MutexGuard<'_, MessageState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a line is more than a frame or progress.
fn says_something(line: &str) -> bool {
    let is_frame = line.chars().all(|c| c.is_whitespace() || c == '@' || c == '*');
    let is_progress =
        line.ends_with(", done.") || line.contains("% (") || line.starts_with("Total ");
    !is_frame && !is_progress
}

/// A stream of pkt-lines that is read by another; messages to people are noted as they pass.
pub(super) struct MessageTap {
    words: RemoteMessages,
    at: PktLineState,
}

/// Where in the stream we are.
enum PktLineState {
    /// In the four digits of a length.
    Length(Vec<u8>),
    /// In a line of which so much is left, and this much was kept.
    Line { left: usize, kept: Vec<u8> },
    /// No pkt-lines, or none any longer.
    Lost,
}

impl MessageTap {
    pub(super) fn new(words: RemoteMessages) -> Self {
        Self { words, at: PktLineState::Length(Vec::new()) }
    }

    /// Looks at the next bytes of the stream.
    pub(super) fn see(&mut self, mut data: &[u8]) {
        self.words.traffic().add_bytes(data.len());
        while !data.is_empty() {
            match &mut self.at {
                PktLineState::Lost => return,
                PktLineState::Length(digits) => {
                    digits.push(data[0]);
                    data = &data[1..];
                    if digits.len() == 4 {
                        self.at = after_length(digits);
                    }
                }
                PktLineState::Line { left, kept } => {
                    let (part, rest) = data.split_at(data.len().min(*left));
                    // Messages are kept, data is not.
                    if kept
                        .first()
                        .or(part.first())
                        .is_some_and(|first| matches!(first, 2 | 3 | b'E'))
                        && kept.len() < 4 * WIDTH
                    {
                        kept.extend_from_slice(part);
                    } else if kept.is_empty() {
                        kept.extend(part.first());
                    }
                    *left -= part.len();
                    data = rest;
                    if *left == 0 {
                        self.words.note(message(kept));
                        self.at = PktLineState::Length(Vec::new());
                    }
                }
            }
        }
    }
}

fn after_length(digits: &[u8]) -> PktLineState {
    let length =
        std::str::from_utf8(digits).ok().and_then(|text| usize::from_str_radix(text, 16).ok());
    match length {
        None => PktLineState::Lost,
        // Flush, delimiter, end of response, and an empty line.
        Some(0..=4) => PktLineState::Length(Vec::new()),
        Some(length) => PktLineState::Line { left: length - 4, kept: Vec::new() },
    }
}

/// The message for people in a line.
fn message(line: &[u8]) -> &[u8] {
    match line {
        [2 | 3, message @ ..] => message,
        line => line.strip_prefix(b"ERR ").unwrap_or_default(),
    }
}

/// A reader whose pkt-lines are looked at, and whose end is the end of a program.
pub(super) struct TappedStream<R> {
    inner: R,
    tap: MessageTap,
}

impl<R> TappedStream<R> {
    pub(super) fn new(inner: R, words: RemoteMessages) -> Self {
        Self { inner, tap: MessageTap::new(words) }
    }
}

impl<R: Read> Read for TappedStream<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        match length {
            0 if !buffer.is_empty() => self.tap.words.wait(),
            _ => self.tap.see(&buffer[..length]),
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages_of(stream: &[u8], size: usize) -> Vec<String> {
        let words = RemoteMessages::default();
        let mut tap = MessageTap::new(words.clone());
        stream.chunks(size).for_each(|part| tap.see(part));
        words.state().lines.clone()
    }

    #[test]
    fn messages_are_heard_however_the_stream_is_cut() {
        let stream =
            b"000dpackfile\n0012\x02token: 7 not\n000a\x01PACK\x020000000b\x03worse\n000cERR away";
        for size in [1, 2, 3, 7, 500] {
            assert_eq!(messages_of(stream, size), ["token: 7 not", "worse", "away"]);
        }
        assert_eq!(messages_of(b"PACK\x02nothing", 3), Vec::<String>::new());
    }

    #[test]
    fn progress_and_frames_say_nothing() {
        let words = RemoteMessages::default();
        words.note(
            b"Counting objects: 100% (5/5), done.\r@@@@@@@\nTotal 5 (delta 0)\nremote: no\n\n",
        );
        assert_eq!(words.state().lines, ["remote: no"]);
    }

    #[test]
    fn sent_credentials_are_hidden_in_remote_messages() {
        let words = RemoteMessages::default();
        words.hide("s3cret");
        words.note(b"the token s3cret has expired");
        let cause = words.explain(Cause::from(std::io::Error::other("status 403")));
        assert!(cause.mentions("the token ‹hidden› has expired") && !cause.mentions("s3cret"));
    }
}
