//! The proxies that git would go through, and the errors of those on the way.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

use crate::support::command::{Cmd, Output};
use crate::support::git::{Upstream, assert_clean_at, assert_refused, pull, write};
use crate::support::http::GitServer;

/// A proxy of HTTP and SOCKS 5, which notes whom it is asked for.
struct Proxy {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Open to who has these credentials, where there are any.
    fn start(account: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let notes = asked.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let notes = notes.clone();
                // Whoever hangs up in the middle is no concern of the proxy's.
                thread::spawn(move || serve(stream, account, &notes));
            }
        });
        Self { port, asked }
    }

    fn at(&self, scheme: &str) -> String {
        format!("{scheme}://localhost:{}", self.port)
    }

    /// The first lines of requests since the last look.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

fn serve(
    stream: TcpStream,
    account: Option<&str>,
    notes: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut first = [0];
    stream.peek(&mut first)?;
    match first {
        [5] => socks(stream, notes),
        _ => http(stream, account, notes),
    }
}

fn socks(mut stream: TcpStream, notes: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut head = [0; 2];
    stream.read_exact(&mut head)?;
    stream.read_exact(&mut vec![0; head[1].into()])?;
    stream.write_all(&[5, 0])?;
    let mut request = [0; 4];
    stream.read_exact(&mut request)?;
    let host = match request[3] {
        1 => {
            let mut address = [0; 4];
            stream.read_exact(&mut address)?;
            std::net::Ipv4Addr::from(address).to_string()
        }
        4 => {
            let mut address = [0; 16];
            stream.read_exact(&mut address)?;
            std::net::Ipv6Addr::from(address).to_string()
        }
        _ => {
            let mut length = [0];
            stream.read_exact(&mut length)?;
            let mut name = vec![0; length[0].into()];
            stream.read_exact(&mut name)?;
            String::from_utf8(name).unwrap()
        }
    };
    let mut port = [0; 2];
    stream.read_exact(&mut port)?;
    notes.lock().unwrap().push(format!("SOCKS {host}"));
    let server = TcpStream::connect(("127.0.0.1", u16::from_be_bytes(port)))?;
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    join(stream, server)
}

fn http(
    mut stream: TcpStream,
    account: Option<&str>,
    notes: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = Vec::new();
    for line in reader.by_ref().lines() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        head.push(line);
    }
    let mut words = head[0].split(' ');
    let (method, target) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
    notes.lock().unwrap().push(method.clone());
    let authorization = head.iter().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("proxy-authorization").then(|| value.to_owned())
    });
    if account.is_some_and(|account| authorization != Some(basic(account))) {
        return stream.write_all(
            b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"p\"\r\n\
              Content-Length: 0\r\nConnection: close\r\n\r\n",
        );
    }
    let port = |place: &str| place.rsplit(':').next().unwrap().parse::<u16>().unwrap();
    if method == "CONNECT" {
        let server = TcpStream::connect(("127.0.0.1", port(&target)))?;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        return join(stream, server);
    }
    let place = target.strip_prefix("http://").unwrap().split('/').next().unwrap();
    let mut server = TcpStream::connect(("127.0.0.1", port(place)))?;
    server.write_all(format!("{}\r\n\r\n", head.join("\r\n")).as_bytes())?;
    server.write_all(reader.buffer())?;
    join(stream, server)
}

fn basic(account: &str) -> String {
    use base64::Engine;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(account))
}

/// Carries on what one says to the other.
fn join(client: TcpStream, server: TcpStream) -> std::io::Result<()> {
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || std::io::copy(&mut from, &mut to));
    let (mut from, mut to) = (server, client);
    std::io::copy(&mut from, &mut to)?;
    to.shutdown(std::net::Shutdown::Both)
}

/// The same repository behind HTTP and HTTPS.
struct Servers {
    upstream: Upstream,
    http: GitServer,
    https: GitServer,
}

impl Servers {
    fn new() -> Self {
        let upstream = Upstream::new();
        let http = GitServer::http(upstream.folder());
        let https = GitServer::https(upstream.folder(), None);
        fs::write(upstream.folder().join("ca.pem"), https.authority()).unwrap();
        Self { upstream, http, https }
    }

    fn place(&self) -> PathBuf {
        self.upstream.folder().join("checkout")
    }

    /// A clone, where `set` is the environment, or a configuration if it begins with `[`.
    fn clone(&self, url: &str, set: &[(&str, &str)]) -> Output {
        let _ = fs::remove_dir_all(self.place());
        let config = self.upstream.folder().join("gitconfig");
        write(&config, "");
        let mut command: Cmd = pull(&self.place())
            .args(["--url", url])
            .env("GIT_SSL_CAINFO", self.upstream.folder().join("ca.pem"))
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_CONFIG_GLOBAL", &config);
        for (name, value) in set {
            match name.starts_with('[') {
                true => {
                    let before = fs::read_to_string(&config).unwrap();
                    write(&config, &format!("{before}{name}\n{value}\n"));
                }
                false => command = command.env(name, value),
            }
        }
        command.run()
    }

