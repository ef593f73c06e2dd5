//! A small identity provider of OpenID Connect: its discovery document, and a token endpoint that gives
//! an id-token for a refresh token.

use std::io::{self, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use super::between::Heard;
use super::tls;

/// The client that it knows.
pub const CLIENT: &str = "a client";

/// How a client has to say who it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// With its name alone, which stands in the body.
    Public,
    /// With its secret in a header.
    Header,
    /// With its secret in the body.
    Body,
}

/// What it gives, and for what.
#[derive(Clone)]
pub struct Grant {
    pub login: Login,
    pub secret: String,
    /// The refresh token that it takes.
    pub takes: String,
    /// What it answers then.
    pub gives: Value,
}

/// An identity provider, for as long as the test lives.
pub struct IdentityProvider {
    /// With a path, as that of a realm.
    pub issuer: String,
    /// Its authority's certificate as PEM.
    pub authority: String,
    heard: Arc<Mutex<Vec<String>>>,
    mood: Arc<Mutex<Mood>>,
}

/// How it answers just now.
#[derive(Clone, Default)]
struct Mood {
    /// What it answers to requests that begin like this: a status with headers, and a body.
    instead: Option<[String; 3]>,
    /// Whether it takes the refresh token once alone, and slowly.
    is_strict: bool,
    is_used: bool,
}

impl IdentityProvider {
    /// Begins to serve.
    pub fn start(grant: Grant) -> Self {
        let (tls, authority) = tls::localhost();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let issuer = format!("https://localhost:{port}/realm/");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let mood = Arc::new(Mutex::new(Mood::default()));
        let (notes, moods) = (Arc::clone(&heard), Arc::clone(&mood));
        let here = Here { issuer: issuer.clone(), grant, heard: notes, mood: moods };
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (tls, here) = (Arc::clone(&tls), here.clone());
                // Some of the tests want a handshake that fails.
                thread::spawn(move || here.serve(stream, tls));
            }
        });
        Self { issuer, authority, heard, mood }
    }

    /// Takes the refresh token once alone from now on, and takes its time over it.
    pub fn is_strict(&self) {
        self.mood.lock().unwrap().is_strict = true;
    }

    /// From now on answers requests that begin like this with a status, which headers may follow, and a
    /// body.
    pub fn answers(&self, request: &str, status: &str, body: &str) {
        self.mood.lock().unwrap().instead = Some([request, status, body].map(str::to_owned));
    }

    /// From now on answers as usual.
    pub fn recovers(&self) {
        self.mood.lock().unwrap().instead = None;
    }

    /// The requests that came, by method and path.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

#[derive(Clone)]
struct Here {
    issuer: String,
    grant: Grant,
    heard: Arc<Mutex<Vec<String>>>,
    mood: Arc<Mutex<Mood>>,
}

impl Here {
    fn serve(&self, stream: TcpStream, tls: Arc<ServerConfig>) -> io::Result<()> {
        let connection = ServerConnection::new(tls).map_err(io::Error::other)?;
        let mut stream = BufReader::new(StreamOwned::new(connection, stream));
        let Some(heard) = Heard::read(&mut stream)? else { return Ok(()) };
        let what = heard.line().trim_end_matches(" HTTP/1.1").to_owned();
        self.heard.lock().unwrap().push(what.clone());
        let instead = self.mood.lock().unwrap().instead.clone();
        let instead = instead.filter(|[request, ..]| what.starts_with(request.as_str()));
        if let Some([_, status, body]) = instead {
            return answer(&mut stream, &status, &body);
        }
        let Answer { status, body } = match what.as_str() {
            "GET /realm/.well-known/openid-configuration" => {
                let endpoint = format!("{}token?of=realm", self.issuer);
                Answer::new("200 OK", json!({ "token_endpoint": endpoint }))
            }
            "POST /realm/token?of=realm" => self.token(&heard),
            _ => Answer::new("404 Not Found", json!({})),
        };
        answer(&mut stream, status, &body.to_string())
    }

    fn token(&self, heard: &Heard) -> Answer {
        let Grant { login, secret, takes, gives } = &self.grant;
        let body = heard.body();
        let fields: Vec<&str> = body.split('&').collect();
        let has = |field: &str| fields.contains(&field);
        let login_of =
            |secret: &str| Some(format!("Basic {}", STANDARD.encode(format!("a+client:{secret}"))));
        let (header, in_body) = (heard.header("authorization"), body.contains("client_secret="));
        let is_client = match login {
            Login::Public => header.is_none() && !in_body && has("client_id=a+client"),
            Login::Header => header == login_of(secret) && !in_body && !body.contains("client_id"),
            Login::Body => {
                let secret = format!("client_secret={secret}");
                header.is_none() && has(&secret) && has("client_id=a+client")
            }
        };
        let is_form =
            heard.header("content-type").as_deref() == Some("application/x-www-form-urlencoded");
        if !is_client || !is_form {
            return Answer::new("401 Unauthorized", json!({ "error": "invalid_client" }));
        }
        if !has("grant_type=refresh_token") || !has(&format!("refresh_token={takes}")) {
            // One that says more than it should.
            let why = format!("the session is over; {body}; {secret}");
            let why = json!({ "error": "invalid_grant", "error_description": why });
            return Answer::new("400 Bad Request", why);
        }
        let mut mood = self.mood.lock().unwrap();
        if mood.is_strict {
            if mood.is_used {
                return Answer::new("400 Bad Request", json!({ "error": "invalid_grant" }));
            }
            mood.is_used = true;
            drop(mood);
            // Another run that would ask meanwhile does so.
            thread::sleep(Duration::from_secs(1));
        }
        Answer::new("200 OK", gives.clone())
    }
}

fn answer(stream: &mut BufReader<Secured>, status: &str, body: &str) -> io::Result<()> {
    let stream = stream.get_mut();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    stream.conn.send_close_notify();
    stream.flush()
}

type Secured = StreamOwned<ServerConnection, TcpStream>;

struct Answer {
    status: &'static str,
    body: Value,
}

impl Answer {
    fn new(status: &'static str, body: Value) -> Self {
        Self { status, body }
    }
}
