//! A real mail server, and a program of this machine.

use std::fs;
use std::path::Path;

use serde_json::Value;
use trueup::core::notify::{Email, MailTls, SecretSource, SinkKind};

use super::{CANARY, sender, sink, story, token};
use crate::support::eventually::eventually;
use crate::support::receivers::mail_server;

fn email(port: u16, password: Option<SecretSource>) -> Email {
    Email {
        server: "127.0.0.1".to_owned(),
        port: Some(port),
        tls: MailTls::None,
        user: password.is_some().then(|| "trueup".to_owned()),
        password,
        from: "trueup <trueup@shop.example>".to_owned(),
        to: vec!["ops@shop.example".to_owned(), "Ada <ada@shop.example>".to_owned()],
    }
}

fn mails(folder: &Path) -> Vec<String> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    files.retain(|file| !file.file_name().unwrap().to_str().unwrap().starts_with('.'));
    files.sort();
    files.iter().map(|file| fs::read_to_string(file).unwrap()).collect()
}

#[test]
fn mail_arrives_with_the_id_of_its_message() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, port) = mail_server(&["-folder", folder.path().to_str().unwrap()]);
    let sink = sink(SinkKind::Email(email(port, None)));
    for message in story() {
        sender().send(&sink, &message).unwrap();
    }
    let mails = mails(folder.path());
    assert_eq!(mails.len(), 3);
    let mail = &mails[1];
    let envelope = "From trueup@shop.example\nTo ops@shop.example\nTo ada@shop.example\n\n";
    assert!(mail.starts_with(envelope), "{mail}");
    let id = &story()[1].id;
    for line in [
        format!("Message-ID: <{id}.trueup@shop.example>"),
        "From: trueup <trueup@shop.example>".to_owned(),
        "To: ops@shop.example, Ada <ada@shop.example>".to_owned(),
        "Subject: prod: bbbbbbb \"Raise".to_owned(),
        "Date: Fri, 15 Jan 2027 08:01:00 +0000".to_owned(),
    ] {
        assert!(mail.contains(&line), "{line}\n{mail}");
    }
    assert!(mail.contains("failed: Deployment shop/web: 0 of 3 ready"), "{mail}");
}

#[test]
fn errors_hold_no_password_and_no_words_of_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    // It offers no password without TLS, and would quote one.
    let (_server, port) = mail_server(&["-folder", path, "-user", "trueup", "-password", "other"]);
    let email = email(port, Some(token()));
    let error = sender().send(&sink(SinkKind::Email(email.clone())), &story()[0]).unwrap_err();
    assert!(!format!("{error:?}").contains(CANARY), "{error:?}");
    // The server has no certificate, so nothing is sent.
    let starttls = Email { tls: MailTls::Starttls, ..email.clone() };
    let error = sender().send(&sink(SinkKind::Email(starttls)), &story()[0]).unwrap_err();
    assert!(!format!("{error:?}").contains(CANARY), "{error:?}");
    let other = Email { server: "mail.example".to_owned(), ..email };
    let error = sender().send(&sink(SinkKind::Email(other)), &story()[0]).unwrap_err();
    let expected = "mail.example is another machine, so the connection has to be encrypted";
    assert_eq!(error.to_string(), expected);
    assert_eq!(mails(folder.path()).len(), 0);
}

#[test]
fn an_unknown_recipient_is_no_refusal_of_the_message() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, port) = mail_server(&["-folder", folder.path().to_str().unwrap()]);
    let to = vec!["nobody@shop.example".to_owned()];
    let email = Email { to, ..email(port, None) };
    let error = sender().send(&sink(SinkKind::Email(email)), &story()[0]).unwrap_err();
    assert_eq!(error.to_string(), "127.0.0.1 answers with SMTP code 550");
    assert!(!error.is_refusal);
}

#[test]
fn a_command_gets_the_message_on_stdin() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("message");
    let tee = vec!["/usr/bin/tee".to_owned(), file.to_str().unwrap().to_owned()];
    sender().send(&sink(SinkKind::Command(tee)), &story()[1]).unwrap();
    eventually("it was written", || fs::read(&file).is_ok_and(|it| it.ends_with(b"}")));
    let body: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!((&body["transition"], &body["target"]), (&"failed".into(), &"prod".into()));
    let error = sender().send(&sink(SinkKind::Command(vec!["/bin/false".to_owned()])), &story()[0]);
    assert_eq!(error.unwrap_err().to_string(), "/bin/false: it ended with exit status: 1");
}
