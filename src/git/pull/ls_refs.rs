//! A remote that is asked: it lists the refs that were named, and no others, so that its answer is
//! as long as what is wanted, however many refs it has.

use gix::bstr::{BStr, BString, ByteSlice};
use gix::protocol::transport::client::blocking_io::Transport;
use gix::remote::fetch::{RefMap, Tags};
use gix::remote::{Connection, Direction, ref_map};

use super::PullError;
use super::transport::{self, TransportOptions};
use super::watchdog::ActivityCounter;

/// A remote, and how to talk to it.
pub(super) struct Line<'repo, 'a> {
    pub(super) remote: gix::Remote<'repo>,
    /// Its name in the configuration.
    pub(super) name: &'a str,
    pub(super) manner: &'a TransportOptions,
    pub(super) pulse: ActivityCounter,
}

/// A prepared fetch, and the remote's answer.
pub(super) type PreparedFetch<'remote, 'repo> =
    gix::remote::fetch::Prepare<'remote, 'repo, Box<dyn Transport + Send>>;

impl<'repo> Line<'repo, '_> {
    /// Asks for the refs of `specs` alone, about to fetch them.
    pub(super) fn prepare(
        &mut self,
        specs: &[BString],
    ) -> Result<PreparedFetch<'static, 'repo>, gix::Error> {
        let pulse = self.pulse.clone();
        self.connect(specs)?.prepare_fetch(pulse, ref_map::Options::default())
    }

    /// Lists the refs of `specs` alone.
    pub(super) fn list(&mut self, specs: &[BString]) -> Result<RefMap, gix::Error> {
        let pulse = self.pulse.clone();
        let listed = self.connect(specs)?.ref_map(pulse, ref_map::Options::default())?;
        Ok(listed.0)
    }

    fn connect(
        &mut self,
        specs: &[BString],
    ) -> Result<Connection<'_, 'static, 'repo, Box<dyn Transport + Send>>, gix::Error> {
        // Other configured refspecs would be listed as well.
        self.remote = self.remote.clone().with_fetch_tags(Tags::None);
        self.remote.replace_refspecs(specs, Direction::Fetch)?;
        self.manner.add_poll();
        let mut connection = self.remote.connect(Direction::Fetch)?;
        transport::prepare(&mut connection, Some(BStr::new(self.name)), self.manner, &self.pulse)?;
        Ok(connection)
    }

    /// The error when the remote has no such `branch`.
    pub(super) fn no_branch(&mut self, branch: &str, url: &str) -> Result<PullError, gix::Error> {
        let refs = self.list(&["refs/heads/*:refs/heads/*".into()])?;
        let url = url.to_owned();
        let branches = refs.remote_refs.iter().filter_map(|known| {
            let (name, _, _) = known.unpack();
            name.strip_prefix(b"refs/heads/").map(|name| name.to_str_lossy().into_owned())
        });
        let mut others: Vec<String> = branches.collect();
        if others.is_empty() {
            return Ok(PullError::EmptyRemote { url });
        }
        let near = crate::core::suggest::suggest(branch, others.iter().cloned());
        if !near.is_empty() {
            others = near;
        }
        others.truncate(5);
        Ok(PullError::BranchGone { branch: branch.to_owned(), url, others })
    }
}
