//! `trueup pull`, against real git over every transport.

mod clone;
mod crash;
mod many_refs;
mod refusal;
mod sparse;
mod transport;
mod update;
mod upkeep;
