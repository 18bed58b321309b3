//! Panics without words.
//!
//! A panic in a module ends in a trap, and nobody reads what it says: what writes the words, and
//! what brings their parts together, would be a twentieth of the module. So the functions of the
//! standard library that begin a panic become the trap itself, and an optimiser drops what only
//! led to them.

use walrus::{FunctionBuilder, FunctionId, FunctionKind, Module};

/// Where functions that never return begin a panic.
const MODULES: [&str; 3] = ["core::panicking::", "std::panicking::", "core::panic::"];

/// Other functions that only panic.
const FUNCTIONS: [&str; 16] = [
    "alloc::alloc::handle_alloc_error",
    "alloc::raw_vec::capacity_overflow",
    "alloc::raw_vec::handle_error",
    "core::cell::panic_already_borrowed",
    "core::cell::panic_already_mutably_borrowed",
    "core::option::expect_failed",
    "core::option::unwrap_failed",
    "core::result::unwrap_failed",
    "core::slice::copy_from_slice_impl::len_mismatch_fail",
    "core::slice::index::slice_end_index_len_fail",
    "core::slice::index::slice_end_index_overflow_fail",
    "core::slice::index::slice_index_fail",
    "core::slice::index::slice_index_order_fail",
    "core::slice::index::slice_start_index_len_fail",
    "core::str::slice_error_fail",
    "core::str::slice_error_fail_rt",
];

/// Makes every beginning of a panic a trap.
pub fn panics(module: &mut Module) {
    let begin: Vec<FunctionId> = module
        .funcs
        .iter()
        .filter(|function| matches!(function.kind, FunctionKind::Local(_)))
        .filter(|function| module.types.get(function.ty()).results().is_empty())
        .filter(|function| function.name.as_deref().is_some_and(panics_by_name))
        .map(walrus::Function::id)
        .collect();
    for id in begin {
        let parameters = module
            .types
            .get(module.funcs.get(id).ty())
            .params()
            .to_vec();
        let mut builder = FunctionBuilder::new(&mut module.types, &parameters, &[]);
        builder.func_body().unreachable();
        let arguments = parameters.iter().map(|ty| module.locals.add(*ty)).collect();
        module.funcs.get_mut(id).kind = FunctionKind::Local(builder.local_func(arguments));
    }
}

/// Whether a function of this name only panics. The names of crates may carry a hash in brackets.
fn panics_by_name(name: &str) -> bool {
    let mut plain = String::new();
    let mut bracketed = false;
    for character in name.chars() {
        match character {
            '[' => bracketed = true,
            ']' => bracketed = false,
            _ if !bracketed => plain.push(character),
            _ => {}
        }
    }
    MODULES.iter().any(|module| plain.starts_with(module))
        || FUNCTIONS
            .iter()
            .any(|function| plain == *function || plain.starts_with(&format!("{function}::")))
        || plain.ends_with("::assert_failed")
}
