//! The table of kubeconfigs: each with what becomes of it, here and with kubectl.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Mutex;
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::cases::{Case, File, filled};
use super::proxies::{self, Door};
use crate::support::command::Cmd;
use crate::support::repo::Repo;
use crate::support::sandbox::{self, Plane};

/// How many cases run at once.
const THREADS: usize = 3;

#[test]
fn kubeconfigs_work_or_fail_as_the_table_says() {
    let repo = Repo::new("kubeconfig-table", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let path = repo.path();
    let args = ["-C", path.to_str().unwrap(), "diff", "-n", repo.namespace()];
    let wrong = each_case(&Words::new(sandbox::bare()), |case, words| {
        let place = Place::new(case, words);
        let output = place.run(case, Cmd::trueup().args(args)).run();
        match (&case.failure, output.status) {
            (None, Some(0 | 1)) => None,
            (Some(part), Some(2)) if output.stderr.contains(&place.fill(part)) => {
                assert!(!output.stderr.contains("hunter2"), "{}: {output}", case.name);
                None
            }
            (expected, _) => Some(format!("{}: {expected:?}\n{output}", case.name)),
        }
    });
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
#[ignore = "in minutes, and only of interest where the table or kubectl changes"]
#[allow(clippy::print_stdout, reason = "the counts are what this test is for")]
fn kubeconfigs_work_or_fail_with_kubectl_as_the_table_says() {
    let plane = sandbox::bare();
    let wrong = each_case(&Words::new(plane), |case, words| {
        let place = Place::new(case, words);
        let output =
            place.run(case, Cmd::new(&plane.kubectl).args(["get", "--raw", "/api/v1/namespaces"]));
        let output = output.run();
        let works = output.status == Some(0);
        (works != case.works_with_kubectl).then(|| format!("{}: {works}\n{output}", case.name))
    });
    let cases = Case::all();
    let count = |works: bool, with_kubectl: bool| {
        let is = |case: &&Case| {
            case.failure.is_none() == works && case.works_with_kubectl == with_kubectl
        };
        cases.iter().filter(is).count()
    };
    let alike = count(true, true) + count(false, false);
    println!(
        "{} cases: {alike} alike, {} with kubectl only, {} with trueup only",
        cases.len(),
        count(false, true),
        count(true, false)
    );
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}

/// What `run` says of each case.
fn each_case(words: &Words, run: impl Fn(&Case, &Words) -> Option<String> + Sync) -> Vec<String> {
    let cases = Mutex::new(Case::all().into_iter().collect::<VecDeque<_>>());
    let said = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let Some(case) = cases.lock().unwrap().pop_front() else { break };
                    if let Some(wrong) = run(&case, words) {
                        said.lock().unwrap().push(wrong);
                    }
                }
            });
        }
    });
    said.into_inner().unwrap()
}

/// What the words of the cases stand for: the server and what opens it, and the proxies.
struct Words(BTreeMap<String, String>);

