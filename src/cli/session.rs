//! The start of diff and apply: the checkout, the cluster (or a sandbox of their own), and the
//! survey of the target.

use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::exit::{Exit, Failure};
use super::present::{self, OutputFormat, PlanView, RevisionView, TargetView};
use super::target::{NamedTarget, TargetArgs};
use super::throwaway::{self, Throwaway, ThrowawayArgs};
use super::ui::Ui;
use crate::app::trust::Refusal;
use crate::app::{self, Explained, Look, Survey, SyncedTarget, Target, look, survey};
use crate::cluster::{Cluster, CredentialCache};
use crate::core::approval::Purpose;
use crate::core::mask::Masked;
use crate::core::masked_plan::MaskedPlan;
use crate::core::moves::RemovedTarget;
use crate::core::observed::Unlisted;
use crate::core::plan::{Change, Confidence, NoPreview};
use crate::core::problem::Problem;
use crate::core::source::snapshot::Revision;
use crate::git::Checkout;

/// The options of a session.
#[derive(Clone, Copy)]
pub struct SessionOptions<'a> {
    /// The target to apply, and how to reach its cluster.
    pub target: &'a TargetArgs,
    /// Whether to use a cluster of the run's own.
    pub throwaway: &'a ThrowawayArgs,
    /// The approved plan that says what to make true, in place of the arguments.
    pub approved: Option<&'a Purpose>,
    /// Whether the run is about several targets, and warns of them itself.
    pub is_one_of_several: bool,
}

/// A target with everything that reaches it.
pub struct Session {
    /// Where the desired state is declared.
    pub checkout: Checkout,
    /// Where it should be.
    pub cluster: Cluster,
    /// The target to apply.
    pub named: NamedTarget,
    /// The SHA-256 of the plan file that is written or carried out.
    pub plan_sha256: Option<String>,
    /// Whether the cluster's server is shown, since the run is about several clusters.
    pub names_server: bool,
    credentials: CredentialCache,
    begin: Instant,
    /// Taken down with the session.
    _throwaway: Throwaway,
}

impl Session {
    /// Finds the checkout, the cluster and the target.
    ///
    /// # Errors
    ///
    /// When one of them is not there.
    pub async fn open(
        wanted: SessionOptions<'_>,
        directory: &Path,
        ui: &mut Ui,
    ) -> Result<Self, Failure> {
        let SessionOptions { target, throwaway, approved, .. } = wanted;
        let checkout = Checkout::discover(directory)?;
        let mut access = match (throwaway.is_wanted(), approved) {
            (true, _) => target.access.access(),
            (false, Some(purpose)) => target.access_of(&purpose.target)?,
            (false, None) => target.access_to(directory, &checkout)?,
        };
        let throwaway = throwaway.start(&mut access, ui).await?;
        let begin = Instant::now();
        let cluster = Cluster::connect(&access).await.map_err(throwaway::or_sandbox)?;
        cluster.on_delay(ui.delays());
        let mut named = match (approved, &target.removed) {
            (Some(purpose), _) => target.resolve_approved(purpose, &checkout, &cluster).await?,
            (None, Some(name)) => {
                target.resolve_removed(name, directory, &checkout, &cluster).await?
            }
            (None, None) => target.resolve(directory, &checkout, &cluster)?,
        };
        if wanted.throwaway.is_wanted() {
            named.of_a_throwaway();
        }
        let credentials = access.credentials;
        let session = Self {
            checkout,
            cluster,
            named,
            plan_sha256: None,
            names_server: false,
            credentials,
            begin,
            _throwaway: throwaway,
        };
        session.warn_of_credentials(ui);
        if !wanted.is_one_of_several {
            session.named.notes.iter().for_each(|note| ui.warning(note));
        }
        Ok(session)
    }

    /// The commit that is not applied since it is not trusted, where another stands in for it.
    pub fn refused(&self) -> Option<&Refusal> {
        self.named.judged.refused.as_ref()
    }

