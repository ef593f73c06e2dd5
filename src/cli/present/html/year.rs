//! The deployments: DORA's four figures for all targets, and for each one its time line and its own figures.

use super::chart::{Most, ROW, WHOLE, axis, chart, legend};
use super::markup::{Element, element};
use super::timeline::Part;
use super::words::{self, span};
use super::{Content, Shown, cell, column, section as section_of, small};
use crate::core::history::{Deployments, Figures, Spread};

/// The section.
pub(super) fn section(content: &Content<'_>) -> Element {
    let scale = &content.scale;
    let section = section_of("year", &format!("Deployments in {}", scale.words()));
    if content.targets.iter().all(|target| target.rounds.is_empty()) {
        return section.child(element("p").text("No round is known yet."));
    }
    let mut all = Deployments::default();
    let each: Vec<Deployments> =
        content.targets.iter().map(|it| deployments(content, it)).collect();
    each.iter().cloned().for_each(|it| all.add(it));
    let rounds = content.targets.iter().flat_map(|it| it.rounds.iter().copied());
    let parts = scale.parts(rounds);
    let whole = chart(scale, &parts, Most::default().and(&parts), WHOLE);
    let whole = element("div").class("whole").child(whole).child(axis(scale));
    let section = section.child(big_figures(&all, content)).child(whole).child(legend());
    section.child(table(content, &each)).child(definitions(&all))
}

fn deployments(content: &Content<'_>, target: &Shown<'_>) -> Deployments {
    Deployments::of(target.rounds.iter().copied(), content.scale.window)
}

/// The four figures of all targets together.
fn big_figures(all: &Deployments, content: &Content<'_>) -> Element {
    let figures = all.figures(content.scale.window);
    let Figures { deployments, failed, .. } = figures;
    let open = (all.unrestored > 0).then(|| format!("{} not over yet", all.unrestored));
    let entries = [
        ("Deployment frequency", per_week(&figures), Some(format!("{deployments} in all"))),
        ("Lead time", median(&figures.lead), p90(&figures.lead)),
        ("Change failure rate", rate(&figures), Some(format!("{failed} of {deployments}"))),
        ("Time to restore", median(&figures.restore), open.or(p90(&figures.restore))),
    ];
    let entries = entries.map(|(name, figure, note)| {
        let value = element("dd").child(element("b").text(&figure)).text(" ");
        let value = value.children(note.map(|note| small(&note)));
        element("div").child(element("dt").text(name)).child(value)
    });
    element("dl").class("figures").children(entries)
}

/// The time line and the figures of each target.
fn table(content: &Content<'_>, each: &[Deployments]) -> Element {
    let scale = &content.scale;
    let parts: Vec<Vec<Part<'_>>> =
        content.targets.iter().map(|it| scale.parts(it.rounds.iter().copied())).collect();
    let most = parts.iter().fold(Most::default(), |most, parts| most.and(parts));
    let time = column("Time line").child(axis(scale));
    let columns = ["Deployed", "Lead time", "Failed", "Restored in"].map(column);
    let head = element("tr").child(column("Target")).child(time).children(columns);
    let rows =
        content.targets.iter().zip(parts.iter().zip(each)).map(|(target, (parts, found))| {
            let figures = found.figures(scale.window);
            let open = (found.unrestored > 0).then(|| small(" not over yet"));
            let failed = format!("{} ({})", rate(&figures), figures.failed);
            let name = element("th").with("scope", "row").child(target.link());
            let row = element("tr").child(name);
            if figures.deployments == 0 && parts.iter().all(|part| part.count() == 0) {
                let none = cell("Deployments").with("colspan", "5").text("none in this time");
                return row.child(none);
            }
            row.child(element("td").class("line").child(chart(scale, parts, most, ROW)))
                .child(cell("Deployed").text(&per_week(&figures)))
                .child(cell("Lead time").text(&median(&figures.lead)))
                .child(cell("Failed").text(&failed))
                .child(cell("Restored in").text(&median(&figures.restore)).children(open))
        });
    let caption = element("caption").class("unseen").text("Deployments of each target");
    let body = element("tbody").children(rows);
    let head = element("thead").child(head);
    element("table").class("stacked year").child(caption).child(head).child(body)
}

/// The meaning of the figures, and what they do not count.
fn definitions(all: &Deployments) -> Element {
    let terms = [
        (
            "Deployment",
            "Successive rounds that apply one commit to one target. Drift, removals and \
         refused rounds are none.",
        ),
        (
            "Lead time",
            "From the commit's time to the end of the round that got it there: the median.",
        ),
        ("Failed", "Deployments that failed, were not healthy in time, or were rolled back."),
        (
            "Restored in",
            "From the begin of a failed deployment to the end of the next round that ended \
         well, or of its rollback: the median.",
        ),
    ];
    let terms = terms.map(|(term, words)| {
        element("div").child(element("dt").text(term)).child(element("dd").text(words))
    });
    let left_out = (all.skewed > 0).then(|| {
        let count = words::counted(all.skewed, "deployment");
        element("p").text(&format!("{count} of a commit from the future: no lead time."))
    });
    let oldest = all.oldest.map(|oldest| {
        let text = element("p").text("The oldest round that is known began at ");
        text.child(words::time(oldest)).text(". Before that, nothing is known.")
    });
    let summary = element("summary").text("What these figures mean");
    element("details")
        .class("meanings")
        .child(summary)
        .child(element("dl").children(terms))
        .children(left_out)
        .children(oldest)
}

/// How often, in words.
fn per_week(figures: &Figures) -> String {
    match figures.per_day {
        0.0 => "never".to_owned(),
        per_day if per_day >= 1.0 => format!("{per_day:.1} a day"),
        per_day if per_day * 7.0 >= 1.0 => format!("{:.1} a week", per_day * 7.0),
        per_day => format!("{:.1} a month", per_day * 30.4),
    }
}

fn rate(figures: &Figures) -> String {
    figures.failure_rate.map_or("–".to_owned(), |rate| format!("{:.0} %", rate * 100.0))
}

fn median(spread: &Spread) -> String {
    spread.median.map_or("–".to_owned(), span)
}

fn p90(spread: &Spread) -> Option<String> {
    spread.p90.map(|p90| format!("9 of 10 within {}", span(p90)))
}
