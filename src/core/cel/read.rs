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
use super::environment::{Library, ReadFault, pattern_fault};
use super::node::{Binary, Each, ExpressionNode, Function, Literal, Macro};
use super::{library, re2};

/// The names of types.
const TYPES: [&str; 10] =
    ["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"];
/// Names that only stand before the name of a function.
const NAMESPACES: [&str; 9] =
    ["base64", "cel", "format", "ip", "lists", "math", "optional", "sets", "strings"];
/// The name that composed variables are fields of.
const DEFINED: &str = "variables";
/// Why a call of the authorizer can't be read.
const AUTHORIZER: &str = "only a server knows what an authorizer allows";
/// The stack for reading: the grammar is recursive, to a depth that a thread's own stack does not
/// bear.
const STACK: usize = 64 << 20;

/// The names of variables.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// Those from outside.
    pub roots: &'a [&'a str],
    /// Those that are composed: `variables.NAME`.
    pub defined: &'a [&'a str],
    /// The functions that there are.
    pub library: Library,
}

/// Reads an expression.
pub(super) fn read(
    text: &str,
    limits: &ExpressionLimits,
    names: Names<'_>,
) -> Result<ExpressionNode, ReadFault> {
    if text.len() > limits.length {
        let (length, limit) = (text.len(), limits.length);
        return Err(format!("it has {length} bytes; the limit is {limit}").into());
    }
    // The tree that the grammar gives may be as deep as the text is long; it does not leave here.
    deep(|| {
        let parser = Env::default().parser().enable_optional_syntax(true);
        let tree = parser.parse(text).map_err(|errors| ReadFault::sure(syntax(&errors)))?;
        ExpressionParser { limits, names, variables: Vec::new() }.node(&tree, 0)
    })
    .unwrap_or_else(|| Err("it can't be read".to_owned().into()))
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
    names: Names<'a>,
    /// The variables of the macros around.
    variables: Vec<String>,
}

