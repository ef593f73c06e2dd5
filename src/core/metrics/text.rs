//! Prometheus' text format 0.0.4, which its server and the textfile collector of node_exporter read.
//!
//! OpenMetrics would do for the server alone: the collector finds no type for its counters.

use std::fmt::Write as _;

/// The type of a metric.
#[derive(Clone, Copy, Debug)]
pub(super) enum MetricType {
    Counter,
    Gauge,
    Summary,
}

/// The text so far.
#[derive(Default)]
pub(super) struct Exposition {
    text: String,
}

/// A metric whose samples follow.
pub(super) struct MetricText<'a> {
    exposition: &'a mut Exposition,
    name: &'static str,
    /// The lines before the first sample; a metric without samples is left out.
    head: Option<String>,
}

impl Exposition {
    pub(super) fn metric(
        &mut self,
        name: &'static str,
        kind: MetricType,
        help: &str,
    ) -> MetricText<'_> {
        let kind = match kind {
            MetricType::Counter => "counter",
            MetricType::Gauge => "gauge",
            MetricType::Summary => "summary",
        };
        let head = format!("# HELP trueup_{name} {help}\n# TYPE trueup_{name} {kind}\n");
        MetricText { exposition: self, name, head: Some(head) }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

impl MetricText<'_> {
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: f64) {
        self.line("", labels, value);
    }

    pub(super) fn summary(&mut self, labels: &[(&str, &str)], sum: f64, count: u64) {
        self.line("_sum", labels, sum);
        self.line("_count", labels, count as f64);
    }

    fn line(&mut self, suffix: &str, labels: &[(&str, &str)], value: f64) {
        let Exposition { text } = &mut *self.exposition;
        text.push_str(&self.head.take().unwrap_or_default());
        let _ = write!(text, "trueup_{}{suffix}", self.name);
        let labels: Vec<String> = labels.iter().map(|(name, value)| label(name, value)).collect();
        let _ = match labels.is_empty() {
            true => writeln!(text, " {value}"),
            false => writeln!(text, "{{{}}} {value}", labels.join(",")),
        };
    }
}

/// A label.
pub(super) fn label(name: &str, value: &str) -> String {
    format!("{name}=\"{}\"", escaped(value))
}

/// A label's value, with what would end it escaped.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
