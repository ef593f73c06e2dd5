#!/usr/bin/env bash
# hyper-util's client opens one connection for each first request, though HTTP/2 needs one.
#
# Versions: hyper-util 0.1.21 (`client::legacy::Client`), hyper 1.12.0, h2 0.4.20.
#
# Behaviour: the client may speak HTTP/1 and HTTP/2, and the connector reports HTTP/2 by
# `Connected::negotiated_h2()`, as a TLS connector does after ALPN. Ten requests start together on
# a new client. The client opens ten connections. One of them serves all ten requests. The others
# carry none and are dropped. The next ten requests use the same one connection.
# With `http2_only(true)` the same program opens one connection.
#
# Output:
#   both versions: 10 requests, 10 connections opened, 1 of them used
#   both versions: 20 requests, 10 connections opened, 1 of them used
#   http2_only:    10 requests, 1 connections opened, 1 of them used
#
# Expected: one connection. RFC 9113, section 9.1, says that clients should not open more than one
# HTTP/2 connection to a host and port, and the documentation of `http2_only` speaks of the
# protocol alone. It does not say that it also decides how many connections are opened. The cause:
# the pool holds back further connections only where it knows beforehand that the version is
# HTTP/2. ALPN answers after the connection has been made.
#
# What it means: behind TLS each surplus connection costs a full handshake, with client
# certificate where there is one. The built-in rustls connector of kube 5.0.0 offers HTTP/1 alone.
# A program that gives kube a connector with HTTP/2, and lists all kinds of a cluster at once at
# its start, opens as many connections as it lists kinds.
#
# What to do: set `http2_only(true)` where the server is known to speak HTTP/2, or let a first
# request end before the others start.
set -euo pipefail

command -v cargo >/dev/null || {
    echo "cargo is missing: install Rust with rustup, or Debian's package cargo" >&2
    exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/src"

cat >"$work/Cargo.toml" <<'END'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"

[dependencies]
h2 = "=0.4.20"
http-body-util = "=0.1.5"
hyper = { version = "=1.12.0", features = ["server", "http2"] }
hyper-util = { version = "=0.1.21", features = ["client-legacy", "http1", "http2", "tokio"] }
tokio = { version = "=1.54.1", features = ["net", "rt"] }
tower-service = "=0.3.3"

[profile.dev]
debug = false

[workspace]
END

cat >"$work/src/main.rs" <<'END'
use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use http_body_util::{BodyExt, Empty};
use hyper::{body::Bytes, rt::ReadBufCursor, service::service_fn, Request, Response, Uri};
use hyper_util::{
    client::legacy::{
        connect::{Connected, Connection},
        Client,
    },
    rt::{TokioExecutor, TokioIo},
};
use tokio::net::{TcpListener, TcpStream};

/// A TCP stream that says what a TLS stream says after ALPN chose `h2`.
struct Negotiated(TokioIo<TcpStream>);

impl Connection for Negotiated {
    fn connected(&self) -> Connected {
        Connected::new().negotiated_h2()
    }
}

impl hyper::rt::Read for Negotiated {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl hyper::rt::Write for Negotiated {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[derive(Clone)]
struct Connector(SocketAddr, Arc<Mutex<usize>>);

impl tower_service::Service<Uri> for Connector {
    type Response = Negotiated;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Negotiated>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let Connector(address, opened) = self.clone();
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            *opened.lock().unwrap() += 1;
            Ok(Negotiated(TokioIo::new(stream)))
        })
    }
}

/// Answers HTTP/2, and counts the requests of each connection.
async fn serve(listener: TcpListener, requests: Arc<Mutex<Vec<usize>>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let number = {
            let mut requests = requests.lock().unwrap();
            requests.push(0);
            requests.len() - 1
        };
        let requests = requests.clone();
        let service = service_fn(move |_| {
            requests.lock().unwrap()[number] += 1;
            async { Ok::<_, hyper::Error>(Response::new(Empty::<Bytes>::new())) }
        });
        let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(stream), service);
        tokio::spawn(connection);
    }
}

async fn measure(name: &str, http2_only: bool, rounds: usize) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let requests = Arc::new(Mutex::new(Vec::new()));
    tokio::spawn(serve(listener, requests.clone()));

    let opened = Arc::new(Mutex::new(0));
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new())
        .http2_only(http2_only)
        .build(Connector(address, opened.clone()));
    for _ in 0..rounds {
        // The tasks of this runtime run on one thread: all ten begin before a connection is made.
        let tasks: Vec<_> = (0..10)
            .map(|_| {
                let request = Request::get(format!("http://{address}/")).body(Empty::new()).unwrap();
                let response = client.request(request);
                tokio::spawn(async move { response.await.unwrap().into_body().collect().await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        let requests = requests.lock().unwrap();
        println!(
            "{name:14} {} requests, {} connections opened, {} of them used",
            requests.iter().sum::<usize>(),
            opened.lock().unwrap(),
            requests.iter().filter(|count| **count > 0).count(),
        );
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    runtime.block_on(async {
        measure("both versions:", false, 2).await;
        measure("http2_only:", true, 1).await;
    });
}
END

got=$(cargo run --quiet --manifest-path "$work/Cargo.toml" --target-dir "$work/target")
printf '%s\n' "$got"
expected='both versions: 10 requests, 10 connections opened, 1 of them used
both versions: 20 requests, 10 connections opened, 1 of them used
http2_only:    10 requests, 1 connections opened, 1 of them used'
if [ "$got" != "$expected" ]; then
    echo "changed: this was expected:" >&2
    printf '%s\n' "$expected" >&2
    exit 1
fi