    /// Says which commit is not applied, and which is instead. What is applied already decides that,
    /// so that it is said after the look, unless the `failure` of that says it.
    fn warn_of_refused(&self, failure: Option<&Failure>, ui: &mut Ui) {
        if failure.is_none_or(|failure| failure.exit() != Exit::NotAtCommit) {
            let refused = self.refused().map(present::trust::refusal);
            refused.iter().for_each(|refused| ui.warning(refused));
        }
    }

    /// The exit status of a run that ended well.
    pub fn good_exit(&self) -> Exit {
        if self.refused().is_some() { Exit::NotAtCommit } else { Exit::AtCommit }
    }

    /// Says what is worth a warning about the credentials that were renewed meanwhile.
    pub fn warn_of_credentials(&self, ui: &mut Ui) {
        self.credentials.take_warnings().iter().for_each(|warning| ui.warning(warning));
    }

    /// Remembers the cluster of a target that is in sync, as apply does of any other.
    pub fn remember_cluster(&self, synced: &SyncedTarget) {
        self.remember_cluster_of(&self.named, synced);
    }

    /// The same of another target of this cluster.
    pub fn remember_cluster_of(&self, named: &NamedTarget, synced: &SyncedTarget) {
        let uid = synced.cluster_uid.as_deref();
        app::remember_cluster(&named.target, &self.cluster, uid, &synced.repository);
    }

    /// Says which plan file it is, where an answer as text does not.
    pub fn name_plan(&self, format: OutputFormat, ui: &mut Ui) {
        if let Some(sha256) = self.plan_sha256.as_ref().filter(|_| format == OutputFormat::Text) {
            ui.note(&present::plan_file_line(sha256));
        }
    }

    /// Takes the time that a person needed to answer off the time that the run took.
    pub fn waited(&mut self, answer: Duration) {
        self.begin += answer;
    }

    /// Looks at git and the cluster, and says what is worth a warning.
    ///
    /// # Errors
    ///
    /// When it can't be found out what there is to do.
    pub async fn survey(&self, ui: &mut Ui) -> Result<Survey, Failure> {
        let survey = self.survey_again(&self.cluster, ui).await;
        self.warn_of_refused(survey.as_ref().err(), ui);
        let survey = survey?;
        Self::warn(&survey, &self.named.shown_paths, ui);
        warn_of_removed(&survey.found.removed, ui);
        Ok(survey)
    }

    /// The same, unless the target is known to be in sync.
    ///
    /// # Errors
    ///
    /// As of [`survey`](Self::survey).
    pub async fn look(&self, ui: &mut Ui) -> Result<Look, Failure> {
        let waiting = ui.waiting("reading git and the cluster");
        let look = look(&self.named.target, &self.checkout, &self.cluster, None).await;
        waiting.finish_and_clear();
        ui.cell();
        self.warn_of_credentials(ui);
        let look: Result<Look, Failure> =
            look.inspect_err(|error| ui.problems(error.problems())).map_err(Failure::from);
        self.warn_of_refused(look.as_ref().err(), ui);
        let look = look?;
        match &look {
            Look::InSync(synced) => {
                ui.uncommitted(&synced.uncommitted);
                warn_of_removed(&synced.removed, ui);
            }
            Look::Survey(survey) => {
                Self::warn(survey, &self.named.shown_paths, ui);
                warn_of_removed(&survey.found.removed, ui);
            }
        }
        Ok(look)
    }

    /// Says what of a survey is worth a warning.
    pub fn warn(survey: &Survey, paths: &[String], ui: &mut Ui) {
        let found = &survey.found;
        let is_empty = found.desired.objects.is_empty() && found.desired.problems.is_empty();
        if is_empty && !found.is_removal {
            let paths = paths.join(", ");
            ui.warning(&format!(
                "{} declares nothing under {paths}",
                survey.found.revision.short()
            ));
        }
        ui.warnings(&survey.masked_warnings(&survey.decided.warnings));
        ui.uncommitted(&survey.found.uncommitted);
        if survey.has_failed() {
            let commit = survey.found.revision.short();
            ui.warning(&format!(
                "{commit} failed before and was rolled back: watch does not apply it again"
            ));
        }
        Self::warn_of_unlisted(survey, &[], ui);
    }

