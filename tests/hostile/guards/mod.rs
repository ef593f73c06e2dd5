//! Commits that try to lift a guard by themselves.
