//! The official WebAssembly specification tests, run through the trait layer on every engine and compiler compiled in.
//!
//! All modules and assertions run that need only their own module and `spectest`, for WebAssembly 2.0, 3.0 and the proposals
//! that an engine supports (`suites.rs`). A directive passes, fails, is a known defect of the engine (`defects.rs`), or is
//! skipped for a named reason (`tally.rs`). The counts are pinned (`pins.rs`), so nothing is skipped unnoticed.
#![cfg(any(feature = "wasmtime-runtime", feature = "wasmer-runtime"))]

mod defects;
mod expect;
mod harness;
mod pins;
mod script;
mod spectest;
mod suites;
mod tally;
mod values;

use std::collections::HashSet;

use wrun::engine::features;
use wrun::{Compiler, RuntimeConfig, RuntimeKind, create_runtime};

use script::Script;
use tally::Tally;

#[cfg(feature = "wasmtime-runtime")]
#[test]
fn wasmtime_with_cranelift_passes_the_specification_tests() {
    run_and_compare(RuntimeKind::Wasmtime, Compiler::Cranelift);
}

#[cfg(feature = "wasmer-runtime")]
#[test]
fn wasmer_with_cranelift_passes_the_specification_tests() {
    run_and_compare(RuntimeKind::Wasmer, Compiler::Cranelift);
}

#[cfg(feature = "wasmer-runtime")]
#[test]
fn wasmer_with_singlepass_passes_the_specification_tests() {
    run_and_compare(RuntimeKind::Wasmer, Compiler::Singlepass);
}

#[test]
fn every_engine_and_compiler_is_pinned() {
    for (kind, compiler) in features::combinations() {
        assert!(pins::of(kind, compiler).is_some(), "{kind} with {compiler} has no entry in pins.rs");
    }
}

/// Runs every suite on one engine and compiler. Nothing may fail, and the counts must equal the pinned ones.
fn run_and_compare(kind: RuntimeKind, compiler: Compiler) {
    let tally = run(kind, compiler);
    tally::print(&format!("{kind} with {compiler}: {tally}"));
    assert!(tally.failures.is_empty(), "{kind} with {compiler} fails:\n{}", tally.failures.join("\n"));
    let counts = tally.as_pin(kind, compiler);
    let pinned = pins::of(kind, compiler).map(ToString::to_string);
    assert!(
        pinned.as_ref() == Some(&counts),
        "the counts of {kind} with {compiler} differ from the pinned ones; if the new ones are better, put this entry into \
         tests/spec/pins.rs:\n{counts}"
    );
}

fn run(kind: RuntimeKind, compiler: Compiler) -> Tally {
    let config = RuntimeConfig::new(kind).with_compiler(compiler);
    let runtime = create_runtime(&config).expect("the engine is compiled in");
    let imports = spectest::imports();
    let mut tally = Tally::default();
    let mut seen = HashSet::new();
    for suite in suites::all() {
        for file in suite.files() {
            if !seen.insert(file.raw()) {
                continue;
            }
            let buffer = file.wast().expect("the suite's files are readable");
            let directives = buffer.directives().expect("the suite's files can be parsed");
            let mut script = Script::new(runtime.as_ref(), &imports, suite.assumes());
            tally.files += 1;
            for directive in directives {
                let line = directive.span().linecol_in(file.raw()).0 + 1;
                if let Some(outcome) = script.run(directive) {
                    let defect = defects::reason(kind, compiler, suite.name, file.name(), line);
                    tally.count(&format!("{}/{}:{line}", suite.name, file.name()), outcome, defect);
                }
            }
        }
    }
    for missed in defects::unseen(kind, compiler, &tally.defects_seen) {
        tally.failures.push(format!("{missed}: listed in defects.rs, but no such directive was run"));
    }
    tally
}
