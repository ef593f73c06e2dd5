//! Paths of `set:` and what they do to a chart's values, as Helm's `--set-json` does it
//! (helm.sh/helm, `pkg/strvals/parser.go`): so that the values can reach Helm in a file, and not in
//! its arguments, which every user of the machine can read.

use crate::core::json::{Map, Value};

/// How deep Helm lets a path be.
const DEEPEST: usize = 30;
/// The highest index of a list that Helm takes.
const HIGHEST: usize = 65_536;

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum SetStep {
    Key(String),
    Index(usize),
}

/// Where in the values something is set: `image.tag`, `hosts[0].name`, `labels.example\.com/team`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetPath {
    steps: Vec<SetStep>,
}

impl SetPath {
    /// Reads a path.
    ///
    /// # Errors
    ///
    /// When it is none, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut steps = Vec::new();
        let mut key = String::new();
        // Behind an index, another step or the end has to come.
        let mut is_closed = false;
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match c {
                '.' | '[' if is_closed || !key.is_empty() => {
                    if !is_closed {
                        steps.push(SetStep::Key(std::mem::take(&mut key)));
                    }
                    is_closed = c == '[';
                    if is_closed {
                        let (index, rest) =
                            chars.as_str().split_once(']').ok_or("`[` has no `]` behind it")?;
                        steps.push(SetStep::Index(read_index(index)?));
                        chars = rest.chars();
                    }
                }
                '.' | '[' => return Err("a key is empty".to_owned()),
                '=' | ',' | '{' | '}' => {
                    return Err(format!("`{c}` needs a backslash before it in a key"));
                }
                c if c.is_control() => return Err("a key has a control character".to_owned()),
                _ if is_closed => {
                    return Err("`.` or `[` has to come behind an index".to_owned());
                }
                '\\' => key.push(chars.next().ok_or("a backslash is at its end")?),
                c => key.push(c),
            }
        }
        match (key.is_empty(), is_closed) {
            (false, _) => steps.push(SetStep::Key(key)),
            (true, true) => {}
            (true, false) => return Err("a key is empty".to_owned()),
        }
        if steps.len() > DEEPEST {
            return Err(format!("it has more than {DEEPEST} steps"));
        }
        Ok(Self { steps })
    }

    /// Whether what stands there already counts for what comes of setting `value`: a map replaces
    /// another one, where values files are merged, and an index is one of a list that is there.
    pub fn depends_on_others(&self, value: &Value) -> bool {
        value.is_object() || self.steps.iter().any(|step| matches!(step, SetStep::Index(_)))
    }

    /// Sets `value` there.
    ///
    /// # Errors
    ///
    /// When what is there has no such part, in words.
    pub fn set(&self, values: &mut Map, value: Value) -> Result<(), String> {
        let [SetStep::Key(first), rest @ ..] = &self.steps[..] else {
            return Err("it begins with an index".to_owned());
        };
        match values.get_mut(first) {
            Some(at) => put(at, rest, value),
            None => {
                let mut at = empty(rest.first());
                put(&mut at, rest, value)?;
                values.insert(first.clone(), at);
                Ok(())
            }
        }
    }
}

fn read_index(text: &str) -> Result<usize, String> {
    let digits = Some(text).filter(|text| text.chars().all(|c| c.is_ascii_digit()));
    let index = digits.and_then(|digits| digits.parse().ok()).filter(|index| *index <= HIGHEST);
    index.ok_or_else(|| format!("`{text}` is not an index of a list, from 0 to {HIGHEST}"))
}

/// The empty container for a step.
fn empty(step: Option<&SetStep>) -> Value {
    match step {
        Some(SetStep::Key(_)) => Value::Object(Map::new()),
        Some(SetStep::Index(_)) => Value::Array(Vec::new()),
        None => Value::Null,
    }
}

