//! Every fixture with a sample of limits, on every engine and compiler that supports its features.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use wrun::module::{requirements, source};
use wrun::value::args;
use wrun::{ModuleInfo, Trap};

use crate::rows::{self, Row};
use crate::sweep::{Call, Metered, Run, Verdict, agree, engines, full_cost, metered, name, run};

/// A fixture with imports, which `expected.json` does not contain.
const HOST: &str = r#"{ "file": "fixtures/wat/host.wat", "function": "run", "args": ["35"], "result": 42 }"#;

/// Less fuel than any engine uses before its stack overflows. The depth of the overflow depends on the engine.
const FUEL_BEFORE_OVERFLOW: u64 = 10_000;

/// Reads a file of the package.
pub(crate) fn read(file: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read(path).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// A fixture, compiled on every engine that supports its features.
struct Fixture {
    info: ModuleInfo,
    on: Vec<Metered>,
}

impl Fixture {
    fn compile(file: &str) -> Self {
        let bytes = read(file);
        let binary = source::to_binary(&bytes).unwrap();
        let needed = requirements::features(&binary).unwrap();
        Self { info: ModuleInfo::read(&binary).unwrap(), on: metered(&binary, &needed) }
    }
}

/// The coverage of the test on one engine.
#[derive(Debug, Default)]
struct Covered {
    files: BTreeSet<String>,
    calls: usize,
    runs: usize,
    /// The fixtures that need a feature the engine lacks.
    unsupported: BTreeSet<String>,
}

/// Selects limits around the interesting values, and a reproducible sample of others.
fn limits(full: u64, seed: u64) -> BTreeSet<u64> {
    let mut limits =
        BTreeSet::from([0, 1, 2, full / 4, full / 2, full / 4 * 3, full.saturating_sub(1), full, full + 1]);
    let mut state = seed;
    for _ in 0..12 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        limits.insert((state >> 33) % (full + 2));
    }
    limits
}

fn check_expected(row: &Row, whole: &Run) {
    match &whole.verdict {
        Verdict::Returned(values) => assert_eq!(row.expected_values(values).as_ref(), Some(values), "{row}"),
        Verdict::Trapped(trap) => assert_eq!(row.trap.as_deref(), Some(trap.as_str()), "{row}"),
        Verdict::Exhausted => panic!("{row}: out of fuel without a limit"),
    }
}

/// Makes a row's call without a limit, then with a sample of limits; returns the number of compared runs on each engine.
fn sample(row: &Row, fixture: &Fixture, seed: u64) -> usize {
    let on = &fixture.on;
    let ty = fixture.info.function(&row.function).unwrap();
    let call = Call { function: &row.function, args: args::parse_text(&row.args, ty).unwrap() };
    let whole = run(&on[0], &call, None);
    check_expected(row, &whole);
    for other in &on[1..] {
        assert_eq!(run(other, &call, None), whole, "{row} on {} and {}", other.name, on[0].name);
    }
    let overflows = whole.verdict == Verdict::Trapped(Trap::StackOverflow);
    let full = if overflows { FUEL_BEFORE_OVERFLOW } else { full_cost(&on[0], &call) };
    let mut limits = limits(full, seed);
    limits.retain(|limit| !overflows || *limit < full);
    for limit in &limits {
        agree(on, &row.to_string(), &call, *limit, full, &whole);
    }
    1 + limits.len()
}

#[test]
fn every_fixture_costs_the_same_and_stops_at_the_same_limits_on_every_engine() {
    let mut fixtures = BTreeMap::new();
    let mut covered: BTreeMap<String, Covered> = engines().map(|on| (name(on), Covered::default())).collect();
    let mut all = rows::all();
    all.push(serde_json::from_str(HOST).unwrap());
    for (row, seed) in all.iter().zip(1..) {
        let fixture = fixtures.entry(row.file.as_str()).or_insert_with(|| Fixture::compile(&row.file));
        let runs = if fixture.on.is_empty() { 0 } else { sample(row, fixture, seed) };
        for (name, covered) in &mut covered {
            if fixture.on.iter().any(|on| on.name == *name) {
                covered.files.insert(row.file.clone());
                covered.calls += 1;
                covered.runs += runs;
            } else {
                covered.unsupported.insert(row.file.clone());
            }
        }
    }
    for (name, Covered { files, calls, runs, unsupported }) in covered {
        println!("{name}: {runs} runs of {calls} calls of {} files; unsupported: {unsupported:?}", files.len());
        assert_eq!(files.len() + unsupported.len(), fixtures.len(), "{name}: every file is either run or unsupported");
        assert!(files.len() >= 25 && calls >= 170 && runs >= 2_000, "{name}: {runs} of {calls} of {}", files.len());
    }
}

#[test]
fn host_calls_happen_until_the_fuel_is_exhausted() {
    let row: Row = serde_json::from_str(HOST).unwrap();
    let fixture = Fixture::compile(&row.file);
    let call =
        Call { function: "run", args: args::parse_text(&row.args, fixture.info.function("run").unwrap()).unwrap() };
    let whole = run(&fixture.on[0], &call, None);
    let full = whole.fuel.unwrap();
    let seen = |limit| agree(&fixture.on, "host.wat", &call, limit, full, &whole).seen;
    // The entry, x, a call: 3. An address, x, base, a call: 4. A store, an address, a load: 3.
    assert_eq!((seen(2), seen(3), seen(6), seen(7)), (vec![], vec![35], vec![35], vec![35, 35, 7]));
    assert_eq!((full, whole.seen), (10, vec![35, 35, 7]));
}
