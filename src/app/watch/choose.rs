//! Which commit a round applies: the one that the target follows, the last healthy one where that was taken
//! back, or the last applied one where that has to wait for other targets.

use tokio::task::spawn_blocking;

use super::held::HeldRound;
use super::stay::{Stay, Stayed};
use super::{RoundError, RoundMemory, SettingsError, Watch, WatchSettings};
use crate::app::{self, Survey, Target, survey};
use crate::cluster::Cluster;
use crate::core::schedule::Gate;
use crate::git::Checkout;

/// The checkout and the cluster of a round.
#[derive(Clone, Copy)]
pub(super) struct RoundPlace<'a> {
    pub(super) watch: &'a Watch,
    pub(super) checkout: &'a Checkout,
    pub(super) cluster: &'a Cluster,
}

/// A commit to apply.
pub(super) struct Chosen {
    /// The target at that commit.
    pub(super) target: Target,
    pub(super) survey: Survey,
    /// The commit that is not applied again, as it was rolled back.
    pub(super) held_back: Option<String>,
    /// The target that the newer commit waits for.
    pub(super) waits: Option<Gate>,
    /// Why less is done than usual, where the target is held.
    pub(super) held: Option<HeldRound>,
}

impl Chosen {
    fn of(
        stayed: Stayed,
        held_back: Option<String>,
        waits: Option<Gate>,
        memory: &mut RoundMemory,
    ) -> Self {
        memory.waiting = Stay::known(&stayed);
        let Stayed { target, survey, held } = stayed;
        Self { target, survey, held_back, waits, held }
    }
}

impl RoundPlace<'_> {
    /// Reads what the settings of a commit say, beside other targets.
    pub(super) async fn settings(&self, commit: Option<&str>) -> Result<WatchSettings, RoundError> {
        let (read, commit) = (self.watch.settings.clone(), commit.map(str::to_owned));
        let (checkout, cluster) = (self.checkout.clone(), self.cluster.clone());
        let read = spawn_blocking(move || read(&checkout, &cluster, commit.as_deref()));
        Ok(read.await??)
    }

    /// The target as another commit's settings have it, to go back there; its inventory is the same.
    pub(super) async fn back(&self, now: &Target, commit: &str) -> Result<Target, RoundError> {
        let WatchSettings { target, .. } = self.settings(Some(commit)).await?;
        Ok(at(target, now, commit))
    }

    async fn survey(&self, target: &Target, memory: &RoundMemory) -> Result<Survey, RoundError> {
        Ok(survey(target, self.checkout, self.cluster, Some(&memory.last)).await?)
    }
}

/// The commit to apply, or to stay at where the target is held.
pub(super) async fn choose_held(
    place: RoundPlace<'_>,
    target: &Target,
    found: Option<Survey>,
    gate: Gate,
    memory: &mut RoundMemory,
) -> Result<Option<Chosen>, RoundError> {
    let RoundPlace { checkout, cluster, .. } = place;
    let at = |commit: &str| {
        checkout.resolve(Some(commit)).ok()?;
        target_at(place, target, commit).ok()
    };
    let known = memory.waiting.take();
    if found.is_none() {
        let stay = Stay { target, checkout, cluster, last: &memory.last };
        if let Some(stayed) = Box::pin(stay.again(known.as_ref(), &at)).await? {
            return Ok(Some(Chosen::of(stayed, None, None, memory)));
        }
    }
    let chosen = Box::pin(choose(place, target, found, gate, memory)).await?;
    let Some(Chosen { target, survey, held_back, waits, .. }) = chosen else { return Ok(None) };
    let stay = Stay { target: &target, checkout, cluster, last: &memory.last };
    let stayed = Box::pin(stay.find(survey, &at)).await?;
    Ok(Some(Chosen::of(stayed, held_back, waits, memory)))
}

