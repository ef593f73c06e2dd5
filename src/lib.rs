//! Git says what should run; trueup makes a Kubernetes cluster true to it.

pub mod catalog;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod delta;
pub mod desired;
pub mod git;
pub mod inventory;
pub mod manifest;
pub mod object;
pub mod observed;
pub mod ownership;
pub mod plan;
pub mod problem;
pub mod reconcile;
pub mod redact;
pub mod report;
#[cfg(unix)]
pub mod sandbox;
pub mod selection;
pub mod snapshot;
pub mod watch;
