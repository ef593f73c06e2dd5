//! Follows objects as they change: one look at all of them, and then a watch of what is not ready.
//!
//! A watch that is cut goes on where it stopped; one that is too far behind begins with a new look;
//! where watching is forbidden the list is asked for again and again, and where listing is, too,
//! each object is. Who is waited for, and until when, is decided in [`crate::app::wait`].

mod one;
mod stream;

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::mpsc::Sender;

pub(super) use self::one::OneObject;
pub(super) use self::stream::{Selector, WatchEnd, WatchForm};
use super::observe::typed;
use super::path::api_version;
use super::{ApiError, Cluster};
use crate::core::kinds::catalog::Served;
use crate::core::object::{GroupKind, Object, ObjectKey};

/// How often those are looked at that can't be watched.
const POLL: Duration = Duration::from_secs(2);

/// Objects of one kind that are waited for.
pub struct FollowedKind {
    /// The kind.
    pub served: Served,
    /// The label that they carry.
    pub selector: String,
    /// Which they are.
    pub keys: Vec<ObjectKey>,
}

/// The scope of one request, and how it goes on from there.
pub struct WatchScope {
    /// The namespace; `None` for the whole cluster.
    namespace: Option<String>,
    /// The result of the first look.
    pub news: Vec<News>,
    means: WatchMethod,
}

/// How a scope is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum WatchMethod {
    /// By a watch from a version on.
    Watch(String),
    /// By looking again soon; and then by watch, unless that is forbidden.
    List { unwatchable: bool },
    /// By asking for each object.
    Get,
}

/// A change of what is known.
#[derive(Debug)]
pub enum News {
    /// All that there is of a kind in a scope.
    Listed {
        /// The kind.
        kind: GroupKind,
        /// The namespace; `None` for the whole cluster.
        namespace: Option<String>,
        /// The objects that exist.
        objects: Vec<Object>,
    },
    /// An object as it is now.
    Seen(Object),
    /// An object is gone.
    Gone(ObjectKey),
    /// Something stands in the way of looking.
    Note(String),
}

impl News {
    /// The objects that it brings.
    pub fn objects(&self) -> &[Object] {
        match self {
            Self::Listed { objects, .. } => objects,
            Self::Seen(object) => std::slice::from_ref(object),
            Self::Gone(_) | Self::Note(_) => &[],
        }
    }
}

impl Cluster {
    /// Looks once at all that is to be followed: one request, or one a namespace where the whole
    /// cluster can't be listed.
    pub async fn scopes_of(&self, followed: &FollowedKind) -> Vec<WatchScope> {
        let keys = followed.keys.iter();
        let namespaces: BTreeSet<&String> = keys.filter_map(|key| key.namespace.as_ref()).collect();
        let only = (namespaces.len() == 1).then(|| namespaces.first()).flatten();
        let whole = self.scope(followed, only.map(|name| name.as_str())).await;
        if whole.means != WatchMethod::Get || namespaces.len() < 2 {
            return vec![whole];
        }
        let scopes = namespaces.into_iter().map(|namespace| self.scope(followed, Some(namespace)));
        futures::future::join_all(scopes).await
    }

    /// Looks once, and finds out how to go on.
    async fn scope(&self, followed: &FollowedKind, namespace: Option<&str>) -> WatchScope {
        let (news, means) = match self.all(followed, namespace).await {
            Ok((listed, version)) => (vec![listed], WatchMethod::Watch(version)),
            Err(error) if error.is_forbidden() => {
                let kind = &followed.served.group_kind;
                let note = format!("{kind} can't be listed, so each is asked for: {error}");
                let mut news = self.each(followed, namespace).await;
                news.push(News::Note(note));
                (news, WatchMethod::Get)
            }
            Err(error) => {
                (vec![unlisted(followed, &error)], WatchMethod::List { unwatchable: false })
            }
        };
        WatchScope { namespace: namespace.map(str::to_owned), news, means }
    }

