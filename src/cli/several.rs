//! The targets of a run over all of them: in their order, each by the cluster that it belongs to.
//! Targets that are reached by one context share its connection.

use std::collections::BTreeSet;
use std::path::Path;

use super::exit::Failure;
use super::session::{Session, SessionOptions};
use super::target::{FilesArgs, NamedTarget, TargetArgs};
use super::throwaway::ThrowawayArgs;
use super::ui::Ui;
use crate::app::Target;
use crate::cluster::Cluster;
use crate::config::{Config, FILE};
use crate::core::source::snapshot::short;
use crate::git::Checkout;

/// The targets of one context.
pub(super) struct ClusterTargets {
    /// Their places among all targets.
    pub(super) places: Vec<usize>,
    /// The way there, or why there is none.
    pub(super) reached: Result<ReachedTargets, Failure>,
}

/// The targets of a cluster that can be reached.
pub(super) struct ReachedTargets {
    pub(super) session: Session,
    pub(super) named: Vec<NamedTarget>,
    /// The same, to look at them all.
    pub(super) targets: Vec<Target>,
}

/// All targets of `trueup.yaml`.
pub(super) struct SeveralTargets {
    pub(super) config: Config,
    /// Their names, each after those that it comes after.
    pub(super) names: Vec<String>,
    pub(super) clusters: Vec<ClusterTargets>,
}

/// Warnings, each said once, however many targets have it.
#[derive(Default)]
pub(super) struct SaidOnce(BTreeSet<String>);

impl SaidOnce {
    pub(super) fn warn(&mut self, warning: String, ui: &mut Ui) {
        if self.0.insert(warning.clone()) {
            ui.warning(&warning);
        }
    }
}

/// The arguments of a run over all targets.
#[derive(Clone, Copy)]
pub(super) struct SeveralOptions<'a> {
    pub(super) args: &'a TargetArgs,
    pub(super) throwaway: &'a ThrowawayArgs,
    pub(super) directory: &'a Path,
}

/// Why there are no targets: without a file, or with one that lists none.
///
/// # Errors
///
/// When the checkout can't be read.
pub(super) fn none(files: &FilesArgs, checkout: &Checkout) -> Result<Failure, Failure> {
    let error = match files.has_config(checkout)? {
        true => anyhow::anyhow!("{FILE} declares no targets"),
        false if files.worktree => anyhow::anyhow!("the work tree has no {FILE}"),
        false => {
            let revision = checkout.resolve(files.rev.as_deref())?;
            anyhow::anyhow!("commit {} has no {FILE}", short(&revision.commit))
        }
    };
    let hints = vec!["leave --all-targets out: the whole checkout is the target then".into()];
    Ok(Failure { error, hints })
}

impl ClusterTargets {
    /// The targets, the checkout and the cluster, where it can be reached.
    pub(super) fn inputs(&self) -> Option<(Vec<Target>, Checkout, Cluster)> {
        let ReachedTargets { session, targets, .. } = self.reached.as_ref().ok()?;
        Some((targets.clone(), session.checkout.clone(), session.cluster.clone()))
    }
}

