//! Prometheus and its promtool themselves, as Debian has them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::eventually::eventually;

/// The error of a program that is not there.
const MISSING: &str = "it is in Debian's package prometheus, and in the archives of prometheus.io";

/// The rules, the dashboard and their tests.
pub fn fixtures() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/observability"))
}

/// Runs promtool with a text at its input, and gives all that it says.
///
/// # Panics
///
/// When there is none, or it finds a fault.
#[track_caller]
pub fn promtool(args: &[&str], input: &str) -> String {
    let mut command = Command::new("promtool");
    command.args(args).current_dir(fixtures());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("promtool: {error}: {MISSING}"));
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].map(|it| String::from_utf8(it).unwrap()).concat();
    assert!(output.status.success(), "promtool {args:?}: {said}\n{input}");
    said
}

/// The body of an answer to a GET on this machine, and its status.
pub fn get(port: u16, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// A running Prometheus that scrapes one address five times a second, with our rules.
pub struct Prometheus {
    child: Child,
    port: u16,
}

impl Prometheus {
    /// Starts one with its files below `folder`.
    #[track_caller]
    pub fn start(folder: &Path, scraped: u16) -> Self {
        let rules = fixtures().join("alerts.yaml");
        let config = format!(
            "global: {{scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms}}\n\
             rule_files: ['{}']\nscrape_configs:\n- job_name: trueup\n  static_configs: [{{targets: ['127.0.0.1:{scraped}']}}]\n",
            rules.display()
        );
        let file = folder.join("prometheus.yml");
        std::fs::write(&file, config).unwrap();
        let mut command = Command::new("prometheus");
        command.args([
            format!("--config.file={}", file.display()),
            format!("--storage.tsdb.path={}", folder.join("data").display()),
            "--web.listen-address=127.0.0.1:0".to_owned(),
        ]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("prometheus: {error}: {MISSING}"));
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let port = line.split_once("Listening on").and_then(|(_, rest)| {
                let address = rest.split_once("address=")?.1;
                address
                    .split_whitespace()
                    .next()?
                    .rsplit_once(':')?
                    .1
                    .trim_matches('"')
                    .parse()
                    .ok()
            });
            said.push(line);
            port
        });
        // Whoever closes the pipe ends the program.
        std::thread::spawn(move || lines.for_each(drop));
        let port = port.unwrap_or_else(|| panic!("it says where it listens: {said:#?}"));
        let prometheus = Self { child, port };
        eventually("Prometheus is ready", || get(port, "/-/ready").0 == 200);
        prometheus
    }

    /// The samples that a query gives now.
    ///
    /// # Panics
    ///
    /// When it is not understood.
    #[track_caller]
    pub fn query(&self, query: &str) -> Vec<Value> {
        let encoded: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let (_, body) = get(self.port, &format!("/api/v1/query?query={encoded}"));
        let answer: Value = serde_json::from_str(&body).unwrap_or(Value::Null);
        assert_eq!(answer["status"], "success", "{query}: {body}");
        answer["data"]["result"].as_array().unwrap().clone()
    }

    /// The rules that it has, by the names of their alerts, and the health of each.
    pub fn rules(&self) -> Vec<(String, String)> {
        let (_, body) = get(self.port, "/api/v1/rules");
        let answer: Value = serde_json::from_str(&body).unwrap_or(Value::Null);
        let groups = answer["data"]["groups"].as_array().cloned().unwrap_or_default();
        let rules = groups.iter().flat_map(|group| group["rules"].as_array().unwrap());
        let text = |rule: &Value, key: &str| rule[key].as_str().unwrap().to_owned();
        rules.map(|rule| (text(rule, "name"), text(rule, "health"))).collect()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