impl ExpressionParser<'_> {
    fn node(&mut self, tree: &IdedExpr, depth: usize) -> Result<ExpressionNode, ReadFault> {
        if depth >= self.limits.depth {
            let limit = self.limits.depth;
            return Err(format!("it is nested more than {limit} levels deep").into());
        }
        let depth = depth + 1;
        match &tree.expr {
            Expr::Literal(literal) => Ok(ExpressionNode::Literal(value(literal))),
            Expr::Ident(name) => self.name(name),
            Expr::Select(select) => {
                if let Expr::Ident(name) = &select.operand.expr
                    && name == DEFINED
                    && !self.names.defined.is_empty()
                {
                    let number = self.names.defined.iter().position(|own| *own == select.field);
                    let number = number.ok_or_else(|| {
                        ReadFault::sure(format!("unknown name `{DEFINED}.{}`", select.field))
                    })?;
                    return Ok(ExpressionNode::Defined(number));
                }
                let operand = self.node(&select.operand, depth)?;
                Ok(ExpressionNode::Select(Box::new(operand), select.field.clone()))
            }
            Expr::List(list) => {
                let elements = self.nodes(&list.elements, depth)?;
                Ok(ExpressionNode::List(elements, list.optional_indices.clone()))
            }
            Expr::Map(map) => {
                let mut entries = Vec::new();
                for entry in &map.entries {
                    let EntryExpr::MapEntry(entry) = &entry.expr else {
                        return Err(unknown("{").into());
                    };
                    let (key, value) =
                        (self.node(&entry.key, depth)?, self.node(&entry.value, depth)?);
                    entries.push((key, value, entry.optional));
                }
                Ok(ExpressionNode::Map(entries))
            }
            Expr::Call(call) => self.call(call, depth),
            Expr::Struct(of) => Err(format!("unknown type `{}`", of.type_name).into()),
            Expr::Comprehension(_) | Expr::Unspecified => Err(unknown("it").into()),
        }
    }

    fn nodes(
        &mut self,
        trees: &[IdedExpr],
        depth: usize,
    ) -> Result<Vec<ExpressionNode>, ReadFault> {
        trees.iter().map(|tree| self.node(tree, depth)).collect()
    }

    fn name(&self, name: &str) -> Result<ExpressionNode, ReadFault> {
        if self.variables.iter().any(|variable| variable == name) {
            return Ok(ExpressionNode::Variable(name.to_owned()));
        }
        // A dot in front leads past the variables of macros.
        let name = name.strip_prefix('.').unwrap_or(name);
        if let Some(number) = self.names.roots.iter().position(|root| *root == name) {
            return Ok(ExpressionNode::Root(number));
        }
        let named = TYPES.into_iter().find(|known| *known == name).map(ExpressionNode::Type);
        named.ok_or_else(|| {
            let why = match self.names.roots {
                [only] => format!("unknown name `{name}`; only `{only}` is defined"),
                _ => format!("unknown name `{name}`"),
            };
            // `has(variables.a)` is not read here, though the server does.
            let is_defined = name == DEFINED && !self.names.defined.is_empty();
            ReadFault { why, is_sure: !is_defined && !Library::may_have(name) }
        })
    }

    fn call(&mut self, call: &CallExpr, depth: usize) -> Result<ExpressionNode, ReadFault> {
        let CallExpr { func_name, target, args } = call;
        let boxed = |this: &mut Self, tree| this.node(tree, depth).map(Box::new);
        if let Some(target) = target {
            if let Some(node) = self.bind(func_name, target, args, depth)? {
                return Ok(node);
            }
            if let Expr::Ident(space) = &target.expr
                && NAMESPACES.contains(&space.as_str())
                && !self.variables.contains(space)
            {
                let name = format!("{space}.{func_name}");
                if self.names.library.lacks(&name) {
                    return Err(self.names.library.unknown(&name));
                }
                let arguments = self.nodes(args, depth)?;
                return self.function(&name, false, arguments);
            }
            if let Some(each) = self.each(func_name, target, args, depth)? {
                return Ok(ExpressionNode::Each(Box::new(each)));
            }
            if self.asks_authorizer(target) {
                return Err(ReadFault::from(AUTHORIZER.to_owned()));
            }
            let target = self.node(target, depth)?;
            // It may be a macro with variables of its own.
            if !Function::is_name(func_name) && !library::has(func_name) {
                return Err(self.names.library.unknown(func_name));
            }
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
                _ => Err(ReadFault::sure("has() takes a field, such as has(object.status)")),
            },
            ("_?._" | "_[?_]", [operand, key], _) => {
                Ok(ExpressionNode::Maybe(boxed(self, operand)?, boxed(self, key)?))
            }
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

    /// Whether a function is called on the authorizer, or on what it gave.
    fn asks_authorizer(&self, target: &IdedExpr) -> bool {
        match &target.expr {
            Expr::Ident(name) => name == "authorizer" && self.names.roots.contains(&"authorizer"),
            Expr::Call(call) => call.target.as_ref().is_some_and(|it| self.asks_authorizer(it)),
            _ => false,
        }
    }

    fn function(
        &self,
        name: &str,
        is_method: bool,
        mut arguments: Vec<ExpressionNode>,
    ) -> Result<ExpressionNode, ReadFault> {
        let function = Function::find(name, arguments.len(), is_method);
        if function.is_none()
            && let Some(entry) = library::find(name, arguments.len(), is_method)
        {
            return Ok(ExpressionNode::Library(entry, arguments));
        }
        let unknown = || self.names.library.unknown(name);
        match (function.ok_or_else(unknown)?, arguments.as_slice()) {
            (Function::Matches, [_, ExpressionNode::Literal(Literal::Text(text))]) => {
                let pattern = re2::pattern(text, self.limits.pattern)
                    .map_err(|why| pattern_fault(text, why))?;
                let length = text.len();
                Ok(ExpressionNode::Matches(Box::new(arguments.swap_remove(0)), pattern, length))
            }
            (function, _) => Ok(ExpressionNode::Call(function, arguments)),
        }
    }

    /// `cel.bind`, and the macros of optional values.
    fn bind(
        &mut self,
        name: &str,
        target: &IdedExpr,
        arguments: &[IdedExpr],
        depth: usize,
    ) -> Result<Option<ExpressionNode>, ReadFault> {
        let (variable, value, body) = match (name, &target.expr, arguments) {
            ("bind", Expr::Ident(space), [variable, value, body])
                if space == "cel" && !self.names.library.lacks("cel.bind") =>
            {
                (variable, value, body)
            }
            ("optMap" | "optFlatMap", _, [variable, body]) => (variable, target, body),
            _ => return Ok(None),
        };
        let variable = Self::variable(name, variable)?;
        let value = self.node(value, depth)?;
        let body = self.within(&[&variable], |this| this.node(body, depth))?;
        let parts = Box::new([value, body]);
        Ok(Some(match name {
            "bind" => ExpressionNode::Bind(variable, parts),
            _ => ExpressionNode::OptionalMap(name == "optFlatMap", variable, parts),
        }))
    }

    /// The macro that is called on something, if it is one.
    fn each(
        &mut self,
        name: &str,
        range: &IdedExpr,
        arguments: &[IdedExpr],
        depth: usize,
    ) -> Result<Option<Each>, ReadFault> {
        let what = match name {
            "all" => Macro::All,
            "exists" => Macro::Exists,
            "exists_one" | "existsOne" => Macro::ExistsOne,
            "map" | "filter" | "transformList" => Macro::Collect,
            "transformMap" => Macro::CollectMap,
            "transformMapEntry" => Macro::CollectEntries,
            _ => return Ok(None),
        };
        let (key, variable, guard, body) = match (name, arguments) {
            ("filter", [variable, guard]) => (None, variable, Some(guard), None),
            ("transformList" | "transformMap" | "transformMapEntry", [_, _]) => {
                return Ok(None);
            }
            (_, [variable, body]) => (None, variable, None, Some(body)),
            ("map", [variable, guard, body]) => (None, variable, Some(guard), Some(body)),
            ("filter", [_, _, _]) => return Ok(None),
            (_, [key, variable, body]) => (Some(key), variable, None, Some(body)),
            (_, [key, variable, guard, body]) if name.starts_with("transform") => {
                (Some(key), variable, Some(guard), Some(body))
            }
            _ => return Ok(None),
        };
        let variable = Self::variable(name, variable)?;
        let key = key.map(|key| Self::variable(name, key)).transpose()?;
        let range = self.node(range, depth)?;
        let names: Vec<&String> = key.iter().chain([&variable]).collect();
        let (guard, body) = self.within(&names, |this| {
            let guard = guard.map(|guard| this.node(guard, depth)).transpose()?;
            Ok((guard, body.map(|body| this.node(body, depth)).transpose()?))
        })?;
        Ok(Some(Each { what, range, variable, key, guard, body }))
    }

    /// Reads what may use some variables more.
    fn within<T>(
        &mut self,
        names: &[&String],
        read: impl FnOnce(&mut Self) -> Result<T, ReadFault>,
    ) -> Result<T, ReadFault> {
        let before = self.variables.len();
        self.variables.extend(names.iter().map(|name| (*name).clone()));
        let read = read(self);
        self.variables.truncate(before);
        read
    }

    fn variable(of: &str, tree: &IdedExpr) -> Result<String, ReadFault> {
        match &tree.expr {
            Expr::Ident(name) => Ok(name.clone()),
            _ => Err(ReadFault::sure(format!("the first argument of {of}() must be a name"))),
        }
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
