//! The inventory of a target: what the cluster has of it, and whether it is this target's to go on
//! with.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::api;
use crate::app::{Error, Target};
use crate::cluster::{ApiError, Cluster, Members};
use crate::config;
use crate::core::annotations::Mode;
use crate::core::desired::Desired;
use crate::core::inventory::{Inventory, PART_OF, Record};
use crate::core::kinds::catalog::{Catalog, is_namespace};
use crate::core::object::{Object, ObjectKey};
use crate::core::observed::{Observation, Observed};
use crate::core::source::snapshot::Revision;
use crate::core::suggest::suggest;
use crate::git::{Checkout, Descent};

/// The inventory in the cluster, without its objects.
pub(in crate::app) struct InventoryHead {
    pub(in crate::app) catalog: Catalog,
    pub(in crate::app) record: Option<Record>,
    pub(in crate::app) cluster_uid: Option<String>,
    /// The parents of all inventories, as far as they were asked for.
    pub(in crate::app) parents: Arc<[Object]>,
    /// The members, where they were listed together with those of other inventories.
    pub(in crate::app) listed: Option<Members>,
}

/// The inventory's objects in the cluster.
pub(super) struct InventoryContents {
    pub(super) head: InventoryHead,
    pub(super) members: Members,
}

/// The attempt that fails without a connection.
const REACH: &str = "reach the cluster";

/// The error of one of the questions that are asked at once and first. Where there is no connection
/// it is the same, whichever of them fails first.
fn first(attempt: &'static str) -> impl FnOnce(ApiError) -> Error {
    move |source| {
        let attempt = if source.is_of_connection() { REACH } else { attempt };
        Error::Api { attempt, source }
    }
}

/// Asks for the inventory's record, and which kinds there are.
pub(in crate::app) async fn find_head(
    target: &Target,
    cluster: &Cluster,
) -> Result<InventoryHead, Error> {
    let inventory = &target.inventory;
    let (of_cluster, parent) = futures::try_join!(
        find_cluster(cluster, parents_near(target)),
        find_parent(inventory, cluster)
    )?;
    of_cluster.with_record(inventory, parent.as_ref())
}

async fn find_parent(inventory: &Inventory, cluster: &Cluster) -> Result<Option<Object>, Error> {
    cluster.parent(inventory).await.map_err(first("read the inventory"))
}

/// The state that all inventories of a cluster share.
#[derive(Clone)]
pub(in crate::app) struct ClusterHead {
    catalog: Catalog,
    uid: Option<String>,
    parents: Arc<[Object]>,
}

/// The namespace of a target for which other inventories are of interest.
pub(in crate::app) fn parents_near(target: &Target) -> Option<&str> {
    target.declared.as_ref().map(|_| target.inventory.namespace.as_str())
}

/// Asks which kinds there are, for the cluster's identity, and for the parents of all inventories, where a
/// target that keeps its own in the namespace `near` wants them.
pub(in crate::app) async fn find_cluster(
    cluster: &Cluster,
    near: Option<&str>,
) -> Result<ClusterHead, Error> {
    let (catalog, uid, parents) = futures::try_join!(
        async { cluster.discover().await.map_err(first("ask which kinds the cluster has")) },
        async { cluster.uid().await.map_err(api(REACH)) },
        async {
            match near {
                Some(near) => Ok(cluster.all_parents(near).await),
                None => Ok(Vec::new()),
            }
        },
    )?;
    Ok(ClusterHead { catalog, uid, parents: parents.into() })
}

impl ClusterHead {
    /// The same with the record of an inventory, whose parent is known or asked for.
    pub(in crate::app) async fn with_record_of(
        self,
        inventory: &Inventory,
        parent: Option<Object>,
        cluster: &Cluster,
    ) -> Result<InventoryHead, Error> {
        let parent = match parent {
            Some(parent) => Some(parent),
            None => find_parent(inventory, cluster).await?,
        };
        self.with_record(inventory, parent.as_ref())
    }

    /// The same of state that is known.
    pub(in crate::app) fn new(
        catalog: Catalog,
        uid: Option<String>,
        parents: Arc<[Object]>,
    ) -> Self {
        Self { catalog, uid, parents }
    }

    /// Which kinds there are.
    pub(in crate::app) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The same with the record of an inventory whose members were `listed`.
    pub(in crate::app) fn with_members(
        self,
        record: Record,
        listed: Option<Members>,
    ) -> InventoryHead {
        let Self { catalog, uid: cluster_uid, parents } = self;
        InventoryHead { catalog, record: Some(record), cluster_uid, parents, listed }
    }

    fn with_record(
        self,
        inventory: &Inventory,
        parent: Option<&Object>,
    ) -> Result<InventoryHead, Error> {
        let Self { catalog, uid: cluster_uid, parents } = self;
        let record = parent.map(|parent| inventory.read(parent)).transpose()?;
        Ok(InventoryHead { catalog, record, cluster_uid, parents, listed: None })
    }
}

/// Asks what the cluster has of the inventory, while git is read. What is `known` is not asked again.
pub(super) async fn find(
    target: &Target,
    cluster: &Cluster,
    known: Option<InventoryHead>,
) -> Result<InventoryContents, Error> {
    let mut head = match known {
        Some(head) => head,
        None => Box::pin(find_head(target, cluster)).await?,
    };
    let inventory = &target.inventory;
    let members = match (head.listed.take(), &head.record) {
        (Some(listed), _) => listed,
        (None, Some(record)) => cluster.members(inventory, record, &head.catalog).await,
        (None, None) => Members::default(),
    };
    Ok(InventoryContents { head, members })
}

