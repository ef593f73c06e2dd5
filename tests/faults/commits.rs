//! The two commits of a world.

use std::ops::Range;

use crate::support::objects::Definition;

/// Of sixty objects, the first commit has the first 45. The second takes away the first fifteen,
/// changes the next fifteen, leaves the next fifteen as they are, and adds fifteen.
const FIRST: Range<usize> = 0..45;
const SECOND: Range<usize> = 15..60;
const CHANGED: Range<usize> = 15..30;

/// The first commit's objects as one file.
pub fn first(world: &str) -> String {
    commit(world, FIRST, "a")
}

/// The second's.
pub fn second(world: &str) -> String {
    commit(world, SECOND, "b")
}

fn commit(world: &str, numbers: Range<usize>, value: &str) -> String {
    let objects = numbers.map(|n| object(world, n, if CHANGED.contains(&n) { value } else { "a" }));
    around(world, value) + &objects.collect::<String>() + &alone(world, value) + &replaced(value)
}

/// What can't change: it is deleted and made anew.
fn replaced(value: &str) -> String {
    let on_request = "annotations: {trueup.dev/replace: 'true'}";
    format!(
        "---
apiVersion: v1
kind: ConfigMap
metadata: {{name: r0, {on_request}}}
immutable: true
data: {{key: {value}}}
---
apiVersion: v1
kind: Secret
metadata: {{name: r1, {on_request}}}
immutable: true
stringData: {{key: {value}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: r2, {on_request}}}
spec:
  selector: {{matchLabels: {{app: {value}}}}}
  template:
    metadata: {{labels: {{app: {value}}}}}
    spec: {{containers: [{{name: r, image: r}}]}}
"
    )
}

/// What has a kind or a namespace that the other commit has not: the record has to grow and shrink.
fn alone(world: &str, value: &str) -> String {
    if value == "a" {
        let limits = "spec: {limits: [{type: Pod, max: {cpu: 2}}]}";
        return format!(
            "---\napiVersion: v1\nkind: LimitRange\nmetadata: {{name: only}}\n{limits}\n"
        );
    }
    format!(
        "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: only}}\n\
         ---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: far, namespace: {world}-other}}\n"
    )
}

/// What the others live in and are defined by, which is in both commits.
fn around(world: &str, value: &str) -> String {
    let schema = "{type: object, properties: {value: {type: string}}}";
    let widgets = Definition::new(&format!("{world}.example"), "Widget").schema(schema);
    format!(
        "apiVersion: v1
kind: Namespace
metadata: {{name: {world}-side, labels: {{value: {value}}}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: aside, namespace: {world}-side}}
data: {{key: {value}}}
---
{widgets}"
    )
}

/// One of the sixty: five kinds in turn.
fn object(world: &str, n: usize, value: &str) -> String {
    let port = if value == "a" { 80 } else { 81 };
    let (api, kind, rest) = match n % 5 {
        0 => ("v1", "ConfigMap", format!("data: {{key: {value}}}")),
        1 => ("v1", "Secret", format!("stringData: {{key: {value}}}")),
        2 => ("v1", "Service", format!("spec: {{ports: [{{port: {port}}}]}}")),
        // A quantity that the server writes in another way: it is asked, and its answer is kept.
        3 => (
            "apps/v1",
            "Deployment",
            format!(
                "spec:
  selector: {{matchLabels: {{app: o}}}}
  template:
    metadata: {{labels: {{app: o}}}}
    spec:
      containers: [{{name: o, image: 'o:{value}', resources: {{requests: {{cpu: 1000m}}}}}}]"
            ),
        ),
        _ => {
            return format!(
                "---\napiVersion: {world}.example/v1\nkind: Widget\nmetadata: {{name: o{n}}}\nvalue: {value}\n"
            );
        }
    };
    format!("---\napiVersion: {api}\nkind: {kind}\nmetadata: {{name: o{n}}}\n{rest}\n")
}
