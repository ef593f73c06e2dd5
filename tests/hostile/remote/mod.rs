//! Remotes that send the credentials of a pull elsewhere.