    /// Looks at git and the cluster; the warnings are said already.
    ///
    /// # Errors
    ///
    /// When it can't be found out what there is to do.
    pub async fn survey_again(&self, cluster: &Cluster, ui: &mut Ui) -> Result<Survey, Failure> {
        let waiting = ui.waiting("reading git and the cluster");
        let survey = survey(&self.named.target, &self.checkout, cluster, None).await;
        waiting.finish_and_clear();
        ui.cell();
        self.warn_of_credentials(ui);
        Ok(survey.inspect_err(|error| ui.problems(error.problems()))?)
    }

    /// Looks at git and the cluster once more, as after a lock was waited for, and says what is
    /// worth a warning and was not before.
    ///
    /// # Errors
    ///
    /// When git or the cluster can't be read.
    pub async fn survey_since(
        &self,
        before: &Survey,
        cluster: &Cluster,
        ui: &mut Ui,
    ) -> Result<Survey, Failure> {
        let survey = self.survey_again(cluster, ui).await?;
        let is_new = |warning: &&Problem| !before.decided.warnings.contains(warning);
        let warnings: Vec<_> = survey.decided.warnings.iter().filter(is_new).cloned().collect();
        ui.warnings(&survey.masked_warnings(&warnings));
        Self::warn_of_unlisted(&survey, &before.found.unlisted, ui);
        Ok(survey)
    }

    /// Warns of the kinds that can't be listed, apart from those that were told before.
    fn warn_of_unlisted(survey: &Survey, before: &[Unlisted], ui: &mut Ui) {
        let is_new = |it: &&Unlisted| !before.iter().any(|told| told.kind == it.kind);
        for Unlisted { kind, reason, is_forbidden: _ } in
            survey.found.unlisted.iter().filter(is_new)
        {
            let deferred = |it: &Change| {
                matches!(it.confidence(), Confidence::Local(NoPreview::Prerequisite(_)))
            };
            let is_asked = |it: &&Change| it.key.group_kind() == *kind && !deferred(it);
            let asked = match survey.decided.plan.desired.changes.iter().filter(is_asked).count() {
                0 => String::new(),
                1 => "; 1 object was asked for by name".to_owned(),
                n => format!("; {n} objects were asked for by name"),
            };
            ui.warning(&format!("{kind} can't be listed, so nothing is pruned{asked}: {reason}"));
        }
    }

    /// Finds out why the plan is as it is.
    pub async fn explain(&self, survey: &mut Survey) {
        let target = &self.named.target;
        survey.explained = app::explain(survey, target, &self.checkout).await;
    }

    /// The same target as its settings were at another commit, to go back there.
    ///
    /// # Errors
    ///
    /// When that commit's settings can't be used.
    pub fn at(&self, args: &TargetArgs, commit: &str, directory: &Path) -> Result<Target, Failure> {
        self.named_at(&self.named, args, commit, directory)
    }

    /// The same of another target of this cluster.
    ///
    /// # Errors
    ///
    /// As of [`at`](Self::at).
    pub fn named_at(
        &self,
        named: &NamedTarget,
        args: &TargetArgs,
        commit: &str,
        directory: &Path,
    ) -> Result<Target, Failure> {
        let now = &named.target;
        let mut args = args.clone();
        args.files.rev = Some(commit.to_owned());
        args.files.worktree = false;
        if args.files.paths.is_empty() && named.declared {
            args.files.is_named_by_checkout |= args.files.target.is_none();
            args.files.target = Some(named.name.clone());
        }
        let NamedTarget { target, .. } = args.resolve(directory, &self.checkout, &self.cluster)?;
        // No question is asked, so the guards are those of this run.
        let mut policy = target.policy.clone();
        policy.operator.allow_delete.clone_from(&now.policy.operator.allow_delete);
        policy.operator.allow_empty = now.policy.operator.allow_empty;
        policy.operator.moved = true;
        let cluster = now.cluster.clone();
        Ok(Target { inventory: now.inventory.clone(), policy, cluster, ..target })
    }

