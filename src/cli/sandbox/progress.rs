//! Shows what happens on the way to a sandbox: one moving line on a terminal, plain lines elsewhere.

use std::time::{Duration, Instant};

use super::super::ui::{ProgressIndicator, Ui};
use crate::sandbox::{SandboxEvent, build};

/// How often a log hears of a build that goes on.
const LOG_PAUSE: Duration = Duration::from_secs(30);

/// The line that moves, or the lines that stay.
pub struct BuildDisplay<'a> {
    ui: &'a mut Ui,
    bar: Option<ProgressIndicator>,
    started: Instant,
    compiled_said: Option<Instant>,
}

impl<'a> BuildDisplay<'a> {
    /// Nothing happened yet.
    pub fn new(ui: &'a mut Ui) -> Self {
        let bar = ui.has_progress().then(ProgressIndicator::drawn);
        Self { ui, bar, started: Instant::now(), compiled_said: None }
    }

    /// One event.
    pub fn show(&mut self, event: SandboxEvent) {
        match event {
            SandboxEvent::Lacking { place, missing } => {
                self.line(&format!("{place} lacks {}; looking further", missing.join(", ")));
            }
            SandboxEvent::Skipped(note) => self.line(&note),
            SandboxEvent::WaitingForBuild => {
                self.step("another trueup builds the control plane; waiting")
            }
            SandboxEvent::Building(build::BuildProgress::Fetching) => {
                self.line("building the control plane with Go; this takes some minutes, once");
                self.step("fetching its modules");
            }
            SandboxEvent::Building(build::BuildProgress::Compiling { done, all }) => {
                self.compiling(done, all)
            }
            SandboxEvent::Built => {
                let minutes = self.elapsed();
                self.line(&format!("built the control plane in {minutes}"));
            }
            SandboxEvent::Starting(name) => self.step(&format!("starting {name}")),
            SandboxEvent::Ready { programs } => {
                let seconds = self.elapsed();
                self.line(&format!("the control plane is ready after {seconds} (from {programs})"));
            }
        }
    }

    fn compiling(&mut self, done: usize, all: usize) {
        let text = format!("compiling: {done} of {all} packages");
        if let Some(bar) = &self.bar {
            bar.set_share(&text, done, all);
        } else if self.compiled_said.is_none_or(|said| said.elapsed() > LOG_PAUSE) {
            self.compiled_said = Some(Instant::now());
            let text = format!("{text}, {}", self.elapsed());
            self.line(&text);
        }
    }

    /// Shows the current step.
    fn step(&mut self, text: &str) {
        match &self.bar {
            Some(bar) => bar.set_step(text),
            None => self.line(text),
        }
    }

    /// Prints a line that stays on the screen.
    fn line(&mut self, text: &str) {
        let Self { ui, bar, .. } = self;
        match bar {
            Some(bar) => bar.suspend(|| ui.note(text)),
            None => ui.note(text),
        }
    }

    fn elapsed(&self) -> String {
        match self.started.elapsed() {
            time if time < Duration::from_secs(60) => format!("{:.1} s", time.as_secs_f32()),
            time => format!("{} min {} s", time.as_secs() / 60, time.as_secs() % 60),
        }
    }
}

impl Drop for BuildDisplay<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
