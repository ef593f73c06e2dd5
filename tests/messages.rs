//! Every message that a user can meet, with the place in the source that says it:
//!
//! ```sh
//! cargo test --locked --test trueup all_messages -- --nocapture
//! ```
//!
//! A line is `file:line: message`, a template as it stands in the code. Texts are those of `format!`
//! and its like, of `#[error]` and of any other literal of two words or more. Left out are the code
//! of tests, patterns, what a text is searched for, panics, and the descriptions of flags, which
//! `trueup help` prints. The test holds the forms that `docs/style.md` asks for.

use std::path::{Component, Path};

use syn::buffer::{Cursor, TokenBuffer};
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Expr, ExprLit, ExprMethodCall, ImplItemFn, ItemFn, ItemImpl, ItemMod, Lit, LitStr,
    Macro, Meta, Token,
};

use crate::docs::avoided;
use crate::docs::words::prose;
use crate::rings::sources;

/// Macros whose texts are not for the user: most are seen only where the program itself is wrong.
const INTERNAL: [&str; 9] = [
    "assert",
    "assert_eq",
    "assert_ne",
    "debug_assert",
    "json",
    "matches",
    "panic",
    "unreachable",
    "include_str",
];

/// Methods that search a text, or that say why something can't fail.
const SEARCHES: [&str; 14] = [
    "contains",
    "starts_with",
    "ends_with",
    "strip_prefix",
    "strip_suffix",
    "split",
    "split_once",
    "rsplit_once",
    "find",
    "trim_start_matches",
    "trim_end_matches",
    "replace",
    "expect",
    "expect_err",
];

/// A text, as it is written and as it is.
#[derive(Debug)]
struct Literal {
    written: String,
    value: String,
}

/// The texts of one file.
#[derive(Default)]
struct Literals(Vec<Literal>);

impl Literals {
    fn of(text: &str) -> Vec<Literal> {
        let mut literals = Self::default();
        literals.visit_file(&syn::parse_file(text).expect("a file of the crate is Rust"));
        literals.0
    }

    fn add(&mut self, literal: &LitStr) {
        self.0.push(Literal { written: literal.token().to_string(), value: literal.value() });
    }

    /// Takes every literal from here on, for a macro whose arguments are not expressions.
    fn take_all(&mut self, mut cursor: Cursor<'_>) {
        while let Some((_, next)) = cursor.token_tree() {
            if let Some((literal, _)) = cursor.literal() {
                syn::parse_str(&literal.to_string()).iter().for_each(|text| self.add(text));
            } else if let Some((inner, ..)) = cursor.any_group() {
                self.take_all(inner);
            }
            cursor = next;
        }
    }
}

impl<'ast> Visit<'ast> for Literals {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if !is_test(&module.attrs) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        if !is_test(&function.attrs) {
            visit::visit_item_fn(self, function);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        if !is_test(&item.attrs) {
            visit::visit_item_impl(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        if !is_test(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta
            && list.path.is_ident("error")
        {
            self.take_all(TokenBuffer::new2(list.tokens.clone()).begin());
        }
    }

    fn visit_expr_lit(&mut self, literal: &'ast ExprLit) {
        if let Lit::Str(literal) = &literal.lit {
            self.add(literal);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        self.visit_expr(&call.receiver);
        let is_search = SEARCHES.contains(&call.method.to_string().as_str());
        for argument in &call.args {
            if !(is_search && matches!(argument, Expr::Lit(_) | Expr::Array(_))) {
                self.visit_expr(argument);
            }
        }
    }

    fn visit_macro(&mut self, invoked: &'ast Macro) {
        let name = invoked.path.segments.last().map(|last| last.ident.to_string());
        if INTERNAL.contains(&name.unwrap_or_default().as_str()) {
            return;
        }
        let arguments = Punctuated::<Expr, Token![,]>::parse_terminated;
        match arguments.parse2(invoked.tokens.clone()) {
            Ok(arguments) => {
                let mut inner = Self::default();
                arguments.iter().for_each(|argument| inner.visit_expr(argument));
                self.0.append(&mut inner.0);
            }
            Err(_) => self.take_all(TokenBuffer::new2(invoked.tokens.clone()).begin()),
        }
    }
}

/// Whether the item is only there for tests.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let is_cfg = matches!(&attribute.meta, Meta::List(list)
            if list.path.is_ident("cfg") && list.tokens.to_string() == "test");
        is_cfg || attribute.path().is_ident("test")
    })
}

/// Whether a file holds tests alone.
fn is_of_tests(file: &Path) -> bool {
    file.components().any(|part| {
        let name = part.as_os_str().to_string_lossy();
        matches!(part, Component::Normal(_)) && matches!(&*name, "tests" | "tests.rs")
    })
}

/// The words of a message, each placeholder as one.
fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// Whether a text is a message: two words or more, one of them a word of English.
fn is_message(text: &str) -> bool {
    let is_word = |word: &&str| {
        let word = word.trim_matches(|c: char| c.is_ascii_punctuation());
        word.len() > 1 && word.chars().all(|c| c.is_ascii_alphabetic() || c == '\'')
    };
    let words = words(text);
    words.len() > 1 && words.iter().any(|word| is_word(word) && !word.contains(['{', '}']))
}

