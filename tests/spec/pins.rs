//! The exact counts of each engine and compiler. If more directives pass or fewer are skipped, update them here; a change in the
//! other direction is a regression.

use std::fmt;

use wrun::{Compiler, RuntimeKind};

/// The counts of one engine and compiler.
pub(crate) struct Pin<'a> {
    pub(crate) kind: RuntimeKind,
    pub(crate) compiler: Compiler,
    /// The number of files.
    pub(crate) files: usize,
    /// The number of directives that passed or are known defects of the engine.
    pub(crate) run: usize,
    /// The number of directives that passed.
    pub(crate) passed: usize,
    /// The number of skipped directives by reason.
    pub(crate) skipped: &'a [(&'a str, usize)],
}

/// Formats an entry of [`PINS`].
impl fmt::Display for Pin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, compiler, files, run, passed, skipped } = self;
        writeln!(f, "    Pin {{")?;
        writeln!(f, "        kind: RuntimeKind::{kind:?},")?;
        writeln!(f, "        compiler: Compiler::{compiler:?},")?;
        writeln!(f, "        files: {files},\n        run: {run},\n        passed: {passed},\n        skipped: &[")?;
        skipped.iter().try_for_each(|(why, number)| writeln!(f, "            ({why:?}, {number}),"))?;
        write!(f, "        ],\n    }},")
    }
}

const PINS: &[Pin<'static>] = &[
    Pin {
        kind: RuntimeKind::Wasmtime,
        compiler: Compiler::Cranelift,
        files: 307,
        run: 61703,
        passed: 61703,
        skipped: &[
            ("made valid by memory64", 2),
            ("made valid by multi_memory", 38),
            ("made valid by reference_types", 3),
            ("made valid by shared_everything_threads", 2),
            ("made valid by stack_switching", 2),
            ("needs another module", 2506),
            ("value of a type wrun does not pass", 85),
        ],
    },
    Pin {
        kind: RuntimeKind::Wasmer,
        compiler: Compiler::Cranelift,
        files: 307,
        run: 59480,
        passed: 59476,
        skipped: &[
            ("its module failed", 4),
            ("lacks custom_page_sizes", 50),
            ("lacks function_references", 538),
            ("lacks function_references, gc", 777),
            ("lacks memory64", 795),
            ("lacks memory64, custom_page_sizes", 4),
            ("lacks tail_call", 298),
            ("made valid by memory64", 2),
            ("made valid by multi_memory", 38),
            ("made valid by reference_types", 3),
            ("made valid by shared_everything_threads", 2),
            ("made valid by stack_switching", 2),
            ("needs another module", 2348),
        ],
    },
    Pin {
        kind: RuntimeKind::Wasmer,
        compiler: Compiler::Singlepass,
        files: 307,
        run: 34299,
        passed: 34295,
        skipped: &[
            ("its module failed", 4),
            ("lacks custom_page_sizes", 50),
            ("lacks exceptions", 57),
            ("lacks exceptions, function_references", 11),
            ("lacks exceptions, function_references, gc", 37),
            ("lacks exceptions, tail_call", 42),
            ("lacks function_references", 527),
            ("lacks function_references, gc", 740),
            ("lacks memory64", 795),
            ("lacks memory64, custom_page_sizes", 4),
            ("lacks simd", 24974),
            ("lacks simd, relaxed_simd", 77),
            ("lacks tail_call", 256),
            ("lacks wide_arithmetic", 101),
            ("made valid by memory64", 2),
            ("made valid by multi_memory", 38),
            ("made valid by reference_types", 3),
            ("made valid by shared_everything_threads", 2),
            ("made valid by stack_switching", 2),
            ("needs another module", 2320),
        ],
    },
];

/// Returns the pinned counts of an engine and compiler.
pub(crate) fn of(kind: RuntimeKind, compiler: Compiler) -> Option<&'static Pin<'static>> {
    PINS.iter().find(|pin| (pin.kind, pin.compiler) == (kind, compiler))
}
