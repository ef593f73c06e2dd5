//! `trueup history`: which commit was where when, who put it there, and how that ended.

mod log_check;
mod named_object;
mod of_context;
mod patch;
mod question;
mod sought;
mod sources;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use clap::Args;
use jiff::Zoned;

use super::access::AccessArgs;
use super::exit::{Exit, Failure};
use super::headings::{CLUSTER, HOW, WHAT};
use super::present::history::{self as present, HistoryFormat, HistoryView};
use super::ui::Ui;
use crate::config::FILE;
use crate::core::history::{RunRecord, by_target};
use crate::core::suggest::suggest;
use crate::git::{Checkout, Error};
use named_object::{NamedObject, pattern};
use of_context::OfContext;
use patch::Patches;
use question::{AskedTimes, answer};
use sought::{DeclaredTargets, SoughtOptions, SoughtTarget};
use sources::{KnownRuns, SourceOptions};

/// The end of `trueup history --help`.
const EXAMPLES: &str = "\
Examples:
  trueup history                         every target of trueup.yaml
  trueup history prod -n 5               the last five rounds of one
  trueup history --failed --since 2w     what went wrong in two weeks
  trueup history --at 2026-10-03T14:00   what ran then
  trueup history --image web             when its versions came and went
  trueup history --object deployment/web when it changed, by which commit
  trueup history prod -p -n 1            what the last commit changed
  trueup history --stats                 DORA's four figures of 30 days
  trueup history -o csv > rounds.csv     for a spreadsheet
  trueup history --verify                is this machine's log whole?";

/// Show which commit ran where and when
///
/// A round that changed something, failed or was refused left a record beside the inventory, and one on
/// the machine that ran it. Both are read. Without a cluster, this machine's log alone answers.
///
/// Times are dates (2026-10-03), with a time of day (2026-10-03T14:00), or spans (3 days ago, 2w).
///
/// Exit status 0: it is shown, 2: neither a cluster nor the log could tell. With --verify, 1: the log is
/// not whole.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct HistoryArgs {
    /// Targets [default: all of trueup.yaml]
    #[arg(value_name = "TARGET", help_heading = WHAT, display_order = 1)]
    targets: Vec<String>,

    /// The same, as for other commands
    #[arg(
        short,
        long,
        value_name = "NAME",
        env = "TRUEUP_TARGET",
        hide_env_values = true,
        help_heading = WHAT,
        display_order = 2,
        hide_short_help = true
    )]
    target: Option<String>,

    /// How many rounds at most
    #[arg(short = 'n', long, value_name = "N", value_parser = count, help_heading = WHAT, display_order = 3)]
    max_count: Option<usize>,

    /// From this time on
    #[arg(long, value_name = "TIME", alias = "window", help_heading = WHAT, display_order = 4)]
    since: Option<String>,

    /// Until this time
    #[arg(long, value_name = "TIME", help_heading = WHAT, display_order = 5, hide_short_help = true)]
    until: Option<String>,

    /// Only rounds that did not end well
    #[arg(long, help_heading = WHAT, display_order = 6, conflicts_with_all = ["at", "stats"])]
    failed: bool,

    /// Show what ran at this time
    #[arg(long, value_name = "TIME", help_heading = WHAT, display_order = 7, conflicts_with_all = ["since", "until", "image", "object", "stats", "patch", "max_count"])]
    at: Option<String>,

    /// When each version of an image came and went
    ///
    /// The name may be short: `web` is any image whose name ends with `/web`.
    #[arg(long, value_name = "NAME", help_heading = WHAT, display_order = 8, conflicts_with_all = ["object", "stats", "patch"])]
    image: Option<String>,

    /// When an object changed, as deployment/web
    ///
    /// KIND/NAME, or KIND/NAMESPACE/NAME where several namespaces have one.
    #[arg(long, value_name = "OBJECT", value_parser = pattern, help_heading = WHAT, display_order = 9, conflicts_with_all = ["stats", "patch"])]
    object: Option<NamedObject>,

    /// Show what each commit changed
    ///
    /// From the checkout: the objects that differ between the commit before and this one, as diff shows
    /// them. The last ten rounds, unless -n says how many.
    #[arg(short, long, help_heading = WHAT, display_order = 10, conflicts_with = "stats")]
    patch: bool,

    /// DORA's four figures of the last 30 days
    ///
    /// Deployment frequency, lead time, failure rate and time to restore, of each target and of all. Their
    /// definitions are printed. --since and --until give another window.
    #[arg(long, help_heading = WHAT, display_order = 11, conflicts_with = "max_count")]
    stats: bool,

    /// Check this machine's log for missing and altered lines
    ///
    /// Its records are compared with those that the cluster has from this machine.
    #[arg(long, help_heading = WHAT, display_order = 12, conflicts_with_all = ["at", "image", "object", "stats", "patch", "failed", "since", "until", "max_count"])]
    verify: bool,

    /// Namespace of the inventories
    #[arg(long, value_name = "NAME", env = "TRUEUP_NAMESPACE", hide_env_values = true, help_heading = WHAT, display_order = 13, hide_short_help = true)]
    namespace: Option<String>,

    /// How to print the answer
    #[arg(short, long, value_name = "FORMAT", default_value = "text", help_heading = HOW, display_order = 1)]
    output: HistoryFormat,

    /// Do not give the text to a pager, on a terminal either
    #[arg(long, help_heading = HOW, display_order = 2, hide_short_help = true)]
    no_pager: bool,

    /// Ask no cluster: this machine's log
    #[arg(long, help_heading = CLUSTER, display_order = 2)]
    local: bool,

    #[command(flatten)]
    access: AccessArgs,
}

