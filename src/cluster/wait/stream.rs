//! One watch request: a line for each change, until the server ends it or something else does.

use std::fmt;
use std::time::Duration;

use http_body_util::BodyExt as _;
use kube::client::Body;
use tokio::sync::mpsc::Sender;

use super::News;
use crate::cluster::api_request::{ApiRequest, object, refusal};
use crate::cluster::limits::display_bytes;
use crate::cluster::path::{collection, query_escape};
use crate::cluster::{ApiError, Cluster};
use crate::core::json::Value;
use crate::core::kinds::catalog::Served;
use crate::core::object::Object;

/// After how many seconds the server is asked to end a watch: sooner than the connection counts as
/// dead for its silence.
const SECONDS: u32 = 45;
/// How long a watch may bring nothing: longer than it lasts.
const SILENCE: Duration = Duration::from_secs(60);
/// The pause before a watch is begun again, so that one that ends at once does not spin.
const PAUSE: Duration = Duration::from_millis(250);

/// Which objects of a kind are watched. As text it is a parameter of the query.
#[derive(Clone, Copy, Debug)]
pub(in crate::cluster) enum Selector<'a> {
    /// Those that a label selector picks.
    Label(&'a str),
    /// The one with this name.
    Name(&'a str),
}

impl fmt::Display for Selector<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(selector) => write!(f, "labelSelector={}", query_escape(selector)),
            Self::Name(name) => {
                write!(f, "fieldSelector={}", query_escape(&format!("metadata.name={name}")))
            }
        }
    }
}

/// Why a watch ended.
pub(in crate::cluster) enum WatchEnd {
    /// It came to its end, and can go on from here.
    At(String),
    /// It is too far behind to go on.
    Behind,
    /// The user lacks the right.
    Forbidden(ApiError),
    /// Something else.
    Lost(String),
}

/// How a watch is asked for, and for how long it may be silent.
#[derive(Clone, Copy, Debug)]
pub(in crate::cluster) struct WatchForm {
    /// The media type to ask for instead of plain JSON.
    pub(in crate::cluster) accept: Option<&'static str>,
    /// After how many seconds the server is asked to end it.
    pub(in crate::cluster) seconds: u32,
    /// How long it may bring nothing.
    pub(in crate::cluster) silence: Duration,
}

/// A watch that the server has begun.
pub(in crate::cluster) struct OpenWatch {
    body: Body,
    silence: Duration,
    version: String,
}

impl Cluster {
    /// Watches the objects of a kind that `selector` picks, from a version on.
    pub(super) async fn watch(
        &self,
        served: &Served,
        namespace: Option<&str>,
        selector: Selector<'_>,
        version: String,
        tell: &Sender<News>,
    ) -> WatchEnd {
        let form = WatchForm { accept: None, seconds: SECONDS, silence: SILENCE };
        let path = format!("{}?{selector}", collection(served, namespace));
        let news = |object: Object, is_gone| match is_gone {
            true => Some(News::Gone(object.key())),
            false => Some(News::Seen(object)),
        };
        match self.open_watch(&path, form, version).await {
            Ok(open) => self.read_watch(open, tell, news).await,
            Err(end) => end,
        }
    }

    /// Begins a watch of what `path`, which has a query, lists from a version on.
    pub(in crate::cluster) async fn open_watch(
        &self,
        path: &str,
        form: WatchForm,
        version: String,
    ) -> Result<OpenWatch, WatchEnd> {
        let WatchForm { accept, seconds, silence } = form;
        let path = format!(
            "{path}&watch=1&allowWatchBookmarks=true&timeoutSeconds={seconds}&resourceVersion={}",
            query_escape(&version),
        );
        let call = ApiRequest { accept, ..ApiRequest::get(path) };
        let answer = match self.send(&call).await {
            Ok(answer) => answer,
            Err(ApiError::Unreachable { cause, .. }) => return Err(WatchEnd::Lost(cause)),
            Err(error) => return Err(WatchEnd::Lost(error.to_string())),
        };
        let (head, body) = answer.into_parts();
        if head.status.is_success() {
            return Ok(OpenWatch { body, silence, version });
        }
        let bytes = self.connection.limits.beginning(body, self.connection.limits.error).await;
        let bytes = bytes.map(|(bytes, _)| bytes).unwrap_or_default();
        let parsed: Option<Value> = serde_json::from_slice(&bytes).ok();
        let error = refusal(head.status, parsed.as_ref(), &bytes);
        Err(match head.status.as_u16() {
            410 => WatchEnd::Behind,
            403 | 405 => WatchEnd::Forbidden(error),
            _ => WatchEnd::Lost(error.to_string()),
        })
    }

