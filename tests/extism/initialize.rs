//! The exports that initialize a plug-in are called as Extism calls them.

use crate::vocabulary::{Guest, on_each};

/// Creates a plug-in with these exports, each of which appends a digit, and a function that returns the digits.
fn recording(exports: &str) -> String {
    format!(
        r#"(module
          (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
          (import "extism:host/env" "store_u64" (func $store (param i64 i64)))
          (import "extism:host/env" "output_set" (func $output (param i64 i64)))
          (global $digits (mut i64) (i64.const 0))
          (func $note (param i64)
            (global.set $digits (i64.or (i64.shl (global.get $digits) (i64.const 8)) (local.get 0))))
          (func (export "digits") (local $block i64)
            (local.set $block (call $alloc (i64.const 8)))
            (call $store (local.get $block) (global.get $digits))
            (call $output (local.get $block) (i64.const 8)))
          {exports})"#
    )
}

const INITIALIZE: &str = r#"(func (export "_initialize") (call $note (i64.const 49)))"#;
const CTORS: &str = r#"(func (export "__wasm_call_ctors") (call $note (i64.const 50)))"#;
const HASKELL: &str = r#"(func (export "hs_init") (param i32 i32) (call $note (i64.add (i64.const 51)
    (i64.extend_i32_u (i32.or (local.get 0) (local.get 1))))))"#;
const ODD_CTORS: &str = r#"(func (export "__wasm_call_ctors") (param i32))"#;

#[test]
fn one_way_to_initialize_is_chosen_and_run_once() {
    on_each(|config| {
        for (exports, expected) in [
            (String::new(), "\0\0"),
            (INITIALIZE.to_owned(), "1\0"),
            (CTORS.to_owned(), "2\0"),
            ([INITIALIZE, CTORS].concat(), "2\0"),
            ([INITIALIZE, ODD_CTORS].concat(), "\0\0"),
            (HASKELL.to_owned(), "3\0"),
            // The last digit comes first.
            ([HASKELL, INITIALIZE, CTORS].concat(), "31"),
        ] {
            let mut guest = Guest::start(config, recording(&exports).as_bytes());
            for _ in 0..2 {
                assert!(guest.call("digits", "").unwrap().starts_with(expected), "{exports}");
            }
        }
    });
}