    /// Reports the events of a scope, for as long as it is polled.
    pub async fn follow(&self, followed: &FollowedKind, scope: WatchScope, tell: &Sender<News>) {
        let WatchScope { namespace, means: mut how, news: _ } = scope;
        let (kind, namespace) = (&followed.served.group_kind, namespace.as_deref());
        let selector = Selector::Label(&followed.selector);
        // The receiver is gone once waiting has ended.
        let say = async |news| drop(tell.send(news).await);
        loop {
            how = match how {
                WatchMethod::Watch(version) => {
                    match self.watch(&followed.served, namespace, selector, version, tell).await {
                        WatchEnd::At(version) => WatchMethod::Watch(version),
                        WatchEnd::Behind => self.again(followed, namespace, tell).await,
                        WatchEnd::Forbidden(why) => {
                            let note = format!("{kind} can't be watched, so it is listed: {why}");
                            say(News::Note(note)).await;
                            WatchMethod::List { unwatchable: true }
                        }
                        WatchEnd::Lost(why) => {
                            say(News::Note(format!("the watch of {kind} was lost: {why}"))).await;
                            tokio::time::sleep(POLL).await;
                            self.again(followed, namespace, tell).await
                        }
                    }
                }
                WatchMethod::List { unwatchable } => {
                    tokio::time::sleep(POLL).await;
                    match self.again(followed, namespace, tell).await {
                        WatchMethod::Watch(_) if unwatchable => WatchMethod::List { unwatchable },
                        means => means,
                    }
                }
                WatchMethod::Get => {
                    tokio::time::sleep(POLL).await;
                    for news in self.each(followed, namespace).await {
                        say(news).await;
                    }
                    WatchMethod::Get
                }
            };
        }
    }

    /// Looks at all of a scope once more.
    async fn again(
        &self,
        followed: &FollowedKind,
        namespace: Option<&str>,
        tell: &Sender<News>,
    ) -> WatchMethod {
        let (news, means) = match self.all(followed, namespace).await {
            Ok((listed, version)) => (listed, WatchMethod::Watch(version)),
            Err(error) => (unlisted(followed, &error), WatchMethod::List { unwatchable: false }),
        };
        // The receiver is gone once waiting has ended.
        let _ = tell.send(news).await;
        means
    }

    /// All of a scope, and as of when.
    async fn all(
        &self,
        followed: &FollowedKind,
        namespace: Option<&str>,
    ) -> Result<(News, String), ApiError> {
        let FollowedKind { served, selector, .. } = followed;
        let picked = self.list(served, namespace, selector).await?;
        let (api_version, kind) = (api_version(served), served.group_kind.clone());
        // The text of each is let go as it is read.
        let items = picked.items.into_iter();
        let objects = items.map(|item| typed(&item, &api_version, &kind.kind)).collect();
        let namespace = namespace.map(str::to_owned);
        Ok((News::Listed { kind, namespace, objects }, picked.version))
    }

    /// Each object of a scope by its name. Of what can't be asked for nothing is known.
    async fn each(&self, followed: &FollowedKind, namespace: Option<&str>) -> Vec<News> {
        let FollowedKind { served, keys, .. } = followed;
        let here = |key: &&ObjectKey| namespace.is_none() || key.namespace.as_deref() == namespace;
        let mut news = Vec::new();
        for key in keys.iter().filter(here) {
            news.push(match self.get(served, key.namespace.as_deref(), &key.name).await {
                Ok(Some(object)) => News::Seen(object),
                Ok(None) => News::Gone(key.clone()),
                Err(error) => News::Note(format!("{key} can't be read: {error}")),
            });
        }
        news
    }

    /// StorageClasses whose volumes are bound when the first pod uses them.
    ///
    /// # Errors
    ///
    /// When they can't be listed.
    pub async fn late_binding(&self, served: &Served) -> Result<BTreeSet<String>, ApiError> {
        let picked = self.list(served, None, "").await?;
        let classes = picked.items.iter().map(|item| typed(item, "", ""));
        let is_late = |class: &Object| {
            class.0.get("volumeBindingMode") == Some(&"WaitForFirstConsumer".into())
        };
        Ok(classes.filter(is_late).map(|class| class.name().to_owned()).collect())
    }
}

fn unlisted(followed: &FollowedKind, error: &ApiError) -> News {
    News::Note(format!("{} could not be listed: {error}", followed.served.group_kind))
}
