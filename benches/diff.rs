//! Measures a comparison against the runs that it compares: for small modules, it takes at most 1.3 times their sum.
//!
//! `cargo bench --bench diff` prints a table of ratios, measured in turns. Both sides open, compile, instantiate and call, in process.

#![expect(clippy::print_stdout, reason = "the bench prints a table")]

#[expect(dead_code, reason = "only the other benches print estimates")]
mod turns;

use turns::{Batches, Case};
use wrun::compare::{CompareOptions, Comparer, Variant, Verdict};
use wrun::session::{Completion, InstanceOptions, Session};
use wrun::{Capabilities, Limits};

/// The highest ratio.
const BOUND: f64 = 1.3;

/// Modules with the function to call and its arguments.
const CALLS: [(&str, &[u8], &str, &[&str]); 3] = [
    ("add", include_bytes!("../fixtures/add.wasm"), "add", &["5", "3"]),
    (
        "fib",
        br#"(module (func $f (export "f") (param i32) (result i32) (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
          (then (local.get 0))
          (else (i32.add (call $f (i32.sub (local.get 0) (i32.const 1))) (call $f (i32.sub (local.get 0) (i32.const 2))))))))"#,
        "f",
        &["20"],
    ),
    (
        "memory",
        br#"(module (memory (export "m") 16) (func (export "f") (param i32) (result i32)
          (memory.fill (i32.const 0) (local.get 0) (i32.const 0x100000)) (i32.load (i32.const 5))))"#,
        "f",
        &["7"],
    ),
];

/// Runs a function on a variant, as a process that compares nothing would.
fn run(variant: Variant, code: &[u8], function: &str, args: &[&str]) {
    let session = Session::open(&variant.config(), code, None).expect("it is valid");
    let callable = session.function(function).expect("it is exported");
    let prepared = session.prepare(InstanceOptions::default(), &|_| {}).expect("it compiles");
    let args = callable.parse_args(args).expect("they fit");
    let instance = prepared.instantiate_granting(&Capabilities::none(), &callable, &args, Limits::none(), &|_| {});
    let completed = instance.expect("it starts").call(&callable, &args, &|_| {}).expect("it returns");
    assert!(matches!(completed, Completion::Returned(_)));
}

fn compare(code: &[u8], function: &str, args: &[&str]) {
    let comparer = Comparer::new(code, Some(function), CompareOptions::default()).expect("it is valid");
    let args = comparer.callable().parse_args(args).expect("they fit");
    assert_eq!(comparer.compare(&args).expect("they fit").verdict, Verdict::Same);
}

fn main() {
    let rounds = std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(101);
    let case = |work, variant, run: Box<dyn FnMut()>| Case { engine: "all", work, variant, run };
    let cases = CALLS.into_iter().flat_map(|(work, code, function, args)| {
        let runs = move || Variant::all().into_iter().for_each(|variant| run(variant, code, function, args));
        [case(work, "runs", Box::new(runs)), case(work, "diff", Box::new(move || compare(code, function, args)))]
    });
    let mut cases: Vec<_> = cases.collect();
    let batches = Batches::measure(&mut cases, rounds);
    println!("| module | runs [ms] | diff [ms] | ratio | at most {BOUND} |");
    println!("| --- | --- | --- | --- | --- |");
    for (work, ..) in CALLS {
        let [runs, diff] =
            ["runs", "diff"].map(|variant| batches.get("all", work, variant).expect("it was measured").1 / 1e6);
        let ratio = diff / runs;
        println!("| {work} | {runs:.2} | {diff:.2} | {ratio:.2} | {} |", if ratio <= BOUND { "yes" } else { "no" });
    }
}
