//! A message on its way to a sink.

use reqwest::Url;

use super::error::DeliveryError;
use super::http::Http;
use crate::core::notify::{Message, Sink};
use crate::local::secrets::Secrets;

/// A message on its way to a sink.
pub(super) struct Delivery<'a> {
    pub(super) sink: &'a Sink,
    pub(super) message: &'a Message,
    /// The text, as the sink's settings word it.
    pub(super) text: String,
    pub(super) secrets: &'a Secrets,
}

impl Delivery<'_> {
    /// A client for it, for requests to the host of `url`.
    ///
    /// # Errors
    ///
    /// When TLS can't be set up.
    pub(super) fn http(&self, url: &Url) -> Result<Http, DeliveryError> {
        Http::new(url, self.sink.timeout)
    }
}
