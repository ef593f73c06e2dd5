//! Expressions in CEL, the language of Kubernetes' own validation rules, over one live object.
//!
//! Only a wrapper: reads them with a bounded stack, says what is wrong before anything is run, and
//! takes nothing but true and false for an answer.

use std::fmt;
use std::sync::Arc;
use std::thread;

use cel::{Context, Program, Value};

use crate::object::Object;

/// The name of the object in an expression.
const OBJECT: &str = "object";
/// Longer expressions are refused: they take a stack that grows with them.
const LONGEST: usize = 1000;
/// The stack for reading an expression, and for working it out: both are recursive, to a depth that
/// a thread's own stack does not bear.
const STACK: usize = 64 << 20;

/// An expression, read.
#[derive(Clone)]
pub struct Expression {
    text: String,
    program: Result<Arc<Program>, String>,
}

impl Expression {
    /// Reads an expression; [`Self::wrong`] says what is wrong with it.
    pub fn new(text: &str) -> Self {
        let program = compile(text).map(Arc::new).and_then(|program| {
            // A name that is no object's is a slip wherever it stands, not only when it is met.
            match run(&program, &Object::default()) {
                Err(Fault::Unknown(name)) => Err(format!("there is no `{name}`, only `{OBJECT}`")),
                _ => Ok(program),
            }
        });
        Self { text: text.to_owned(), program }
    }

    /// As it is written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is wrong with it.
    pub fn wrong(&self) -> Option<&str> {
        self.program.as_ref().err().map(String::as_str)
    }

    /// Whether it holds of an object.
    ///
    /// # Errors
    ///
    /// When it can't be worked out, as where a field is missing, or is neither true nor false.
    pub fn holds(&self, object: &Object) -> Result<bool, String> {
        let program = self.program.as_ref().map_err(String::clone)?;
        run(program, object).map_err(|fault| fault.to_string())
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Expression {}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("there is no `{0}`")]
    Unknown(String),
    #[error("it gives {0}, neither true nor false")]
    Other(&'static str),
    #[error("{0}")]
    Stopped(String),
}

fn compile(text: &str) -> Result<Program, String> {
    if text.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    let read = deep(|| Program::compile(text)).ok_or("it can't be read")?;
    read.map_err(|errors| match errors.errors.first() {
        Some(error) => {
            // What the grammar would have taken in its place is a long list.
            let message = error.msg.split(" expecting {").next().unwrap_or_default();
            let (line, column) = error.pos;
            let line = if line > 1 { format!(" in its line {line}") } else { String::new() };
            format!("{message}, at character {column}{line}")
        }
        None => "it can't be read".to_owned(),
    })
}

fn run(program: &Program, object: &Object) -> Result<bool, Fault> {
    let answer = deep(|| {
        let mut context = Context::default();
        let added = context.add_variable(OBJECT, &object.0);
        added.map_err(|error| Fault::Stopped(error.to_string()))?;
        match program.execute(&context) {
            Ok(Value::Bool(answer)) => Ok(answer),
            Ok(Value::Int(_) | Value::UInt(_) | Value::Float(_)) => Err(Fault::Other("a number")),
            Ok(Value::String(_)) => Err(Fault::Other("a text")),
            Ok(Value::Null) => Err(Fault::Other("null")),
            Ok(_) => Err(Fault::Other("something")),
            Err(cel::ExecutionError::UndeclaredReference(name)) => {
                Err(Fault::Unknown(name.to_string()))
            }
            Err(error) => Err(Fault::Stopped(error.to_string())),
        }
    });
    answer.unwrap_or_else(|| Err(Fault::Stopped("it can't be worked out".to_owned())))
}

/// Does something on a stack that expressions of any depth fit into; `None` if it panics.
fn deep<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    thread::scope(|scope| {
        let worker = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        worker.ok()?.join().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(yaml: &str) -> Object {
        serde_yaml::from_str(yaml).unwrap()
    }

    #[test]
    fn an_expression_is_true_false_or_says_why_not() {
        let object = object(
            "{metadata: {generation: 2}, status: {phase: Done, seen: 2, conditions: [{type: Ready, status: 'True'}]}}",
        );
        let rows: &[(&str, Result<bool, &str>)] = &[
            ("object.status.phase == 'Done'", Ok(true)),
            ("object.status.seen < object.metadata.generation", Ok(false)),
            (
                "object.status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')",
                Ok(true),
            ),
            ("has(object.status.error) && object.status.error != ''", Ok(false)),
            ("object.status.error == ''", Err("No such key: error")),
            ("object.status.seen", Err("it gives a number, neither true nor false")),
            ("object.status.phase", Err("it gives a text, neither true nor false")),
        ];
        for (text, answer) in rows {
            let expression = Expression::new(text);
            assert_eq!(expression.wrong(), None, "{text}");
            let answer = answer.map_err(str::to_owned);
            assert_eq!(expression.holds(&object), answer, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_before_it_is_run() {
        for (text, wrong) in [
            ("object.a ==", "Syntax error: mismatched input '<EOF>', at character 12"),
            ("objct.a == 1", "there is no `objct`, only `object`"),
            ("", "Syntax error: mismatched input '<EOF>', at character 1"),
        ] {
            let expression = Expression::new(text);
            assert_eq!(expression.wrong(), Some(wrong), "{text}");
            assert_eq!(expression.holds(&Object::default()), Err(wrong.to_owned()), "{text}");
        }
        assert!(Expression::new(&"!".repeat(LONGEST + 1)).wrong().is_some());
    }

    #[test]
    fn hostile_expressions_end() {
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
        for (open, inner, close) in rows {
            let whole = (LONGEST - inner.len()) / (open.len() + close.len());
            for depth in [10, 90, 100, whole] {
                let text = format!("{}{inner}{}", open.repeat(depth), close.repeat(depth));
                // On a small stack, as expressions are worked out wherever objects are looked at.
                let worker = thread::Builder::new().stack_size(1 << 20).spawn(move || {
                    let _ = Expression::new(&text).holds(&Object::default());
                });
                worker.unwrap().join().unwrap();
            }
        }
    }
}
