//! A watch that tells: each transition once, also where it is killed and where a sink is down.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::CANARY;
use crate::support::between::Between;
use crate::support::command::Cmd;
use crate::support::eventually::eventually;
use crate::support::objects::{WEB, config};
use crate::support::own_file::{self, write};
use crate::support::receiver::{Received, Receiver, ok};
use crate::support::receivers::mail_server;
use crate::support::repo::Repo;
use crate::support::sandbox;
use crate::support::tls;
use crate::support::watching::Watching;

/// A receiver that can be down, and the bodies that it took.
struct Hook {
    receiver: Receiver,
    is_down: Arc<AtomicBool>,
    taken: Arc<Mutex<Vec<Value>>>,
}

impl Hook {
    fn start() -> Self {
        let (is_down, taken) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (down, kept) = (Arc::clone(&is_down), Arc::clone(&taken));
        let receiver = Receiver::answering(move |request| {
            if down.load(Ordering::SeqCst) {
                return ("503 Service Unavailable".to_owned(), String::new());
            }
            kept.lock().unwrap().push(request.json());
            ok(&Value::Null)
        });
        Self { receiver, is_down, taken }
    }

    fn transitions(&self) -> Vec<String> {
        let taken = self.taken.lock().unwrap();
        taken.iter().map(|body| body["transition"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until these were told, in this order, after `all` that was told before.
    #[track_caller]
    fn tells(&self, all: &mut Vec<&'static str>, new: &[&'static str]) {
        all.extend(new);
        eventually(&format!("{new:?}"), || self.transitions().len() >= all.len());
        assert_eq!(self.transitions(), *all);
    }

    fn last(&self) -> Value {
        self.taken.lock().unwrap().last().unwrap().clone()
    }
}

/// A watch of a clone of `repo` with these sinks. They are on this machine, which is behind no proxy.
fn watch(repo: &Repo<'_>, sinks: &str, args: &[&str]) -> Cmd {
    let url = format!("file://{}", repo.path().display());
    let cmd = watch_of(repo, &url, &[&["watch"], args].concat(), sinks);
    cmd.env("HTTP_PROXY", "http://127.0.0.1:1")
}

/// A command in a clone of this address, with these sinks.
pub(super) fn watch_of(repo: &Repo<'_>, url: &str, args: &[&str], sinks: &str) -> Cmd {
    let settings = repo.outside().join("settings");
    fs::create_dir_all(settings.join("trueup")).unwrap();
    let text = format!("notify:\n  grace: 1s\n  sinks:\n{sinks}");
    write(&settings.join("trueup/config.yaml"), &text);
    let checkout = repo.outside().join("checkout");
    let place = checkout.to_str().unwrap();
    if !checkout.exists() {
        repo.run(&["-C", place, "pull", "--url", url]).exits(0);
    }
    let cmd = repo.trueup(&[&["-C", place], args].concat());
    cmd.env("XDG_CONFIG_HOME", &settings).env("HOOK_KEY", CANARY)
}

#[test]
fn watch_tells_each_transition_once() {
    let repo = Repo::new("notify-watch", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let (hook, mails) = (Hook::start(), repo.outside().join("mails"));
    fs::create_dir(&mails).unwrap();
    let (identity, authority) = tls::localhost_identity();
    let file = |name: &str, text: &str| {
        let path = repo.outside().join(name);
        write(&path, text);
        path.to_str().unwrap().to_owned()
    };
    let (ca, password) = (file("ca.pem", &authority), file("password", &format!("{CANARY}\n")));
    let (certificate, key) =
        (file("mail.pem", &identity.pem()), file("key.pem", &identity.key_pem()));
    let flags = ["-folder", mails.to_str().unwrap(), "-user", "trueup", "-password", CANARY];
    let (_server, port) =
        mail_server(&[&flags[..], &["-certificate", &certificate, "-key", &key]].concat());
    let sinks = format!(
        "  - {{name: hook, type: webhook, url: '{}', secret: 'env:HOOK_KEY'}}\n\
         \x20 - {{name: mail, type: email, server: localhost, port: {port}, user: trueup, \
         password: 'file:{password}', from: t@shop.example, to: [ops@shop.example], \
         transitions: [refused]}}\n",
        hook.receiver.url("/hook")
    );
    let start = || {
        let cmd = watch(&repo, &sinks, &["--interval", "0.2"]).env("SSL_CERT_FILE", &ca);
        Watching::running(&repo, cmd)
    };
    let mut all = Vec::new();
    let watching = start();
    hook.tells(&mut all, &["started", "healthy"]);
    repo.write_config("one", "2").commit("Second");
    hook.tells(&mut all, &["started", "healthy"]);
    assert_eq!(hook.last()["commit"]["subject"], "Second");

    repo.edit(&["configmap", "one"], "s/key: \"2\"/key: \"by hand\"/").exits(0);
    hook.tells(&mut all, &["drift-put-back"]);
    assert_eq!(hook.last()["objects"][0], "ConfigMap notify-watch/one");

    repo.write("bad.yaml", "a: b: c\n").write_config("two", "2").commit("Broken");
    hook.tells(&mut all, &["started", "refused"]);
    let title = hook.last()["title"].as_str().unwrap().to_owned();
    assert!(title.contains("\"Broken\" by Author is refused: bad.yaml:1:"), "{title}");
    let mail = || fs::read_to_string(mails.join("001")).unwrap_or_default();
    eventually("the mail arrived, by TLS and with a password", || mail().contains("is refused"));
    let rounds = repo.rounds();
    eventually("more rounds", || repo.rounds() > rounds + 3);

    repo.remove("bad.yaml").commit("Mended");
    hook.tells(&mut all, &["recovered"]);

    // It is killed while the sink is down.
    hook.is_down.store(true, Ordering::SeqCst);
    repo.write_config("one", "3").commit("Third");
    eventually("the third commit is live", || repo.value("one") == "3");
    let first_log = fs::read_to_string(&watching.log).unwrap();
    drop(watching);
    let watching = start();
    watching.says("warning: notifications of hook wait: 127.0.0.1:");
    hook.is_down.store(false, Ordering::SeqCst);
    hook.tells(&mut all, &["started", "healthy"]);
    watching.says("warning: notifications of hook arrive again");

    fs::rename(repo.path(), repo.outside().join("away")).unwrap();
    hook.tells(&mut all, &["git-unreachable"]);
    fs::rename(repo.outside().join("away"), repo.path()).unwrap();
    hook.tells(&mut all, &["git-reachable"]);

    let second_log = fs::read_to_string(&watching.log).unwrap();
    assert_eq!(watching.stop(), Some(0));
    let ids: BTreeSet<String> =
        hook.taken.lock().unwrap().iter().map(|body| body["id"].to_string()).collect();
    assert_eq!(ids.len(), all.len(), "no message came twice");
    assert!(!format!("{first_log}{second_log}").contains(CANARY));
    assert!(hook.taken.lock().unwrap().iter().all(|body| !body.to_string().contains(CANARY)));
    assert_eq!(fs::read_dir(&mails).unwrap().count(), 1);
}

#[test]
fn one_round_sends_its_messages_before_it_ends() {
    let repo = Repo::new("notify-once", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let (hook, other) = (Hook::start(), Hook::start());
    let of = |hook: &Hook, name: &str, rest: &str| {
        let url = hook.receiver.url("/");
        format!("  - {{name: {name}, type: webhook, url: '{url}'{rest}}}\n")
    };
    let sinks = of(&hook, "hook", "") + &of(&other, "other", ", targets: [another]");
    let _ = watch(&repo, &sinks, &["--once"]).run().exits(0);
    assert_eq!(hook.transitions(), ["started", "healthy"]);
    let _ = watch(&repo, &sinks, &["--once"]).run().exits(0);
    repo.delete_config_map("one");
    let _ = watch(&repo, &sinks, &["--once"]).run().exits(0);
    assert_eq!(hook.transitions(), ["started", "healthy", "drift-put-back"]);
    assert_eq!(other.transitions(), [""; 0]);

    // Drift that the round of a new commit puts back is told, too, once a round found all unchanged.
    let _ = watch(&repo, &sinks, &["--once"]).run().exits(0);
    repo.delete_config_map("one");
    repo.write_config("two", "1").commit("Second");
    let _ = watch(&repo, &sinks, &["--once"]).run().exits(0);
    assert_eq!(hook.transitions()[3..], ["started", "drift-put-back", "healthy"]);

    let sinks = "  - {name: hook, type: slack, url: 'https://hooks.example/hunter2-canary-9f31'}\n";
    let wrong = watch(&repo, sinks, &["--once"]).run().exits(2);
    let expected =
        "config.yaml:4:36: notify.sinks[0].url: it is secret: expected file:/PATH or env:NAME";
    assert!(wrong.stderr.contains(expected), "{wrong}");
    assert!(!wrong.to_string().contains(CANARY), "{wrong}");
}

#[test]
fn a_refused_pull_is_told_while_the_cluster_is_away() {
    let repo = Repo::new("notify-away", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let first = repo.git(&["rev-parse", "HEAD"]).stdout.trim().to_owned();
    let hook = Hook::start();
    let url = hook.receiver.url("/");
    let sinks = format!("  - {{name: hook, type: webhook, url: '{url}', reminder: 1000}}\n");
    let is_away = Arc::new(AtomicBool::new(false));
    let away = Arc::clone(&is_away);
    let between = Between::answering(sandbox::bare(), move |_| {
        let head = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0";
        away.load(Ordering::SeqCst).then(|| format!("{head}\r\n\r\n"))
    });
    let cmd = watch(&repo, &sinks, &["--interval", "0.2", "--no-watch-api"]);
    let watching = Watching::running(&repo, cmd.env("KUBECONFIG", between.kubeconfig()));
    let mut all = Vec::new();
    hook.tells(&mut all, &["started", "healthy"]);
    is_away.store(true, Ordering::SeqCst);
    hook.tells(&mut all, &["cluster-unreachable"]);

    repo.git(&["commit", "--amend", "-m", "Another one"]).exits(0);
    hook.tells(&mut all, &["failed"]);
    let title = hook.last()["title"].as_str().unwrap().to_owned();
    assert!(title.contains("was force-pushed from "), "{title}");
    watching.says("was force-pushed from ");
    is_away.store(false, Ordering::SeqCst);
    hook.tells(&mut all, &["cluster-reachable"]);
    repo.git(&["reset", "--hard", &first]).exits(0);
    hook.tells(&mut all, &["recovered"]);
    assert_eq!(watching.times("was force-pushed from "), 1, "{:#?}", watching.said());
    assert_eq!(watching.stop(), Some(0));
}

/// A round that can't have the lock says nothing of the cluster, and git is told of all the same.
#[test]
fn git_is_told_of_while_another_run_has_the_lock() {
    let repo = Repo::new("notify-locked", sandbox::bare());
    repo.write("trueup.yaml", "targets: {all: {paths: [.], name: notify-locked}}\n");
    repo.write_config("one", "1").commit("First");
    let hook = Hook::start();
    let sinks = format!("  - {{name: hook, type: webhook, url: '{}'}}\n", hook.receiver.url("/"));
    let args = ["--interval", "0.2", "--lock-timeout", "0.2", "--no-watch-api"];
    let watching = Watching::running(&repo, watch(&repo, &sinks, &args));
    let mut all = Vec::new();
    hook.tells(&mut all, &["started", "healthy"]);
    let other = r#"{"spec": {"holderIdentity": "other", "leaseDurationSeconds": 3000}}"#;
    repo.kubectl(&["patch", "lease", &repo.parent(), "--type=merge", "-p", other]).exits(0);
    repo.edit(&["configmap", "one"], "s/key: \"1\"/key: \"by hand\"/").exits(0);
    watching.says("is locked by other");
    fs::rename(repo.path(), repo.outside().join("away")).unwrap();
    hook.tells(&mut all, &["git-unreachable"]);
    fs::rename(repo.outside().join("away"), repo.path()).unwrap();
    hook.tells(&mut all, &["git-reachable"]);
    repo.kubectl(&["delete", "lease", &repo.parent()]).exits(0);
    hook.tells(&mut all, &["drift-put-back"]);
    assert_eq!(watching.stop(), Some(0));
}

/// A watch that waits for its last messages hears of signals, and is not held up.
#[test]
fn a_watch_that_is_stopped_waits_for_a_slow_sink() {
    let repo = Repo::new("notify-slow", sandbox::bare());
    repo.write("trueup.yaml", "targets: {all: {paths: [.], name: notify-slow}}\n");
    repo.write_config("one", "1").commit("First");
    for (args, value) in [(&[][..], "2"), (&["--all-targets"], "3")] {
        let is_slow = Arc::new(AtomicBool::new(false));
        let (slow, asked) = (Arc::clone(&is_slow), Arc::new(AtomicUsize::new(0)));
        let asks = Arc::clone(&asked);
        let receiver = Receiver::answering(move |_| {
            if slow.load(Ordering::SeqCst) {
                asks.fetch_add(1, Ordering::SeqCst);
                thread::sleep(Duration::from_secs(1));
            }
            ok(&Value::Null)
        });
        let sinks = format!("  - {{name: hook, type: webhook, url: '{}'}}\n", receiver.url("/"));
        let start = || {
            let args = [args, &["--interval", "0.2"]].concat();
            let watching = Watching::running(&repo, watch(&repo, &sinks, &args));
            watching.says(" requests · ");
            watching
        };
        let watching = start();
        is_slow.store(true, Ordering::SeqCst);
        repo.write_config("one", value).commit("Next");
        eventually("a message is under way", || asked.load(Ordering::SeqCst) > 0);
        eventually("the commit is live", || repo.value("one") == value);
        assert_eq!(watching.stop(), Some(0), "{args:?}");
        is_slow.store(false, Ordering::SeqCst);
        let watching = start();
        assert_eq!(watching.stop(), Some(0), "{args:?}");
        let id = |it: &Received| it.json()["id"].to_string();
        let sent: Vec<String> = receiver.seen().iter().map(id).collect();
        let ids: BTreeSet<&String> = sent.iter().collect();
        assert_eq!(ids.len(), sent.len(), "no message came twice");
    }
}

/// Without controllers no Deployment ever gets ready.
#[test]
fn drift_that_is_put_back_in_a_rollout_does_not_end_it() {
    let repo = Repo::new("notify-rollout", sandbox::bare());
    repo.write_config("one", "1").write("web.yaml", WEB).commit("First");
    let hook = Hook::start();
    let sinks = format!("  - {{name: hook, type: webhook, url: '{}'}}\n", hook.receiver.url("/"));
    let args = ["--interval", "0.2", "--wait-timeout", "10m"];
    let watching = Watching::running(&repo, watch(&repo, &sinks, &args));
    let mut all = Vec::new();
    hook.tells(&mut all, &["started"]);
    eventually("it is applied", || repo.config_map("one").is_some());
    repo.edit(&["configmap", "one"], "s/key: \"1\"/key: \"by hand\"/").exits(0);
    hook.tells(&mut all, &["drift-put-back"]);
    repo.remove("web.yaml").commit("Second");
    hook.tells(&mut all, &["started", "healthy"]);
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn what_many_targets_say_is_told_together_in_a_chat() {
    let repo = Repo::new("notify-many", sandbox::bare());
    let names = ["eu", "us", "asia", "test"];
    let targets = names.map(|name| format!("  {name}: {{paths: [{name}]}}\n")).concat();
    repo.write("trueup.yaml", format!("targets:\n{targets}"));
    for name in names {
        repo.write(&format!("{name}/config.yaml"), config(name, "1"));
    }
    repo.commit("First");
    let (hook, chat) = (Hook::start(), Hook::start());
    let url = repo.outside().join("url");
    own_file::write(&url, chat.receiver.url("/"));
    let sinks = format!(
        "  - {{name: hook, type: webhook, url: '{}'}}\n\
         \x20 - {{name: chat, type: slack, url: 'file:{}', group_wait: 50m}}\n",
        hook.receiver.url("/"),
        url.display()
    );
    let args = ["--all-targets", "--interval", "0.2"];
    let watching = Watching::running(&repo, watch(&repo, &sinks, &args));
    eventually("each target is told of", || hook.transitions().len() == 2 * names.len());
    assert_eq!(chat.taken.lock().unwrap().len(), 0, "they wait for others");
    assert_eq!(watching.stop(), Some(0));

    let taken = chat.taken.lock().unwrap();
    let texts: Vec<&str> = taken.iter().map(|body| body["text"].as_str().unwrap()).collect();
    let news = ["deploying", "is healthy"];
    assert_eq!(texts.len(), news.len(), "{texts:#?}");
    for (text, news) in texts.iter().zip(news) {
        let (title, all) = text.split_once('\n').unwrap();
        assert!(title.contains(" 4 targets: ") && title.contains(news), "{text}");
        assert!(names.iter().all(|name| all.contains(name)), "{text}");
    }
}
