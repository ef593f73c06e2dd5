//! Secrets planted wherever they can stand, and every byte searched that comes of it: all that is
//! printed, in every form, what an external diff program is shown, and the cache folder.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::canaries::Canaries;
use crate::support::command::Output;
use crate::support::repo::Repo;
use crate::support::{renderers, sandbox};

const FORMS: [&str; 5] = ["text", "json", "markdown", "github", "name"];

/// A repository whose trueup keeps its files in folders of the test's own.
struct Planted {
    repo: Repo<'static>,
    canaries: Canaries,
}

impl Planted {
    fn new(name: &str, count: usize) -> Self {
        let repo = Repo::new(name, sandbox::bare());
        for folder in ["cache", "tmp", "shown"] {
            fs::create_dir(repo.outside().join(folder)).unwrap();
        }
        Self { repo, canaries: Canaries::new(count) }
    }

    fn run(&self, args: &[&str], external: Option<&str>) -> Output {
        let at = |name: &str| self.repo.outside().join(name);
        let command = renderers::with(self.repo.trueup(args));
        let command = command.env("XDG_CACHE_HOME", at("cache")).env("TMPDIR", at("tmp"));
        match external {
            Some(program) => command.env("KUBECTL_EXTERNAL_DIFF", program).run(),
            None => command.run(),
        }
    }

    /// Runs it and searches what it prints.
    #[track_caller]
    fn see(&self, args: &[&str]) -> Output {
        let output = self.run(args, None);
        self.canaries.assert_unseen(&output);
        assert!(matches!(output.status, Some(0 | 1)), "{output}");
        output
    }

    /// Shows what would change in every form there is, and searches all of it.
    #[track_caller]
    fn see_diffs(&self) {
        for form in FORMS {
            self.see(&["diff", "-o", form]);
        }
        let program = self.repo.outside().join("copy");
        let shown = self.repo.outside().join("shown");
        let script = "#!/bin/sh\ncp -R \"$2\" \"$3\" \"$1\"; diff -u -N -r \"$2\" \"$3\"\n";
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let command = format!("{} {}", program.display(), shown.display());
        let output = self.run(&["diff"], Some(&command)).exits(1);
        self.canaries.assert_unseen(&output);
        assert!(self.canaries.assert_not_below(&shown) > 0, "{output}");
    }

    /// Writes a file outside of the repository and has kubectl apply it as it did in old times.
    #[track_caller]
    fn apply_by_hand(&self, yaml: &str) {
        let file = self.repo.outside().join("by-hand.yaml");
        fs::write(&file, yaml).unwrap();
        self.repo.kubectl(&["apply", "-f", file.to_str().unwrap()]).exits(0);
    }
}