    /// Reads a watch to its end, and sends what `news` makes of each object and whether that is gone.
    pub(in crate::cluster) async fn read_watch<T>(
        &self,
        open: OpenWatch,
        tell: &Sender<T>,
        news: impl Fn(Object, bool) -> Option<T>,
    ) -> WatchEnd {
        let OpenWatch { mut body, silence, mut version } = open;
        let mut lines = Lines::default();
        // A body that breaks off is a watch that was cut: it goes on from the last line. So is one that
        // the server should have ended long ago.
        while let Ok(Some(Ok(frame))) = tokio::time::timeout(silence, body.frame()).await {
            let Ok(bytes) = frame.into_data() else { continue };
            for line in lines.feed(&bytes) {
                let Some(change) = WatchLine::read(&line) else {
                    return WatchEnd::Lost("a line of the watch is not JSON".to_owned());
                };
                match change {
                    WatchLine::Behind => return WatchEnd::Behind,
                    WatchLine::Error(why) => return WatchEnd::Lost(why),
                    WatchLine::Seen(object, is_gone) => {
                        version = object.resource_version().unwrap_or(&version).to_owned();
                        if let Some(news) = news(object, is_gone) {
                            // The receiver is gone once waiting has ended.
                            let _ = tell.send(news).await;
                        }
                    }
                    WatchLine::Bookmark(at) => version = at,
                }
            }
            if lines.rest.len() > self.connection.limits.line {
                let limit = display_bytes(self.connection.limits.line);
                return WatchEnd::Lost(format!("a line of the watch has more than {limit}"));
            }
        }
        tokio::time::sleep(PAUSE).await;
        WatchEnd::At(version)
    }
}

/// A line of a watch.
#[derive(Debug, PartialEq)]
enum WatchLine {
    Seen(Object, bool),
    Bookmark(String),
    /// The version that the watch began from is forgotten.
    Behind,
    Error(String),
}

impl WatchLine {
    fn read(line: &[u8]) -> Option<Self> {
        let mut event: Value = serde_json::from_slice(line).ok()?;
        let about = event.get_mut("object")?.take();
        Some(match event.get("type")?.as_str()? {
            "ADDED" | "MODIFIED" => Self::Seen(object(about), false),
            "DELETED" => Self::Seen(object(about), true),
            "BOOKMARK" => Self::Bookmark(object(about).resource_version()?.to_owned()),
            _ if about.get("code") == Some(&410.into()) => Self::Behind,
            _ => {
                let message = about.get("message").and_then(Value::as_str);
                Self::Error(message.unwrap_or("the server ended it").to_owned())
            }
        })
    }
}

/// Cuts a stream of bytes into lines.
#[derive(Default)]
struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// The lines that `bytes` complete.
    fn feed(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        self.rest.extend_from_slice(bytes);
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else {
            return Vec::new();
        };
        let rest = self.rest.split_off(end + 1);
        let whole = std::mem::replace(&mut self.rest, rest);
        let lines = whole.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(<[u8]>::to_vec).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watch_lines_are_joined_across_chunks() {
        let text = b"{\"a\":1}\n{\"b\":2}\n\n{\"c\":3}";
        for size in 1..=text.len() {
            let mut lines = Lines::default();
            let found: Vec<_> = text.chunks(size).flat_map(|part| lines.feed(part)).collect();
            assert_eq!(found, [b"{\"a\":1}".to_vec(), b"{\"b\":2}".to_vec()], "{size}");
            assert_eq!(lines.feed(b"\n"), [b"{\"c\":3}".to_vec()], "{size}");
        }
    }

    #[test]
    fn every_line_of_a_watch_is_known() {
        let read = |line: &str| WatchLine::read(line.as_bytes());
        let pod = r#"{"kind":"Pod","metadata":{"name":"a","resourceVersion":"7"}}"#;
        for (kind, gone) in [("ADDED", false), ("MODIFIED", false), ("DELETED", true)] {
            let line = format!(r#"{{"type":"{kind}","object":{pod}}}"#);
            let Some(WatchLine::Seen(object, is_gone)) = read(&line) else { panic!("{line}") };
            assert_eq!((object.name(), is_gone), ("a", gone));
        }
        let bookmark = format!(r#"{{"type":"BOOKMARK","object":{pod}}}"#);
        assert_eq!(read(&bookmark), Some(WatchLine::Bookmark("7".to_owned())));
        let error = |code: u16| {
            read(&format!(r#"{{"type":"ERROR","object":{{"code":{code},"message":"no"}}}}"#))
        };
        assert_eq!(error(410), Some(WatchLine::Behind));
        assert_eq!(error(500), Some(WatchLine::Error("no".to_owned())));
        assert_eq!(read("{"), None);
    }
}
