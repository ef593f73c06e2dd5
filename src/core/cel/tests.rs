//! Expressions: their values, their faults, and their cost.

use std::thread;

use cel::{Context, ExecutionError, Program, Value as Theirs};
use proptest::prelude::*;

use super::*;

fn object(yaml: &str) -> Object {
    serde_yaml::from_str(yaml).unwrap()
}

fn holds(text: &str, object: &Object) -> Result<bool, String> {
    Expression::new(text).holds(object, &mut 0)
}

/// A typical object.
const DONE: &str = "{metadata: {name: web, generation: 2, labels: {a: b}}, \
     spec: {replicas: 3, share: 0.5, debt: -4, list: [1, 2, 3], names: [a, b], none: null, on: true}, \
     status: {phase: Done, seen: 2, empty: [], conditions: \
     [{type: Ready, status: 'True'}, {type: Stalled, status: 'False', reason: Fine}]}}";

#[test]
fn an_expression_is_true_false_or_says_why_not() {
    let object = object(DONE);
    let rows: &[(&str, Result<bool, &str>)] = &[
        ("object.status.phase == 'Done'", Ok(true)),
        ("object.status.seen < object.metadata.generation", Ok(false)),
        ("object.status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')", Ok(true)),
        ("has(object.status.error) && object.status.error != ''", Ok(false)),
        ("object.status.error == ''", Err("No such key: error")),
        ("object.status.seen", Err("it returns a number, not a boolean")),
        ("object.status.phase", Err("it returns a text, not a boolean")),
        ("object.status.none == ''", Err("No such key: none")),
        (
            "object.status.phase + 1 == 2",
            Err("found no matching overload for '_+_' applied to '(string, int)'"),
        ),
        ("object.spec.list[3] == 1", Err("Index out of bounds: 3")),
        ("1 / 0 == 1", Err("Division by zero")),
        ("int(object.status.phase) == 1", Err("a text is not a number")),
    ];
    for (text, answer) in rows {
        let expression = Expression::new(text);
        assert_eq!(expression.wrong(), None, "{text}");
        let answer = answer.map_err(str::to_owned);
        assert_eq!(expression.holds(&object, &mut 0), answer, "{text}");
    }
}

/// Parts that expressions are made of here, to be combined with each other.
const PARTS: [&str; 60] = [
    "object.metadata.generation",
    "object.spec.replicas",
    "object.spec.share",
    "object.spec.debt",
    "object.spec.list",
    "object.spec.names",
    "object.spec.none",
    "object.spec.on",
    "object.status",
    "object.status.phase",
    "object.status.conditions",
    "object.status.conditions[0]",
    "object.status.conditions[1].reason",
    "object.status['phase']",
    "object.status.empty",
    "object.status.lacking",
    "has(object.status.lacking)",
    "has(object.spec.replicas)",
    "has(object.spec.list.a)",
    "object.status.conditions.all(c, c.status == 'True')",
    "object.status.conditions.all(c, has(c.reason))",
    "object.status.conditions.all(c, c.reason == 'Fine')",
    "object.status.conditions.exists(c, c.reason == 'Fine')",
    "object.status.conditions.exists(c, c.reason == 'Other')",
    "object.status.conditions.exists_one(c, c.type == 'Ready')",
    "object.status.conditions.map(c, c.type)",
    "object.status.conditions.filter(c, c.status == 'True')",
    "object.spec.list.map(x, x > 1u, x * 2u)",
    "object.spec.list.map(x, object.spec.names.map(y, x))",
    "object.metadata.labels.all(key, key == 'a')",
    "object.spec.names.map(x, x + x)",
    "size(object.spec.list)",
    "object.status.phase.size()",
    "size(object.metadata.labels)",
    "object.status.phase.startsWith('Do')",
    "object.status.phase.endsWith('ne')",
    "object.status.phase.contains('on')",
    "object.status.phase.matches('^D.n[a-f]$')",
    "matches(object.status.phase, 'x')",
    "'Done'",
    "''",
    "1",
    "2u",
    "-3",
    "0",
    "0.5",
    "1e3",
    "null",
    "true",
    "false",
    "[1, 2u, 3.0]",
    "[]",
    "{'a': 1, 'b': [2]}",
    "{1: 'one', true: 'yes'}",
    "b'Done'",
    "string(object.spec.replicas)",
    "int(object.spec.replicas)",
    "double(object.spec.replicas)",
    "uint('7')",
    "type(object.spec.replicas)",
];

const BINARY: [&str; 16] = [
    "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "in", "&&", "||", "? 1 :", "? [] :",
];

