//! The requests that an API server received, as its audit log has them. The log of a whole run has
//! some hundred thousand, so each is read once and little of it is kept.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;

/// One request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    stage: String,
    pub verb: String,
    #[serde(rename = "requestURI")]
    pub uri: String,
    #[serde(default)]
    user_agent: String,
    #[serde(default, rename = "objectRef")]
    object: ObjectRef,
    #[serde(default)]
    impersonated_user: User,
    #[serde(default)]
    response_status: Status,
}

/// Who sent a request.
#[derive(Debug, Default, Deserialize)]
struct User {
    username: String,
}

/// How a request was answered.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    code: u16,
}

/// What a request is about; empty where it does not say.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ObjectRef {
    resource: String,
    namespace: String,
    name: String,
}

impl Request {
    /// Plural and in lower case, as in a URL.
    pub fn resource(&self) -> &str {
        &self.object.resource
    }

    /// The namespace of its object; the empty string where it has none.
    pub fn namespace(&self) -> &str {
        &self.object.namespace
    }

    /// The name of its object; the empty string where it is about many.
    pub fn name(&self) -> &str {
        &self.object.name
    }

    /// The user that the sender says to be, with `--as`.
    pub fn impersonated(&self) -> &str {
        &self.impersonated_user.username
    }

    /// Whether trueup sent it.
    pub fn is_ours(&self) -> bool {
        self.user_agent.starts_with("trueup/")
    }

    /// Whether nothing comes of it.
    pub fn is_dry_run(&self) -> bool {
        self.uri.contains("dryRun=All")
    }

    /// Whether it writes anything but the record of a round.
    pub fn is_write(&self) -> bool {
        let is_write = matches!(&*self.verb, "create" | "update" | "patch" | "delete");
        is_write && !self.is_dry_run() && !self.is_of_record()
    }

    /// Whether it is about the record of a round: the history, an Event, or who ran it. trueup creates
    /// no other ConfigMap, since it applies them.
    pub fn is_of_record(&self) -> bool {
        let is_history = self.resource() == "configmaps"
            && (self.verb == "create" || self.name().ends_with(".history"));
        self.is_ours()
            && (is_history || ["events", "selfsubjectreviews"].contains(&self.resource()))
    }
}

/// The audit log of one API server.
pub struct AuditLog {
    path: PathBuf,
    read: Mutex<Read>,
}

/// What has been read of it.
#[derive(Default)]
struct Read {
    /// In bytes, to the end of a line.
    length: u64,
    requests: Vec<Arc<Request>>,
}

impl AuditLog {
    pub fn new(path: PathBuf) -> Self {
        Self { path, read: Mutex::default() }
    }

    /// Every request that the API server received, oldest first. The server writes it down before
    /// it answers: what was answered is here.
    pub fn requests(&self) -> Vec<Arc<Request>> {
        self.requests_after(0)
    }

    /// The requests but for the first `count`.
    pub fn requests_after(&self, count: usize) -> Vec<Arc<Request>> {
        self.up_to_date(|requests| requests[count..].to_vec())
    }

    /// How many requests there were.
    pub fn count(&self) -> usize {
        self.up_to_date(<[_]>::len)
    }

    /// How many of the requests are wanted.
    pub fn count_of(&self, is_wanted: impl Fn(&Request) -> bool) -> usize {
        self.up_to_date(|requests| requests.iter().filter(|request| is_wanted(request)).count())
    }

    /// The requests about a namespace that succeeded, in the order in which they ended.
    pub fn successes(&self, namespace: &str) -> Vec<Request> {
        let log = BufReader::new(File::open(&self.path).unwrap());
        // Most lines are about others, and need no reading.
        let here = format!("\"namespace\":\"{namespace}\"");
        let lines = log.lines().map_while(Result::ok).filter(|line| line.contains(&here));
        let requests = lines.filter_map(|line| serde_json::from_str::<Request>(&line).ok());
        let is_success = |it: &Request| {
            it.stage == "ResponseComplete" && (200..300).contains(&it.response_status.code)
        };
        requests.filter(|it| it.namespace() == namespace && is_success(it)).collect()
    }

    fn up_to_date<T>(&self, look: impl FnOnce(&[Arc<Request>]) -> T) -> T {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let mut log = BufReader::new(File::open(&self.path).unwrap());
        log.seek(SeekFrom::Start(read.length)).unwrap();
        let mut line = Vec::new();
        // A line that is still being written is read the next time.
        while log.read_until(b'\n', &mut line).unwrap() > 0 && line.ends_with(b"\n") {
            let request: Request = serde_json::from_slice(&line).unwrap();
            if request.stage == "RequestReceived" {
                read.requests.push(Arc::new(request));
            }
            read.length += line.len() as u64;
            line.clear();
        }
        look(&read.requests)
    }
}
