//! Who trueup is to a remote: the user of the URL, git's helpers and askpass, `.netrc`, certificates,
//! headers, and a person at the terminal.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::command::{Cmd, Output};
use crate::support::git::{
    Upstream, assert_clean_at, assert_refused, git, pull, unconnected, write,
};
use crate::support::http::GitServer;
use crate::support::terminal::Terminal;

/// A repository behind a password of bob's, and where to clone it to.
struct Private {
    upstream: Upstream,
    server: GitServer,
    config: PathBuf,
}

impl Private {
    fn new() -> Self {
        let upstream = Upstream::new();
        let server = GitServer::https(upstream.folder(), Some("bob:s3cret"));
        let config = upstream.folder().join("gitconfig");
        let private = Self { upstream, server, config };
        private.configure("");
        private
    }

    /// The user's own configuration, beside whom they trust.
    fn configure(&self, text: &str) {
        let authority = self.upstream.folder().join("ca.pem");
        fs::write(&authority, self.server.authority()).unwrap();
        let trust = format!("[http]\n\tsslCAInfo = {}\n", authority.display());
        fs::write(&self.config, trust + text).unwrap();
    }

    fn place(&self) -> PathBuf {
        self.upstream.folder().join("checkout")
    }

    fn url(&self, user: &str) -> String {
        self.server.url("shop.git").replace("https://", &format!("https://{user}"))
    }

    /// A pull by a user who has nothing but the configuration.
    fn pull(&self) -> Cmd {
        pull(&self.place())
            .env("GIT_CONFIG_GLOBAL", &self.config)
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("HOME", self.upstream.folder().join("home"))
    }

    fn clone(&self, user: &str) -> Output {
        self.pull().args(["--url", &self.url(user)]).run()
    }

    fn assert_cloned(&self, output: &Output) {
        assert_eq!(output.status, Some(0), "\n{output}");
        assert!(!output.to_string().contains("s3cret"), "\n{output}");
        assert_clean_at(&self.place(), &self.upstream.tip());
    }
}