/// The result of the `cel` crate's own interpreter; an error is an error, whatever its words.
fn theirs(text: &str, object: &Object) -> Result<bool, ()> {
    let program = Program::compile(text).map_err(drop)?;
    let mut context = Context::default();
    context.add_variable(OBJECT, object).unwrap();
    match program.execute(&context) {
        Ok(Theirs::Bool(answer)) => Ok(answer),
        Ok(_) | Err::<_, ExecutionError>(_) => Err(()),
    }
}

fn ours(text: &str, object: &Object) -> Result<bool, ()> {
    holds(text, object).map_err(drop)
}

/// Each part, and each pair of parts with an operator between, made true or false by comparing it
/// with itself and with other parts: thousands of expressions.
#[test]
fn limited_interpreter_agrees_with_the_unlimited_one() {
    let object = object(DONE);
    let mut compared = 0;
    let mut same = |text: &str| {
        assert_eq!(ours(text, &object), theirs(text, &object), "{text}");
        compared += 1;
    };
    for (row, one) in PARTS.into_iter().enumerate() {
        same(one);
        same(&format!("!({one})"));
        same(&format!("-({one}) < 0"));
        same(&format!("type({one}) == string || type({one}) == map"));
        for function in ["size", "int", "uint", "double", "string", "bool", "bytes", "dyn"] {
            same(&format!("{function}({one}) == {function}({one})"));
        }
        for (number, other) in PARTS.into_iter().enumerate() {
            let operator = BINARY[(row + number) % BINARY.len()];
            match (row + number) % 3 {
                0 => same(&format!("({one}) == ({other})")),
                1 => same(&format!("(({one}) {operator} ({other})) == ({one})")),
                _ => same(&format!("({one})[{other}] == null")),
            }
        }
    }
    assert!(compared > 4000, "{compared}");
}

proptest! {
    /// The same for larger ones.
    #[test]
    fn limited_interpreter_agrees_on_nested_values(
        parts in prop::collection::vec((0..PARTS.len(), 0..BINARY.len()), 2..5),
        compare in 0..PARTS.len(),
    ) {
        let object = object(DONE);
        let mut text = PARTS[compare].to_owned();
        for (part, operator) in parts {
            text = format!("({text}) {} ({})", BINARY[operator], PARTS[part]);
        }
        let text = format!("({text}) == ({})", PARTS[compare]);
        prop_assert_eq!(ours(&text, &object), theirs(&text, &object), "{}", text);
    }
}

#[test]
fn expression_errors_are_found_before_evaluation() {
    for (text, wrong) in [
        ("object.a ==", "Syntax error: mismatched input '<EOF>', at character 12"),
        ("objct.a == 1", "unknown name `objct`; only `object` is defined"),
        ("", "Syntax error: mismatched input '<EOF>', at character 1"),
        // Wherever it stands, and not only where it would be met.
        ("true || objct.a == 1", "unknown name `objct`; only `object` is defined"),
        ("object.list.all(x, y == 1)", "unknown name `y`; only `object` is defined"),
        ("object.list.all(x, true) && x", "unknown name `x`; only `object` is defined"),
        ("false && now() == 1", "unknown function or wrong arguments: `now`"),
        ("object.a.startsWith()", "unknown function or wrong arguments: `startsWith`"),
        ("has(object)", "has() takes a field, such as has(object.status)"),
        ("object.list.all(1, true)", "the first argument of all() must be a name"),
        ("object.a.matches('(')", "a pattern is not a regular expression"),
    ] {
        let expression = Expression::new(text);
        assert_eq!(expression.wrong(), Some(wrong), "{text}");
        assert_eq!(expression.holds(&Object::default(), &mut 0), Err(wrong.to_owned()), "{text}");
    }
}

#[test]
fn parsing_an_expression_evaluates_nothing() {
    // It would fail for any object, and is not wrong.
    assert_eq!(Expression::new("[0].map(x, 1 / x) == []").wrong(), None);
}

