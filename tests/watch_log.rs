//! The lines of a watch: when they were written, how long they are, and what they tell.

use std::fs;

use crate::support::repo::Repo;
use crate::support::sandbox;

/// A ConfigMap with one value, as a file for kubectl.
fn replaced(repo: &Repo<'_>, name: &str, value: &str) {
    let file = repo.outside().join("by-hand.yaml");
    let text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{key: \"{value}\"}}\n"
    );
    fs::write(&file, text).unwrap();
    let apply = ["apply", "--server-side", "--force-conflicts", "--field-manager=hand", "-f"];
    repo.kubectl(&[&apply[..], &[file.to_str().unwrap()]].concat()).exits(0);
}

#[test]
fn lines_have_a_date_and_are_bounded() {
    let repo = Repo::new("watch-log-long", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    repo.run(&["apply"]).exits(0);
    replaced(&repo, "one", &"x".repeat(350_000));
    let output = repo.run(&["watch", "--once"]).exits(0);
    let drift = output.stdout.lines().find(|line| line.contains("drift: ")).unwrap();
    assert!(drift.contains("one data.key xxx"), "{output}");
    assert!(drift.ends_with("more characters) → 1, put back"), "{output}");
    assert_eq!(repo.value("one"), "1");
    for line in output.stdout.lines() {
        assert!(line.chars().count() <= 300, "{line}");
        let (time, rest) = line.split_once(' ').unwrap();
        assert!(time.len() == "2026-11-30T00:20:08Z".len() && time.ends_with('Z'), "{line}");
        assert!(time.parse::<jiff::Timestamp>().is_ok(), "{line}");
        assert!(rest.starts_with("watch-log-long  "), "{line}");
    }
}
