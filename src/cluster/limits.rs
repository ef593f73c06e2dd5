//! How much of a server's answers is taken in: every answer, every line of a watch and every list
//! has an end, whether or not the server comes to one.
//!
//! A larger answer is an error that names the request and the limit. Whatever it would have brought
//! is unknown, and not absent. Sizes are those after decompression.

use std::io::ErrorKind::TimedOut;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use kube::client::Body;

use super::authentication::of_client;

/// How much is taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseLimits {
    /// Bytes of one answer; a page of a list that is larger is asked for again with fewer objects.
    pub answer: usize,
    /// Bytes of an answer that is an error; the rest is not read.
    pub error: usize,
    /// Bytes of one line of a watch, which is one object.
    pub line: usize,
    /// How many pages a list has.
    pub pages: usize,
    /// Bytes of all lists that are held at the same time.
    pub lists: usize,
    /// How many groups, kinds or namespaces are asked about one by one.
    pub questions: usize,
    /// How many bytes come in a second at least, once an answer has taken [`Self::patience`].
    pub rate: u64,
    /// How long an answer may come as slowly as it likes.
    pub patience: Duration,
    /// How long the next bytes of an answer may take; `None` for ever. A connection that carries other
    /// answers meanwhile is not silent, so that no timeout of its own notices.
    pub silence: Option<Duration>,
}

impl Default for ResponseLimits {
    /// An object has 1.5 MiB at most in etcd, and a little more in JSON.
    fn default() -> Self {
        Self {
            answer: 32 << 20,
            error: 1 << 20,
            line: 16 << 20,
            pages: 2000,
            lists: 256 << 20,
            questions: 5000,
            rate: 1 << 10,
            patience: Duration::from_secs(120),
            silence: Some(Duration::from_secs(60)),
        }
    }
}

/// Why an answer was not taken in.
#[derive(Debug)]
pub(super) enum ResponseError {
    /// It broke off.
    Broken(Box<dyn std::error::Error + Send + Sync>),
    /// It is too large.
    Large,
    /// It comes too slowly ever to end.
    Slow,
}

impl ResponseLimits {
    /// An answer's body, if it has no more than `most` bytes.
    pub(super) async fn whole(&self, body: Body, most: usize) -> Result<Bytes, ResponseError> {
        match self.beginning(body, most).await? {
            (bytes, true) => Ok(bytes),
            (_, false) => Err(ResponseError::Large),
        }
    }

    /// The first `most` bytes of an answer's body, and whether that is all of it.
    pub(super) async fn beginning(
        &self,
        mut body: Body,
        most: usize,
    ) -> Result<(Bytes, bool), ResponseError> {
        let (mut bytes, begin) = (BytesMut::new(), Instant::now());
        while let Some(frame) = self.in_time(body.frame()).await? {
            let frame = frame.map_err(|error| ResponseError::Broken(of_client(error)))?;
            let Ok(data) = frame.into_data() else { continue };
            let left = most - bytes.len();
            if data.len() > left {
                bytes.extend_from_slice(&data[..left]);
                return Ok((bytes.freeze(), false));
            }
            bytes.extend_from_slice(&data);
            if self.is_slow(begin.elapsed(), bytes.len()) {
                return Err(ResponseError::Slow);
            }
        }
        Ok((bytes.freeze(), true))
    }

    /// The next bytes, unless they take too long.
    async fn in_time<T>(&self, next: impl Future<Output = T>) -> Result<T, ResponseError> {
        let Some(silence) = self.silence else { return Ok(next.await) };
        let silent = |_| ResponseError::Broken(std::io::Error::from(TimedOut).into());
        tokio::time::timeout(silence, next).await.map_err(silent)
    }

    /// Whether so many bytes are too few after such a time.
    fn is_slow(&self, elapsed: Duration, bytes: usize) -> bool {
        let expected = elapsed.saturating_sub(self.patience).as_secs().saturating_mul(self.rate);
        u64::try_from(bytes).is_ok_and(|bytes| bytes < expected)
    }
}

/// A number of bytes, as a person says it.
pub(super) fn display_bytes(bytes: usize) -> String {
    match bytes {
        _ if bytes >= 1 << 20 => format!("{} MiB", bytes >> 20),
        _ if bytes >= 1 << 10 => format!("{} KiB", bytes >> 10),
        _ => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests;
