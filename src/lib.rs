//! Git says what should run; trueup makes a Kubernetes cluster true to it.

pub mod cli;
pub mod manifest;
pub mod object;
pub mod problem;
