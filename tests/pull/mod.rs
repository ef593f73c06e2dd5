//! `trueup pull`, against real git over every transport.

mod clone;
mod crash;
mod credentials;
mod proxies;
mod refusal;
mod transport;
mod update;
mod words;
