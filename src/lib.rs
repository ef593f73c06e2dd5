//! Git says what should run; trueup makes a Kubernetes cluster true to it.
//!
//! This page is the map of the house. There are three rings, and arrows point one way:
//! the command line calls the story, the story calls the edges, and all of them speak in data.
//!
//! # Data: no input, no output, no clock
//!
//! | module | what it holds |
//! |---|---|
//! | [`object`] | what an object is, and what identifies it |
//! | [`problem`] | what is wrong with a text that somebody wrote, and where |
//! | [`near`] | "did you mean" |
//! | [`credentials`] | URLs without the passwords in them |
//! | [`inert`] | text from outside that does nothing to a terminal or a CI runner |
//! | [`pattern`] | regular expressions that others wrote, and how much work they are |
//! | [`snapshot`] | the files of a checkout at a [`Revision`](snapshot::Revision) |
//! | [`selection`] | which of these files are manifests: `.trueupignore` |
//! | [`manifest`] | bytes into objects, as kubectl reads them, each with its place |
//! | [`catalog`] | which kinds exist, and their scope |
//! | [`desired`] | what should exist |
//! | [`observed`] | what the cluster has, and what could not be asked |
//! | [`ownership`] | which fields of a live object are whose, and the proof that applying is a no-op |
//! | [`verdicts`] | of which objects the server said that applying changes nothing |
//! | [`inventory`] | which live objects the target put there: an ApplySet |
//! | [`plan`] | the decision, as a pure function: [`plan::plan`] |
//! | [`precedence`] | who decides: the operator, the repository or the object |
//! | [`approval`] | a plan that somebody approved, held against what is found later |
//! | [`references`] | which fields of an object name another object |
//! | [`schemas`] | what the fields of each kind are like |
//! | [`check`] | are manifests sound? Asked of schemas, with no cluster |
//! | [`delta`] | what a change changes, field by field |
//! | [`attribution`] | why a field differs: who changed it, and which commit says otherwise |
//! | [`redact`] | takes Secrets out of everything that is shown |
//! | [`rules`] | which fields of which objects are ignored, left to controllers, or masked |
//! | [`health`] | is a live object ready, and what does it wait for? |
//! | [`unique`] | values of which the cluster has each only once |
//! | [`finalizers`] | what an object that is being deleted waits for |
//! | [`lease`] | who holds an inventory's lock, and when that no longer counts |
//! | [`report`] | what carrying a plan out came to |
//! | [`config`] | what `trueup.yaml` says |
//! | [`conduct`] | what it says of carrying a plan out |
//! | [`machine`] | what the machine's own file says |
//! | [`cancel`] | why something under way should come to its end |
//! | [`jitter`] | pauses that differ, so that many do not march in step |
//! | [`switches`] | what an object says, with annotations of trueup's own, of how it is treated |
//! | [`formats`] | which formats a target is made of, and how they are rendered |
//!
//! # Edges: small concrete types around the world
//!
//! | module | what it reaches |
//! |---|---|
//! | [`git`] | the checkout and its remote; the only user of gix |
//! | [`search`] | programs on the search path |
//! | [`render`] | the programs that make manifests of kustomizations, charts and Jsonnet |
//! | [`cluster`] | the API server; the only user of kube's client |
//! | [`memory`] | what this machine remembers from run to run |
//! | [`plan_file`] | an approval on this machine's disk |
//! | [`bounded`] | files of this machine, read no further than they may be long |
//! | `sandbox` | a throwaway control plane on this machine (on Unix) |
//!
//! # The story
//!
//! | module | what it tells |
//! |---|---|
//! | [`reconcile`] | [`survey`](reconcile::survey) looks and decides, [`carry_out`](reconcile::carry_out) does it: diff, apply and watch are made of these two |
//! | [`app`] | one round of it: lock, survey, approve, carry out, wait, note health, roll back |
//! | [`watch`] | round after round |
//!
//! # The command line
//!
//! [`cli`] has one file a verb, the one exit table ([`cli::exit`]), the one owner of stdout and
//! stderr ([`cli::ui`]), and plans and reports as text and JSON ([`cli::present`]).
//!
//! # How data flows
//!
//! [`Snapshot`](snapshot::Snapshot) → [`Manifest`](manifest::Manifest) →
//! [`Desired`](desired::Desired), beside it [`Observed`](observed::Observed); both into a
//! [`Plan`](plan::Plan), which diff prints and apply carries out into a
//! [`Report`](report::Report).

pub mod app;
pub mod approval;
pub mod attribution;
pub mod bounded;
pub mod cancel;
pub mod catalog;
pub mod check;
pub mod cli;
pub mod cluster;
pub mod conduct;
pub mod config;
pub mod credentials;
pub mod delta;
pub mod desired;
pub mod finalizers;
pub mod formats;
pub mod git;
pub mod health;
pub mod inert;
pub mod inventory;
pub mod jitter;
pub mod lease;
pub mod machine;
pub mod manifest;
pub mod memory;
pub mod near;
pub mod object;
pub mod observed;
pub mod ownership;
pub mod pattern;
pub mod plan;
pub mod plan_file;
pub mod precedence;
pub mod problem;
pub mod reconcile;
pub mod redact;
pub mod references;
pub mod render;
pub mod report;
pub mod rules;
#[cfg(unix)]
pub mod sandbox;
pub mod schemas;
pub mod search;
pub mod selection;
pub mod snapshot;
pub mod switches;
pub mod unique;
pub mod verdicts;
pub mod watch;
