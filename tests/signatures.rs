//! How functions take what they need: by parameters with names. A tuple as a parameter hides them,
//! and so does a long row of them; a struct with named fields does not.

use std::path::Path;

use syn::visit::{self, Visit};
use syn::{FnArg, ImplItemFn, ItemFn, Signature, TraitItemFn, Type};

use crate::rings::sources;

/// The most parameters that a function has, `self` included: one less than clippy allows, and few have so many.
const MOST: usize = 6;

/// What is wrong with the signatures of one file.
#[derive(Default)]
struct Signatures {
    functions: usize,
    widest: usize,
    faults: Vec<String>,
}

impl Signatures {
    fn of(text: &str) -> Self {
        let mut signatures = Self::default();
        signatures.visit_file(&syn::parse_file(text).expect("a file of the crate is Rust"));
        signatures
    }

    fn look(&mut self, signature: &Signature) {
        self.functions += 1;
        self.widest = self.widest.max(signature.inputs.len());
        let name = &signature.ident;
        if signature.inputs.len() > MOST {
            self.faults.push(format!("{name} has {} parameters", signature.inputs.len()));
        }
        let types = signature.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(input) => Some(&*input.ty),
            FnArg::Receiver(_) => None,
        });
        if types.filter(|ty| is_tuple(ty)).count() > 0 {
            self.faults.push(format!("{name} takes a tuple"));
        }
    }
}

impl<'ast> Visit<'ast> for Signatures {
    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.look(&function.sig);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.look(&function.sig);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        self.look(&function.sig);
        visit::visit_trait_item_fn(self, function);
    }
}

/// Whether it is a tuple, or a reference to one.
fn is_tuple(ty: &Type) -> bool {
    match ty {
        Type::Tuple(tuple) => !tuple.elems.is_empty(),
        Type::Reference(reference) => is_tuple(&reference.elem),
        Type::Paren(paren) => is_tuple(&paren.elem),
        _ => false,
    }
}

#[test]
fn a_tuple_parameter_and_a_long_row_of_parameters_are_found() {
    let planted = "
        fn good(a: u8, f: &dyn Fn((u8, u8))) {}
        fn packed(a: u8, (b, c): (u8, &str)) {}
        impl X { fn borrowed(&self, pair: &(u8, u8)) {} }
        trait T { fn wide(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8); }
    ";
    let Signatures { functions, widest, faults } = Signatures::of(planted);
    assert_eq!((functions, widest), (4, 7));
    assert_eq!(faults, ["packed takes a tuple", "borrowed takes a tuple", "wide has 7 parameters"]);
}

#[test]
fn functions_take_parameters_with_names() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut faults = Vec::new();
    let (mut functions, mut widest) = (0, 0);
    for file in sources(&root) {
        let signatures = Signatures::of(&std::fs::read_to_string(&file).unwrap());
        (functions, widest) = (functions + signatures.functions, widest.max(signatures.widest));
        let file = file.strip_prefix(&root).unwrap().display().to_string();
        faults.extend(signatures.faults.iter().map(|fault| format!("src/{file}: {fault}")));
    }
    assert!(functions > 3000, "only {functions} functions were read");
    assert!(faults.is_empty(), "widest {widest}\n{}", faults.join("\n"));
}
