//! E-mail by SMTP.

use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message as Mail};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::{Error, SmtpTransport};
use lettre::{Address as MailAddress, Transport as _};

use super::delivery::Delivery;
use super::error::DeliveryError;
use super::http::is_loopback;
use crate::core::notify::{Email, MailTls};

/// The longest subject, in characters.
const SUBJECT: usize = 200;

/// Sends a message.
///
/// # Errors
///
/// When the server does not take it.
pub(super) fn send(delivery: &Delivery<'_>, options: &Email) -> Result<(), DeliveryError> {
    let Email { server, tls, user, password, .. } = options;
    let is_plain = *tls == MailTls::None;
    if is_plain && !is_loopback(server) {
        let text = format!("{server} is another machine, so the connection has to be encrypted");
        return Err(DeliveryError::new(text));
    }
    let parameters = || {
        TlsParameters::new(server.clone()).map_err(|_| DeliveryError::new("TLS can't be set up"))
    };
    let (tls, port) = match tls {
        MailTls::Starttls => (Tls::Required(parameters()?), 587),
        MailTls::Tls => (Tls::Wrapper(parameters()?), 465),
        MailTls::None => (Tls::None, 25),
    };
    let builder = SmtpTransport::builder_dangerous(server).tls(tls);
    let mut builder = builder.port(options.port.unwrap_or(port)).timeout(Some(limit(delivery)));
    if let (Some(user), Some(password)) = (user, password) {
        let password = delivery.secrets.read(password)?;
        builder = builder.credentials(Credentials::new(user.clone(), password));
    }
    let mail = mail(delivery, options)?;
    builder.build().send(&mail).map(drop).map_err(|error| failure(server, &error))
}

fn limit(delivery: &Delivery<'_>) -> Duration {
    delivery.sink.timeout
}

/// The mail. Its id is the message's, so that a reader shows one that came twice once.
fn mail(delivery: &Delivery<'_>, options: &Email) -> Result<Mail, DeliveryError> {
    let wrong = |what: &str| DeliveryError::new(format!("the address {what} is not valid"));
    let mailbox = |text: &str| text.parse::<Mailbox>().map_err(|_| wrong(text));
    let from = mailbox(&options.from)?;
    let domain = MailAddress::domain(&from.email).to_owned();
    let message = delivery.message;
    let subject: String = message.title.chars().take(SUBJECT).collect();
    let at = u64::try_from(message.at.as_second()).unwrap_or_default();
    let mut builder = Mail::builder()
        .from(from)
        .subject(subject)
        .date(std::time::UNIX_EPOCH + Duration::from_secs(at))
        .message_id(Some(format!("<{}.trueup@{domain}>", message.id)))
        .header(ContentType::TEXT_PLAIN);
    for to in &options.to {
        builder = builder.to(mailbox(to)?);
    }
    builder
        .body(format!("{}\n", delivery.text))
        .map_err(|_| DeliveryError::refusal("the mail can't be built"))
}

/// An error without the server's words, which may quote what was sent.
fn failure(server: &str, error: &Error) -> DeliveryError {
    match error.status() {
        Some(code) => {
            let text = format!("{server} answers with SMTP code {code}");
            let code = u16::from(code);
            // The content is refused; not the user, and not for now.
            match matches!(code, 552 | 554) {
                true => DeliveryError::refusal(text),
                false => DeliveryError::new(text),
            }
        }
        None if error.is_timeout() => {
            DeliveryError::new(format!("no answer from {server} in time"))
        }
        None if error.is_tls() => DeliveryError::new(format!("no TLS connection with {server}")),
        None => DeliveryError::new(format!("cannot send by {server}")),
    }
}
