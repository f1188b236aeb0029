//! Directives that fail because of a defect of an engine. Each must still fail, so the list can only shrink.

use wrun::{Compiler, RuntimeKind};

/// A directive that an engine gets wrong.
struct Defect {
    kind: RuntimeKind,
    /// The compilers with the defect.
    compilers: &'static [Compiler],
    suite: &'static str,
    file: &'static str,
    line: usize,
    reason: &'static str,
}

const DEFECTS: &[Defect] = &[
    global_in_elements("wasm-v2", 683),
    global_in_elements("wasm-v3", 1043),
    global_in_elements("extended-const", 692),
    global_in_elements("function-references", 1042),
];

/// Wasmer's front end accepts `ref.func` and `ref.null` in an element segment, but not `global.get`.
const fn global_in_elements(suite: &'static str, line: usize) -> Defect {
    Defect {
        kind: RuntimeKind::Wasmer,
        compilers: &[Compiler::Cranelift, Compiler::Singlepass],
        suite,
        file: "elem.wast",
        line,
        reason: "wasmer cannot compile `global.get` in an element segment",
    }
}

fn of(kind: RuntimeKind, compiler: Compiler) -> impl Iterator<Item = &'static Defect> {
    DEFECTS.iter().filter(move |defect| defect.kind == kind && defect.compilers.contains(&compiler))
}

/// Returns why a directive fails on an engine, if it is a known defect.
pub(crate) fn reason(
    kind: RuntimeKind,
    compiler: Compiler,
    suite: &str,
    file: &str,
    line: usize,
) -> Option<&'static str> {
    let here = |defect: &&Defect| (defect.suite, defect.file, defect.line) == (suite, file, line);
    of(kind, compiler).find(here).map(|defect| defect.reason)
}

/// Returns the listed places that are not among `seen`.
pub(crate) fn unseen(kind: RuntimeKind, compiler: Compiler, seen: &[String]) -> Vec<String> {
    let places = of(kind, compiler).map(|defect| format!("{}/{}:{}", defect.suite, defect.file, defect.line));
    places.filter(|place| !seen.contains(place)).collect()
}
