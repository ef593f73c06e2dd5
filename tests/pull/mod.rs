//! `trueup pull`, against real git over every transport.

mod clone;
mod crash;
mod many_refs;
mod refusal;
mod transport;
mod update;
mod upkeep;
