//! Gitea itself, of one release: it is pushed to, tells of pushes, and keeps statuses and comments. One
//! serves all tests, each with repositories of its own.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::Method;
use reqwest::blocking::{Client, RequestBuilder};
use serde_json::{Value, json};

use super::built;
use super::command::Output;
use super::eventually::eventually;
use super::git::git;
use super::repo::Repo;

/// The user that all repositories belong to.
pub const OWNER: &str = "shop";
/// Another user, who may read what is public.
pub const STRANGER: &str = "stranger";

/// A running Gitea.
pub struct Gitea {
    program: PathBuf,
    folder: PathBuf,
    port: u16,
    client: Client,
    /// The owner's, with all rights.
    token: String,
    /// Names what has to have a name of its own.
    count: AtomicUsize,
    // Its stdin is what keeps the server up: a `cat` reads from it.
    _server: Child,
}

/// The one that all tests share.
#[track_caller]
pub fn gitea() -> &'static Gitea {
    static GITEA: LazyLock<Result<Gitea, String>> = LazyLock::new(Gitea::start);
    GITEA.as_ref().unwrap_or_else(|reason| panic!("no Gitea: {reason}"))
}

impl Gitea {
    fn start() -> Result<Self, String> {
        let built = built::folder("gitea")?;
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?.keep();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // The log of accesses is what tests count requests in. Webhooks go to this machine alone.
        let settings = format!(
            "I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true\nWORK_PATH = {folder}\n\
             [server]\nHTTP_ADDR = 127.0.0.1\nHTTP_PORT = {port}\n\
             ROOT_URL = http://127.0.0.1:{port}/\nSTATIC_ROOT_PATH = {built}\n\
             DISABLE_SSH = true\nOFFLINE_MODE = true\n\
             [database]\nDB_TYPE = sqlite3\nSQLITE_JOURNAL_MODE = WAL\nSQLITE_TIMEOUT = 60000\n\
             [security]\nINSTALL_LOCK = true\n\
             [webhook]\nALLOWED_HOST_LIST = loopback\n\
             [log]\nMODE = file\nLEVEL = Warn\nlogger.access.MODE = access\n\
             [log.access]\nMODE = file\nFILE_NAME = access.log\nLEVEL = Info\n\
             [indexer]\nISSUE_INDEXER_TYPE = db\n\
             [actions]\nENABLED = false\n[packages]\nENABLED = false\n[cron]\nENABLED = false\n",
            folder = folder.display(),
            built = built.display(),
        );
        fs::write(folder.join("app.ini"), settings).unwrap();
        let program = built.join("gitea");
        let mut server = Command::new("sh");
        let script = r#""$1" web --config "$2/app.ini" & cat; kill $!; wait; rm -rf "$2""#;
        server.args(["-c", script, "sh"]).arg(&program).arg(&folder).env("HOME", &folder);
        server.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let server = server.spawn().map_err(|error| format!("cannot run sh: {error}"))?;
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = Client::builder().no_proxy().build().unwrap();
        let mut gitea = Self {
            program,
            folder,
            port,
            client,
            token: String::new(),
            count: AtomicUsize::new(0),
            _server: server,
        };
        eventually("Gitea is ready", || {
            let health = gitea.client.get(gitea.url("api/healthz")).send();
            health.is_ok_and(|answer| answer.status().is_success())
        });
        for user in [OWNER, STRANGER] {
            let email = format!("{user}@example.com");
            let names = ["--username", user, "--email", &email, "--random-password"];
            let create = ["user", "create", "--must-change-password=false"];
            gitea.admin(&[&create[..], &names[..]].concat());
        }
        gitea.token = gitea.token_of(OWNER, "all");
        Ok(gitea)
    }

    /// A command of its administrator, which must work.
    #[track_caller]
    fn admin(&self, args: &[&str]) -> String {
        let mut command = Command::new(&self.program);
        command.arg("admin").args(args).arg("--config").arg(self.folder.join("app.ini"));
        let output = command.env("HOME", &self.folder).stdin(Stdio::null()).output().unwrap();
        Output::from(output).exits(0).stdout
    }

    /// A new token of a user with these scopes, such as `write:repository,read:issue`.
    #[track_caller]
    pub fn token_of(&self, user: &str, scopes: &str) -> String {
        let name = format!("token-{}", self.count.fetch_add(1, Ordering::Relaxed));
        let generate = ["user", "generate-access-token", "--raw", "--username", user];
        let with = ["--token-name", &name, "--scopes", scopes];
        let said = self.admin(&[&generate[..], &with[..]].concat());
        // It tells root, before or after, that this is not safe.
        let is_token = |line: &&str| line.len() == 40 && !line.contains(' ');
        said.lines().find(is_token).unwrap_or_else(|| panic!("no token: {said}")).to_owned()
    }

