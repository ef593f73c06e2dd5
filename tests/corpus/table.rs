//! What it all came to, as a table.

use std::time::Duration;

use super::answer::Answer;

/// Requests and seconds of one run.
pub struct Cost(usize, f64);

impl Cost {
    /// As the run itself says.
    pub fn of(answer: &Answer) -> Self {
        Self(answer.requests, answer.elapsed)
    }

    fn cells(&self) -> String {
        format!("{:>5} {:>5.1}", self.0, self.1)
    }
}

/// What one project came to.
pub struct Row {
    pub project: String,
    pub files: usize,
    pub left_out: usize,
    pub objects: usize,
    pub apply: Cost,
    pub diff: Cost,
    pub again: Cost,
    pub writes: usize,
    pub pruned: usize,
    pub prune: Cost,
    pub empty: Cost,
    /// The whole time, with sandboxes and what it took to find what is sound.
    pub all: Duration,
}

/// Prints the table; of each run the requests and the seconds.
#[allow(clippy::print_stdout, reason = "the table is what one runs this for")]
pub fn print(rows: &[Row]) {
    let head = ["apply", "diff", "again", "prune", "empty"].map(|name| format!("{name:>11}"));
    let [apply, diff, again, prune, empty] = head;
    println!(
        "{:<23} files  out objects {apply} {diff} {again} writes {prune} pruned {empty} seconds",
        "project"
    );
    for row in rows {
        println!(
            "{:<23} {:>5} {:>4} {:>7} {} {} {} {:>6} {} {:>6} {} {:>7.0}",
            row.project,
            row.files,
            row.left_out,
            row.objects,
            row.apply.cells(),
            row.diff.cells(),
            row.again.cells(),
            row.writes,
            row.prune.cells(),
            row.pruned,
            row.empty.cells(),
            row.all.as_secs_f64(),
        );
    }
}