    fn https_url(&self) -> String {
        self.https.url("shop.git")
    }

    fn http_url(&self) -> String {
        self.http.url("shop.git")
    }
}

#[test]
fn each_scheme_has_a_proxy_of_its_own() {
    let servers = Servers::new();
    let proxy = Proxy::start(None);
    let (http, https) = (servers.http_url(), servers.https_url());
    let at = proxy.at("http");
    let bare = at.trim_start_matches("http://");
    let scoped = format!("[http \"{}\"]", servers.https.url("").trim_end_matches('/'));
    let setting = format!("\tproxy = {at}");
    for (url, set, through) in [
        (&https, &[("https_proxy", at.as_str())][..], true),
        (&https, &[("HTTPS_PROXY", bare)], true),
        (&https, &[("http_proxy", &at)], false),
        (&http, &[("http_proxy", &at)], true),
        (&http, &[("https_proxy", &at)], false),
        // A request's header `Proxy` becomes this in a CGI program, so curl reads it not.
        (&http, &[("HTTP_PROXY", &at)], false),
        (&http, &[("all_proxy", &at)], true),
        (&https, &[("ALL_PROXY", &at)], true),
        (&https, &[("https_proxy", &at), ("no_proxy", "localhost")], false),
        (&https, &[("https_proxy", &at), ("NO_PROXY", "example.com")], true),
        (&https, &[("https_proxy", &at), ("no_proxy", "*")], false),
        (&https, &[("[http]", &setting)], true),
        (&https, &[("https_proxy", &at), ("[http]", "\tproxy =")], false),
        (&https, &[(&scoped, &setting)], true),
        (&http, &[(&scoped, &setting)], false),
        (&https, &[("[remote \"origin\"]", &setting)], true),
        (
            &https,
            &[("[http]", "\tproxy = http://127.0.0.1:1"), ("[remote \"origin\"]", &setting)],
            true,
        ),
    ] {
        let output = servers.clone(url, set);
        assert_eq!(output.status, Some(0), "{set:?}\n{output}");
        assert_clean_at(&servers.place(), &servers.upstream.tip());
        assert_eq!(!proxy.asked().is_empty(), through, "{url} {set:?}");
    }
}

#[test]
fn over_socks_with_the_name_looked_up_on_either_side() {
    let servers = Servers::new();
    let proxy = Proxy::start(None);
    for (scheme, by_name) in [("socks5h", true), ("socks5", false)] {
        let set = [("all_proxy", &*proxy.at(scheme))];
        servers.clone(&servers.https_url(), &set).exits(0);
        let asked = proxy.asked();
        assert!(!asked.is_empty());
        let names = asked.iter().all(|asked| asked == "SOCKS localhost");
        assert_eq!(names, by_name, "{asked:?}");
    }
}

#[test]
fn a_proxy_gets_the_credentials_that_are_for_it() {
    let servers = Servers::new();
    let proxy = Proxy::start(Some("ann:pr0xy"));
    let whole = proxy.at("http").replace("://", "://ann:pr0xy@");
    let user = proxy.at("http").replace("://", "://ann@");
    let helper = format!("[credential \"{}\"]", proxy.at("http"));
    let answer = "\thelper = \"!grep -q ^username=ann && echo password=pr0xy; #\"";
    for url in [servers.https_url(), servers.http_url()] {
        servers.clone(&url, &[("all_proxy", &whole)]).exits(0);
        servers.clone(&url, &[("all_proxy", &user), (&helper, answer)]).exits(0);

        let output = servers.clone(&url, &[("all_proxy", &proxy.at("http"))]);
        assert_refused(&output, 2, &["the proxy http://localhost:", "(from all_proxy)"]);
        let wrong = whole.replace("pr0xy", "hunter2");
        let output = servers.clone(&url, &[("all_proxy", &wrong)]);
        assert_refused(&output, 2, &["the proxy http://localhost:", "(from all_proxy)"]);
        assert!(!output.stderr.contains("hunter2"), "{output}");
    }
    let seen = [servers.http.seen(), servers.https.seen()].concat();
    assert!(seen.iter().all(|seen| seen.header("authorization").is_none()));
}

#[test]
fn an_error_names_the_proxy_and_who_chose_it() {
    let servers = Servers::new();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let gone = format!("http://ann:pr0xy@127.0.0.1:{port}");
    let set = [("https_proxy", gone.as_str())];

    let output = servers.clone(&servers.https_url(), &set);

    let named = format!(
        "cannot connect through the proxy http://127.0.0.1:{port} (from \
        https_proxy)"
    );
    assert_refused(&output, 2, &["cannot fetch from https://localhost", &named, "no_proxy"]);
    assert!(!output.stderr.contains("pr0xy@"), "{output}");
}