/// Whether the operator's flags, and the key that counts where they are left out, name kinds that there
/// are: a slip would allow nothing, and not say so.
pub(super) fn know_kinds(target: &Target, catalog: &Catalog) -> Result<(), Error> {
    let Some(known) = catalog.kinds() else { return Ok(()) };
    let of_flag = |flag: &str, name: &String| (flag.to_owned(), name.clone());
    let mut named: Vec<(String, String)> = target
        .policy
        .operator
        .allow_delete
        .iter()
        .map(|name| of_flag("--allow-delete", name))
        .collect();
    match &target.policy.operator.replace {
        Some(names) => named.extend(names.iter().map(|name| of_flag("--replace", name))),
        None => named.extend(target.replace_at.iter().map(|(name, (line, column))| {
            (format!("{}:{line}:{column}: replace", config::FILE), name.clone())
        })),
    }
    // A kind that this cluster lacks can be meant, unless it is a slip of another one.
    let of_windows = target.windows.iter().flat_map(|window| &window.kinds);
    let is_slip = |name: &&String| {
        let kind = name.split('.').next().unwrap_or_default();
        !known.contains(kind) && !suggest(kind, known.clone()).is_empty()
    };
    named.extend(of_windows.filter(is_slip).map(|name| ("windows: kind".to_owned(), name.clone())));
    match named.into_iter().find(|(_, name)| !known.contains(name.as_str())) {
        None => Ok(()),
        Some((by, name)) => {
            let near = suggest(&name, known).into_iter().map(str::to_owned).collect();
            Err(Error::UnknownKind { by, name, near })
        }
    }
}

/// Whether the inventory's namespace is there, or at least in the commit.
pub(super) async fn has_home(
    target: &Target,
    desired: &Desired,
    cluster: &Cluster,
) -> Result<(), Error> {
    let name = &target.inventory.namespace;
    let is_declared = desired.objects.iter().any(|(key, manifest)| {
        is_namespace(key) && key.name == *name && !Mode::ignores(&manifest.object)
    });
    let attempt = "look for the namespace of the inventory";
    if is_declared || cluster.has_namespace(name).await.map_err(api(attempt))? {
        return Ok(());
    }
    Err(Error::NoNamespace(name.clone()))
}

/// The repository that an inventory is of.
pub(in crate::app) struct InventoryOwner {
    /// Its identity.
    pub(super) repository: String,
    /// Whether the history says that it is this one; else only the target's name and paths do.
    is_proven: bool,
}

impl InventoryOwner {
    /// Whether its objects are those of this target, as far as they can say it. Where none of them is
    /// declared, the inventory is most likely another repository's with a target of that name, whose
    /// objects would be pruned.
    pub(super) fn check_objects(
        &self,
        target: &Target,
        desired: &Desired,
        observed: &Observed,
    ) -> Result<(), Error> {
        let id = target.inventory.id();
        let is_member = |(_, seen): &(&ObjectKey, &Observation)| {
            seen.live().is_some_and(|live| live.label(PART_OF) == Some(&id))
        };
        let mut members = observed.objects.iter().filter(is_member).peekable();
        let is_other =
            members.peek().is_some() && members.all(|(key, _)| !desired.objects.contains_key(key));
        match !self.is_proven && is_other {
            true => Err(Error::OtherRepository {
                name: target.inventory.name.clone(),
                other: self.repository.clone(),
                shallow: true,
            }),
            false => Ok(()),
        }
    }
}

/// The repository's identity, once it is known that the inventory is this target's. A target that
/// `trueup.yaml` declares is known by its name there, so the commit may give it other paths; any
/// other is known by its paths.
pub(in crate::app) fn whose(
    target: &Target,
    checkout: &Checkout,
    revision: &Revision,
    before: Option<&Record>,
) -> Result<InventoryOwner, Error> {
    let Inventory { name, .. } = &target.inventory;
    let Some(before) = before else {
        let repository = checkout.root_commit(revision)?.0;
        return Ok(InventoryOwner { repository, is_proven: true });
    };
    let known = before.revision.as_deref().map(|known| known.trim_end_matches("-dirty"));
    let now = target.recorded_paths();
    let is_its_own = target.declared.is_some() && target.declared == before.target;
    let descent = checkout.descent(revision, &before.repository, known)?;
    let is_of_it = match descent {
        Descent::Same => true,
        Descent::Other => false,
        // CI clones so. What the inventory says of the repository stays as it is.
        Descent::Unknown => is_its_own && before.paths == now,
    };
    if !is_of_it {
        return Err(Error::OtherRepository {
            name: name.clone(),
            other: before.repository.clone(),
            shallow: checkout.is_shallow(),
        });
    }
    if before.paths != now && !is_its_own && !target.policy.operator.moved {
        let say = |paths: &BTreeSet<String>| {
            paths.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
        };
        return Err(Error::OtherPaths {
            name: name.clone(),
            was: say(&before.paths),
            now: say(&now),
            target: before.target.clone().filter(|_| target.declared != before.target),
        });
    }
    let repository = before.repository.clone();
    Ok(InventoryOwner { repository, is_proven: descent == Descent::Same })
}
