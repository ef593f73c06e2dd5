//! What git declares and the API server drops without a word: it is told, and the cluster is not at
//! the commit.

use serde_json::Value;

use crate::support::repo::Repo;
use crate::support::sandbox;

const GATE: &str = "apiVersion: v1
kind: Service
metadata: {name: gate}
spec:
  type: NodePort
  selector: {app: gate}
  ports:
  - {name: web, port: 80, nodePort: 30017}
";

const LACK: &str = "declared, and dropped by the server";

#[test]
fn dropped_field_is_reported_in_diff() {
    let repo = Repo::new("dropped-port", sandbox::bare());
    repo.write("gate.yaml", GATE).commit("Open").run(&["apply"]).exits(0);
    let inside = GATE.replace("type: NodePort", "type: ClusterIP");
    repo.write("gate.yaml", inside.clone()).commit("Inside");
    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stdout.contains("gate.yaml:8:"), "{diff}");
    assert!(diff.stdout.contains(LACK), "{diff}");
    let json: Value =
        serde_json::from_str(&repo.run(&["diff", "-o", "json"]).exits(1).stdout).unwrap();
    let cause = &json["changes"][0]["causes"][0];
    assert_eq!(
        (&cause["field"], &cause["message"]),
        (&"spec.ports[0].nodePort".into(), &LACK.into())
    );
    let applied = repo.run(&["apply"]).exits(1);
    assert!(applied.stdout.contains("is NOT at"), "{applied}");
    assert!(applied.stdout.contains("1 with fields that the server drops"), "{applied}");
    // Without the field all is well.
    let mended = inside.replace(", nodePort: 30017", "");
    repo.write("gate.yaml", mended).commit("Mended").run(&["apply"]).exits(0);
    repo.run(&["diff"]).exits(0);
}

/// "The dataSource field ignores disallowed values, dropping them": the API's own documentation.
#[test]
fn field_dropped_on_create_is_reported_in_every_run() {
    let repo = Repo::new("dropped-new", sandbox::bare());
    let claim = "apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
  dataSource: {apiGroup: dropped.example, kind: Image, name: base}
";
    repo.write("claim.yaml", claim).commit("First");
    let field = format!("claim.yaml:7:3: spec.dataSource: {LACK}");
    for args in [&["diff"][..], &["apply"], &["diff"], &["diff", "--verify"], &["apply"]] {
        let output = repo.run(args).exits(1);
        assert!(output.stdout.contains(&field), "{args:?}\n{output}");
        assert_eq!(output.stdout.contains("NOT at"), args[0] == "apply", "{output}");
    }
    // Once only: from then on there is nothing to write.
    let writes = repo.writes();
    repo.run(&["apply"]).exits(1);
    assert_eq!(repo.writes(), writes);
    let rest = claim.lines().filter(|line| !line.contains("dataSource"));
    let rest = rest.map(|line| format!("{line}\n")).collect::<String>();
    repo.write("claim.yaml", rest).commit("Without").run(&["apply"]).exits(0);
    repo.run(&["diff"]).exits(0);
}
