//! Secrets that appear in another spelling than their own.
