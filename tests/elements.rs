//! A diff follows the elements of lists: what goes or comes is shown with its own lines, and never
//! with those of a neighbour that are the same.

use serde_json::Value;

use crate::support::command::Output;
use crate::support::repo::Repo;
use crate::support::sandbox;

const TWO: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: main
        image: registry.example/web:1.4.0
        env:
        - {name: FIRST, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
        - {name: SECOND, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
        ports:
        - {name: http, containerPort: 80}
        - {name: admin, containerPort: 81}
        volumeMounts:
        - {name: cache, mountPath: /cache}
        - {name: work, mountPath: /work}
      - name: side
        image: registry.example/side:1.4.0
      volumes:
      - {name: cache, emptyDir: {}}
      - {name: work, emptyDir: {}}
      tolerations:
      - {key: a, operator: Exists, effect: NoSchedule}
      - {key: b, operator: Exists, effect: NoSchedule}
";

/// The same without the last element of each list.
fn one() -> String {
    let gone = [
        "        - {name: SECOND, valueFrom: {fieldRef: {fieldPath: metadata.name}}}\n",
        "        - {name: admin, containerPort: 81}\n",
        "        - {name: work, mountPath: /work}\n",
        "      - name: side\n        image: registry.example/side:1.4.0\n",
        "      - {name: work, emptyDir: {}}\n",
        "      - {key: b, operator: Exists, effect: NoSchedule}\n",
    ];
    gone.iter().fold(TWO.to_owned(), |text, gone| {
        assert!(text.contains(gone), "{gone}");
        text.replace(gone, "")
    })
}

/// The lines of the elements that one has and the other has not, with what the server fills in.
const ELEMENTS: [&str; 21] = [
    "        - name: SECOND",
    "          valueFrom:",
    "            fieldRef:",
    "              fieldPath: metadata.name",
    "              apiVersion: v1",
    "        - name: admin",
    "          containerPort: 81",
    "          protocol: TCP",
    "        - name: work",
    "          mountPath: /work",
    "      - name: side",
    "        image: registry.example/side:1.4.0",
    "        imagePullPolicy: IfNotPresent",
    "        resources: {}",
    "        terminationMessagePath: /dev/termination-log",
    "        terminationMessagePolicy: File",
    "      - name: work",
    "        emptyDir: {}",
    "      - key: b",
    "        operator: Exists",
    "        effect: NoSchedule",
];

/// What a diff marks, without the marks.
fn marked<'o>(diff: &'o Output, mark: &str) -> Vec<&'o str> {
    diff.stdout.lines().filter_map(|line| line.strip_prefix(mark)).collect()
}

#[test]
fn list_element_is_removed_and_added_with_its_own_lines() {
    let repo = Repo::new("elements", sandbox::bare());
    repo.write("web.yaml", TWO).commit("Two of each");
    repo.run(&["apply", "--yes"]).exits(0);
    for (text, gone, come) in
        [(one(), &ELEMENTS[..], &[][..]), (TWO.to_owned(), &[], &ELEMENTS[..])]
    {
        repo.write("web.yaml", text).commit("One more, one less");
        let diff = repo.run(&["diff"]).exits(1);
        assert_eq!(marked(&diff, "  - "), gone, "{diff}");
        assert_eq!(marked(&diff, "  + "), come, "{diff}");
        let markdown = repo.run(&["diff", "-o", "markdown"]).exits(1);
        let block = markdown.stdout.split("```diff\n").nth(1).unwrap();
        let block = block.split("```").next().unwrap();
        let of =
            |mark| block.lines().filter_map(|line| line.strip_prefix(mark)).collect::<Vec<_>>();
        assert_eq!((of("-").as_slice(), of("+").as_slice()), (gone, come), "{markdown}");

        let json = repo.run(&["diff", "-o", "json"]).exits(1).stdout;
        let json: Value = serde_json::from_str(&json).unwrap();
        let fields = json["changes"][0]["fields"].as_array().unwrap().iter();
        let paths: Vec<&str> = fields.map(|field| field["path"].as_str().unwrap()).collect();
        let pod = "spec.template.spec";
        let main = format!("{pod}.containers[name=main]");
        let expected = [
            format!("{main}.env[name=SECOND]"),
            format!("{main}.ports[containerPort=81,protocol=TCP]"),
            format!("{main}.volumeMounts[mountPath=\"/work\"]"),
            format!("{pod}.containers[name=side]"),
            format!("{pod}.volumes[name=work]"),
            format!("{pod}.tolerations[1]"),
        ];
        assert_eq!(paths, expected);

        // Other programs get both texts in one order, so that theirs is as small as it can be.
        let external =
            repo.trueup(&["diff"]).env("KUBECTL_EXTERNAL_DIFF", "diff -U0").run().exits(1);
        let count = |mark: &str| {
            let lines = external.stdout.lines().filter(|line| line.starts_with(mark));
            lines.count() - 1 // the file's name
        };
        assert_eq!((count("-"), count("+")), (gone.len(), come.len()), "{external}");
        repo.run(&["apply", "--yes"]).exits(0);
    }
}
