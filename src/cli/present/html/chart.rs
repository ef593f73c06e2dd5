//! The time line of a target as a drawing: what ended well stands above the line, what failed hangs below
//! it, and a shape beneath says how the worst of it ended. So it needs no colour to be read.

use super::markup::{Element, element};
use super::timeline::{Part, Scale};

/// The measures of a drawing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measures {
    /// How high it is.
    height: &'static str,
    /// How high the highest bar is above the line, and where the line is.
    above: f64,
    /// How low the lowest bar hangs.
    below: f64,
    /// Where the shapes are, if it has some.
    shapes: Option<&'static str>,
}

/// Those of a target's time line.
pub(super) const ROW: Measures =
    Measures { height: "44", above: 22.0, below: 11.0, shapes: Some("40") };
/// Those of the time line of all targets, where most parts have something that failed.
pub(super) const WHOLE: Measures =
    Measures { height: "86", above: 60.0, below: 24.0, shapes: None };

/// The largest counts of a part among the time lines that stand together.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Most {
    deployed: usize,
    failed: usize,
}

impl Most {
    /// The counts of these and of others.
    pub(super) fn and(self, parts: &[Part<'_>]) -> Self {
        parts.iter().fold(self, |most, part| Self {
            deployed: most.deployed.max(part.deployed),
            failed: most.failed.max(part.failed),
        })
    }
}

/// The shapes that all drawings use.
pub(super) fn shapes() -> Element {
    let path = |id: &'static str, class: &'static str, d: &str| {
        element("path").with("id", id).class(class).with("d", d)
    };
    let shapes = [
        path("rolled-back", "rolled-back", "M0-4.5 4.5 0 0 4.5-4.5 0z"),
        path("failed", "failed", "M-3.5-3.5 3.5 3.5M-3.5 3.5 3.5-3.5"),
        path("other", "other", "M-2 0a2 2 0 1 0 4 0a2 2 0 1 0-4 0"),
    ];
    let svg = element("svg").with("width", "0").with("height", "0").with("aria-hidden", "true");
    svg.class("shapes").child(element("defs").children(shapes))
}

/// The legend: each sign with its words.
pub(super) fn legend() -> Element {
    let small =
        || element("svg").with("width", "12").with("height", "12").with("aria-hidden", "true");
    let bar = |class: &'static str, y: &str| {
        let bar = element("rect").class(class).with("x", "3").with("y", y);
        let line = element("line").with("x1", "0").with("x2", "12").with("y1", "6").with("y2", "6");
        small().child(line).child(bar.with("width", "6").with("height", "5"))
    };
    let shape =
        |href: &str| small().child(element("use").with("href", href).with("x", "6").with("y", "6"));
    let entries = [
        (bar("up", "1"), "deployed (above the line)"),
        (bar("down", "6"), "failed (below, on a scale of its own)"),
        (shape("#failed"), "failed"),
        (shape("#rolled-back"), "rolled back"),
        (shape("#other"), "drift put back, refused or interrupted"),
    ];
    let entries = entries.map(|(sign, words)| element("li").child(sign).text(" ").text(words));
    element("ul").class("legend").children(entries)
}

/// The time line.
pub(super) fn chart(scale: &Scale, parts: &[Part<'_>], most: Most, measures: Measures) -> Element {
    let label = format!("Time line of {}: {}", scale.words(), Part::sum(parts).words());
    let svg = element("svg").class("chart").with("width", "100%").with("height", measures.height);
    let svg = svg.with("role", "img").with("aria-label", &label);
    let end = rounded(measures.above + measures.below);
    let months = scale.labels().into_iter().map(|(place, _)| {
        let (x, line) = (percent(place), element("line").class("month"));
        line.with("x1", &x).with("x2", &x).with("y1", "0").with("y2", &end)
    });
    let y = rounded(measures.above);
    let line = element("line").with("x1", "0").with("x2", "100%").with("y1", &y).with("y2", &y);
    let shown = parts.iter().enumerate().filter(|(_, part)| part.count() > 0);
    let drawn = shown.map(|(index, part)| drawn(scale, index, part, most, measures));
    svg.children(months).child(line).children(drawn)
}

/// The labels of the time axis as a drawing of their own.
pub(super) fn axis(scale: &Scale) -> Element {
    let svg = element("svg").class("axis").with("width", "100%").with("height", "16");
    let labels = scale.labels().into_iter().filter(|(place, _)| *place < 96.0);
    svg.with("aria-hidden", "true").children(labels.map(|(place, label)| {
        element("text").with("x", &percent(place)).with("y", "12").text(&label)
    }))
}

/// One part of the window.
fn drawn(scale: &Scale, index: usize, part: &Part<'_>, most: Most, measures: Measures) -> Element {
    let Measures { above, below, shapes, .. } = measures;
    let (begin, width) = scale.place_of_part(index);
    let bar = |class: &'static str, y: f64, height: f64| {
        let bar = element("rect").class(class).with("x", &percent(begin + width * 0.1));
        let bar = bar.with("y", &rounded(y)).with("width", &percent(width * 0.8));
        bar.with("height", &rounded(height))
    };
    let high = |count: usize, most: usize, room: f64| {
        (count as f64 / most.max(1) as f64 * room).clamp(3.0, room)
    };
    let up = high(part.deployed, most.deployed, above);
    let up = (part.deployed > 0).then(|| bar("up", above - up, up));
    let down = high(part.failed, most.failed, below);
    let down = (part.failed > 0).then(|| bar("down", above, down));
    let shape = match part {
        Part { rolled_back: 1.., .. } => Some("#rolled-back"),
        Part { failed: 1.., .. } => Some("#failed"),
        Part { other: 1.., .. } => Some("#other"),
        _ => None,
    };
    let shape = shapes.zip(shape).map(|(y, href)| {
        let shape = element("use").with("href", href);
        shape.with("x", &percent(begin + width / 2.0)).with("y", y)
    });
    let title = element("title").text(&scale.part_words(index, part));
    element("g").child(title).children(up).children(down).children(shape)
}

fn percent(value: f64) -> String {
    format!("{}%", rounded(value))
}

/// A number with one digit behind the point at most.
fn rounded(value: f64) -> String {
    let written = format!("{value:.1}");
    written.strip_suffix(".0").map(str::to_owned).unwrap_or(written)
}
