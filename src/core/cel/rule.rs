//! A rule of a definition or a policy: an expression over named values.

use std::cell::RefCell;
use std::sync::Arc;

use super::budget::CostBudget;
use super::environment::{Library, ReadFault};
use super::evaluate::{Definitions, Evaluation};
use super::node::ExpressionNode;
use super::read::{self, Names};
use super::types::{self, Type, Wanted};
use super::value::ExpressionValue;
use super::{EvaluationError, ExpressionLimits};

/// The limits of a rule. The server's own limit of one evaluation is the same.
const LIMITS: ExpressionLimits = ExpressionLimits {
    length: 32 << 10,
    depth: 120,
    pattern: 256 << 10,
    cost: 1_000_000,
    total: 10_000_000,
};

/// An expression of a rule, read.
#[derive(Clone, Debug)]
pub struct Rule {
    node: Result<Arc<ExpressionNode>, ReadFault>,
}

/// The outcome of a rule.
#[derive(Debug)]
pub enum Verdict<T> {
    /// Its value.
    Known(T),
    /// The server fails as well: why.
    Failed(String),
    /// It can't be worked out here: why.
    Unknown(String),
}

/// The values that rules see.
pub struct Scope<'o> {
    /// Those from outside, in the order of their names, or why one is not known.
    pub roots: Vec<Result<ExpressionValue<'o>, String>>,
    defined: Definitions<'o>,
    /// The cost of all rules so far.
    spent: u64,
}

/// An answer in the words of the expression's own type.
pub type Answer<'o> = Verdict<ExpressionValue<'o>>;

impl<'o> Scope<'o> {
    /// The values of variables from outside.
    pub fn new(roots: Vec<Result<ExpressionValue<'o>, String>>) -> Self {
        Self { roots, defined: Definitions::default(), spent: 0 }
    }

    /// The same, where other rules have cost something before.
    pub fn after(self, spent: u64) -> Self {
        Self { spent, ..self }
    }

    /// The cost of all rules.
    pub fn spent(&self) -> u64 {
        self.spent
    }

    /// Composed variables with them, in the order of their names.
    pub fn with(mut self, rules: &'o [Rule]) -> Self {
        self.defined = Definitions {
            nodes: rules
                .iter()
                .map(|rule| rule.node.as_deref().map_err(|fault| fault.why.as_str()))
                .collect(),
            known: RefCell::new(vec![None; rules.len()]),
        };
        self
    }
}

impl Rule {
    /// Reads a rule that may use variables of these names.
    pub fn new(text: &str, roots: &[&str], defined: &[&str]) -> Self {
        let names = Names { roots, defined, library: Library::Server };
        Self { node: read::read(text, &LIMITS, names).map(Arc::new) }
    }

    /// Why it can't be worked out.
    pub fn wrong(&self) -> Option<&str> {
        self.node.as_ref().err().map(|fault| fault.why.as_str())
    }

    /// Why the API server does not compile it, where that is sure. The types are those of the
    /// variables from outside, in the order of their names.
    pub fn refusal(&self, roots: &[Type<'_>], wanted: Wanted) -> Option<String> {
        match &self.node {
            Ok(node) => types::mismatch(node, roots, wanted),
            Err(fault) => fault.is_sure.then(|| fault.why.clone()),
        }
    }

    /// Its value.
    pub fn value<'o>(&'o self, scope: &mut Scope<'o>) -> Answer<'o> {
        let node = match &self.node {
            Ok(node) => node,
            Err(fault) => return Verdict::Unknown(fault.why.clone()),
        };
        let mut budget = CostBudget::of(LIMITS.cost.min(LIMITS.total.saturating_sub(scope.spent)));
        let mut evaluation = Evaluation {
            roots: &scope.roots,
            defined: Some(&scope.defined),
            limits: &LIMITS,
            budget: &mut budget,
        };
        let answer = evaluation.value(node, None);
        scope.spent += budget.spent();
        match answer {
            Ok(value) => Verdict::Known(value),
            Err(EvaluationError::Stopped(why)) => Verdict::Failed(why),
            Err(EvaluationError::Mismatch(why) | EvaluationError::Unsupported(why)) => {
                Verdict::Unknown(why)
            }
            Err(EvaluationError::Costly) => {
                Verdict::Unknown(format!("it costs more than {} units", LIMITS.cost))
            }
        }
    }

    /// Whether it holds.
    pub fn holds<'o>(&'o self, scope: &mut Scope<'o>) -> Verdict<bool> {
        match self.value(scope) {
            Verdict::Known(ExpressionValue::Bool(value)) => Verdict::Known(value),
            Verdict::Known(other) => {
                Verdict::Unknown(format!("it returns a {}, not a boolean", other.kind()))
            }
            Verdict::Failed(why) => Verdict::Failed(why),
            Verdict::Unknown(why) => Verdict::Unknown(why),
        }
    }

    /// The text that it comes to; `None` where that is not one line of text.
    pub fn text<'o>(&'o self, scope: &mut Scope<'o>) -> Option<String> {
        let Verdict::Known(value) = self.value(scope) else { return None };
        let text = value.text()?.trim();
        (!text.is_empty() && !text.contains('\n')).then(|| text.to_owned())
    }
}
