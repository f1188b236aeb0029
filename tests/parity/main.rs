//! The fixtures, on every engine and compiler: each call of `fixtures/expected.json` gives what is written there,
//! leaves the same behind everywhere, and is refused by name where a feature is lacking.
#![cfg(any(feature = "wasmtime-runtime", feature = "wasmer-runtime"))]
#![expect(clippy::unwrap_used, reason = "the words of a test fail where they stand, as the tests themselves do")]

mod fixtures;
mod machine;
mod rows;

use std::collections::BTreeSet;
use std::path::Path;

use wrun::engine::features;
use wrun::module::{requirements, source};
use wrun::{ErrorKind, Feature, Trap};

use machine::{Ending, Machine, Trace};
use rows::Row;

/// The names of features, for messages.
fn names(features: &BTreeSet<Feature>) -> Vec<&'static str> {
    features.iter().map(|feature| feature.as_str()).collect()
}

/// What the module in `file` needs.
fn needs_of(file: &str) -> BTreeSet<Feature> {
    requirements::features(&source::to_binary(&fixtures::read(file)).unwrap()).unwrap()
}

/// How a row ends on a machine, where that is not what the row expects.
fn disagreement(machine: &Machine, row: &Row, trace: &Trace) -> Option<String> {
    let lacking = machine.lacking(&needs_of(&row.file));
    let as_expected = match &trace.ending {
        Ending::Refused(named) => !lacking.is_empty() && *named == lacking,
        Ending::Returned(_) | Ending::Trapped(_) if !lacking.is_empty() => false,
        Ending::Returned(values) => row.expected_values(values).is_some_and(|expected| expected == *values),
        Ending::Trapped(trap) => row.trap.as_deref() == Some(trap.as_str()),
        Ending::Failed(_) => false,
    };
    (!as_expected).then(|| format!("{machine}: {row}: {:?}", trace.ending))
}

#[test]
fn every_call_gives_what_is_expected_on_every_engine() {
    let rows = rows::all();
    let mut wrong = Vec::new();
    for mut machine in machine::all() {
        for row in &rows {
            let trace = machine.run(row);
            wrong.extend(disagreement(&machine, row, &trace));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_call_leaves_the_same_behind_on_every_engine_that_runs_it() {
    let mut machines = machine::all();
    for row in rows::all() {
        let traces: Vec<_> = machines.iter_mut().map(|machine| (machine.to_string(), machine.run(&row))).collect();
        let mut ran = traces.iter().filter(|(_, trace)| !matches!(trace.ending, Ending::Refused(_)));
        let Some((first, expected)) = ran.next() else { continue };
        for (other, trace) in ran {
            assert!(trace == expected, "{row}: {first} and {other} differ:\n{expected:?}\n{trace:?}");
        }
    }
}

#[test]
fn every_row_is_well_formed() {
    for row in rows::all() {
        let info = wrun::ModuleInfo::read(&source::to_binary(&fixtures::read(&row.file)).unwrap()).unwrap();
        let ty = info.function(&row.function).unwrap_or_else(|| panic!("{row}: no such function"));
        wrun::value::args::parse_text(&row.args, ty).unwrap_or_else(|error| panic!("{row}: {error}"));
        assert!(row.result.is_some() != row.trap.is_some(), "{row}: a result or a trap");
    }
}

#[test]
fn every_row_names_features_that_tell_which_engines_run_it() {
    for row in rows::all() {
        let (named, needed) = (row.needed_features(), needs_of(&row.file));
        assert!(named.is_subset(&needed), "{row} names {:?}, the module needs {:?}", names(&named), names(&needed));
        for (kind, compiler) in features::combinations() {
            let runs = |features: &BTreeSet<Feature>| features.iter().all(|one| one.is_supported(kind, compiler));
            assert_eq!(runs(&named), runs(&needed), "{row}: whether {kind} with {compiler} runs it");
        }
    }
}

#[test]
fn every_trap_a_row_expects_is_one_there_is() {
    let known: Vec<_> = rows::TRAPS.iter().map(|trap: &Trap| trap.as_str()).collect();
    for row in rows::all() {
        assert!(row.trap.as_deref().is_none_or(|trap| known.contains(&trap)), "{row}");
    }
}

#[test]
fn every_fixture_loads_where_its_features_are_and_is_refused_by_name_elsewhere() {
    for machine in machine::all() {
        for file in fixtures::modules() {
            let lacking = machine.lacking(&needs_of(&file));
            match machine.runtime.load_module(&fixtures::read(&file)) {
                Ok(_) => assert!(lacking.is_empty(), "{machine} loads {file}, which needs {:?}", names(&lacking)),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::UnsupportedFeature, "{machine}: {file}: {error}");
                    assert_eq!(machine::named_in(&error), lacking, "{machine}: {file}: {error}");
                }
            }
        }
    }
}

#[test]
fn a_fixture_that_imports_what_nobody_provides_is_refused_in_the_same_words() {
    let mut refused = 0;
    for file in fixtures::modules() {
        let said: BTreeSet<String> = machine::all().iter().filter_map(|machine| machine.unlinkable(&file)).collect();
        assert!(said.len() <= 1, "{file}: {said:#?}");
        refused += said.len();
    }
    assert!(refused >= 2, "the fixtures have modules with imports, of which {refused} were refused");
}

#[test]
fn every_module_that_imports_nothing_is_called_at_least_once() {
    let called: BTreeSet<String> = rows::all().into_iter().map(|row| row.file).collect();
    for file in fixtures::modules() {
        let info = wrun::ModuleInfo::read(&source::to_binary(&fixtures::read(&file)).unwrap()).unwrap();
        let is_binary = Path::new(&file).extension().is_some_and(|ending| ending == "wasm");
        assert!(
            called.contains(&file) || (!is_binary && !info.imports.is_empty()) || requirements::imports_wasi(&info),
            "no row of expected.json calls {file}"
        );
    }
}

#[test]
fn every_file_a_row_calls_is_a_fixture() {
    let modules = fixtures::modules();
    for row in rows::all() {
        assert!(modules.contains(&row.file), "{row}: no such file");
    }
}
