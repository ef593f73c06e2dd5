//! Which commits may be applied: what a signature says, who may sign for which paths, and what to do
//! about a commit that is not trusted.
//!
//! `ssh-keygen` and `gpg` do the cryptography, as they do for git; [`answers`] reads what they print.
//! Which commit is read for a target in the end is decided in [`crate::app`].

pub mod answers;
pub mod glob;
pub mod rules;
pub mod signed;
pub mod verdict;

pub use rules::{Mode, PathRules};
pub use signed::{SignatureFormat, SignedObject};
pub use verdict::{Fault, Signer, Standing, Verdict};
