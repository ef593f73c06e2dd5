//! Secrets that appear in another spelling than their own, in part, or in the words of a program.

mod base_rate;
mod ordinary;
mod rendering;
mod spellings;