impl HistoryArgs {
    /// Whether whole records are needed, not only their summaries.
    fn needs_bodies(&self) -> bool {
        let lists = self.at.is_none() && !self.stats;
        self.image.is_some()
            || self.object.is_some()
            || self.patch
            || (lists && self.output == HistoryFormat::Json)
    }
}

fn count(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "expected a number of rounds; a namespace is --namespace".to_owned())
}

/// Shows the history; writes nothing.
///
/// # Errors
///
/// When neither a cluster nor this machine's log can tell, or the settings can't be used.
pub async fn run(mut args: HistoryArgs, directory: &Path, ui: &mut Ui) -> Result<Exit, Failure> {
    let begin = Instant::now();
    let now = Zoned::now();
    let asked = AskedTimes::of(&args, &now)?;
    let Asked { checkout, repository, declared, targets, mut unusable } =
        asked_about(&args, directory, ui)?;
    if let Some(failure) = unusable.take_if(|_| !targets.is_empty()) {
        let error = failure.error;
        ui.warning(&format!("the targets are those of this machine's log: {error:#}"));
    }
    if args.verify {
        return log_check::run(&args, &targets, ui).await;
    }
    if let Some(failure) = unusable {
        return Err(failure);
    }
    let of_context = OfContext::of(&args, repository.as_deref());
    let mut known = {
        let takes = takes(&args, &targets, repository, &of_context);
        let options = SourceOptions {
            targets: &targets,
            access: (!args.local).then_some(&args.access).filter(|_| checkout.is_some()),
            whole: args.needs_bodies(),
            takes: &takes,
        };
        sources::read(options, ui).await
    };
    told(&mut known, of_context.elsewhere(), ui)?;
    if checkout.is_some() {
        check_names(&args, &declared, &known)?;
    }
    let runs = known.runs;
    args.object = args.object.map(|object| object.among(&runs)).transpose()?;
    let (answer, shown) = answer(&args, &asked, &runs);
    let patches = match (&checkout, args.patch, args.output) {
        (_, false, _) => Patches::default(),
        (Some(checkout), true, HistoryFormat::Text) => {
            patch::patches(&shown, directory, checkout, ui).await
        }
        (None, true, _) => return Err(anyhow::anyhow!("-p needs a checkout").into()),
        (Some(_), true, _) => return Err(anyhow::anyhow!("-p goes with -o text alone").into()),
    };
    let places = by_target(&runs);
    let contexts: BTreeSet<&str> = places.keys().map(|place| place.context).collect();
    let view = HistoryView {
        answer,
        known: runs.len(),
        names_target: places.len() > 1 || targets.len() > 1,
        names_context: contexts.len() > 1,
        sources: known.sources,
        zone: now.time_zone().clone(),
        requests: known.requests,
        elapsed: begin.elapsed(),
    };
    if args.output == HistoryFormat::Text && !args.no_pager {
        ui.page(|out, glyphs| {
            present::write(out, &view, args.output, glyphs, &mut |out, run, glyphs| {
                patches.write(out, run, glyphs)
            })
        })?;
    } else {
        let glyphs = ui.glyphs();
        present::write(ui.stdout(), &view, args.output, glyphs, &mut |out, run, glyphs| {
            patches.write(out, run, glyphs)
        })?;
    }
    Ok(Exit::AtCommit)
}

/// The subject of the question.
#[derive(Default)]
struct Asked {
    /// The checkout; `None` outside one, where the log alone is asked.
    checkout: Option<Checkout>,
    /// Id of its first commit.
    repository: Option<String>,
    /// The targets that are declared.
    declared: DeclaredTargets,
    /// The targets that are asked about.
    targets: Vec<SoughtTarget>,
    /// Why trueup.yaml can't be used, where that is so. The targets are those of the log then.
    unusable: Option<Failure>,
}

