//! The one integration binary. A test reads as before, command, after, and checks stdout, stderr
//! and status together.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop where it stands")]

mod aggregated;
mod all_fields;
mod all_targets;
mod answered;
mod apply;
#[cfg(unix)]
mod apply_all;
#[cfg(unix)]
mod asked;
mod attribution;
mod chart_version;
mod check;
mod check_agrees;
mod checkout;
#[cfg(unix)]
mod completions;
mod connection;
mod controlled;
mod corpus;
mod definitions;
mod dependencies;
#[cfg(unix)]
mod docs;
mod drift;
mod dropped;
mod dry_run;
mod elements;
mod elsewhere;
mod emptied;
mod enabled;
mod explain;
#[cfg(unix)]
mod external;
mod faults;
mod five_bad;
mod forgotten;
mod former_pods;
#[cfg(unix)]
mod git_matrix;
#[cfg(unix)]
mod help;
mod hidden_values;
mod history;
mod holding;
#[cfg(unix)]
mod hostile;
mod ignore;
mod in_sync;
mod in_the_way;
#[cfg(unix)]
mod install;
mod jobs;
mod kept_answers;
mod killed;
#[cfg(unix)]
mod kubeconfig;
mod kubectl_answers;
mod lease;
mod left_alone;
mod logs;
#[cfg(unix)]
mod messages;
mod modes;
mod moves;
mod next_version;
mod notify;
mod observability;
mod odd_checkouts;
mod one_of_forty;
mod order;
mod origins;
mod other_files;
mod output;
mod outside;
mod passing;
mod permissions;
mod plan_file;
mod prune;
mod pull;
mod pushes;
#[cfg(unix)]
mod pushes_gitea;
#[cfg(unix)]
mod readme;
mod record;
mod recovery;
mod refused;
mod render;
mod render_corpus;
mod render_differences;
mod rendered;
mod replace;
#[cfg(unix)]
mod replicas;
mod retyped;
mod right_cluster;
mod rings;
mod rollback;
#[cfg(unix)]
mod sandbox;
#[cfg(unix)]
mod sandbox_agrees;
mod sandbox_programs;
mod schemas;
mod secrets;
#[cfg(target_os = "linux")]
mod secrets_everywhere;
mod settings;
mod several_targets;
mod signatures;
#[cfg(target_os = "linux")]
mod soak;
mod status;
mod status_rights;
mod status_wait;
mod superseded;
mod support;
#[cfg(unix)]
mod takeover;
#[cfg(unix)]
mod terminal;
mod times;
mod tls;
mod traces;
mod tracking;
mod tracking_partly;
#[cfg(unix)]
mod tracking_remotes;
mod tracking_rollback;
mod tracking_watch;
#[cfg(unix)]
mod trusted;
mod unasked;
mod unique_values;
#[cfg(unix)]
mod unreadable;
mod unreferenced;
mod verify;
mod wait;
mod wait_admission;
mod wait_cut;
mod watch;
mod watch_log;
mod watch_many;
mod watch_rollout;
mod waves;
mod woken;
mod wrong_input;
