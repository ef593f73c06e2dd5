//! `trueup pull`, against real git over every transport.

mod clone;
mod crash;
mod refusal;
mod transport;
mod update;
