//! Measures batches: records in JSON against `serde_json` alone, two workers against one, Arrow against JSON, a new instance for
//! each call against the engine's own loop.
//!
//! `cargo bench --bench batch` prints tables of ratios, measured in turns; `-- streams` or `-- instances` only one of them.
//! `benches/batch.sh` measures whole processes.

#![expect(clippy::print_stdout, reason = "the bench prints tables")]

mod instances;
mod streams;
#[expect(dead_code, reason = "only the other benches print estimates")]
#[path = "../turns.rs"]
mod turns;

use wrun::session::{InstanceOptions, PreparedCode, Session};
use wrun::{Callable, Capabilities, RuntimeConfig};

const ADD: &[u8] = include_bytes!("../../fixtures/add.wasm");

/// The arguments of the program.
const PROGRAM_ARGS: [&str; 2] = ["greet", "bob"];

/// Compiles and finds the function, for as long as the process lives.
fn prepared(
    config: &RuntimeConfig,
    binary: &'static [u8],
    function: Option<&str>,
) -> (&'static PreparedCode, &'static Callable) {
    let session = Session::open(config, binary, None).expect("it is valid");
    let callable = match function {
        Some(function) => session.function(function),
        None => session.program(),
    };
    let callable = callable.expect("it is exported");
    let options = InstanceOptions::default().with_capabilities(Capabilities::none().with_args(PROGRAM_ARGS));
    let prepared = session.prepare(options, &|_| {}).expect("it compiles");
    (Box::leak(Box::new(prepared)), Box::leak(Box::new(callable)))
}

fn main() {
    let rounds = std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(101);
    let chosen: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let is_chosen = |name: &str| chosen.is_empty() || chosen.iter().any(|chosen| chosen == name);
    if is_chosen("instances") {
        instances::print(&mut instances::cases(), rounds);
    }
    if is_chosen("streams") {
        streams::print(&mut streams::cases(), usize::div_ceil(rounds, 4));
    }
}
