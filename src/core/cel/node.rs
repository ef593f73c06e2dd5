//! An expression as it is worked out: what can be wrong with it whatever the object has been found
//! already.

use crate::core::pattern::Pattern;

/// A part of an expression, and its parts.
#[derive(Debug)]
pub(super) enum ExpressionNode {
    Literal(Literal),
    /// A variable from outside, by its number.
    Root(usize),
    /// A composed variable, which is worked out when it is asked for.
    Defined(usize),
    /// The variable of a macro.
    Variable(String),
    /// The name of a type, which is a value.
    Type(&'static str),
    Select(Box<ExpressionNode>, String),
    /// Whether a field is there.
    Has(Box<ExpressionNode>, String),
    /// `a.?b` and `a[?b]`.
    Maybe(Box<ExpressionNode>, Box<ExpressionNode>),
    /// A list, and which of its elements are optional.
    List(Vec<ExpressionNode>, Vec<usize>),
    /// A map; the truth value is of entries that are optional.
    Map(Vec<(ExpressionNode, ExpressionNode, bool)>),
    /// A variable, its value, and what it is used in.
    Bind(String, Box<[ExpressionNode; 2]>),
    /// `optMap` and, where true, `optFlatMap`.
    OptionalMap(bool, String, Box<[ExpressionNode; 2]>),
    Not(Box<ExpressionNode>),
    Negate(Box<ExpressionNode>),
    And(Box<ExpressionNode>, Box<ExpressionNode>),
    Or(Box<ExpressionNode>, Box<ExpressionNode>),
    If(Box<[ExpressionNode; 3]>),
    Binary(Binary, Box<ExpressionNode>, Box<ExpressionNode>),
    Call(Function, Vec<ExpressionNode>),
    /// A function of a library, by its number there.
    Library(usize, Vec<ExpressionNode>),
    /// A pattern that is written out is read once; its length beside it.
    Matches(Box<ExpressionNode>, Pattern, usize),
    Each(Box<Each>),
}

/// A value that is written out.
#[derive(Debug)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A macro: something that is done for each element of a list, or each key of a map.
#[derive(Debug)]
pub(super) struct Each {
    pub(super) what: Macro,
    pub(super) range: ExpressionNode,
    pub(super) variable: String,
    /// The variable for the index or the key, where there are two.
    pub(super) key: Option<String>,
    /// Which elements are taken, where not all are.
    pub(super) guard: Option<ExpressionNode>,
    /// The expression for each element; a filter gives the element itself.
    pub(super) body: Option<ExpressionNode>,
}

/// The use of the elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Macro {
    All,
    Exists,
    ExistsOne,
    /// `map` and `filter`.
    Collect,
    /// `transformMap`.
    CollectMap,
    /// `transformMapEntry`.
    CollectEntries,
}

/// An operator with two operands, which are always both worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Index,
}

impl Binary {
    /// As CEL names it.
    pub(super) const ALL: [(Self, &'static str); 13] = [
        (Self::Add, "_+_"),
        (Self::Subtract, "_-_"),
        (Self::Multiply, "_*_"),
        (Self::Divide, "_/_"),
        (Self::Remainder, "_%_"),
        (Self::Equal, "_==_"),
        (Self::NotEqual, "_!=_"),
        (Self::Less, "_<_"),
        (Self::LessOrEqual, "_<=_"),
        (Self::Greater, "_>_"),
        (Self::GreaterOrEqual, "_>=_"),
        (Self::In, "@in"),
        (Self::Index, "_[_]"),
    ];

    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(operator, _)| *operator == self).map_or("", |(_, name)| name)
    }
}

/// A function of the standard library; the object of a method is its first argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Size,
    Contains,
    StartsWith,
    EndsWith,
    Matches,
    Int,
    Uint,
    Double,
    Text,
    Bytes,
    Bool,
    Dyn,
    Type,
}

impl Function {
    /// The function of a name, called with so many arguments, as a method or not.
    pub(super) fn find(name: &str, arguments: usize, is_method: bool) -> Option<Self> {
        let (function, wanted) = match name {
            "size" => (Self::Size, 1),
            "contains" if is_method => (Self::Contains, 2),
            "startsWith" if is_method => (Self::StartsWith, 2),
            "endsWith" if is_method => (Self::EndsWith, 2),
            "matches" => (Self::Matches, 2),
            _ if is_method => return None,
            "int" => (Self::Int, 1),
            "uint" => (Self::Uint, 1),
            "double" => (Self::Double, 1),
            "string" => (Self::Text, 1),
            "bytes" => (Self::Bytes, 1),
            "bool" => (Self::Bool, 1),
            "dyn" => (Self::Dyn, 1),
            "type" => (Self::Type, 1),
            _ => return None,
        };
        (arguments == wanted).then_some(function)
    }

    /// Whether there is a function of the name, whatever it takes.
    pub(super) fn is_name(name: &str) -> bool {
        let mut ways = [(1, false), (1, true), (2, false), (2, true)].into_iter();
        ways.any(|(arguments, is_method)| Self::find(name, arguments, is_method).is_some())
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Contains => "contains",
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
            Self::Matches => "matches",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::Text => "string",
            Self::Bytes => "bytes",
            Self::Bool => "bool",
            Self::Dyn => "dyn",
            Self::Type => "type",
        }
    }
}
