//! Units and manifests that run a target's watch: text alone, from what is known of the checkout.
//!
//! Each form quotes as its reader unquotes: a name, a path or a URL of a checkout may hold anything.

mod cron;
mod manifests;
mod systemd;
#[cfg(test)]
mod tests;
mod workflow;

use std::time::Duration;

pub use cron::{NoSchedule, crontab};
pub use manifests::{Workload, workload};
pub use systemd::{service, timer};
pub use workflow::workflow;

use crate::core::inventory::Inventory;
use crate::core::rbac::Account;
use crate::core::replicas::ReplicaGroup;

/// A target that is to be watched.
#[derive(Clone, Debug)]
pub struct Installation {
    /// The target of `trueup.yaml`; `None` for the whole checkout.
    pub target: Option<String>,
    /// The inventory, whose name the unit has.
    pub inventory: Inventory,
    /// The remote's URL, without credentials.
    pub url: String,
    /// The remote's branch.
    pub branch: String,
    /// The folder of this checkout.
    pub checkout: String,
    /// The time between rounds.
    pub interval: Duration,
    /// The program on the machine that runs it.
    pub program: String,
    /// The container image.
    pub image: String,
    /// The receiver of cron's mail.
    pub mail_to: String,
    /// The account of a workload.
    pub account: Account,
    /// The replicas that share all targets; `None` for one process that watches one target.
    pub replicas: Option<Replicas>,
}

/// Replicas that share the targets of a checkout.
#[derive(Clone, Debug)]
pub struct Replicas {
    /// How many there are.
    pub count: u16,
    /// Their group.
    pub group: ReplicaGroup,
    /// Whether all targets are to be in the namespace of the group, whatever their settings say.
    pub is_namespace_chosen: bool,
}

impl Installation {
    /// The name of a unit, a workload and its folders: the inventory's.
    fn name(&self) -> &str {
        &self.inventory.name
    }

    /// Its name for people.
    fn title(&self) -> &str {
        self.target.as_deref().unwrap_or(self.name())
    }

    /// The arguments that choose the target. The namespace is always named: where no setting names one,
    /// another kubeconfig would have another.
    fn choice(&self) -> Vec<&str> {
        if let Some(Replicas { group, is_namespace_chosen, .. }) = &self.replicas {
            let namespace = ["--namespace", &group.namespace];
            let namespace = is_namespace_chosen.then_some(namespace).into_iter().flatten();
            let group = ["--replica-group", &group.name, "--lease-namespace", &group.namespace];
            return ["--all-targets"].into_iter().chain(namespace).chain(group).collect();
        }
        let target = self.target.iter().flat_map(|target| ["--target", target]);
        target.chain(["--namespace", &self.inventory.namespace]).collect()
    }

    /// The arguments that clone the checkout, or bring it up to date.
    fn pull<'a>(&'a self, folder: &'a str) -> Vec<&'a str> {
        vec!["-C", folder, "pull", "--url", &self.url, "--branch", &self.branch]
    }

    /// The arguments that watch it, with those of this form.
    fn watch<'a>(&'a self, folder: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        [&["-C", folder, "watch"][..], &self.choice(), more].concat()
    }

    /// The first text that no form can hold: all of them are lines, and GitHub replaces expressions.
    pub fn unfit(&self) -> Option<&str> {
        let Self { target, inventory, url, branch, checkout, program, image, mail_to, .. } = self;
        let texts = [&inventory.namespace, url, branch, checkout, program, image, mail_to];
        let mut texts = texts.into_iter().chain(target).map(String::as_str);
        texts.find(|text| text.contains(char::is_control) || text.contains("${{"))
    }

    /// The interval as an argument.
    fn interval(&self) -> String {
        seconds(self.interval)
    }
}

fn seconds(time: Duration) -> String {
    format!("{}s", time.as_secs().max(1))
}

/// A text on one line of a comment.
fn on_one_line(text: &str) -> String {
    text.chars().map(|c| if (' '..='~').contains(&c) { c } else { '?' }).collect()
}

/// A text in double quotes, in ASCII, as readers of YAML read it: a name may hold anything.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            ' '..='~' => quoted.push(c),
            c => quoted += &format!("\\U{:08X}", u32::from(c)),
        }
    }
    quoted + "\""
}

/// A text as one word of a shell.
fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@+,=".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}
