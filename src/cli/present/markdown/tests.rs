//! Whole comments, and what keeps them short and harmless.

use super::*;
use crate::cli::present::tests::{because, change, config, told, web};
use crate::core::json::json;
use crate::core::plan::Change;
use crate::core::problem::Location;
use crate::core::problem::Problem;

fn comment(changes: Vec<Change>, problems: &[Problem]) -> String {
    told(changes, problems, |out, view| out.extend(plan(view).into_bytes()))
}

fn problem(message: &str) -> Problem {
    let place = Location { path: "envs/prod/db.yaml".to_owned(), line: 3, column: 7 };
    let hint = Some("put it in quotes".to_owned());
    Problem { place, message: message.to_owned(), excerpt: None, hint }
}

/// How many fences there are, and that each one is ended before anything else begins.
fn fences(text: &str) -> usize {
    let mut open: Option<&str> = None;
    let mut count = 0;
    for line in text.lines() {
        match open {
            Some(fence) if line == fence => open = None,
            Some(_) => {}
            None if line.starts_with("```") => {
                open = Some(line.trim_end_matches(|c: char| c != '`'));
                count += 1;
            }
            None => {}
        }
    }
    assert_eq!(open, None, "a fence is not ended");
    count
}

#[test]
fn comment_has_verdict_table_folded_diffs_and_errors() {
    let update = change(
        Action::Update,
        Some(web(2, "registry.example/web:1.4.0")),
        Some(web(3, "registry.example/web:1.4.0")),
    );
    let gone = change(Action::Delete, Some(config("old-flags", json!({}))), None);
    assert_eq!(
        comment(vec![update, gone], &[problem("a mapping, not a text")]),
        r#"**prod** on <code>shop.example</code> (cluster 3f2a9c) at 8be01d3 “Third replica for web”: 1 to update, 1 to delete, **1 document can't be used**

| | object | declared at | what |
|---|---|---|---|
| &#126; update | <code>Deployment shop/web</code> | <code>envs/prod/web.yaml&#58;12</code> | spec.replicas 2 → 3 |
| - delete | <code>ConfigMap shop/old-flags</code> |  |  |

1 document can't be used: nothing is pruned until it is mended.

- <code>envs/prod/db.yaml&#58;3&#58;7</code> a mapping, not a text (do this: put it in quotes)

<details><summary>update <code>Deployment shop/web</code></summary>

```diff
 metadata:
   name: web
   namespace: shop
 spec:
-  replicas: 2
+  replicas: 3
   selector:
     matchLabels:
       app: web
```

</details>
"#
    );
}

#[test]
fn comment_is_one_line_when_in_sync() {
    let kept = change(Action::Keep, Some(config("one", json!({}))), None);
    assert_eq!(
        comment(vec![kept], &[]),
        "**prod** on <code>shop.example</code> (cluster 3f2a9c) at 8be01d3 “Third replica for web”: in sync, 1 object\n"
    );
}

#[test]
fn no_object_text_ends_its_fence_or_the_table() {
    let hostile = "```\n</details>\n| x | @team\n````\n::error::x\n";
    let new = config("a|b</summary>@team", json!({ "text": hostile, "`": "|" }));
    let refused = change(Action::Refuse, Some(config("r", json!({}))), None);
    let refused = because(refused, "no | <b>\n```\n@team", Some("ask\n````"));
    let text = comment(vec![change(Action::Create, None, Some(new)), refused], &[]);
    assert_eq!(fences(&text), 2, "{text}");
    assert!(text.contains("\n`````diff\n") && text.contains("\n`````text\n"), "{text}");
    for row in text.lines().filter(|line| line.starts_with("| ")) {
        assert_eq!(row.matches('|').count(), 5, "{row}");
        assert!(!row.contains("@team") && !row.contains("<b>"), "{row}");
    }
}

#[test]
fn comment_stays_within_the_size_limit_of_a_forge() {
    let long = "x ".repeat(5_000);
    let many = |count: usize, text: &str| -> String {
        let name = |n| format!("object-{n}");
        let new = |n| config(&name(n), json!({ "text": text, "lines": "a\n".repeat(n) }));
        let changes = (0..count).map(|n| change(Action::Create, None, Some(new(n))));
        comment(changes.collect(), &vec![problem(&long); count])
    };
    for (count, text) in [(1, "a"), (100, "😀\n".repeat(400).as_str()), (300, &long)] {
        let text = many(count, text);
        assert!(length(&text) <= 65_536 - 500, "{}", length(&text));
        assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
        assert_eq!(fences(&text), text.matches("<details>").count());
        assert_eq!(text.contains("did not fit: `trueup diff` shows all"), count > 1);
    }
    let large = config("large", json!({ "lines": "0123456789\n".repeat(5_000) }));
    let text = comment(vec![change(Action::Create, None, Some(large))], &[]);
    assert!(text.contains("more lines\n\n</details>"), "{}", &text[text.len() - 200..]);
    assert_eq!(fences(&text), 1);
}
