//! `trueup status`: what runs on each target, what git has, and whether it is in sync and healthy.

mod contexts;
mod found;
mod merge;
mod page;
mod waiting;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;

use self::contexts::{ContextQuestion, Question, UnusableSettings};
use self::found::Found;
pub(super) use self::page::prepare as prepare_page;
use super::access::AccessArgs;
use super::exit::{Exit, Failure};
use super::headings::{CLUSTER, HOW, WHAT};
use super::machine_file::{self, machine};
use super::present::status::{self as present, ContextView, StatusFormat};
use super::target::TargetArgs;
use super::ui::Ui;
use crate::config::{Config, ConfigError, FILE};
use crate::core::policy::run_options::duration;
use crate::core::status::{StatusVerdict, TargetStatus};
use crate::git::Checkout;

/// How long a context may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many commits back usable settings are looked for.
const FORMER_COMMITS: usize = 100;
/// How long a commit is waited for.
const WAIT: Duration = Duration::from_secs(300);

/// The end of `trueup status --help`.
const EXAMPLES: &str = "\
Examples:
  trueup status                          every target of trueup.yaml
  trueup status prod staging             two of them
  trueup status --contexts eu,us         on several clusters, side by side
  trueup status --images                 the images that pods run, with digests
  trueup status --wait-for HEAD prod     until this commit is healthy on prod
  trueup status --html page.html         a page to keep or to serve
  trueup status -o markdown              for a comment";

/// Show what runs on each target, in sync and healthy or not
///
/// The commit that runs, the one that git has here, drift, health, and what keeps a target from following
/// git. Nothing is fetched and nothing is written. Every kind is listed once for all targets of a cluster.
///
/// Exit status 0: every target is at git's commit, in sync and healthy, 1: some are not, 2: could not
/// tell some.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct StatusArgs {
    /// Targets of trueup.yaml [default: all of them]
    #[arg(value_name = "TARGET", help_heading = WHAT, display_order = 1)]
    targets: Vec<String>,

    /// Every target of trueup.yaml, also where the environment names one
    #[arg(long, conflicts_with_all = ["targets", "target"], help_heading = WHAT, display_order = 2)]
    all_targets: bool,

    /// The same as TARGET
    #[arg(
        short,
        long,
        value_name = "NAME",
        conflicts_with = "targets",
        env = "TRUEUP_TARGET",
        hide_env_values = true,
        help_heading = WHAT,
        display_order = 3,
        hide_short_help = true
    )]
    target: Option<String>,

    /// Show declared and running images, with digests
    ///
    /// Running ones are those of the pods' own status. An image differs where its pods run another one, or
    /// one name with several digests.
    #[arg(long, conflicts_with = "wait_for", help_heading = WHAT, display_order = 4)]
    images: bool,

    /// Namespace of the inventories of targets that name none
    #[arg(
        short,
        long,
        value_name = "NAME",
        env = "TRUEUP_NAMESPACE",
        hide_env_values = true,
        help_heading = WHAT,
        display_order = 6,
        hide_short_help = true
    )]
    namespace: Option<String>,

    /// Wait until this commit, branch or tag is healthy
    ///
    /// It is resolved here and now, and waited for by its full id, whichever machine applies it. The exit
    /// status is 1 as soon as a later commit overtakes it, it fails or is rolled back, and when the time
    /// is up.
    #[arg(long, value_name = "REV", help_heading = HOW, display_order = 1)]
    wait_for: Option<String>,

    /// Time limit of a context, or of --wait-for
    ///
    /// Default: 10s for each context, 5m for --wait-for. A plain number counts seconds.
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = HOW, display_order = 2)]
    timeout: Option<Duration>,

    /// How to print the answer
    #[arg(short, long, value_name = "FORMAT", default_value = "text", help_heading = HOW, display_order = 3)]
    output: StatusFormat,

    /// Write a page that shows all of it to this file, too, with the history
    ///
    /// One file of HTML without scripts, which fetches nothing. It is replaced as a whole.
    #[arg(long, value_name = "FILE", conflicts_with = "wait_for", help_heading = HOW, display_order = 5)]
    html: Option<PathBuf>,

    /// Exit 0 where a target is not at the commit, in sync and healthy, too
    #[arg(long, help_heading = HOW, display_order = 4, hide_short_help = true)]
    exit_zero: bool,

    /// Contexts of the kubeconfig to look at, side by side
    ///
    /// One that fails is shown as such; the others are unaffected. A target that is known to belong to
    /// another cluster is left out. Default: `contexts:` of the machine's config.yaml, else the context of
    /// each target.
    #[arg(
        long,
        value_name = "A,B",
        value_delimiter = ',',
        help_heading = CLUSTER,
        display_order = 2
    )]
    contexts: Vec<String>,

    #[command(flatten)]
    access: AccessArgs,
}