/// The messages of one file, each with its line.
fn messages(text: &str) -> Vec<(usize, String)> {
    let mut places = prose(text);
    let mut found = Vec::new();
    for Literal { written, value } in Literals::of(text) {
        if let Some(place) = places.iter().position(|(_, part)| *part == written) {
            let (line, _) = places.remove(place);
            if is_message(&value) {
                found.push((line, value));
            }
        }
    }
    found.sort();
    found
}

/// Names that a message may begin with, and the question that apply asks.
const NAMES: [&str; 8] =
    ["Apply", "Argo", "Basic", "Bearer", "Flux", "Helm", "Kubernetes", "Landlock"];

/// How texts of others begin that are repeated or searched for: those of CEL's interpreters, of the
/// API server, of git, of ssh and of HTTP.
const OF_OTHERS: [&str; 15] = [
    "Division by zero",
    "Duplicate value: ",
    "Error executing function",
    "Host key verification failed",
    "Index out of bounds",
    "Invalid value: ",
    "No such key",
    "Not Found",
    "Only one default can exist",
    "Overflow from operator",
    "Password for ",
    "Required value: ",
    "Service Unavailable",
    "Unexpected type",
    "Username for ",
];

/// The fault of a message that begins as a sentence does.
const CAPITAL: &str = "begins with a capital";

/// The first form in a message that `docs/style.md` advises against, or that is a slip.
fn fault(message: &str) -> Option<&'static str> {
    let plain = message.replace('\n', " ");
    let negates_a_noun =
        plain.to_lowercase().replace("there is no ", "").replace(" is no longer", "");
    let is_loose =
        [" . ", " , ", " ; ", " ?"].iter().any(|stop| format!("{plain} ").contains(stop));
    let is_gapped = message.lines().count() == 1 && message.trim().contains("  ");
    let first = words(message).first().copied().unwrap_or_default();
    let is_plain_word = first.len() > 1 && first.chars().skip(1).all(char::is_lowercase);
    let is_capital = first.starts_with(char::is_uppercase) && is_plain_word;
    // A sentence with its stop is a description, such as that of a rule in SARIF.
    let is_sentence = message.ends_with('.') || message.contains('\n');
    let is_known = NAMES.contains(&first) || OF_OTHERS.iter().any(|it| message.starts_with(it));
    avoided(&plain)
        .or(negates_a_noun.contains(" is no ").then_some("negates the noun"))
        .or(is_loose.then_some("a space before a stop"))
        .or(is_gapped.then_some("two spaces"))
        .or((is_capital && !is_sentence && !is_known).then_some(CAPITAL))
}

/// Whether a file writes the page of status, which has headings and labels where others have messages.
fn is_of_page(file: &Path) -> bool {
    file.starts_with("src/cli/present/html")
}

#[test]
fn messages_and_their_faults_are_found() {
    let planted = r##"
        const TEXT: &str = "a constant";
        #[derive(Error)]
        enum E { #[error("cannot read {path}")] A, #[error(transparent)] B(Box<E>) }
        fn f(it: &str) -> String {
            let found = it.contains("not this one") && it != "one" || matches!(it, "nor this");
            assert!(found, "nor this one");
            select! { _ = a => note("in a macro") }
            format!("{it} {}", if found { "in an argument" } else { "-" })
        }
        #[cfg(test)]
        mod tests { fn g() { warn("of a test") } }
    "##;
    let found = messages(planted);
    let expected =
        [(2, "a constant"), (4, "cannot read {path}"), (8, "in a macro"), (9, "in an argument")];
    assert_eq!(found, expected.map(|(line, text)| (line, text.to_owned())));
    for (message, expected) in [
        ("3 is no integer", Some("negates the noun")),
        ("there is no such kind", None),
        ("not found .", Some("a space before a stop")),
        ("name it in .trueupignore", None),
        ("two  spaces", Some("two spaces")),
        ("Not found", Some(CAPITAL)),
        ("API not found", None),
        ("Not found.", None),
        ("made anew", Some("anew")),
    ] {
        assert_eq!(fault(message), expected, "{message}");
    }
}

#[test]
#[allow(clippy::print_stdout, reason = "the list is what the test is run for")]
fn all_messages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = sources(&root.join("src"));
    files.sort();
    let (mut count, mut faults) = (0, Vec::new());
    for path in files {
        let file = path.strip_prefix(root).unwrap();
        if is_of_tests(file) {
            continue;
        }
        for (line, message) in messages(&std::fs::read_to_string(&path).unwrap()) {
            let listed = format!("{}:{line}: {}", file.display(), message.escape_debug());
            println!("{listed}");
            count += 1;
            let fault = fault(&message).filter(|fault| *fault != CAPITAL || !is_of_page(file));
            faults.extend(fault.map(|fault| format!("{fault}: {listed}")));
        }
    }
    assert!(count > 1000, "only {count} messages are found");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