#[test]
fn no_secret_is_printed_or_kept_wherever_it_stands() {
    let planted = Planted::new("secrets-everywhere", 11);
    let [text, data, quoted, applied, before, generated, live, wrong, later, broken, more] =
        planted.canaries.0.as_slice()
    else {
        unreachable!()
    };
    let repo = &planted.repo;
    let secret = |name: &str, fields: &str| {
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\n{fields}\n")
    };
    // kubectl's annotation holds the whole of it, in a text.
    planted.apply_by_hand(&secret("old", &format!("stringData: {{a: {applied}, b: {before}}}")));
    repo.write(
        "old.yaml",
        secret("old", &format!("stringData: {{a: {applied}, b: {text}, c: {data}}}")),
    );
    let db = |data: &str| {
        let base64 = STANDARD.encode(data);
        let quoted = format!("'{quoted}\"<&>\\'");
        format!("stringData: {{text: {text}, quoted: {quoted}}}\ndata: {{data: {base64}}}")
    };
    repo.write("db.yaml", secret("db", &db(data)));
    repo.write(
        "web.yaml",
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec:\n  selector: {{matchLabels: {{a: b}}}}\n  template:\n    metadata: {{labels: {{a: b}}}}\n    spec:\n      containers:\n      - name: main\n        image: a\n        args: [\"--token={text}\"]\n        env:\n        - {{name: A, value: {text}}}\n        - {{name: B, value: 'postgres://user:{data}@db'}}\n        - {{name: C, value: '{quoted}\"<&>\\'}}\n"
        ),
    );
    let auth = STANDARD.encode(format!("user:{data}"));
    let base64 = STANDARD.encode(text);
    repo.write(
        "config.yaml",
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config\n  annotations: {{note: {text}}}\ndata:\n  base64: {base64}\n  auths: '{{\"auth\": \"{auth}\"}}'\n  json: '{{\"a\": \"{data}\"}}'\n  {text}: key\n  lines: |\n    a\n    {applied}\n    b\n"
        ),
    );
    repo.write(
        "made/kustomization.yaml",
        format!(
            "secretGenerator:\n- name: made\n  literals: [password={generated}]\nconfigMapGenerator:\n- name: leak\n  literals: [url=http://u:{generated}@x]\n"
        ),
    );
    repo.commit("Secrets");

    // The search finds them where they are shown.
    let shown = planted.run(&["render", "--show-secrets"], None).exits(0);
    assert!(planted.canaries.are_in(shown.stdout.as_bytes()));

    planted.see_diffs();
    for args in [&["render"][..], &["render", "-o", "json"], &["diff", "--verify"]] {
        planted.see(args);
    }
    planted.see(&["apply", "--yes", "-o", "markdown"]).exits(0);
    let there = ["get", "secret", "db", "-o", "jsonpath={.data.text}"];
    assert_eq!(repo.kubectl(&there).stdout, base64, "it is applied all the same");

    // Changed in the commit, and by others: shown with who did it, and put back.
    repo.write("db.yaml", secret("db", &db(later))).commit("Another value");
    let patch = format!(r#"{{"stringData":{{"text":"{live}"}}}}"#);
    repo.kubectl(&["patch", "secret", "db", "-p", &patch]).exits(0);
    let leak = ["set", "env", "deployment/web", &format!("A={live}")].map(str::to_owned);
    repo.kubectl(&leak.each_ref().map(String::as_str)).exits(0);
    planted.see_diffs();
    let told = planted.see(&["diff", "-o", "markdown"]).exits(1);
    assert!(told.stdout.contains("taken from kubectl-set"), "{told}");
    planted.see(&["watch", "--once", "--no-pull", "--no-wait"]).exits(0);

    // What somebody else keeps in a Secret that stays as it is.
    let patch = format!(r#"{{"stringData":{{"more":"{more}"}}}}"#);
    repo.kubectl(&["patch", "secret", "db", "-p", &patch]).exits(0);
    let leak = ["set", "env", "deployment/web", &format!("A=x{more}")].map(str::to_owned);
    repo.kubectl(&leak.each_ref().map(String::as_str)).exits(0);
    planted.see_diffs();
    let drift = planted.see(&["diff"]).exits(1);
    assert!(!drift.stdout.contains("Secret"), "the Secret itself stays as it is\n{drift}");

    // What the reader, the server and the renderer refuse.
    repo.write("broken.yaml", format!("kind: Secret\nstringData: x: {broken}\n"));
    repo.write("wrong.yaml", secret("wrong", &format!("data: {{x: '%{wrong}'}}")));
    repo.write(
        "made/kustomization.yaml",
        format!("secretGenerator:\n- name: made\n  literal: [password={generated}]\n"),
    );
    repo.remove("old.yaml").commit("Wrong ones");
    planted.see_diffs();
    for form in FORMS {
        planted.see(&["apply", "--yes", "-o", form]).exits(1);
    }
    planted.see(&["watch", "--once", "--no-pull", "--no-wait"]).exits(1);
    for form in ["text", "json", "github", "sarif"] {
        planted.see(&["check", "-o", form]).exits(1);
    }

    let kept = repo.outside().join("cache/trueup");
    assert!(planted.canaries.assert_not_below(&kept.join("render")) > 0, "something is kept");
    planted.canaries.assert_not_below(&kept);
    let left = planted.canaries.assert_not_below(&repo.outside().join("tmp"));
    assert_eq!(left, 0, "nothing is left behind");
}