impl StatusArgs {
    /// The arguments of a target, with the same guards as those of diff, so that both share what is
    /// proven.
    fn target_args(&self) -> TargetArgs {
        TargetArgs::plain(None, self.namespace.clone(), self.access.clone())
    }

    /// The targets that are asked for by name; none for all.
    fn named(&self) -> Vec<String> {
        match (&self.target, self.all_targets) {
            (Some(target), false) => vec![target.clone()],
            _ => self.targets.clone(),
        }
    }
}

/// Shows the status; writes nothing but the page that is asked for.
///
/// # Errors
///
/// When there is no checkout, its settings can't be read, or the only cluster can't be told.
pub async fn run(args: StatusArgs, directory: &Path, ui: &mut Ui) -> Result<Exit, Failure> {
    let begin = Instant::now();
    args.html.as_deref().map_or(Ok(()), page::prepare)?;
    // One commit for all targets, and for the settings that name them.
    let checkout = Checkout::discover(directory)?.steady();
    let question = question(&args, directory, &checkout)?;
    if let Some(rev) = &args.wait_for {
        return waiting::run(&args, question, rev, ui).await;
    }
    let patience = args.timeout.unwrap_or(PATIENCE);
    let waiting = ui.waiting("reading git and the clusters");
    let mut answers =
        contexts::look_at_all(&question, patience, args.images || args.html.is_some()).await;
    waiting.finish_and_clear();
    ui.cell();
    for answer in &answers {
        answer.warnings.iter().for_each(|warning| ui.warning(warning));
    }
    if let [answer] = answers.as_mut_slice()
        && let Some(failure) = answer.failure.take()
    {
        return Err(failure);
    }
    answers.iter().for_each(|answer| answer.say_failure(ui));
    let found = Found::of(answers, &question, args.html.is_some());
    let view = found.view(args.images, begin);
    if let Some(file) = &args.html {
        page::write(file, &view)?;
    }
    let glyphs = ui.glyphs();
    present::write(ui.stdout(), &view, args.output, glyphs)?;
    Ok(match verdict(&found.rows, &found.contexts) {
        StatusVerdict::Unknown => Exit::CouldNot,
        StatusVerdict::NotGood if !args.exit_zero => Exit::NotAtCommit,
        _ => Exit::AtCommit,
    })
}

/// Writes the page of some targets, or of all, as they are now: that of a watch.
///
/// # Errors
///
/// When there is no checkout, its settings can't be read, or the file can't be written.
pub(super) async fn write_page(page: &WatchedPage, directory: &Path) -> Result<(), Failure> {
    let WatchedPage { file, targets, namespace, access } = page;
    let args = StatusArgs {
        targets: targets.clone(),
        all_targets: false,
        target: None,
        images: true,
        namespace: namespace.clone(),
        wait_for: None,
        timeout: None,
        output: StatusFormat::Text,
        html: Some(file.clone()),
        exit_zero: true,
        contexts: Vec::new(),
        access: access.clone(),
    };
    let begin = Instant::now();
    let checkout = Checkout::discover(directory)?.steady();
    let question = question(&args, directory, &checkout)?;
    let answers = contexts::look_at_all(&question, PATIENCE, true).await;
    let found = Found::of(answers, &question, true);
    page::write(file, &found.view(true, begin))
}

/// The page that a watch keeps.
#[derive(Clone, Debug)]
pub(super) struct WatchedPage {
    /// The file.
    pub(super) file: PathBuf,
    /// The targets; none for all.
    pub(super) targets: Vec<String>,
    /// Namespace of the inventories of targets that name none.
    pub(super) namespace: Option<String>,
    /// How to reach the clusters.
    pub(super) access: AccessArgs,
}

