//! Chats: Slack and what speaks as it does, Teams, Discord and Matrix. A commit's subject is anyone's
//! text, so nothing in a message mentions a person or is read as markup.

use reqwest::header::AUTHORIZATION;

use super::delivery::Delivery;
use super::error::DeliveryError;
use super::http::{below, secret_header, url};
use crate::core::json::{Value, json};
use crate::core::notify::{Address, Level, SecretSource};

/// The most characters of one message in Discord.
const DISCORD: usize = 2000;

/// An incoming webhook of Slack, Mattermost or Rocket.Chat.
///
/// # Errors
///
/// When it does not take the message.
pub(super) fn slack(delivery: &Delivery<'_>, to: &SecretSource) -> Result<(), DeliveryError> {
    let text = delivery.text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let body = json!({ "text": format!("{} {text}", mark(delivery)), "mrkdwn": false });
    post(delivery, to, &body)
}

/// A workflow of Teams that posts an adaptive card.
///
/// # Errors
///
/// When it does not take the message.
pub(super) fn teams(delivery: &Delivery<'_>, to: &SecretSource) -> Result<(), DeliveryError> {
    let color = match delivery.message.transition.level() {
        Level::Info => "default",
        Level::Good => "good",
        Level::Warning => "warning",
        Level::Error => "attention",
    };
    // Rich text, as the plain block reads Markdown.
    let lines = delivery.text.lines().enumerate().map(|(index, line)| {
        let color = if index == 0 { color } else { "default" };
        let run = json!({ "type": "TextRun", "text": line, "color": color });
        json!({ "type": "RichTextBlock", "inlines": [run] })
    });
    let lines: Vec<Value> = lines.collect();
    let card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": lines,
    });
    let attachment =
        json!({ "contentType": "application/vnd.microsoft.card.adaptive", "content": card });
    post(delivery, to, &json!({ "type": "message", "attachments": [attachment] }))
}

/// A webhook of Discord.
///
/// # Errors
///
/// When it does not take the message.
pub(super) fn discord(delivery: &Delivery<'_>, to: &SecretSource) -> Result<(), DeliveryError> {
    let mut content = format!("{} ", mark(delivery));
    for c in delivery.text.chars() {
        // A backslash takes the meaning from what Discord reads as markup.
        if c.is_ascii_punctuation() && "\\`*_~|<>[]()#-".contains(c) {
            content.push('\\');
        }
        content.push(c);
    }
    let content = cut(content, DISCORD);
    post(delivery, to, &json!({ "content": content, "allowed_mentions": { "parse": [] } }))
}

/// At most so many characters, with an ellipsis where some are left out. No half of an escape is left.
fn cut(content: String, most: usize) -> String {
    if content.chars().count() <= most {
        return content;
    }
    let mut kept: String = content.chars().take(most - 1).collect();
    let backslashes = kept.chars().rev().take_while(|c| *c == '\\').count();
    if backslashes % 2 == 1 {
        kept.pop();
    }
    kept + "…"
}

/// A room of Matrix. The server takes a message with the same id once.
///
/// # Errors
///
/// When the server does not take it.
pub(super) fn matrix(
    delivery: &Delivery<'_>,
    server: &Address,
    room: &str,
    token: &SecretSource,
) -> Result<(), DeliveryError> {
    let server = url(&delivery.secrets.address(server)?, true)?;
    let path = ["_matrix", "client", "v3", "rooms", room, "send", "m.room.message"];
    let path = [&path[..], &[delivery.message.id.as_str()]].concat();
    let url = below(&server, &path)?;
    let http = delivery.http(&url)?;
    let token = delivery.secrets.read(token)?;
    let body = json!({ "msgtype": "m.notice", "body": delivery.text, "m.mentions": {} });
    let request =
        http.put(url.clone()).header(AUTHORIZATION, secret_header(&format!("Bearer {token}"))?);
    http.send(&url, request.header("Content-Type", "application/json").body(body.to_string()))
        .map(drop)
}

fn post(delivery: &Delivery<'_>, to: &SecretSource, body: &Value) -> Result<(), DeliveryError> {
    let url = url(&delivery.secrets.read(to)?, true)?;
    let http = delivery.http(&url)?;
    let request = http.post(url.clone()).header("Content-Type", "application/json");
    http.send(&url, request.body(body.to_string())).map(drop)
}

/// A sign for the level, as a line of text has no colour.
fn mark(delivery: &Delivery<'_>) -> &'static str {
    match delivery.message.transition.level() {
        Level::Info => "ℹ️",
        Level::Good => "✅",
        Level::Warning => "⚠️",
        Level::Error => "❌",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_cut_says_so() {
        assert_eq!(cut("déjà".to_owned(), 4), "déjà");
        assert_eq!(cut("déjà vu".to_owned(), 4), "déj…");
        assert_eq!(cut(r"abc\*def".to_owned(), 5), "abc…");
        assert_eq!(cut(r"ab\\defg".to_owned(), 5), r"ab\\…");
    }
}