#[test]
fn expression_limits_are_exact() {
    let object = object(DONE);
    let low = ExpressionLimits { length: 60, depth: 6, pattern: 8 << 10, cost: 60, total: 100 };
    let reads = |text: &str| Expression::within(text, low).wrong().map(str::to_owned);
    let pad = |length: usize| format!("true{}", " ".repeat(length - 4));
    assert_eq!(reads(&pad(60)), None);
    assert_eq!(reads(&pad(61)).as_deref(), Some("it has 61 bytes; the limit is 60"));
    assert_eq!(reads("[[[[1]]]]==1"), None);
    assert_eq!(reads("[[[[[1]]]]]==1").as_deref(), Some("it is nested more than 6 levels deep"));
    assert_eq!(reads("1+1+1+1+1==5"), None);
    assert!(reads("1+1+1+1+1+1==6").unwrap().contains("nested"));
    assert_eq!(reads("'a'.matches('[a-z]{1,9}')"), None);
    let wide = reads("'a'.matches('[a-z]{1,900}')").unwrap();
    assert!(wide.starts_with("a pattern takes more than 8192 bytes compiled;"), "{wide}");
    // Below and above the cost of one, by the number of elements, of bytes, and of loops in loops.
    for (below, above) in [
        ("[1,1,1].all(x,x==1)", "[1,1,1,1,1,1,1,1,1].all(x,x==1)"),
        ("[1].all(x,[1].all(y,true))", "[1,1].all(x,[1,1].all(y,true))&&[1]==[1]"),
        ("[1]+[1]==[1,1]", "[1]+[1]==[1,1] && [1]+[1]==[1,1]"),
        ("[1].map(x,x)==[1]", "[1,1,1].map(x,x)==[1,1,1]"),
        ("{1:1}==1", "{1:1}=={1:1}"),
    ] {
        let answer = |text| Expression::within(text, low).holds(&object, &mut 0);
        assert!(answer(below).is_ok(), "{below}: {:?}", answer(below));
        let why = answer(above).expect_err(above);
        assert!(why.starts_with("it costs more than 60 units"), "{above}: {why}");
    }
    let text = "object.spec.text + object.spec.text == ''";
    for (length, is_cheap) in [(200, true), (400, false)] {
        let yaml = format!("{{spec: {{text: {}}}}}", "x".repeat(length));
        let answer = Expression::within(text, low).holds(&self::object(&yaml), &mut 0);
        assert_eq!(answer == Ok(false), is_cheap, "{length}: {answer:?}");
    }
}

#[test]
fn cost_limit_is_not_absorbed_by_logical_operators() {
    let low = ExpressionLimits { cost: 40, ..ExpressionLimits::default() };
    let long = "[1,1,1,1,1,1,1,1].all(x,x==1)";
    for text in [
        format!("{long} || true"),
        format!("!({long} && false)"),
        format!("[1].exists(x, {long})"),
        format!("[1].all(x, {long}) || true"),
    ] {
        let why = Expression::within(&text, low).holds(&Object::default(), &mut 0);
        assert!(why.as_ref().is_err_and(|why| why.contains("40 units")), "{text}: {why:?}");
    }
}

#[test]
fn expressions_of_one_round_share_the_cost_limit() {
    let low = ExpressionLimits { cost: 50, total: 100, ..ExpressionLimits::default() };
    let expression = Expression::within("[1,1,1].all(x,x==1)", low);
    let mut spent = 0;
    let answers: Vec<_> =
        (0..5).map(|_| expression.holds(&Object::default(), &mut spent)).collect();
    assert_eq!(answers.iter().filter(|answer| **answer == Ok(true)).count(), 3, "{answers:?}");
    let why = answers[4].as_ref().unwrap_err();
    assert!(why.contains("budget of 100 cost units"), "{why}");
    assert!(spent <= 100, "{spent}");
}

/// Lists that are doubled again and again stay as small as what was paid for.
#[test]
fn repeated_doubling_ends_at_the_cost_limit() {
    let low = ExpressionLimits { cost: 2000, ..ExpressionLimits::default() };
    for (first, doubled) in [("[1]", "x + x"), ("'ab'", "x + x"), ("[1]", "[x, x]")] {
        let mut text = format!("[{first}]");
        for _ in 0..12 {
            text = format!("{text}.map(x, {doubled})");
        }
        let text = format!("{text} == {text}");
        let why = Expression::within(&text, low).holds(&Object::default(), &mut 0).unwrap_err();
        assert!(why.starts_with("it costs more than 2000 units"), "{text}: {why}");
    }
}

#[test]
fn no_part_of_any_expression_makes_it_deeper_than_a_small_stack() {
    let rows = [
        ("(", "true", ")"),
        ("[", "1", "]"),
        ("!", "true", ""),
        ("{1:", "1", "}"),
        ("", "object", ".a"),
        ("", "1", "+1"),
        ("true?1:", "1", ""),
        ("", "object", "[0]"),
    ];
    let longest = ExpressionLimits::default().length;
    for (open, inner, close) in rows {
        let whole = (longest - inner.len()) / (open.len() + close.len());
        for depth in [10, 60, 100, whole] {
            let text = format!("{}{inner}{}", open.repeat(depth), close.repeat(depth));
            // On a small stack, as expressions are worked out wherever objects are looked at.
            let worker = thread::Builder::new().stack_size(1 << 20).spawn(move || {
                let _ = Expression::new(&text).holds(&Object::default(), &mut 0);
            });
            worker.unwrap().join().unwrap();
        }
    }
    assert!(Expression::new(&"!".repeat(longest + 1)).wrong().is_some());
}