/// The question: the contexts, and the targets of each.
fn question<'a>(
    args: &StatusArgs,
    directory: &'a Path,
    checkout: &'a Checkout,
) -> Result<Question<'a>, Failure> {
    let mut target_args = args.target_args();
    let (config, fault) = match settings(&target_args, checkout) {
        Ok(config) => (config, None),
        Err(failure) if args.wait_for.is_none() => {
            let former = former_settings(checkout, failure)?;
            target_args.files.rev = Some(former.commit);
            (former.config, Some(former.unusable))
        }
        Err(failure) => return Err(failure),
    };
    let asked = args.named();
    for name in &asked {
        config.target(Some(name))?;
    }
    let mut names: Vec<String> = config.targets.keys().cloned().collect();
    names.retain(|name| asked.is_empty() || asked.contains(name));
    let are_all = asked.is_empty() && !names.is_empty();
    let has_context = args.access.context.as_deref().is_some_and(|it| !it.is_empty());
    let listed = match (args.contexts.is_empty(), has_context) {
        (false, _) => args.contexts.iter().map(|name| name.trim().to_owned()).collect(),
        (true, true) => Vec::new(),
        (true, false) => machine()?.contexts,
    };
    // Where there is no trueup.yaml, the whole checkout is the target.
    let places: Vec<Option<String>> = match names.is_empty() {
        true => vec![None],
        false => names.iter().cloned().map(Some).collect(),
    };
    let are_listed = !listed.is_empty();
    let mut contexts: Vec<ContextQuestion> = Vec::new();
    if are_listed {
        let mut listed = listed;
        let mut seen = BTreeSet::new();
        listed.retain(|context| seen.insert(context.clone()));
        contexts.extend(listed.into_iter().map(|context| {
            let mut access = args.access.access();
            access.context = Some(context);
            ContextQuestion { access, targets: places.clone() }
        }));
    } else {
        for name in places {
            let access = match &name {
                Some(name) => target_args.access_of(name)?,
                None => target_args.access_to(directory, checkout)?,
            };
            match contexts.iter_mut().find(|known| known.access.context == access.context) {
                Some(known) => known.targets.push(name),
                None => contexts.push(ContextQuestion { access, targets: vec![name] }),
            }
        }
    }
    let watches = machine_file::watch_marks().map(|marks| marks.all()).unwrap_or_default();
    Ok(Question {
        directory,
        checkout,
        target_args,
        contexts,
        names,
        are_all,
        are_listed,
        watches,
        fault,
    })
}

/// The settings of an earlier commit, where those of the newest can't be used.
struct FormerSettings {
    commit: String,
    config: Config,
    unusable: UnusableSettings,
}

/// The newest settings before `HEAD` that can be used: a typo must not hide what runs.
///
/// # Errors
///
/// The `failure` of `HEAD`'s, where it is another one, or no earlier commit has settings.
fn former_settings(checkout: &Checkout, failure: Failure) -> Result<FormerSettings, Failure> {
    if !failure.error.is::<ConfigError>() {
        return Err(failure);
    }
    let revision = checkout.resolve(None)?;
    let read = |commit: String| {
        let revision = checkout.resolve(Some(&commit)).ok()?;
        let file = checkout.read_file(&revision, FILE).ok()??;
        Some((commit, Config::read(&file).ok()?))
    };
    let found = checkout.first_parents(&revision, FORMER_COMMITS).into_iter().find_map(read);
    let Some((commit, config)) = found else { return Err(failure) };
    let fault = format!("{:#}", failure.error);
    Ok(FormerSettings { commit, config, unusable: UnusableSettings { fault, revision } })
}

/// The settings that say which targets there are. Where no commit is trusted by all rules, `HEAD`'s do: each
/// target is held to its own rule all the same.
fn settings(args: &TargetArgs, checkout: &Checkout) -> Result<Config, Failure> {
    match args.listed(checkout) {
        Ok((config, _)) => Ok(config),
        Err(failure) if failure.refusal().is_some() => args.files.config(checkout),
        Err(failure) => Err(failure),
    }
}

/// The answer about all targets in one word: the worst of any.
fn verdict(rows: &[TargetStatus], contexts: &[ContextView]) -> StatusVerdict {
    let of_rows = rows.iter().map(TargetStatus::verdict);
    let of_contexts = contexts.iter().map(|context| match context.error {
        Some(_) => StatusVerdict::Unknown,
        None => StatusVerdict::Good,
    });
    of_rows.chain(of_contexts).max().unwrap_or(StatusVerdict::Good)
}
