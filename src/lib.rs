//! Git says what should run; trueup makes a Kubernetes cluster true to it.
//!
//! This page is the map of the house. Arrows point one way, and a test holds that:
//! [`cli`] → [`app`] → [`git`], [`render`], [`cluster`], [`notify`], `sandbox` → [`local`] → [`core`], beside them
//! [`config`], which [`app`] and [`cli`] read.
//!
//! | ring | what it does |
//! |---|---|
//! | [`core`] | data and decisions: no input, no output, no clock, no environment |
//! | [`local`] | this machine: files, processes, signals, what is remembered from run to run |
//! | [`git`] | the checkout and its remote; the only user of gix |
//! | [`render`] | the programs that make manifests of kustomizations, charts and Jsonnet |
//! | [`cluster`] | the API server; the only user of kube's client |
//! | [`notify`] | tells people: webhooks, chats, forges and mail; sends traces; the only user of lettre and OpenTelemetry |
//! | `sandbox` | a throwaway control plane on this machine (on Unix) |
//! | [`config`] | what `trueup.yaml` and the machine's own file say |
//! | [`app`] | the story: which commit is trusted, survey, round, wait, lock, rollback, watch |
//! | [`cli`] | one file a verb, the one exit table ([`cli::exit`]), the one owner of stdout and stderr ([`cli::ui`]), plans and reports as text and JSON ([`cli::present`]) |
//!
//! # How data flows
//!
//! [`Snapshot`](core::source::snapshot::Snapshot) → [`Manifest`](core::manifest::Manifest) →
//! [`Desired`](core::desired::Desired), beside it [`Observed`](core::observed::Observed); both into a
//! [`Plan`](core::plan::Plan), which diff prints and apply carries out into a
//! [`Report`](core::report::Report).

pub mod app;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod core;
pub mod git;
pub mod local;
pub mod notify;
pub mod render;
#[cfg(unix)]
pub mod sandbox;
