//! Damaged components and random arguments, all the way to a call: results and errors, no panics, no internal errors.

use std::fs;
use std::path::Path;

use wrun::{Capabilities, ComponentImports, ErrorKind, Limits, Result, RuntimeConfig, WasmComponentInstanceExt};

use crate::vocabulary::{Engine, PAGE, call};

/// A small generator of numbers (xorshift), the same in each run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below as u64).expect("it is smaller than `below`")
    }
}

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/component"));
    fs::read(folder.join(name)).unwrap()
}

/// Loads a component, creates an instance, and calls its functions without arguments.
fn try_all(engine: &Engine, bytes: &[u8]) -> Result<()> {
    let component = engine.runtime.load_component(bytes)?;
    let limits = Limits::none().with_memory(64 * PAGE).with_fuel(100_000).with_table_elements(10_000);
    let mut instance = engine.runtime.create_component_instance_with(
        component.as_ref(),
        limits,
        Capabilities::none(),
        ComponentImports::NONE,
    )?;
    let names: Vec<_> = instance.info().exports.iter().map(|export| export.name.to_string()).collect();
    for name in names {
        call(instance.as_mut(), &name, &[])?;
    }
    Ok(())
}

#[test]
fn damaged_components_fail_with_a_known_error() {
    let config = RuntimeConfig::wasmtime().with_metering().with_optimization(wrun::Optimization::None);
    let engine = Engine::configured(&config);
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for (name, rounds) in [("resources/counters.wasm", 150), ("types/types.wasm", 50), ("types/errors.wasm", 150)] {
        let whole = fixture(name);
        for round in 0..rounds {
            let mut damaged = whole.clone();
            for _ in 0..=numbers.next(3) {
                let (at, bit) = (8 + numbers.next(whole.len() - 8), numbers.next(8));
                damaged[at] ^= 1 << bit;
            }
            if let Err(error) = try_all(&engine, &damaged) {
                assert_ne!(error.kind(), ErrorKind::Internal, "{name}, round {round}: {error}");
            }
        }
    }
}

#[test]
fn random_arguments_are_read_or_refused() {
    const TOKENS: [&str; 28] = [
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "null",
        "true",
        "false",
        "0",
        "-1",
        "1.5",
        "1e999",
        "4294967296",
        "\"\"",
        "\"a\"",
        "\"ok\"",
        "\"err\"",
        "\"some\"",
        "\"name\"",
        "\"price\"",
        "\"qty\"",
        "\"tags\"",
        "\"base64\"",
        "\"\\ud800\"",
        "\"tea\"",
        "[[",
        "]]",
    ];
    let engine = Engine::metered();
    let component = engine.runtime.load_component(&fixture("shop/shop.wasm")).expect("it loads");
    let start = || {
        engine
            .runtime
            .create_component_instance(component.as_ref(), Limits::none(), Capabilities::none())
            .expect("it starts")
    };
    let mut instance = start();
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    for _ in 0..3_000 {
        let json: String = (0..numbers.next(16)).map(|_| TOKENS[numbers.next(TOKENS.len())]).collect();
        let bytes: Vec<u8> = (0..numbers.next(24)).map(|_| numbers.next(256).to_le_bytes()[0]).collect();
        for function in ["greet", "find", "till#total"] {
            let by_json = instance.call_json(function, &json).map(drop);
            let by_msgpack = instance.call_msgpack(function, &bytes).map(drop);
            for error in [by_json.err(), by_msgpack.err()].into_iter().flatten() {
                assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{json:?} {bytes:?}: {error}");
            }
        }
    }
}
