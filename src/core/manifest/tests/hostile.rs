//! Nothing hostile costs more than a message.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

#[test]
fn hostile_input_is_a_problem_and_not_a_crash() {
    let mut bomb = HEAD.to_owned();
    bomb.push_str("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for level in 1..=9 {
        let below = format!("*a{0},", level - 1).repeat(9);
        writeln!(bomb, "a{level}: &a{level} [{below}]").unwrap();
    }
    assert!(problem(&bomb).0.ends_with("the document consists of aliases for the most part"));

    let long = format!("{HEAD}a: &a {}\nv: [{}]\n", "x".repeat(1 << 20), "*a,".repeat(90));
    assert!(problem(&long).0.ends_with("the document is over 64 MiB"));

    let at_limit = |depth: usize| format!("{HEAD}v: {}{}\n", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(read_text(&at_limit(999)).manifests.len(), 1);
    let (message, ..) = problem(&at_limit(1000));
    assert_eq!(message, "5:1003 lists and maps are nested more than 1000 deep here");
    let through_aliases = format!(
        "{HEAD}a: &a {}{}\nv: {}*a{}\n",
        "[".repeat(600),
        "]".repeat(600),
        "[".repeat(600),
        "]".repeat(600)
    );
    assert!(problem(&through_aliases).0.ends_with("more than 1000 deep here"));
    let wide = format!("{HEAD}v: {}{}", "[".repeat(999), "a,".repeat(300_000));
    assert!(problem(&wide).0.ends_with("more than 1000 deep here"));
    let blocks = format!("{HEAD}v:\n{}a\n", "- ".repeat(100_000));
    assert!(problem(&blocks).0.ends_with("more than 1000 deep here"));
    let json = format!("{{\"a\":{}", "[".repeat(100_000));
    assert!(problem(&json).0.ends_with("more than 1000 deep here"));

    let big = |bytes: usize| format!("{HEAD}v: {}\n", "x".repeat(bytes));
    assert_eq!(read_text(&big(1_500_000)).manifests.len(), 1);
    assert!(problem(&big(2_000_000)).0.contains("the object is over 1.5 MiB as JSON"));
    let json = format!(
        "{{\"apiVersion\":\"v1\",\"kind\":\"A\",\"metadata\":{{\"name\":\"a\"}},\"v\":\"{}\"}}",
        "x".repeat(2_000_000)
    );
    assert!(problem(&json).0.contains("the object is over 1.5 MiB as JSON"));

    let many = format!("{HEAD}---\n").repeat(limits::DOCUMENTS + 2);
    let reading = read_text(&many);
    assert_eq!((reading.manifests.len(), reading.problems.len()), (limits::DOCUMENTS, 1));
    let huge = vec![b'\n'; limits::FILE + 1];
    assert_eq!(read("a.yaml", &huge).problems[0].message, "the file is over 64 MiB");
}

/// Scraps of text that mean something in YAML or JSON, or nearly do.
fn scraps() -> Vec<String> {
    let scraps = include_str!("../../../../fixtures/scraps-of-yaml.json");
    serde_json::from_str(scraps).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read("a.yaml", &bytes);
    }

    #[test]
    fn arbitrary_yaml_does_not_panic(parts in prop::collection::vec(prop::sample::select(scraps()), 0..60)) {
        read("a.yaml", parts.concat().as_bytes());
        read("a.yaml", format!("{{{}", parts.concat()).as_bytes());
    }

    /// Wherever a part is put into a good file, each position that is reported is in the file.
    #[test]
    fn positions_are_within_the_file(at in 0..200_usize, part in prop::sample::select(scraps())) {
        let mut text = format!("{HEAD}v:\n- a: [b, \"c\"]\n  d: |\n    é\n- {{e: f}}\n---\n{HEAD}w: 'x'\n");
        let at = (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap();
        text.insert_str(at, &part);
        let reading = read_text(&text);
        let lines: Vec<_> = text.split('\n').collect();
        for place in reading.problems.iter().chain(&reading.warnings).map(|problem| &problem.place) {
            let line = lines.get(place.line - 1).map(|line| line.chars().count());
            prop_assert!(line.is_some_and(|length| place.column <= length + 2), "{place} in {text:?}");
        }
    }
}