/// The commit to apply. The target's may be `found` already. `None` where that waits for others and none
/// was applied before.
async fn choose(
    place: RoundPlace<'_>,
    target: &Target,
    found: Option<Survey>,
    gate: Gate,
    memory: &mut RoundMemory,
) -> Result<Option<Chosen>, RoundError> {
    let now = target.revision(place.checkout).map_err(app::Error::from)?.commit;
    let mut found = found;
    if gate != Gate::Open && memory.applied.as_ref() != Some(&now) {
        if memory.applied.is_none() {
            let survey = match found.take() {
                Some(found) => found,
                None => place.survey(target, memory).await?,
            };
            memory.applied = survey.found.before.as_ref().and_then(|it| it.revision.clone());
            found = Some(survey);
        }
        if memory.applied.as_ref() != Some(&now) {
            return stay(place, target, gate, memory).await;
        }
    }
    Ok(Some(healthy(place, target, found, memory).await?))
}

/// The last applied commit, whose drift is put back while a newer one waits.
async fn stay(
    place: RoundPlace<'_>,
    target: &Target,
    gate: Gate,
    memory: &RoundMemory,
) -> Result<Option<Chosen>, RoundError> {
    let Some(applied) = &memory.applied else { return Ok(None) };
    // It may be one that is not here, or of a work tree.
    if place.checkout.resolve(Some(applied)).is_err() {
        return Ok(None);
    }
    let target = place.back(target, applied).await?;
    let survey = place.survey(&target, memory).await?;
    Ok(Some(Chosen { target, survey, held_back: None, waits: Some(gate), held: None }))
}

/// The target's commit, or the last healthy one where that one was rolled back, whoever did that. The
/// cluster says so, so that it is known after a restart and on another machine as well.
async fn healthy(
    place: RoundPlace<'_>,
    target: &Target,
    found: Option<Survey>,
    memory: &mut RoundMemory,
) -> Result<Chosen, RoundError> {
    let RoundPlace { checkout, .. } = place;
    let back = async |failed: &str, healthy: &str| {
        checkout.resolve(Some(healthy)).map_err(|source| RoundError::NothingToKeep {
            failed: failed.to_owned(),
            healthy: healthy.to_owned(),
            source: Box::new(source),
        })?;
        place.back(target, healthy).await
    };
    let now = target.revision(checkout).map_err(app::Error::from)?.commit;
    if let Some((failed, healthy)) = memory.held_back.take().filter(|(failed, _)| *failed == now) {
        let target = back(&failed, &healthy).await?;
        let survey = place.survey(&target, memory).await?;
        if held_back(&survey, &failed).as_ref() == Some(&healthy) {
            memory.held_back = Some((failed.clone(), healthy));
            return Ok(Chosen { target, survey, held_back: Some(failed), waits: None, held: None });
        }
    }
    let failing = match found {
        Some(found) => found,
        None => place.survey(target, memory).await?,
    };
    let failed = failing.found.revision.commit.clone();
    let Some(healthy) = held_back(&failing, &failed).filter(|_| failing.has_failed()) else {
        let target = target.clone();
        return Ok(Chosen { target, survey: failing, held_back: None, waits: None, held: None });
    };
    let target = back(&failed, &healthy).await?;
    let survey = place.survey(&target, memory).await?;
    memory.held_back = Some((failed.clone(), healthy));
    Ok(Chosen { target, survey, held_back: Some(failed), waits: None, held: None })
}

/// The same as [`RoundPlace::settings`] for a target to go back to, where nothing is awaited.
pub(super) fn target_at(
    place: RoundPlace<'_>,
    now: &Target,
    commit: &str,
) -> Result<Target, SettingsError> {
    let WatchSettings { target, .. } =
        (place.watch.settings)(place.checkout, place.cluster, Some(commit))?;
    Ok(at(target, now, commit))
}

fn at(target: Target, now: &Target, commit: &str) -> Target {
    let (rev, inventory) = (Some(commit.to_owned()), now.inventory.clone());
    let mut policy = target.policy.clone();
    policy.operator.moved = true;
    let (mode, windows) = (now.mode, now.windows.clone());
    Target { rev, inventory, policy, mode, windows, worktree: false, ..target }
}

/// The last healthy commit, where the inventory says that `commit` was taken back.
fn held_back(survey: &Survey, commit: &str) -> Option<String> {
    let past = &survey.found.before.as_ref()?.past;
    past.failed.as_ref().filter(|failed| *failed == commit)?;
    past.healthy.as_ref().map(|healthy| healthy.what.clone())
}
