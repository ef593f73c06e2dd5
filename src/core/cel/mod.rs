//! Expressions in CEL, the language of Kubernetes' own validation rules and policies.
//!
//! [`Expression`] is one over a live object, as health rules have it; [`Rule`] is one of a
//! definition or a policy. Both share the evaluator, its functions and its budget. A repository may write any expression, so none may cost more than a bounded time and memory:
//! [`read`] says what is wrong with one without running it, [`evaluate`] works it out and pays for
//! each step out of a [`budget`]. The `cel` crate reads the grammar and nothing more; its own
//! interpreter can't be given a limit. That both give the same answers is held by a test.

mod budget;
mod environment;
mod evaluate;
mod functions;
mod library;
mod macros;
mod moments;
mod node;
mod operators;
mod re2;
mod read;
mod rule;
mod types;
mod value;

use std::fmt;
use std::sync::Arc;

use self::budget::CostBudget;
use self::environment::Library;
use self::evaluate::Evaluation;
use self::node::ExpressionNode;
pub use self::re2::looks_around;
use self::read::Names;
pub use self::rule::{Rule, Scope, Verdict};
pub use self::types::{Type, Wanted};
pub use self::value::ExpressionValue;
pub use self::value::form::{FilledIn, Form};
use crate::core::object::Object;

/// The name of the object in an expression.
const OBJECT: &str = "object";

/// Limits of the form and the cost of expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpressionLimits {
    /// How many bytes an expression may have.
    pub length: usize,
    /// How many levels deep its parts may be nested.
    pub depth: usize,
    /// How many bytes a regular expression may take once it is compiled.
    pub pattern: usize,
    /// The highest cost of one evaluation, in Kubernetes' units (`PerCallLimit`).
    pub cost: u64,
    /// The highest cost of all in one look at objects (`RuntimeCELCostBudget`).
    pub total: u64,
}

impl Default for ExpressionLimits {
    fn default() -> Self {
        let (cost, total) = (1_000_000, 10_000_000);
        Self { length: 1000, depth: 64, pattern: 256 << 10, cost, total }
    }
}

/// An expression, read.
#[derive(Clone)]
pub struct Expression {
    text: String,
    limits: ExpressionLimits,
    node: Result<Arc<ExpressionNode>, String>,
}

impl Expression {
    /// Reads an expression; [`Self::wrong`] says what is wrong with it.
    pub fn new(text: &str) -> Self {
        Self::within(text, ExpressionLimits::default())
    }

    /// Reads an expression that may cost as much as is said.
    pub fn within(text: &str, limits: ExpressionLimits) -> Self {
        let names = Names { roots: &[OBJECT], defined: &[], library: Library::Every };
        let node = read::read(text, &limits, names).map(Arc::new).map_err(|fault| fault.why);
        Self { text: text.to_owned(), limits, node }
    }

    /// As it is written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its fault.
    pub fn wrong(&self) -> Option<&str> {
        self.node.as_ref().err().map(String::as_str)
    }

    /// Whether it holds of an object. What working it out costs is added to `spent`, which counts
    /// for all expressions of one look.
    ///
    /// # Errors
    ///
    /// When it can't be worked out, as where a field is missing, when it is neither true nor false,
    /// or when it costs more than it may.
    pub fn holds(&self, object: &Object, spent: &mut u64) -> Result<bool, String> {
        let node = self.node.as_ref().map_err(String::clone)?;
        let left = self.limits.total.saturating_sub(*spent);
        let mut budget = CostBudget::of(self.limits.cost.min(left));
        let roots = [Ok(ExpressionValue::Object(&object.0, Form::Loose))];
        let mut evaluation =
            Evaluation { roots: &roots, defined: None, limits: &self.limits, budget: &mut budget };
        let answer = evaluation.value(node, None);
        *spent = spent.saturating_add(budget.spent());
        match answer {
            Ok(ExpressionValue::Bool(answer)) => Ok(answer),
            Ok(ExpressionValue::Int(_) | ExpressionValue::Uint(_) | ExpressionValue::Double(_)) => {
                Err(neither("a number"))
            }
            Ok(ExpressionValue::Text(_) | ExpressionValue::Made(_)) => Err(neither("a text")),
            Ok(ExpressionValue::Null) => Err(neither("null")),
            Ok(_) => Err(neither("something")),
            Err(
                EvaluationError::Stopped(why)
                | EvaluationError::Mismatch(why)
                | EvaluationError::Unsupported(why),
            ) => Err(why),
            Err(EvaluationError::Costly) if left < self.limits.cost => Err(format!(
                "the health rules have used up their budget of {} cost units for all objects; \
                iterate over shorter lists, or use fewer rules",
                self.limits.total
            )),
            Err(EvaluationError::Costly) => Err(format!(
                "it costs more than {} units, the limit that Kubernetes sets as well; nest fewer \
                loops over lists",
                self.limits.cost
            )),
        }
    }
}

fn neither(what: &str) -> String {
    format!("it returns {what}, not a boolean")
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
#[derive(Clone, Debug, PartialEq, Eq)]
enum EvaluationError {
    /// It can't be worked out.
    Stopped(String),
    /// The types of values do not fit.
    Mismatch(String),
    /// It needs what is not known here.
    Unsupported(String),
    /// It costs too much; nothing makes up for that.
    Costly,
}

impl EvaluationError {
    fn stopped(why: impl Into<String>) -> Self {
        Self::Stopped(why.into())
    }

    fn unsupported(why: impl Into<String>) -> Self {
        Self::Unsupported(why.into())
    }

    /// Of two errors the one that counts: where anything is not known, the whole is not.
    fn or(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Costly, _) => self,
            (_, Self::Costly) => other,
            (Self::Unsupported(_) | Self::Mismatch(_), _) => self,
            (_, Self::Unsupported(_) | Self::Mismatch(_)) => other,
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests;
