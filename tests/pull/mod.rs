//! `trueup pull`, against real git over every transport.

mod clone;
mod crash;
mod credentials;
mod many_refs;
mod proxies;
mod refusal;
mod sparse;
mod tracked;
mod transport;
mod update;
mod upkeep;
mod words;
