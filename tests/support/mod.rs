//! What the tests are written with.

pub mod aggregated;
pub mod api;
pub mod audit_log;
pub mod between;
pub mod built;
pub mod canaries;
pub mod command;
pub mod eventually;
pub mod faults;
pub mod front;
pub mod gate;
pub mod git;
#[cfg(unix)]
pub mod gitea;
pub mod http;
pub mod identity_provider;
pub mod kubelet;
pub mod mutate;
pub mod objects;
pub mod own_file;
pub mod prometheus;
pub mod random;
pub mod receiver;
#[cfg(unix)]
pub mod receivers;
pub mod relay;
pub mod renderers;
pub mod repo;
pub mod sandbox;
pub mod screens;
#[cfg(target_os = "linux")]
pub mod second_server;
pub mod ssh;
#[cfg(unix)]
pub mod terminal;
pub mod tls;
pub mod watching;
