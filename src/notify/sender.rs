//! Sends one message to one sink.

use super::delivery::Delivery;
use super::error::DeliveryError;
use super::{alertmanager, chat, email, forge, webhook};
use crate::core::notify::{Message, Sink, SinkKind};
use crate::local::fed_program;
use crate::local::secrets::Secrets;

/// Sends messages.
pub struct Sender {
    secrets: Secrets,
}

impl Sender {
    /// A sender with these secrets.
    pub fn new(secrets: Secrets) -> Self {
        Self { secrets }
    }

    /// Sends a message, and returns once the sink has it.
    ///
    /// # Errors
    ///
    /// When the sink does not take it.
    pub fn send(&self, sink: &Sink, message: &Message) -> Result<(), DeliveryError> {
        let (secrets, text) = (&self.secrets, sink.template.fill(message));
        let delivery = Delivery { sink, message, text, secrets };
        match &sink.kind {
            SinkKind::Webhook { url, secret, token } => {
                let options =
                    webhook::Options { url, secret: secret.as_ref(), token: token.as_ref() };
                webhook::send(&delivery, options)
            }
            SinkKind::Slack(url) => chat::slack(&delivery, url),
            SinkKind::Teams(url) => chat::teams(&delivery, url),
            SinkKind::Discord(url) => chat::discord(&delivery, url),
            SinkKind::Matrix { url, room, token } => chat::matrix(&delivery, url, room, token),
            SinkKind::Alertmanager { url, token } => {
                alertmanager::send(&delivery, url, token.as_ref())
            }
            SinkKind::Email(options) => email::send(&delivery, options),
            SinkKind::Forge(options) => forge::send(&delivery, options),
            SinkKind::Command(argv) => {
                let input = webhook::document(&delivery)?;
                let sent = fed_program::run(argv, input, sink.timeout);
                sent.map_err(|error| {
                    let program = argv.first().map(String::as_str).unwrap_or_default();
                    DeliveryError::new(format!("{program}: {error}"))
                })
            }
        }
    }
}
