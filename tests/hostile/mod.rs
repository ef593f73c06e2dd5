//! What a repository, a remote, a server or another local user that means ill may try: one folder
//! a threat. `docs/security.md` says of each what it must not get, and which tests hold it.
//!
//! Nothing in here crashes, hangs or slips past a check of other software: limits are parameters,
//! which a test sets low, and harmless input goes just below and just above them.

mod cell;
mod checkout;
mod endless;
mod fuzz;
mod guards;
pub mod kustomize;
mod leaks;
mod remote;
mod sandbox;
mod terminal;
mod tree;
