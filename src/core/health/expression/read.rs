//! The text of an expression → [`Node`].
//!
//! The `cel` crate reads the grammar, without its macros; everything after that is ours, so that an
//! expression can't cost more than it may: see [`evaluate`](super::evaluate). Unknown names and
//! functions, wrong arguments of macros and patterns that are none are found here, wherever they
//! stand.

use std::thread;

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue};
use cel::{Env, ParseErrors};

use super::ExpressionLimits;
use super::node::{Binary, Each, ExpressionNode, Function, Literal, Macro};
use crate::core::pattern::Pattern;

/// The name of the object in an expression.
pub(super) const OBJECT: &str = "object";
/// The names of types.
const TYPES: [&str; 10] =
    ["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"];
/// The stack for reading: the grammar is recursive, to a depth that a thread's own stack does not
/// bear.
const STACK: usize = 64 << 20;

/// Reads an expression.
pub(super) fn read(text: &str, limits: &ExpressionLimits) -> Result<ExpressionNode, String> {
    if text.len() > limits.length {
        let (length, limit) = (text.len(), limits.length);
        return Err(format!("it has {length} bytes; the limit is {limit}"));
    }
    // The tree that the grammar gives may be as deep as the text is long; it does not leave here.
    deep(|| {
        let parser = Env::default().parser().enable_optional_syntax(false);
        let tree = parser.parse(text).map_err(|errors| syntax(&errors))?;
        ExpressionParser { limits, variables: Vec::new() }.node(&tree, 0)
    })
    .unwrap_or_else(|| Err("it can't be read".to_owned()))
}

fn syntax(errors: &ParseErrors) -> String {
    match errors.errors.first() {
        Some(error) => {
            // The tokens that the grammar would have taken in its place are a long list.
            let message = error.msg.split(" expecting {").next().unwrap_or_default();
            let (line, column) = error.pos;
            let line = if line > 1 { format!(" in its line {line}") } else { String::new() };
            format!("{message}, at character {column}{line}")
        }
        None => "it can't be read".to_owned(),
    }
}

/// Does something on a stack that expressions of any depth fit into; `None` if it panics.
fn deep<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    thread::scope(|scope| {
        let worker = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        worker.ok()?.join().ok()
    })
}

struct ExpressionParser<'a> {
    limits: &'a ExpressionLimits,
    /// The variables of the macros around.
    variables: Vec<String>,
}