impl SeveralTargets {
    /// Finds the checkout, the targets and the clusters. One cluster of several that can't be reached
    /// is not an error of the run.
    ///
    /// # Errors
    ///
    /// When there are no targets, or their only cluster can't be reached.
    pub(super) async fn open(options: SeveralOptions<'_>, ui: &mut Ui) -> Result<Self, Failure> {
        // Settings that all rules trust name the targets, so that each is held to its own rule.
        let SeveralOptions { args, throwaway, directory } = options;
        // One commit for all targets, and for the settings that name them.
        let checkout = Checkout::discover(directory)?.steady();
        let (config, _) = args.listed(&checkout)?;
        let names: Vec<String> = config.order().into_iter().map(str::to_owned).collect();
        if names.is_empty() {
            return Err(none(&args.files, &checkout)?);
        }
        let mut by_context: Vec<(Option<String>, Vec<usize>)> = Vec::new();
        let mut failed = Vec::new();
        for (place, name) in names.iter().enumerate() {
            // A ref of its own may be one that leads nowhere.
            let is_tracking = config.targets[name].tracks.is_some();
            let look = is_tracking.then(|| args.fault_of(name, directory, &checkout));
            if let Some(Err(failure)) = look {
                failed.push(ClusterTargets { places: vec![place], reached: Err(failure) });
                continue;
            }
            let context = match throwaway.is_wanted() {
                true => None,
                false => args.access_of(name)?.context,
            };
            match by_context.iter_mut().find(|(known, _)| *known == context) {
                Some((_, places)) => places.push(place),
                None => by_context.push((context, vec![place])),
            }
        }
        let is_one = by_context.len() == 1;
        let mut clusters = failed;
        for (_, places) in by_context {
            let reached = reach(&options, &checkout, &names, &places, ui).await;
            let mut reached = if is_one { Ok(reached?) } else { reached };
            if let Ok(reached) = &mut reached {
                reached.session.names_server = !is_one;
            }
            clusters.push(ClusterTargets { places, reached });
        }
        let several = Self { config, names, clusters };
        let mut said = SaidOnce::default();
        for named in several.named() {
            named.notes.iter().for_each(|note| said.warn(note.clone(), ui));
        }
        Ok(several)
    }

    /// Whether any target stays at an older commit, as the newest is not trusted.
    pub(super) fn has_refused(&self) -> bool {
        self.named().any(|named| named.judged.refused.is_some())
    }

    fn named(&self) -> impl Iterator<Item = &NamedTarget> {
        let reached = self.clusters.iter().filter_map(|cluster| cluster.reached.as_ref().ok());
        reached.flat_map(|reached| &reached.named)
    }

    /// The places of the targets that each comes after.
    pub(super) fn after(&self) -> Vec<Vec<usize>> {
        let place = |name: &String| self.names.iter().position(|it| it == name);
        let after = |name: &String| self.config.targets[name].after.iter().filter_map(place);
        self.names.iter().map(|name| after(name).collect()).collect()
    }

    /// The cluster of a target that can be reached, and the target's place there.
    pub(super) fn reached(&self, place: usize) -> Option<(&ReachedTargets, usize)> {
        self.clusters.iter().find_map(|cluster| {
            let index = cluster.places.iter().position(|it| *it == place)?;
            Some((cluster.reached.as_ref().ok()?, index))
        })
    }

    /// How many requests were sent, to all clusters.
    pub(super) fn requests(&self) -> usize {
        let reached = self.clusters.iter().filter_map(|cluster| cluster.reached.as_ref().ok());
        reached.map(|reached| reached.session.cluster.requests()).sum()
    }
}

/// Reaches the cluster of some targets.
async fn reach(
    options: &SeveralOptions<'_>,
    checkout: &Checkout,
    names: &[String],
    places: &[usize],
    ui: &mut Ui,
) -> Result<ReachedTargets, Failure> {
    let SeveralOptions { args, throwaway, directory } = *options;
    let mut args = args.clone();
    args.files.target = places.first().map(|place| names[*place].clone());
    let wanted =
        SessionOptions { target: &args, throwaway, approved: None, is_one_of_several: true };
    let mut session = Session::open(wanted, directory, ui).await?;
    session.checkout = checkout.clone();
    let mut named = Vec::with_capacity(places.len());
    for place in places {
        args.files.target = Some(names[*place].clone());
        let mut one = args.resolve(directory, &session.checkout, &session.cluster)?;
        if throwaway.is_wanted() {
            one.of_a_throwaway();
        }
        named.push(one);
    }
    let targets = named.iter().map(|named| named.target.clone()).collect();
    Ok(ReachedTargets { session, named, targets })
}
