//! Commits that try to lift a guard by themselves: to approve a deletion, to take another target's
//! inventory, or to overrule what the operator said. Each test is on a real API server.

mod approvals;
mod inventories;
mod lost;
mod stricter;

/// The words of a text, however they are laid out.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
