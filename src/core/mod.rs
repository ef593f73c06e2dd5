//! Data and decisions: no input, no output, no clock, no environment.
//!
//! | module | what it holds |
//! |---|---|
//! | [`annotations`] | what an object says, by annotations, of how it is treated |
//! | [`approval`] | a plan that was approved, compared with what is found later |
//! | [`attribution`] | why a field differs: who changed it, and which commit says otherwise |
//! | [`cel`] | expressions in CEL, and what they come to |
//! | [`check`] | whether manifests are sound, asked of schemas, without a cluster |
//! | [`compare`] | whether two states of an object differ, and the way to a field |
//! | [`credentials`] | URLs without the passwords in them |
//! | [`desired`] | what should exist |
//! | [`diff`] | what a change changes, field by field |
//! | [`dry_run_cache`] | dry runs that changed nothing, by object and digest |
//! | [`field_rules`] | which fields are ignored, left to controllers, or masked |
//! | [`finalizers`] | what an object that is being deleted waits for |
//! | [`health`] | whether a live object is ready, and what it waits for |
//! | [`sanitize`] | text from outside, made harmless to a terminal or a CI runner |
//! | [`history`] | what was applied when, by whom, and how it ended |
//! | [`in_sync`] | the proof that nothing has moved since a target was in sync |
//! | [`install`] | units and manifests that run a target's watch |
//! | [`inventory`] | which live objects the target put there: an ApplySet |
//! | [`json`] | JSON values that take little memory |
//! | [`kinds`] | which kinds exist (catalog), their fields (schemas), these in words (manual), and which fields name other objects (references) |
//! | [`lease`] | who holds an inventory's lock, and when that no longer counts |
//! | [`liveness`] | how long a watch may be silent before it counts as hung |
//! | [`log`] | the lines of a log: what each tells, and how long it may be |
//! | [`managed_fields`] | which manager owns which field of a live object, and the proof that applying is a no-op |
//! | [`manifest`] | bytes into objects, as kubectl reads them, each with its place |
//! | [`mask`] | masks all the texts in a value |
//! | [`masked_plan`] | a plan as it can be shown |
//! | [`metrics`] | the figures of a watch for Prometheus |
//! | [`modes`] | whether a target may be changed now, or is held |
//! | [`moves`] | the other inventories of a repository, and what moves between targets |
//! | [`notify`] | the messages for people, one for each transition |
//! | [`object`] | what an object is, and what identifies it |
//! | [`observed`] | what the cluster has, and what could not be asked |
//! | [`pattern`] | regular expressions from outside, and how much work they are |
//! | [`plan`] | the decision, as a pure function: [`plan::plan`] |
//! | [`policy`] | what a run may do, and who decides |
//! | [`problem`] | what is wrong with a text, and where |
//! | [`rbac`] | the least rights that a target's runs need, as roles |
//! | [`redact`] | takes Secrets out of everything that is shown |
//! | [`remedy`] | what a person can do about something; the command line words it |
//! | [`replicas`] | the members of a group that shares targets, and which of them owns which |
//! | [`report`] | what applying a plan came to |
//! | [`right_cluster`] | which cluster a target belongs to, and whether this is the one |
//! | [`schedule`] | which of several targets is applied next |
//! | [`sops`] | documents that SOPS encrypted, which are checked by their shape and never applied |
//! | [`semver`] | versions, and ranges of them, as Flux and Argo CD read them |
//! | [`source`] | the files of a revision, which of them are manifests, and what renders the others |
//! | [`status`] | what runs on each target, and what git has |
//! | [`suggest`] | "did you mean" |
//! | [`tracking`] | which ref a target tracks, and which tag is the newest of a range |
//! | [`unique_value`] | values of which the cluster has each only once |
//! | [`verification`] | which commits may be applied, by who signed them |

pub mod annotations;
pub mod approval;
pub mod asking;
pub mod attribution;
pub mod cel;
pub mod check;
pub mod compare;
pub mod credentials;
pub mod desired;
pub mod diff;
pub mod dry_run_cache;
pub mod field_rules;
pub mod finalizers;
pub mod health;
pub mod history;
pub mod in_sync;
pub mod install;
pub mod inventory;
pub mod json;
pub mod kinds;
pub mod lease;
pub mod liveness;
pub mod log;
pub mod managed_fields;
pub mod manifest;
pub mod mask;
pub mod masked_plan;
pub mod metrics;
pub mod modes;
pub mod moves;
pub mod notify;
pub mod object;
pub mod observed;
pub mod parallel;
pub mod pattern;
pub mod plan;
pub mod policy;
pub mod problem;
pub mod rbac;
pub mod redact;
pub mod remedy;
pub mod replicas;
pub mod report;
pub mod right_cluster;
pub mod sanitize;
pub mod schedule;
pub mod semver;
pub mod sops;
pub mod source;
pub mod status;
pub mod suggest;
pub mod touched;
pub mod trace;
pub mod tracking;
pub mod unique_value;
pub mod verification;
pub mod webhook;