fn put(at: &mut Value, steps: &[SetStep], value: Value) -> Result<(), String> {
    let Some((step, rest)) = steps.split_first() else {
        *at = value;
        return Ok(());
    };
    match (step, at) {
        (SetStep::Key(key), Value::Object(map)) => {
            let inner = map.entry(key.clone()).or_insert_with(|| empty(rest.first()));
            put(inner, rest, value)
        }
        (SetStep::Index(index), Value::Array(list)) => {
            if list.len() <= *index {
                list.resize(index + 1, Value::Null);
            }
            let inner = &mut list[*index];
            // As Helm has it: whatever else an element is gives way to a map, null alone to a list.
            match rest.first() {
                Some(SetStep::Key(_)) if !inner.is_object() => *inner = empty(rest.first()),
                Some(SetStep::Index(_)) if inner.is_null() => *inner = empty(rest.first()),
                _ => {}
            }
            put(inner, rest, value)
        }
        (SetStep::Key(key), _) => Err(format!("what should hold `{key}` is not a map")),
        (SetStep::Index(index), _) => Err(format!("what should hold [{index}] is not a list")),
    }
}

/// Merges `over` into `values`, as Helm merges values files: maps are merged, all else replaces.
pub fn merge(values: &mut Map, over: Map) {
    for (key, value) in over {
        match (values.get_mut(&key), value) {
            (Some(Value::Object(map)), Value::Object(value)) => merge(map, value),
            (_, value) => drop(values.insert(key, value)),
        }
    }
}

/// JSON that a reader of YAML takes, too: YAML takes fewer characters as they are.
pub fn json(value: &Value) -> String {
    let mut text = String::new();
    for c in value.to_string().chars() {
        match c {
            '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                text += &format!("\\u{:04x}", c as u32);
            }
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use crate::core::json::json;

    use super::*;

    fn set(values: Value, path: &str, value: Value) -> Result<Value, String> {
        let Value::Object(mut values) = values else { unreachable!() };
        SetPath::parse(path)?.set(&mut values, value)?;
        Ok(Value::Object(values))
    }

    #[test]
    fn value_is_set_at_its_path() {
        for (values, path, value, expected) in [
            (json!({}), "a", json!(1), json!({"a": 1})),
            (json!({"a": {"b": 1}}), "a.c", json!(2), json!({"a": {"b": 1, "c": 2}})),
            (json!({"a": {"b": 1}}), "a", json!({"c": 2}), json!({"a": {"c": 2}})),
            (json!({}), r"a.b\.c/d", json!(null), json!({"a": {"b.c/d": null}})),
            (json!({}), r"a\=b\,c", json!(""), json!({"a=b,c": ""})),
            (json!({}), "a[2]", json!(1), json!({"a": [null, null, 1]})),
            (json!({"a": [1, 2]}), "a[0]", json!([3]), json!({"a": [[3], 2]})),
            (json!({"a": [1]}), "a[0].b", json!(2), json!({"a": [{"b": 2}]})),
            (json!({}), "a[1][0].b", json!(2), json!({"a": [null, [{"b": 2}]]})),
        ] {
            assert_eq!(set(values, path, value), Ok(expected), "{path}");
        }
    }

    #[test]
    fn invalid_set_path_is_an_error() {
        let wrong = [
            "", ".a", "a.", "a..b", "[0]", "a[x]", "a[-1]", "a[65537]", "a[0", "a[0]b", "a=b",
            "a,b", "{a", "a\\", "a\nb",
        ];
        for path in wrong {
            assert!(SetPath::parse(path).is_err(), "{path:?}");
        }
        assert!(SetPath::parse(&["a"; 31].join(".")).is_err());
        for (values, path) in
            [(json!({"a": 1}), "a.b"), (json!({"a": null}), "a.b"), (json!({"a": {}}), "a[0]")]
        {
            assert!(set(values, path, json!(1)).is_err(), "{path}");
        }
    }

    #[test]
    fn values_are_merged_as_values_files_are() {
        let Value::Object(mut values) = json!({"a": {"b": 1, "c": [1]}, "d": 1}) else { return };
        let Value::Object(over) = json!({"a": {"c": [2], "e": null}, "d": {"f": 1}}) else {
            return;
        };
        merge(&mut values, over);
        let merged = json!({"a": {"b": 1, "c": [2], "e": null}, "d": {"f": 1}});
        assert_eq!(Value::Object(values), merged);
    }

    #[test]
    fn json_for_a_reader_of_yaml_says_the_same() {
        let value = json!({"\u{7f}": "a\u{85}\u{2028}\u{feff}\u{1f600}\n\u{1}é"});
        let text = json(&value);
        assert!(text.contains(r"a\u0085\u2028\ufeff") && text.contains("\u{1f600}"), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
