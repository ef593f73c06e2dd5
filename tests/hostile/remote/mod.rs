//! Remotes that send us on to other servers, and URLs that are more than a place.

mod redirect;
mod urls;