impl ExpressionParser<'_> {
    fn node(&mut self, tree: &IdedExpr, depth: usize) -> Result<ExpressionNode, String> {
        if depth >= self.limits.depth {
            let limit = self.limits.depth;
            return Err(format!("it is nested more than {limit} levels deep"));
        }
        let depth = depth + 1;
        match &tree.expr {
            Expr::Literal(literal) => Ok(ExpressionNode::Literal(value(literal))),
            Expr::Ident(name) => self.name(name),
            Expr::Select(select) => {
                let operand = self.node(&select.operand, depth)?;
                Ok(ExpressionNode::Select(Box::new(operand), select.field.clone()))
            }
            Expr::List(list) => self.nodes(&list.elements, depth).map(ExpressionNode::List),
            Expr::Map(map) => {
                let mut entries = Vec::new();
                for entry in &map.entries {
                    let EntryExpr::MapEntry(entry) = &entry.expr else { return Err(unknown("{")) };
                    entries.push((self.node(&entry.key, depth)?, self.node(&entry.value, depth)?));
                }
                Ok(ExpressionNode::Map(entries))
            }
            Expr::Call(call) => self.call(call, depth),
            Expr::Struct(of) => Err(format!("unknown type `{}`", of.type_name)),
            Expr::Comprehension(_) | Expr::Unspecified => Err(unknown("it")),
        }
    }

    fn nodes(&mut self, trees: &[IdedExpr], depth: usize) -> Result<Vec<ExpressionNode>, String> {
        trees.iter().map(|tree| self.node(tree, depth)).collect()
    }

    fn name(&self, name: &str) -> Result<ExpressionNode, String> {
        if self.variables.iter().any(|variable| variable == name) {
            return Ok(ExpressionNode::Variable(name.to_owned()));
        }
        if name == OBJECT {
            return Ok(ExpressionNode::Object);
        }
        let named = TYPES.into_iter().find(|known| *known == name).map(ExpressionNode::Type);
        named.ok_or_else(|| format!("unknown name `{name}`; only `{OBJECT}` is defined"))
    }

    fn call(&mut self, call: &CallExpr, depth: usize) -> Result<ExpressionNode, String> {
        let CallExpr { func_name, target, args } = call;
        let boxed = |this: &mut Self, tree| this.node(tree, depth).map(Box::new);
        if let Some(target) = target {
            if let Some(each) = self.each(func_name, target, args, depth)? {
                return Ok(ExpressionNode::Each(Box::new(each)));
            }
            let target = self.node(target, depth)?;
            let mut arguments = vec![target];
            arguments.extend(self.nodes(args, depth)?);
            return self.function(func_name, true, arguments);
        }
        let binary = Binary::ALL.into_iter().find(|(_, name)| name == func_name);
        match (func_name.as_str(), args.as_slice(), binary) {
            ("has", [field], _) => match &field.expr {
                Expr::Select(select) => {
                    Ok(ExpressionNode::Has(boxed(self, &select.operand)?, select.field.clone()))
                }
                _ => Err("has() takes a field, such as has(object.status)".to_owned()),
            },
            ("!_", [operand], _) => Ok(ExpressionNode::Not(boxed(self, operand)?)),
            ("-_", [operand], _) => Ok(ExpressionNode::Negate(boxed(self, operand)?)),
            ("_&&_", [left, right], _) => {
                Ok(ExpressionNode::And(boxed(self, left)?, boxed(self, right)?))
            }
            ("_||_", [left, right], _) => {
                Ok(ExpressionNode::Or(boxed(self, left)?, boxed(self, right)?))
            }
            ("_?_:_", [which, one, other], _) => {
                let mut part = |tree| self.node(tree, depth);
                Ok(ExpressionNode::If(Box::new([part(which)?, part(one)?, part(other)?])))
            }
            (_, [left, right], Some((binary, _))) => {
                Ok(ExpressionNode::Binary(binary, boxed(self, left)?, boxed(self, right)?))
            }
            _ => {
                let arguments = self.nodes(args, depth)?;
                self.function(func_name, false, arguments)
            }
        }
    }

    fn function(
        &self,
        name: &str,
        is_method: bool,
        mut arguments: Vec<ExpressionNode>,
    ) -> Result<ExpressionNode, String> {
        let function = Function::find(name, arguments.len(), is_method);
        match (function.ok_or_else(|| unknown(name))?, arguments.as_slice()) {
            (Function::Matches, [_, ExpressionNode::Literal(Literal::Text(text))]) => {
                let pattern = Pattern::new(text, self.limits.pattern);
                let pattern = pattern.map_err(|error| error.to_string())?;
                let length = text.len();
                Ok(ExpressionNode::Matches(Box::new(arguments.swap_remove(0)), pattern, length))
            }
            (function, _) => Ok(ExpressionNode::Call(function, arguments)),
        }
    }

    /// The macro that is called on something, if it is one.
    fn each(
        &mut self,
        name: &str,
        range: &IdedExpr,
        arguments: &[IdedExpr],
        depth: usize,
    ) -> Result<Option<Each>, String> {
        let (what, variable, guard, body) = match (name, arguments) {
            ("all", [variable, body]) => (Macro::All, variable, None, Some(body)),
            ("exists", [variable, body]) => (Macro::Exists, variable, None, Some(body)),
            ("exists_one" | "existsOne", [variable, body]) => {
                (Macro::ExistsOne, variable, None, Some(body))
            }
            ("map", [variable, body]) => (Macro::Collect, variable, None, Some(body)),
            ("map", [variable, guard, body]) => (Macro::Collect, variable, Some(guard), Some(body)),
            ("filter", [variable, guard]) => (Macro::Collect, variable, Some(guard), None),
            _ => return Ok(None),
        };
        let Expr::Ident(variable) = &variable.expr else {
            return Err(format!("the first argument of {name}() must be a name"));
        };
        let range = self.node(range, depth)?;
        self.variables.push(variable.clone());
        let guard = guard.map(|guard| self.node(guard, depth)).transpose();
        let body = body.map(|body| self.node(body, depth)).transpose();
        self.variables.pop();
        let variable = variable.clone();
        Ok(Some(Each { what, range, variable, guard: guard?, body: body? }))
    }
}

fn unknown(name: &str) -> String {
    format!("unknown function or wrong arguments: `{name}`")
}

fn value(literal: &LiteralValue) -> Literal {
    match literal {
        LiteralValue::Boolean(value) => Literal::Bool(*value.inner()),
        LiteralValue::Bytes(value) => Literal::Bytes(value.inner().to_vec()),
        LiteralValue::Double(value) => Literal::Double(*value.inner()),
        LiteralValue::Int(value) => Literal::Int(*value.inner()),
        LiteralValue::Null => Literal::Null,
        LiteralValue::String(value) => Literal::Text(value.inner().to_owned()),
        LiteralValue::UInt(value) => Literal::Uint(*value.inner()),
    }
}
