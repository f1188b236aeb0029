//! The exports that initialize a plug-in are called as Extism calls them.

use wrun::session::{Completion, InstanceOptions, Session};
use wrun::{Callable, Limits, TextOptions, Value};

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

/// Those before the function to call are run: `_initialize` before `hs_init`, and nothing before `__wasm_call_ctors`.
#[test]
fn an_initializer_that_is_the_function_runs_once() {
    on_each(|config| {
        for (exports, name, args, expected) in [
            ([INITIALIZE, CTORS].concat(), "__wasm_call_ctors", vec![], "2\0"),
            (INITIALIZE.to_owned(), "_initialize", vec![], "1\0"),
            ([HASKELL, INITIALIZE].concat(), "_initialize", vec![], "1\0"),
            ([HASKELL, INITIALIZE].concat(), "hs_init", vec![Value::I32(0); 2], "31"),
        ] {
            let wat = recording(&exports);
            let session = Session::open(config, wat.as_bytes(), None).unwrap();
            let find = |name| Callable::find_with(session.info(), Some(name), &TextOptions::default()).unwrap();
            let (initializer, digits, args) = (find(name), find("digits"), args.into());
            let prepared = session.prepare(InstanceOptions::default(), &|_| {}).unwrap();
            let mut instance = prepared.instantiate_for(&initializer, &args, Limits::none(), &|_| {}).unwrap();
            instance.call(&initializer, &args, &|_| {}).unwrap();
            let no_input = digits.parse_args(&[""]).unwrap();
            let Completion::Returned(result) = instance.call(&digits, &no_input, &|_| {}).unwrap() else {
                panic!("it exited")
            };
            assert!(result.to_text().starts_with(expected), "{exports} {name}: {result:?}");
        }
    });
}