/// An executable script.
fn script(path: &Path, text: &str) {
    write(path, &format!("#!/bin/sh\n{text}\n"));
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A helper that knows the password of bob alone.
const OF_BOB: &str = "[credential]\n\thelper = \"!f() { test \\\"$1\\\" = get || exit 0; \
                      grep -q '^username=bob$' && echo password=s3cret || \
                      { echo username=mallory; echo password=wrong; }; }; f\"\n";

#[test]
fn the_helper_learns_the_user_of_the_url() {
    let private = Private::new();
    private.configure(OF_BOB);
    private.assert_cloned(&private.clone("bob@"));

    // Of the same checkout later on, where the stored URL names no user.
    private.upstream.write("web.yaml", "kind: Web\nreplicas: 2\n");
    private.upstream.commit("Second replica");
    private.assert_cloned(&private.clone("bob@"));
    assert_eq!(private.pull().run().status, Some(2), "without a user it is another's password");

    // Of the remote's own URL.
    git(private.place(), ["remote", "set-url", "origin", &private.url("bob@")]);
    private.upstream.write("web.yaml", "kind: Web\nreplicas: 3\n");
    private.upstream.commit("Third replica");
    private.assert_cloned(&private.pull().run());
}

#[test]
fn the_helper_learns_the_configured_user() {
    let private = Private::new();
    private.configure(&format!("{OF_BOB}\tusername = bob\n"));
    private.assert_cloned(&private.clone(""));
}

#[test]
fn missing_and_wrong_credentials_are_told_apart() {
    let private = Private::new();
    let says = |why: &str| {
        let output = private.clone("");
        let why = format!("the server {why} (HTTP status 401)");
        let what = "cannot fetch from https://localhost:";
        assert_refused(&output, 2, &[what, &why, "git config credential.helper"]);
        // The library's own words.
        for text in ["obtain", "handshake", "Received HTTP", "not accepted"] {
            assert!(!output.stderr.contains(text), "{output}");
        }
    };
    says("wants credentials, and git has none for it");
    private.configure("[credential]\n\thelper = \"!echo quit=1; #\"\n");
    says("wants credentials, and git has none for it");
    private.configure("[credential]\n\thelper = \"!echo username=bob; echo password=wrong; #\"\n");
    says("refuses the credentials that git has for it");
}

#[test]
fn a_password_of_the_remotes_url_is_used() {
    let private = Private::new();
    git(private.upstream.folder(), ["clone", "--quiet", &private.upstream.url(), "checkout"]);
    git(private.place(), ["remote", "set-url", "origin", &private.url("bob:s3cret@")]);
    private.upstream.write("web.yaml", "kind: Web\nreplicas: 2\n");
    private.upstream.commit("Second replica");
    private.assert_cloned(&private.pull().run());
}

#[test]
fn an_askpass_answers_where_the_terminal_is_not_asked() {
    let private = Private::new();
    let program = private.upstream.folder().join("askpass");
    let asked = private.upstream.folder().join("asked");
    let text = format!(
        "echo \"$1\" >>'{}'\ncase \"$1\" in User*) echo bob;; *bob@*) echo s3cret;; esac",
        asked.display()
    );
    script(&program, &text);
    // A clone makes several connections, and asks once for the user and once for the password.
    let assert_asked_once = || {
        let questions = fs::read_to_string(&asked).unwrap();
        assert_eq!(questions.lines().count(), 2, "{questions}");
        fs::remove_file(&asked).unwrap();
    };

    let clone = |name: &str| {
        let command = private.pull().args(["--url", &private.url("")]);
        let output = command.env(name, &program).run();
        private.assert_cloned(&output);
        assert_asked_once();
        fs::remove_dir_all(private.place()).unwrap();
    };
    clone("GIT_ASKPASS");
    clone("SSH_ASKPASS");
    private.configure(&format!("[core]\n\taskPass = {}\n", program.display()));
    private.assert_cloned(&private.clone(""));
    assert_asked_once();
}

#[test]
fn a_netrc_is_read() {
    let private = Private::new();
    let home = private.upstream.folder().join("home");
    let entry = "machine elsewhere login bob password wrong\n\
                 machine localhost\n\tlogin bob\n\tpassword s3cret\n";
    write(home.join(".netrc"), entry);
    private.assert_cloned(&private.clone(""));
    fs::remove_dir_all(private.place()).unwrap();

    write(home.join(".netrc"), "default login bob password s3cret\n");
    private.assert_cloned(&private.clone("bob@"));
    fs::remove_dir_all(private.place()).unwrap();

    // Of another user, or of another host, it is not sent.
    private.configure("[credential]\n\thelper = \"!echo username=bob; echo password=s3cret; #\"\n");
    write(home.join(".netrc"), "machine localhost login alice password hunter2\n");
    private.assert_cloned(&private.clone("bob@"));
    fs::remove_dir_all(private.place()).unwrap();
    let basic = |seen: &crate::support::http::Seen| seen.header("authorization").map(str::to_owned);
    let sent = |before: usize| -> Vec<String> {
        private.server.seen()[before..].iter().filter_map(basic).collect()
    };
    assert!(sent(0).iter().all(|sent| *sent == "Basic Ym9iOnMzY3JldA=="), "{:?}", sent(0));

    // After a wrong one the helper is asked.
    private.assert_cloned(&private.clone(""));
}

#[test]
fn a_netrc_of_another_host_is_not_sent() {
    let private = Private::new();
    write(
        private.upstream.folder().join("home/.netrc"),
        "machine localhost.example login bob password s3cret\n",
    );
    assert_refused(&private.clone(""), 2, &["cannot fetch from https://localhost"]);
    assert!(private.server.seen().iter().all(|seen| seen.header("authorization").is_none()));
}

#[test]
fn a_server_that_wants_a_certificate_gets_it() {
    let upstream = Upstream::new();
    let (server, client) = GitServer::https_with_client_certificate(upstream.folder());
    let file = |name: &str, text: &str| {
        let path = upstream.folder().join(name);
        write(&path, text);
        path
    };
    let authorities = upstream.folder().join("authorities");
    file("authorities/0a1b2c3d.0", server.authority());
    let certificate = file("client.pem", &client.certificate);
    let key = file("client.key", &client.key);
    let both = file("both.pem", &format!("{}{}", client.certificate, client.key));
    let clone = |config: &str| {
        let config = file("gitconfig", config);
        let place = upstream.folder().join("checkout");
        let _ = fs::remove_dir_all(&place);
        let url = server.url("shop.git");
        pull(&place).args(["--url", &url]).env("GIT_CONFIG_GLOBAL", config).run()
    };
    let trust = format!("[http]\n\tsslCAPath = {}\n", authorities.display());

    assert_eq!(clone(&trust).status, Some(2));
    let separate =
        format!("{trust}\tsslCert = {}\n\tsslKey = {}\n", certificate.display(), key.display());
    clone(&separate).exits(0);
    clone(&format!("{trust}\tsslCert = {}\n", both.display())).exits(0);
    let output = clone(&format!("{trust}\tsslCert = /not/there\n"));
    assert_refused(&output, 2, &["http.sslCert /not/there: No such file"]);
}

#[test]
fn an_empty_header_takes_back_those_before_it() {
    let upstream = Upstream::new();
    let server = GitServer::http(upstream.folder());
    let config = upstream.folder().join("gitconfig");
    write(&config, "[http]\n\textraHeader = X-One: 1\n\textraHeader =\n\textraHeader = X-Two: 2\n");
    let place = upstream.folder().join("checkout");
    let url = server.url("shop.git");

    pull(&place).args(["--url", &url]).env("GIT_CONFIG_GLOBAL", &config).run().exits(0);

    for seen in server.seen() {
        assert_eq!((seen.header("x-one"), seen.header("x-two")), (None, Some("2")));
    }
}

#[test]
fn headers_stay_when_the_server_sends_on_within_itself() {
    let upstream = Upstream::new();
    let server = GitServer::https_redirecting(
        upstream.folder(),
        Some("bob:s3cret"),
        ("/old.git".into(), "/shop.git".into()),
    );
    let authority = upstream.folder().join("ca.pem");
    fs::write(&authority, server.authority()).unwrap();
    let config = upstream.folder().join("gitconfig");
    write(&config, "[http]\n\textraHeader = Authorization: Basic Ym9iOnMzY3JldA==\n");
    let place = upstream.folder().join("checkout");

    pull(&place)
        .args(["--url", &server.url("old.git")])
        .env("GIT_SSL_CAINFO", &authority)
        .env("GIT_CONFIG_GLOBAL", &config)
        .run()
        .exits(0);

    assert_clean_at(&place, &upstream.tip());
}

/// trueup as the leader of its own session on the terminal, so that it may ask there.
fn on_terminal(private: &Private, args: &[&str]) -> Terminal {
    let command = Cmd::new("setsid").args(["--wait", "sh", "-c"]);
    let mut command = unconnected(command).into_inner();
    // A terminal that a leader opens is its own from then on.
    command.arg("exec \"$@\" < $(tty) > $(tty) 2>&1").arg("sh");
    command.arg(env!("CARGO_BIN_EXE_trueup")).arg("-C").arg(private.place());
    command.args(["pull", "--url", &private.url("")]).args(args);
    command
        .env("GIT_CONFIG_GLOBAL", &private.config)
        .env("HOME", private.upstream.folder())
        .env_remove("GIT_TERMINAL_PROMPT");
    Terminal::run(command)
}

#[test]
fn a_person_may_take_their_time() {
    let private = Private::new();
    let mut terminal = on_terminal(&private, &["--timeout", "4"]);
    terminal.shows("Username for 'https://localhost:");
    // Longer than the remote may be silent.
    std::thread::sleep(std::time::Duration::from_millis(4500));
    terminal.types("bob\n");
    terminal.shows("Password for 'https://bob@localhost:");
    terminal.types("s3cret\n");
    let (shown, status) = terminal.ends();

    assert_eq!(status, Some(0), "{shown}");
    assert!(!shown.contains("s3cret"), "{shown}");
    assert_clean_at(&private.place(), &private.upstream.tip());
}

#[test]
fn echo_comes_back_after_ctrl_c() {
    let private = Private::new();
    let mut terminal = on_terminal(&private, &[]);
    terminal.shows("Username for ");
    terminal.types("bob\n");
    terminal.shows("Password for ");
    assert!(!terminal.echoes());
    terminal.types("\u{3}");
    let screen = terminal.screen();
    let (shown, status) = terminal.ends();

    assert_eq!(status, Some(130), "{shown}");
    assert!(screen.echoes(), "{shown}");
}
