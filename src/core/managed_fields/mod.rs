//! The managers of a live object and the fields that each of them owns, read from its label and its
//! `managedFields`.
//!
//! [`managers`] reads the entries and [`owners`] tells whose a field is. [`no_op`] concludes that
//! applying an object would change nothing. [`prediction`] predicts the result where the server
//! can't be asked, and [`predicted_owners`] the owners of its fields. [`share`] tells what has to
//! be sent so that a field stays as it is. [`takeover`] makes what other tools applied ours, and
//! [`release`] takes out what goes when we let go of it. [`foreign_owners`] reads who else says
//! that an object is theirs, [`conflict`] tells what is declared otherwise than others have it, and
//! [`ownership_change`] tells which fields change hands. [`emptied`] tells which maps the server
//! can't empty in one go, and [`leftovers`] which fields it does not remove though they may be in
//! the way; [`retyped`], of which elements the server loses the owner; [`versions`], whose fields
//! are named in a version of the kind that the server can't go by. [`server_metadata`] leaves out
//! what is the server's own.

pub mod conflict;
pub mod emptied;
pub mod foreign_owners;
pub mod leftovers;
pub mod managers;
pub mod no_op;
pub mod owners;
pub mod ownership_change;
pub mod predicted_owners;
pub mod prediction;
pub mod release;
pub mod retyped;
pub mod server_metadata;
pub mod share;
pub mod takeover;
pub mod versions;

use crate::core::inventory::PART_OF;
use crate::core::object::Object;

/// The field manager that trueup applies as.
pub const FIELD_MANAGER: &str = "trueup";

/// Fields of `metadata` without an owner: they name the object, or the server keeps them for
/// itself.
const SERVERS_METADATA: [&str; 9] = [
    "name",
    "namespace",
    "creationTimestamp",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// Whether `live` is a member of the set `id` that trueup itself put there: it carries the set's
/// label, and our own `Apply` entry among its managers. A copy of a member has the first without
/// the second.
pub fn is_ours(live: &Object, id: &str) -> bool {
    live.label(PART_OF) == Some(id) && has_our_entry(live)
}

/// Whether trueup has applied `live`.
pub fn has_our_entry(live: &Object) -> bool {
    managers::of(live).any(|manager| manager.is_ours())
}
