//! Follows the metadata of an inventory's objects for as long as a watch of the repository runs: one list,
//! and then one request that the server keeps open.
//!
//! It ends where the user lacks the right or the way to the server is lost; when to begin it again is
//! decided in [`crate::app::watch`], and what counts as a touch in [`crate::core::touched`].

use std::time::Duration;

use tokio::sync::mpsc::Sender;

use super::observe::typed;
use super::path::collection;
use super::wait::{Selector, WatchEnd, WatchForm};
use super::{Access, ApiError, Cluster, ConnectError};
use crate::core::kinds::catalog::Served;
use crate::core::touched::ObjectMark;
use crate::local::jitter::jittered;

/// A watch of metadata alone.
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
/// About how long the server keeps a watch open. client-go asks for five to ten minutes.
const LIFE: Duration = Duration::from_secs(450);
/// By how much it may be shorter or longer, so that not all watches end at once.
const JITTER: f64 = 0.3;
/// How long a connection may be silent: longer than a watch lives.
const SILENCE: Duration = Duration::from_secs(600);
/// How long a list, or the beginning of a watch, may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Objects of one kind whose label names their inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TouchScope {
    /// The kind.
    pub served: Served,
    /// The namespace; `None` for the whole cluster.
    pub namespace: Option<String>,
    /// The label.
    pub label: &'static str,
    /// The selector of that label.
    pub selector: String,
}

/// An event of a scope.
#[derive(Debug)]
pub enum TouchEvent {
    /// All objects that there are.
    Listed(Vec<ObjectMark>),
    /// From here on no change is missed.
    Up,
    /// An object was made or changed.
    Seen(ObjectMark),
    /// An object is gone, or has the label no longer.
    Gone(ObjectMark),
}

/// Why a scope is not followed any further.
#[derive(Debug)]
pub enum TouchEnd {
    /// The user lacks the right, or the kind can't be watched.
    Forbidden(String),
    /// Anything else.
    Lost(String),
}

impl Cluster {
    /// A connection for watches, which may be silent for long. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// When there is no kubeconfig, or it can't be used.
    pub fn for_watches(access: &Access) -> Result<Self, ConnectError> {
        Self::prepared(&Access { request_timeout: Some(SILENCE), ..access.clone() })
    }

    /// Follows a scope: from a version where one is `known`, else with a list first. Afterwards it says
    /// from where to go on.
    pub async fn touches(
        &self,
        scope: &TouchScope,
        known: &mut Option<String>,
        tell: &Sender<TouchEvent>,
    ) -> TouchEnd {
        let TouchScope { served, namespace, label, selector } = scope;
        let namespace = namespace.as_deref();
        let path = collection(served, namespace);
        let path = format!("{path}?{}", Selector::Label(selector));
        let event = |object, is_gone| {
            // One without an identity is none of the server's.
            let mark = ObjectMark::of(&object, label)?;
            Some(if is_gone { TouchEvent::Gone(mark) } else { TouchEvent::Seen(mark) })
        };
        let mut has_listed = false;
        loop {
            let version = match known.take() {
                Some(version) => version,
                // A version that is forgotten at once would be listed again and again.
                None if has_listed => {
                    return TouchEnd::Lost("the server forgets what it listed".to_owned());
                }
                None => match self.marks(scope).await {
                    Ok((marks, version)) => {
                        has_listed = true;
                        let _ = tell.send(TouchEvent::Listed(marks)).await;
                        version
                    }
                    Err(end) => return end,
                },
            };
            let seconds = u32::try_from(jittered(LIFE, JITTER).as_secs()).unwrap_or(300);
            let form = WatchForm { accept: Some(METADATA), seconds, silence: SILENCE };
            let opening = self.open_watch(&path, form, version.clone());
            let end = match tokio::time::timeout(PATIENCE, opening).await {
                Err(_) => WatchEnd::Lost("the server does not answer".to_owned()),
                Ok(Err(end)) => end,
                Ok(Ok(open)) => {
                    let _ = tell.send(TouchEvent::Up).await;
                    self.read_watch(open, tell, event).await
                }
            };
            match end {
                WatchEnd::At(version) => {
                    *known = Some(version);
                    has_listed = false;
                }
                WatchEnd::Behind => {}
                WatchEnd::Forbidden(error) => return TouchEnd::Forbidden(error.to_string()),
                WatchEnd::Lost(why) => return TouchEnd::Lost(why),
            }
        }
    }

    /// All objects of a scope, and as of when.
    async fn marks(&self, scope: &TouchScope) -> Result<(Vec<ObjectMark>, String), TouchEnd> {
        let TouchScope { served, namespace, label, selector } = scope;
        let listing = self.list_metadata(served, namespace.as_deref(), selector);
        let listed = match tokio::time::timeout(PATIENCE, listing).await {
            Err(_) => return Err(TouchEnd::Lost("the server does not answer".to_owned())),
            Ok(Err(error)) => return Err(end_of(&error)),
            Ok(Ok(listed)) => listed,
        };
        // The text of each is let go as it is read.
        let items = listed.items.into_iter().map(|item| typed(&item, "", ""));
        Ok((items.filter_map(|item| ObjectMark::of(&item, label)).collect(), listed.version))
    }
}

fn end_of(error: &ApiError) -> TouchEnd {
    let is_unservable = matches!(error, ApiError::Status { code: 404 | 405, .. });
    match error.is_forbidden() || is_unservable && !error.is_unserved() {
        true => TouchEnd::Forbidden(error.to_string()),
        false => TouchEnd::Lost(error.to_string()),
    }
}
