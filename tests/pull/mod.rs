//! `trueup pull`, against real git over every transport.

mod clone;
mod crash;
mod refusal;
mod sparse;
mod transport;
mod update;
