//! What each chat and webhook is sent.

use serde_json::{Value, json};
use trueup::core::notify::{Address, SinkKind, Template};

use super::{CANARY, secret_url, sender, sink, story, token};
use crate::support::receiver::{Received, Receiver};

/// Sends the story, and gives what arrived.
#[track_caller]
fn sent(kind: impl FnOnce(&Receiver) -> SinkKind) -> Vec<Received> {
    let receiver = Receiver::start();
    let sink = sink(kind(&receiver));
    for message in story() {
        sender().send(&sink, &message).unwrap();
    }
    let seen = receiver.seen();
    for request in &seen {
        let body = String::from_utf8(request.body.clone()).unwrap();
        assert!(!body.contains(CANARY), "{body}");
    }
    assert_eq!(seen.len(), 3);
    seen
}

#[test]
fn webhook_gets_signed_json() {
    let seen = sent(|receiver| SinkKind::Webhook {
        url: Address::Plain(receiver.url("/hook?x=y")),
        secret: Some(token()),
        token: Some(token()),
    });
    let [started, failed, recovered] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!(started.line(), "POST /hook?x=y");
    assert_eq!(failed.header("authorization"), Some(format!("Bearer {CANARY}").as_str()));
    assert_eq!(failed.header("x-trueup-event"), Some("failed"));
    let body = failed.json();
    assert_eq!(failed.header("x-trueup-delivery"), body["id"].as_str());
    assert_ne!(started.json()["id"], body["id"]);
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, CANARY.as_bytes());
    let signature = failed.header("x-trueup-signature-256").unwrap().strip_prefix("sha256=");
    let pairs = signature.unwrap().as_bytes().chunks(2);
    let tag = pairs.map(|two| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap());
    aws_lc_rs::hmac::verify(&key, &failed.body, &tag.collect::<Vec<_>>()).unwrap();
    assert_eq!(
        body,
        json!({
            "version": 1,
            "id": body["id"],
            "target": "prod",
            "transition": "failed",
            "level": "error",
            "title": body["title"],
            "text": body["title"],
            "details": [],
            "objects": ["Deployment shop/web"],
            "commit": {
                "id": "b".repeat(40),
                "subject": "Raise <!channel> @everyone *web* `x` [a](http://b)",
                "author": "Ada Lovelace",
            },
            "time": "2027-01-15T08:01:00Z",
            "since": "2027-01-15T08:01:00Z",
        })
    );
    assert_eq!(recovered.json()["since"], "2027-01-15T08:01:00Z");
}

#[test]
fn slack_gets_text_that_mentions_no_channel() {
    let seen = sent(|receiver| SinkKind::Slack(secret_url(&receiver.url(""))));
    assert_eq!(seen[0].line(), format!("POST /services/{CANARY}"));
    let text = seen[0].json()["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("ℹ️ prod: deploying bbbbbbb \"Raise &lt;!channel&gt; "), "{text}");
    assert_eq!(seen[0].json()["mrkdwn"], false);
    let text = seen[1].json()["text"].as_str().unwrap().to_owned();
    assert!(text.ends_with(" failed: Deployment shop/web: 0 of 3 ready"), "{text}");
}

#[test]
fn teams_gets_an_adaptive_card_of_plain_runs() {
    let seen = sent(|receiver| SinkKind::Teams(secret_url(&receiver.url(""))));
    let body = seen[1].json();
    let attachment = &body["attachments"][0];
    assert_eq!(body["type"], "message");
    assert_eq!(attachment["contentType"], "application/vnd.microsoft.card.adaptive");
    let blocks = attachment["content"]["body"].as_array().unwrap();
    assert!(blocks.iter().all(|block| block["type"] == "RichTextBlock"), "{blocks:?}");
    assert_eq!(blocks[0]["inlines"][0]["color"], "attention");
}

#[test]
fn discord_gets_text_without_mentions_and_markup() {
    let seen = sent(|receiver| SinkKind::Discord(secret_url(&receiver.url(""))));
    let body = seen[0].json();
    assert_eq!(body["allowed_mentions"], json!({ "parse": [] }));
    let text = body["content"].as_str().unwrap();
    let expected = r"\*web\* \`x\` \[a\]\(http://b\)";
    assert!(text.contains(expected), "{text}");
    assert!(text.chars().count() <= 2000);
}

#[test]
fn matrix_gets_each_message_under_an_id_of_its_own() {
    let seen = sent(|receiver| SinkKind::Matrix {
        url: Address::Plain(receiver.url("")),
        room: "!ops:m.example".to_owned(),
        token: token(),
    });
    let room = "/_matrix/client/v3/rooms/!ops:m.example/send/m.room.message/";
    let ids: Vec<&str> = seen
        .iter()
        .map(|it| it.path.strip_prefix(room).unwrap_or_else(|| panic!("{}", it.path)))
        .collect();
    assert!(ids[0] != ids[1] && ids[1] != ids[2]);
    assert_eq!(seen[0].method, "PUT");
    assert_eq!(seen[0].header("authorization"), Some(format!("Bearer {CANARY}").as_str()));
    assert_eq!(
        (&seen[0].json()["msgtype"], &seen[0].json()["m.mentions"]),
        (&json!("m.notice"), &json!({}))
    );
}

#[test]
fn template_words_the_text() {
    let receiver = Receiver::start();
    let mut sink = sink(SinkKind::Slack(secret_url(&receiver.url(""))));
    sink.template = Template::read("{transition} of {target} at {short}").unwrap();
    sender().send(&sink, &story()[1]).unwrap();
    assert_eq!(receiver.seen()[0].json()["text"], Value::from("❌ failed of prod at bbbbbbb"));
}