/// The targets that are asked about, and the checkout that says which there are.
///
/// # Errors
///
/// When git or the machine's file can't be used.
fn asked_about(args: &HistoryArgs, directory: &Path, ui: &mut Ui) -> Result<Asked, Failure> {
    let checkout = match Checkout::discover(directory) {
        Err(Error::NotARepository { .. }) => {
            if !args.local && !args.verify {
                ui.note("not in a checkout: this machine's log alone");
            }
            return Ok(Asked::default());
        }
        checkout => checkout?.steady(),
    };
    let named = names(args);
    let namespace = args.namespace.as_deref();
    let options = SoughtOptions { names: &named, namespace, access: &args.access };
    let repository = checkout.root_of_head().map(|root| root.0);
    let mut asked = Asked { repository, ..Asked::default() };
    match sought::declared(&checkout) {
        Ok(declared) => {
            asked.targets = sought::sought(&checkout, &declared, options)?;
            asked.declared = declared;
        }
        Err(failure) => {
            let records = sources::log().and_then(|log| log.records().ok()).unwrap_or_default();
            let its =
                |it: &RunRecord| asked.repository.as_ref().is_none_or(|id| *id == it.repository);
            let records: Vec<RunRecord> = records.into_iter().filter(its).collect();
            asked.targets = sought::recorded(&records, options);
            asked.unusable = Some(failure);
        }
    }
    Ok(Asked { checkout: Some(checkout), ..asked })
}

/// The names that the arguments give.
fn names(args: &HistoryArgs) -> Vec<String> {
    match args.targets.is_empty() {
        true => args.target.iter().cloned().collect(),
        false => args.targets.clone(),
    }
}

/// Whether a record of the log is asked about. Of a repository, those of targets that are gone are, too.
fn takes(
    args: &HistoryArgs,
    targets: &[SoughtTarget],
    repository: Option<String>,
    of_context: &OfContext,
) -> impl Fn(&RunRecord) -> bool {
    let names: BTreeSet<String> = names(args).into_iter().collect();
    let sought = targets.to_vec();
    let namespace = args.namespace.clone();
    move |record| {
        let is_sought = |record: &RunRecord| {
            sought.iter().any(|it| it.has(&record.inventory, &record.cluster.context))
        };
        let is_named = match (names.is_empty(), &repository) {
            (false, _) => names.contains(&record.target) || is_sought(record),
            (true, None) if !sought.is_empty() => is_sought(record),
            (true, _) => true,
        };
        let is_of =
            |asked: &Option<String>, it: &str| asked.as_ref().is_none_or(|asked| asked == it);
        is_named
            && is_of(&repository, &record.repository)
            && of_context.has(record)
            && is_of(&namespace, &record.inventory.namespace)
    }
}

/// Says which sources could not be read.
///
/// # Errors
///
/// When nothing else is known either.
fn told(known: &mut KnownRuns, elsewhere: Option<String>, ui: &mut Ui) -> Result<(), Failure> {
    let is_known = !known.runs.is_empty();
    if let Some(failure) = known.failure.take_if(|_| !is_known) {
        let mut failure = failure;
        let none = || "this machine's log has no round either".to_owned();
        failure.hints.push(elsewhere.unwrap_or_else(none));
        return Err(failure);
    }
    if let Some(elsewhere) = elsewhere.filter(|_| !is_known) {
        ui.note(&elsewhere);
    }
    for source in &known.sources {
        match (&source.context, &source.error) {
            (Some(context), Some(error)) => ui.warning(&format!(
                "cannot read the history in {context}: {error}; this machine's log answers for it"
            )),
            (None, Some(error)) => ui.warning(error),
            (_, None) => {}
        }
    }
    Ok(())
}

/// Checks that each target that is named is one.
///
/// # Errors
///
/// When trueup.yaml has no such target, and no round of it is known.
fn check_names(
    args: &HistoryArgs,
    declared: &DeclaredTargets,
    known: &KnownRuns,
) -> Result<(), Failure> {
    let is_known = |name: &str| known.runs.iter().any(|run| run.summary.target == name);
    let named = names(args);
    let unknown = named.iter().find(|name| !declared.contains_key(*name) && !is_known(name));
    let Some(unknown) = unknown else { return Ok(()) };
    let error = anyhow::anyhow!("no round of a target {unknown:?} is known");
    let hint = match suggest(unknown, declared.keys().map(String::as_str)).first() {
        Some(near) => format!("did you mean {near:?}?"),
        None => format!("{FILE} at HEAD declares none of that name"),
    };
    Err(Failure { error, hints: vec![hint] })
}