impl Words {
    fn new(plane: &Plane) -> Self {
        let view = |path: &str| {
            let args = ["config", "view", "--raw", "-o", &format!("jsonpath={path}")];
            plane.kubectl(args).exits(0).stdout
        };
        let server = view("{.clusters[0].cluster.server}");
        let address = server.trim_start_matches("https://").to_owned();
        let port = address.rsplit(':').next().unwrap().to_owned();
        let authority = view("{.clusters[0].cluster.certificate-authority-data}");
        let certificate = view("{.users[0].user.client-certificate-data}");
        let key = view("{.users[0].user.client-key-data}");
        let pem = |data: &str| String::from_utf8(STANDARD.decode(data).unwrap()).unwrap();
        let block = |kind: &str, text: &str| {
            format!("-----BEGIN {kind}-----\n{text}\n-----END {kind}-----\n")
        };
        let cluster = json!({ "server": server, "certificate-authority-data": authority });
        let user = json!({ "client-certificate-data": certificate, "client-key-data": key });
        let credential = json!({
            "apiVersion": "client.authentication.k8s.io/v1",
            "kind": "ExecCredential",
            "status": { "clientCertificateData": pem(&certificate), "clientKeyData": pem(&key) },
        });
        let (open, socks) = (proxies::http(Door::Open), proxies::socks(Door::Open));
        let words = [
            ("CA_PEM", pem(&authority)),
            ("CERT_PEM", pem(&certificate)),
            ("KEY_PEM", pem(&key)),
            ("BAD_PEM", block("CERTIFICATE", "bm9uZQ==")),
            ("PARAMETERS_PEM", block("EC PARAMETERS", "BggqhkjOPQMBBw==")),
            ("CA", authority),
            ("CERT", certificate),
            ("KEY", key),
            ("CLUSTER", cluster.to_string()),
            ("USER", user.to_string()),
            ("CLUSTER_JSON", cluster.to_string()),
            ("USER_JSON", user.to_string()),
            ("CREDENTIAL", "sed \"s,k8s.io/v1,k8s.io/${1:-v1},\" \"$HERE/credential\"".to_owned()),
            ("CREDENTIAL_JSON", credential.to_string()),
            ("SERVER", server),
            ("ADDRESS", address),
            ("NAME", "api.example.test".to_owned()),
            ("NAMED", format!("api.example.test:{port}")),
            ("PORT", port),
            ("PROXY", format!("http://{open}")),
            ("PROXY_ADDRESS", open),
            ("SOCKS", format!("socks5://{socks}")),
            ("SOCKS_ADDRESS", socks),
            ("REFUSING", format!("http://{}", proxies::http(Door::Shut))),
            ("LOCKED_ADDRESS", proxies::http(Door::Locked)),
            ("LOCKED_SOCKS_ADDRESS", proxies::socks(Door::Locked)),
            ("GONE", "http://127.0.0.1:1".to_owned()),
        ];
        Self(words.into_iter().map(|(word, value)| (word.to_owned(), value)).collect())
    }
}

/// Where a case is laid out.
struct Place {
    folder: tempfile::TempDir,
    words: BTreeMap<String, String>,
}

impl Place {
    fn new(case: &Case, words: &Words) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut words = words.0.clone();
        let name = folder.path().file_name().unwrap().to_str().unwrap().to_owned();
        words.insert("DIR".to_owned(), name);
        words.insert("HERE".to_owned(), folder.path().to_str().unwrap().to_owned());
        words.insert("CONFIG".to_owned(), case.usual());
        words.insert("WITHOUT_CURRENT".to_owned(), case.without_current());
        let place = Self { folder, words };
        let kept = |path: &str, text: &str| File {
            path: path.to_owned(),
            text: text.to_owned(),
            is_program: false,
        };
        place.write(&kept("config", &case.kubeconfig()));
        place.write(&kept("credential", "$CREDENTIAL_JSON"));
        case.files.iter().for_each(|file| place.write(file));
        place
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The text with its words filled in, also with words that stand in those.
    fn fill(&self, text: &str) -> String {
        (0..4).fold(text.to_owned(), |text, _| filled(&text, &self.words))
    }

    fn write(&self, file: &File) {
        let path = self.path().join(&file.path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, self.fill(&file.text)).unwrap();
        if file.is_program {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    /// The command as the case has it run.
    fn run(&self, case: &Case, command: Cmd) -> Cmd {
        let at = |name: &String| match name.is_empty() {
            true => String::new(),
            false => self.path().join(name).to_str().unwrap().to_owned(),
        };
        let usual = vec!["config".to_owned()];
        let list = case.list.as_ref().unwrap_or(&usual).iter().map(at);
        let mut command = command.args(&case.args).dir(self.path());
        for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"] {
            command = command.env_remove(name).env_remove(&name.to_lowercase());
        }
        command = command.env("KUBECONFIG", list.collect::<Vec<_>>().join(":"));
        command = command.env("HOME", self.path());
        for (name, value) in &case.environment {
            command = command.env(name, self.fill(value));
        }
        command
    }
}
