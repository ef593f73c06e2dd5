//! What a kubelet is to the API server where somebody wants to read a container's log: the sandbox
//! has none, so its nodes have no logs.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use super::sandbox::Plane;
use super::tls;

/// Serves one log for whatever is asked, for as long as the tests run.
pub struct Kubelet {
    asked: Arc<Mutex<Vec<String>>>,
}

impl Kubelet {
    /// Makes the node `name`, whose kubelet has the lines of `log` of each container; where there is
    /// none it does not answer.
    pub fn start(plane: &Plane, name: &str, log: Option<Vec<String>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tls, _) = tls::localhost();
        let kubelet = Self { asked: Arc::default() };
        let asked = Arc::clone(&kubelet.asked);
        thread::spawn(move || {
            let mut silent = Vec::new();
            for stream in listener.incoming().flatten() {
                let connection = rustls::ServerConnection::new(Arc::clone(&tls)).unwrap();
                let mut stream = BufReader::new(rustls::StreamOwned::new(connection, stream));
                let mut first = String::new();
                if stream.read_line(&mut first).unwrap_or_default() == 0 {
                    continue;
                }
                let mut line = String::from("a header");
                while !line.trim_end().is_empty() {
                    line.clear();
                    let _ = stream.read_line(&mut line);
                }
                let Some(log) = &log else {
                    silent.push(stream);
                    continue;
                };
                let lines =
                    first.split(['?', '&', ' ']).find_map(|it| it.strip_prefix("tailLines="));
                let lines = lines.map_or(log.len(), |lines| lines.parse().unwrap());
                let log = log[log.len().saturating_sub(lines)..].join("\n");
                asked.lock().unwrap().push(first);
                let length = log.len();
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n";
                let answer = format!("{head}Content-Length: {length}\r\n\r\n{log}");
                // Whoever hangs up in the middle is no concern of the kubelet's.
                let _ = stream.get_mut().write_all(answer.as_bytes());
                stream.get_mut().conn.send_close_notify();
                let _ = stream.get_mut().flush();
            }
        });
        let node = format!("apiVersion: v1\nkind: Node\nmetadata: {{name: {name}}}\n");
        plane.create("default", &node);
        let status = format!(
            r#"{{"status":{{"addresses":[{{"type":"InternalIP","address":"127.0.0.1"}}],"daemonEndpoints":{{"kubeletEndpoint":{{"Port":{port}}}}}}}}}"#
        );
        let patch = ["patch", "node", name, "--subresource=status", "--type=merge", "-p", &status];
        plane.kubectl(patch).exits(0);
        kubelet
    }

    /// The request lines of what was asked.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}
