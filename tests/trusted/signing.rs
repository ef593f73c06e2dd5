//! Keys of every kind, a machine that trusts some of them, and a repository with what they signed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::command::{Cmd, Output};
use crate::support::git::{git, raw_commit};

/// The time of ordinary commits.
pub const TIME: &str = "1700000000 +0900";

/// A machine with keys and a verify rule, and a repository.
pub struct Machine {
    folder: TempDir,
    repo: PathBuf,
}

impl Machine {
    /// One with an empty repository and without any rule.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let repo = folder.path().join("repo");
        fs::create_dir(&repo).unwrap();
        git(&repo, ["init", "--quiet", "--initial-branch=main"]);
        Self::of(folder, repo)
    }

    /// One for a repository.
    pub fn beside(repo: &Path) -> Self {
        Self::of(tempfile::tempdir().unwrap(), repo.to_owned())
    }

    fn of(folder: TempDir, repo: PathBuf) -> Self {
        for (program, package) in [("ssh-keygen", "openssh-client"), ("gpg", "gnupg")] {
            let is_there = Command::new(program).arg("--help").output().is_ok();
            assert!(is_there, "{program} is missing: apt-get install {package}");
        }
        let machine = Self { folder, repo };
        for folder in ["keys", "gnupg", "config/trueup", "cache"] {
            fs::create_dir_all(machine.path(folder)).unwrap();
        }
        private(&machine.path("gnupg"), 0o700);
        machine
    }

    /// A path outside of the repository.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The repository.
    pub fn repo(&self) -> PathBuf {
        self.repo.clone()
    }

    /// Writes a file outside of the repository.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        fs::write(self.path(name), content).unwrap();
        private(&self.path(name), 0o644);
        self
    }

    /// Writes a file of the repository.
    pub fn file(&self, name: &str, content: &str) -> &Self {
        let path = self.repo().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// Writes the machine's rules.
    pub fn rules(&self, rules: &str) -> &Self {
        let rules = rules.replace("DIR", self.folder.path().to_str().unwrap());
        self.write("config/trueup/config.yaml", rules)
    }

    /// One rule for the SSH keys of `allowed`, with more keys of the rule.
    pub fn ssh_rule(&self, more: &str) -> &Self {
        self.rules(&format!(
            "verify:\n- targets: ['*']\n  ssh: {{allowed-signers: DIR/allowed}}\n{more}"
        ))
    }

    /// The environment of this machine.
    pub fn on(&self, command: Cmd) -> Cmd {
        command
            .env("HOME", self.folder.path())
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("GNUPGHOME", self.path("gnupg"))
            .env("TZ", "UTC")
    }

    /// trueup in the repository.
    pub fn trueup(&self, args: &[&str]) -> Output {
        self.on(Cmd::trueup()).dir(self.repo()).args(args).run()
    }

    /// The verdict of trueup about one commit: `trusted`, or the word for why not.
    pub fn verdict(&self, commit: &str) -> String {
        let output = self.trueup(&["verify", "-o", "json", commit]);
        let json: serde_json::Value = serde_json::from_str(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {output}"));
        let first = &json["commits"][0];
        let is_trusted = first["trusted"] == true;
        first["reason"].as_str().map_or_else(|| format!("trusted: {is_trusted}"), str::to_owned)
    }

    /// Makes an SSH key.
    pub fn ssh_key(&self, name: &str, kind: &str) -> &Self {
        let file = self.path(&format!("keys/{name}"));
        let args = ["-q", "-t", kind, "-N", "", "-C", "x", "-f", file.to_str().unwrap()];
        Cmd::new("ssh-keygen").args(args).run().exits(0);
        self
    }

    /// The kind and the key itself, as lines of allowed_signers have them.
    pub fn public(&self, name: &str) -> String {
        let text = fs::read_to_string(self.path(&format!("keys/{name}.pub"))).unwrap();
        text.split(' ').take(2).collect::<Vec<_>>().join(" ")
    }

    /// Makes an OpenPGP key of `NAME@x`, at a time in the past where one is given.
    pub fn openpgp_key(&self, name: &str, kind: &str, past: Option<(&str, &str)>) -> &Self {
        let user = format!("{name} <{name}@x>");
        let (time, expires) = past.unwrap_or(("", "never"));
        let mut args = vec!["--batch", "--quiet", "--passphrase", ""];
        if past.is_some() {
            args.extend(["--faked-system-time", time]);
        }
        args.extend(["--quick-gen-key", user.as_str(), kind, "sign", expires]);
        self.gpg(&args);
        self
    }

    /// Runs gpg with the signers' keyring.
    pub fn gpg(&self, args: &[&str]) -> Output {
        self.on(Cmd::new("gpg")).args(args).run().exits(0)
    }

    /// Commits everything with these settings of git, and gives the commit's id.
    pub fn commit(&self, settings: &[&str], message: &str, time: &str) -> String {
        git(self.repo(), ["add", "--all"]);
        let mut args: Vec<&str> = settings.iter().flat_map(|setting| ["-c", *setting]).collect();
        args.extend(["commit", "--quiet", "--allow-empty", "--message", message]);
        if settings.iter().any(|setting| setting.starts_with("user.signingKey")) {
            args.push("-S");
        }
        let dates = ["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"];
        let commit = self.on(Cmd::new("git")).dir(self.repo()).args(args);
        dates.into_iter().fold(commit, |commit, date| commit.env(date, time)).run().exits(0);
        git(self.repo(), ["rev-parse", "HEAD"])
    }

    /// Commits everything, signed with an SSH key.
    pub fn ssh_commit(&self, key: &str, message: &str) -> String {
        self.ssh_commit_at(key, message, TIME)
    }

    /// The same at a time.
    pub fn ssh_commit_at(&self, key: &str, message: &str, time: &str) -> String {
        let key = format!("user.signingKey={}", self.path(&format!("keys/{key}.pub")).display());
        self.commit(&["gpg.format=ssh", &key], message, time)
    }

    /// Commits everything without a signature.
    pub fn plain_commit(&self, message: &str) -> String {
        self.commit(&[], message, TIME)
    }

    /// Makes a tag with an SSH key.
    pub fn ssh_tag(&self, key: &str, name: &str, messages: &[&str]) {
        let key = format!("user.signingKey={}", self.path(&format!("keys/{key}.pub")).display());
        let mut args = vec!["-c", "gpg.format=ssh", "-c", &key, "tag", "-s", name];
        args.extend(messages.iter().flat_map(|message| ["-m", *message]));
        git(self.repo(), args);
    }

    /// The content of `HEAD` with these signatures, each in a header of its own, as a new commit.
    pub fn with_signatures(&self, signatures: &[&str]) -> String {
        let content = git(self.repo(), ["cat-file", "commit", "HEAD"]);
        let (head, message) = content.split_once("\n\n").unwrap();
        let headers = signatures
            .iter()
            .map(|it| format!("\ngpgsig {}", it.trim_end().replace('\n', "\n ")))
            .collect::<String>();
        raw_commit(self.repo(), &format!("{head}{headers}\n\n{message}\n"))
    }

    /// The signature of the content of `HEAD` by an SSH key, in a namespace.
    pub fn signature(&self, key: &str, namespace: &str) -> String {
        let content = git(self.repo(), ["cat-file", "commit", "HEAD"]);
        self.write("payload", format!("{content}\n"));
        let _ = fs::remove_file(self.path("payload.sig"));
        let (key, payload) = (self.path(&format!("keys/{key}")), self.path("payload"));
        let sign = Cmd::new("ssh-keygen").args(["-q", "-Y", "sign", "-n", namespace, "-f"]);
        sign.args([key, payload]).run().exits(0);
        fs::read_to_string(self.path("payload.sig")).unwrap()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // gpg has left an agent behind.
        let _ = self.on(Cmd::new("gpgconf")).args(["--kill", "all"]).run();
    }
}

/// Sets the permissions of a file.
pub fn private(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
