//! HTTP as gix speaks it, except that a list of refs ends: it is kept in memory, so a server could
//! fill all of it. The pack goes to the disk, and the watchdog counts it.

use std::any::Any;
use std::io::{self, BufRead, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gix::protocol::transport::client::blocking_io::http::{
    GetResponse, Http, PostBodyDataKind, PostResponse, reqwest::Remote,
};

/// A connection whose lists of refs have at most so many bytes.
pub(super) struct Metered {
    inner: Remote,
    refs: u64,
}

impl Metered {
    pub(super) fn new(refs: u64) -> Self {
        Self { inner: Remote::default(), refs }
    }
}

impl Http for Metered {
    type Headers = <Remote as Http>::Headers;
    type ResponseBody = Limited<<Remote as Http>::ResponseBody>;
    type PostBody = Watched<<Remote as Http>::PostBody>;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix::Result<GetResponse<Self::Headers, Self::ResponseBody>> {
        let GetResponse { headers, body } = self.inner.get(url, base_url, headers)?;
        let is_refs = Arc::new(AtomicBool::new(true));
        Ok(GetResponse { headers, body: Limited { inner: body, left: self.refs, is_refs } })
    }

    fn post(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        kind: PostBodyDataKind,
    ) -> gix::Result<PostResponse<Self::Headers, Self::ResponseBody, Self::PostBody>> {
        let PostResponse { post_body, headers, body } =
            self.inner.post(url, base_url, headers, kind)?;
        let is_refs = Arc::new(AtomicBool::new(false));
        Ok(PostResponse {
            post_body: Watched {
                inner: post_body,
                beginning: Vec::new(),
                is_refs: Arc::clone(&is_refs),
            },
            headers,
            body: Limited { inner: body, left: self.refs, is_refs },
        })
    }

    fn configure(&mut self, config: &dyn Any) -> gix::Result {
        self.inner.configure(config)
    }

    fn redirected_base_url(&self) -> Option<String> {
        self.inner.redirected_base_url()
    }
}

/// What is sent, watched for what it asks for.
pub(super) struct Watched<W> {
    inner: W,
    beginning: Vec<u8>,
    is_refs: Arc<AtomicBool>,
}

impl<W: Write> Write for Watched<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        /// The command is the first line: four digits, and this.
        const COMMAND: &[u8] = b"command=ls-refs";
        let written = self.inner.write(data)?;
        let missing = (COMMAND.len() + 4).saturating_sub(self.beginning.len());
        if missing > 0 {
            self.beginning.extend(data[..written].iter().take(missing));
            if self.beginning.ends_with(COMMAND) {
                self.is_refs.store(true, Ordering::Relaxed);
            }
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// What is received; as a list of refs it has an end.
pub(super) struct Limited<R> {
    inner: R,
    left: u64,
    is_refs: Arc<AtomicBool>,
}

impl<R: BufRead> BufRead for Limited<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let is_refs = self.is_refs.load(Ordering::Relaxed);
        let data = self.inner.fill_buf()?;
        if is_refs && self.left == 0 && !data.is_empty() {
            return Err(io::Error::other("the remote's list of refs is longer than is read"));
        }
        Ok(match is_refs {
            true => &data[..data.len().min(usize::try_from(self.left).unwrap_or(usize::MAX))],
            false => data,
        })
    }

    fn consume(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes as u64);
        self.inner.consume(bytes);
    }
}

impl<R: BufRead> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let data = self.fill_buf()?;
        let bytes = data.len().min(buffer.len());
        buffer[..bytes].copy_from_slice(&data[..bytes]);
        self.consume(bytes);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(length: usize, left: u64, is_refs: bool) -> io::Result<usize> {
        let is_refs = Arc::new(AtomicBool::new(is_refs));
        let mut all = Vec::new();
        Limited { inner: &vec![7; length][..], left, is_refs }.read_to_end(&mut all)
    }

    #[test]
    fn a_list_of_refs_ends_and_a_pack_does_not() {
        assert_eq!(read(1000, 1000, true).unwrap(), 1000);
        assert!(read(1001, 1000, true).is_err());
        assert_eq!(read(1001, 1000, false).unwrap(), 1001);
    }

    #[test]
    fn what_is_asked_for_is_known_however_it_is_cut() {
        for (body, wanted) in
            [("0014command=ls-refs\n0000", true), ("0012command=fetch\n0000", false)]
        {
            for size in [1, 3, 4, 100] {
                let is_refs = Arc::new(AtomicBool::new(false));
                let mut sent = Vec::new();
                let beginning = Vec::new();
                let mut watched =
                    Watched { inner: &mut sent, beginning, is_refs: Arc::clone(&is_refs) };
                body.as_bytes().chunks(size).for_each(|part| watched.write_all(part).unwrap());
                assert_eq!(sent, body.as_bytes());
                assert_eq!(is_refs.load(Ordering::Relaxed), wanted, "{body} by {size}");
            }
        }
    }
}