    /// An address below its own.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    /// The address of a repository, with a token in it.
    pub fn remote(&self, name: &str, token: &str) -> String {
        let url = self.url(&format!("{OWNER}/{name}.git"));
        url.replace("http://", &format!("http://{OWNER}:{token}@"))
    }

    /// Makes an empty private repository, and gives the address that its owner pushes to.
    #[track_caller]
    pub fn create(&self, name: &str) -> String {
        let options = json!({ "name": name, "private": true, "default_branch": "main" });
        self.send(Method::POST, "user/repos", &options);
        self.remote(name, &self.token)
    }

    /// What the API has at a path of a repository.
    #[track_caller]
    pub fn get(&self, name: &str, path: &str) -> Value {
        let url = self.url(&format!("api/v1/repos/{OWNER}/{name}/{path}"));
        self.answer(self.client.get(url))
    }

    /// Posts to a path of a repository.
    #[track_caller]
    pub fn post(&self, name: &str, path: &str, body: &Value) -> Value {
        self.send(Method::POST, &format!("repos/{OWNER}/{name}/{path}"), body)
    }

    /// Lets another user write to a repository.
    #[track_caller]
    pub fn invite(&self, name: &str, user: &str) {
        let path = format!("repos/{OWNER}/{name}/collaborators/{user}");
        self.send(Method::PUT, &path, &json!({ "permission": "write" }));
    }

    /// Deletes what is at a path of a repository.
    #[track_caller]
    pub fn delete(&self, name: &str, path: &str) {
        self.send(Method::DELETE, &format!("repos/{OWNER}/{name}/{path}"), &Value::Null);
    }

    #[track_caller]
    fn send(&self, method: Method, path: &str, body: &Value) -> Value {
        let request = self.client.request(method, self.url(&format!("api/v1/{path}")));
        self.answer(request.header("Content-Type", "application/json").body(body.to_string()))
    }

    /// The owner's answer, which must be a success.
    #[track_caller]
    fn answer(&self, request: RequestBuilder) -> Value {
        let request = request.header("Authorization", format!("token {}", self.token));
        let answer = request.send().unwrap();
        let status = answer.status();
        let body = answer.text().unwrap();
        assert!(status.is_success(), "{status}: {body}");
        serde_json::from_str(&body).unwrap_or(Value::Null)
    }

    /// Merges a branch by a pull request, and gives its number and the id of the merge.
    #[track_caller]
    pub fn merge(&self, name: &str, branch: &str) -> (u64, String) {
        // It learns of pushed branches a moment after git does.
        eventually("both branches are known", || {
            let known = self.get(name, "branches");
            let known: Vec<&Value> = known.as_array().into_iter().flatten().collect();
            let has = |name: &str| known.iter().any(|it| it["name"] == name);
            has("main") && has(branch)
        });
        let pull = json!({ "head": branch, "base": "main", "title": branch });
        let number = self.post(name, "pulls", &pull)["number"].as_u64().unwrap();
        let path = format!("pulls/{number}");
        // It looks first whether the branches can be merged.
        eventually("it can be merged", || self.get(name, &path)["mergeable"] == true);
        self.post(name, &format!("{path}/merge"), &json!({ "Do": "merge" }));
        let merged = self.get(name, &path)["merge_commit_sha"].as_str().unwrap().to_owned();
        (number, merged)
    }

    /// How many requests so far have a method and a path that hold `text`.
    pub fn requests(&self, text: &str) -> usize {
        // The log is written later than the answers, in their order.
        let mark = format!("api/healthz?{}", self.count.fetch_add(1, Ordering::Relaxed));
        self.client.get(self.url(&mark)).send().unwrap();
        let log = || fs::read_to_string(self.folder.join("log/access.log")).unwrap_or_default();
        eventually("the log of accesses", || log().contains(&format!("/{mark} ")));
        log().lines().filter(|line| line.contains(text)).count()
    }

    /// Clones a repository with a token, which git's store of credentials has from then on.
    #[track_caller]
    pub fn clone(&self, repo: &Repo<'_>, name: &str, token: &str) -> PathBuf {
        let checkout = repo.outside().join("checkout");
        let (place, url) = (checkout.to_str().unwrap(), self.remote(name, token));
        let cloned = repo.run(&["-C", place, "pull", "--url", &url, "--branch", "main"]).exits(0);
        assert!(!cloned.to_string().contains(token), "{cloned}");
        let store = repo.outside().join("credentials");
        fs::write(&store, format!("{url}\n")).unwrap();
        let helper = format!("store --file={}", store.display());
        git(&checkout, ["config", "credential.helper", &helper]);
        checkout
    }
}
