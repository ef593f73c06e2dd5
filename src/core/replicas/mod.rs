//! Several replicas of one watch: each holds a Lease of its own for as long as it lives, and each target
//! belongs to one of those that do.
//!
//! Data and rules only: [`crate::cluster`] reads and writes the Leases, and [`crate::app`] says when. As
//! with the lock no two clocks are compared: a member's Lease has expired when it was seen not to move for
//! as long as it lasts. Whoever saw that writes it into the Lease. A member that comes back finds it there
//! and begins again under another identity, so that an expiry is final.
//!
//! A member takes itself for one up to [`TENURE`] after it sent its last renewal, and others let it
//! expire [`DURATION`] after they saw that. What lies between covers clocks that run at different speeds,
//! and requests on their way.

mod assignment;
mod member;

use std::time::Duration;

pub use assignment::{TargetSet, owned};
pub use member::{MemberState, expired, member};

use crate::core::inventory::Inventory;
use crate::core::lease::Candidate;

/// How long the Lease of a member lasts after it was renewed.
pub const DURATION: Duration = Duration::from_secs(12);
/// How often it is renewed.
pub const RENEWAL: Duration = Duration::from_secs(4);
/// How long after a renewal its holder may write.
pub const TENURE: Duration = Duration::from_secs(8);
/// How often the others' Leases are looked at.
pub const LOOK: Duration = Duration::from_secs(3);
/// How long the Lease of a member that expired is kept: longer than any lock of its lasts.
pub const KEPT: Duration = Duration::from_secs(300);

/// Label: the group.
const GROUP: &str = "trueup.dev/replica-group";
/// How long the name of a group is at most, so that those of its Leases are names.
const LONGEST_NAME: usize = 40;

/// A group of replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaGroup {
    /// Its name.
    pub name: String,
    /// The namespace of its Leases.
    pub namespace: String,
}

impl ReplicaGroup {
    /// Reads the name of a group.
    ///
    /// # Errors
    ///
    /// When a label and the name of an object can't have it.
    pub fn name(text: &str) -> Result<String, String> {
        let is_inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_name = (1..=LONGEST_NAME).contains(&text.len())
            && text.chars().all(is_inside)
            && !text.starts_with('-')
            && !text.ends_with('-');
        match is_name {
            true => Ok(text.to_owned()),
            false => Err(format!(
                "expected at most {LONGEST_NAME} lower-case letters, digits and hyphens inside"
            )),
        }
    }

    /// The name of a group as near to a name of Kubernetes as can be.
    pub fn near(name: &str) -> String {
        let name: String = name.replace('.', "-").chars().take(LONGEST_NAME).collect();
        name.trim_matches('-').to_owned()
    }

    /// The selector of its Leases.
    pub fn selector(&self) -> String {
        format!("{GROUP}={}", self.name)
    }

    /// The name of a member's Lease, which no other process has.
    pub fn lease_name(&self, who: &Candidate) -> String {
        format!("trueup-{}-{}", self.name, who.mark)
    }

    /// The place of a member's Lease.
    pub fn lease(&self, who: &Candidate) -> Inventory {
        Inventory { name: self.lease_name(who), namespace: self.namespace.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_groups_are_labels_and_parts_of_names() {
        for (text, is_name) in [
            ("shop", true),
            ("shop-2", true),
            (&"a".repeat(40), true),
            (&"a".repeat(41), false),
            ("", false),
            ("-a", false),
            ("a-", false),
            ("Shop", false),
            ("a.b", false),
            ("a,b=c", false),
        ] {
            assert_eq!(ReplicaGroup::name(text).is_ok(), is_name, "{text}");
        }
        let long = format!("shop.{}-x", "a".repeat(34));
        assert_eq!(ReplicaGroup::near(&long), format!("shop-{}", "a".repeat(34)));
    }

    #[test]
    fn an_expiry_comes_after_the_tenure_and_leaves_time_to_take_over() {
        assert!(RENEWAL * 2 <= TENURE, "one renewal may fail");
        assert!(TENURE + RENEWAL <= DURATION, "requests on their way arrive");
        assert!(DURATION + LOOK < Duration::from_secs(16), "a take-over is due within 20 s");
    }
}