    /// A survey as it is shown.
    pub fn view<'a>(&'a self, survey: &'a Survey) -> PlanView<'a> {
        self.view_of(&self.named, survey)
    }

    /// The same of another target of this cluster.
    pub fn view_of<'a>(&'a self, named: &'a NamedTarget, survey: &'a Survey) -> PlanView<'a> {
        let revision = revision_view(&survey.found.revision, survey.masked_summary());
        PlanView {
            plan: survey.masked_plan(),
            problems: survey.masked_problems(),
            explained: &survey.explained,
            removed: &survey.found.removed,
            ..self.empty_view(named, revision, survey.found.cluster_uid.as_deref())
        }
    }

    /// A target that is known to be in sync, as it is shown.
    pub fn in_sync_view<'a>(&'a self, synced: &'a SyncedTarget) -> PlanView<'a> {
        self.in_sync_view_of(&self.named, synced)
    }

    /// The same of another target of this cluster.
    pub fn in_sync_view_of<'a>(
        &'a self,
        named: &'a NamedTarget,
        synced: &'a SyncedTarget,
    ) -> PlanView<'a> {
        let SyncedTarget { revision, cluster_uid, in_sync, removed, .. } = synced;
        let revision = revision_view(revision, in_sync.summary.clone());
        let plan = MaskedPlan::in_sync(in_sync.objects);
        PlanView { plan, removed, ..self.empty_view(named, revision, cluster_uid.as_deref()) }
    }

    /// The view of nothing at a revision.
    fn empty_view<'a>(
        &'a self,
        named: &'a NamedTarget,
        revision: RevisionView<'a>,
        cluster_uid: Option<&'a str>,
    ) -> PlanView<'a> {
        static UNEXPLAINED: LazyLock<Explained> = LazyLock::new(Explained::default);
        let target = &named.target;
        PlanView {
            plan: MaskedPlan::none(),
            problems: Vec::new(),
            explained: &UNEXPLAINED,
            now: Timestamp::now(),
            target: TargetView {
                name: &named.name,
                cluster: self.cluster.name(),
                server: self.cluster.host(),
                names_server: self.names_server,
                cluster_id: cluster_uid.map_or("", start),
                paths: &named.shown_paths,
                inventory: (&target.inventory.namespace, &target.inventory.name),
            },
            revision: RevisionView { trust: Some(&named.judged), ..revision },
            requests: self.cluster.requests(),
            elapsed: self.begin.elapsed(),
            plan_sha256: self.plan_sha256.as_deref(),
            charts_for: target.render.kubernetes.used(),
            removed: &[],
            siblings: &target.siblings,
            is_removal: target.is_removed,
        }
    }
}

/// Says which targets are gone from trueup.yaml and not taken down.
pub(super) fn warn_of_removed(removed: &[RemovedTarget], ui: &mut Ui) {
    removed.iter().for_each(|removed| ui.warning(&present::round::removed_line(removed)));
}

fn revision_view(revision: &Revision, summary: Masked<String>) -> RevisionView<'_> {
    RevisionView {
        commit: &revision.commit,
        named: &revision.named,
        summary,
        author: &revision.author,
        dirty: revision.dirty,
        tracked: revision.tracked.as_deref(),
        trust: None,
    }
}

/// The start of a cluster's identity: enough to tell a person's clusters apart.
fn start(uid: &str) -> &str {
    uid.get(..6).unwrap_or(uid)
}
