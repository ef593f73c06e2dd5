//! Secrets that appear in another spelling than their own.

mod base_rate;
mod ordinary;
