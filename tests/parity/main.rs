//! The fixtures on every engine and compiler: each call in `fixtures/expected.json` has the expected result and leaves the
//! same state everywhere. An engine that lacks a feature names it in its error.
#![cfg(any(feature = "wasmtime-runtime", feature = "wasmer-runtime"))]

mod engine;
mod fixtures;
mod rows;

use std::collections::BTreeSet;
use std::path::Path;

use wrun::engine::features;
use wrun::module::{requirements, source};
use wrun::{ErrorKind, Feature, Trap};

use engine::{Ending, Engine, Trace};
use rows::Row;

/// Returns the names of features, for messages.
fn names(features: &BTreeSet<Feature>) -> Vec<&'static str> {
    features.iter().map(|feature| feature.as_str()).collect()
}

/// Returns the features that the module in `file` needs.
fn needed_features(file: &str) -> BTreeSet<Feature> {
    requirements::features(&source::to_binary(&fixtures::read(file)).unwrap()).unwrap()
}

/// Describes how the call ended, if the row expects something else.
fn mismatch(engine: &Engine, row: &Row, trace: &Trace) -> Option<String> {
    let lacking = engine.lacking(&needed_features(&row.file));
    let is_expected = match &trace.ending {
        Ending::Refused(named) => !lacking.is_empty() && *named == lacking,
        Ending::Returned(_) | Ending::Trapped(_) if !lacking.is_empty() => false,
        Ending::Returned(values) => row.expected_values(values).is_some_and(|expected| expected == *values),
        Ending::Trapped(trap) => row.trap.as_deref() == Some(trap.as_str()),
        Ending::Failed(_) => false,
    };
    (!is_expected).then(|| format!("{engine}: {row}: {:?}", trace.ending))
}

#[test]
fn every_call_has_the_expected_result_on_every_engine() {
    let rows = rows::all();
    let mut wrong = Vec::new();
    for mut engine in engine::all() {
        for row in &rows {
            let trace = engine.run(row);
            wrong.extend(mismatch(&engine, row, &trace));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_call_leaves_the_same_state_on_every_engine() {
    let mut engines = engine::all();
    for row in rows::all() {
        let traces: Vec<_> = engines.iter_mut().map(|engine| (engine.to_string(), engine.run(&row))).collect();
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
fn every_row_lists_the_features_that_decide_which_engines_run_it() {
    for row in rows::all() {
        let (named, needed) = (row.needed_features(), needed_features(&row.file));
        assert!(named.is_subset(&needed), "{row} names {:?}, the module needs {:?}", names(&named), names(&needed));
        for (kind, compiler) in features::combinations() {
            let runs = |features: &BTreeSet<Feature>| features.iter().all(|one| one.is_supported(kind, compiler));
            assert_eq!(runs(&named), runs(&needed), "{row}: {kind} with {compiler}");
        }
    }
}

#[test]
fn every_expected_trap_exists() {
    let known: Vec<_> = rows::TRAPS.iter().map(|trap: &Trap| trap.as_str()).collect();
    for row in rows::all() {
        assert!(row.trap.as_deref().is_none_or(|trap| known.contains(&trap)), "{row}");
    }
}

#[test]
fn every_fixture_loads_unless_the_engine_lacks_a_feature_and_names_it() {
    for engine in engine::all() {
        for file in fixtures::modules() {
            let lacking = engine.lacking(&needed_features(&file));
            match engine.runtime.load_module(&fixtures::read(&file)) {
                Ok(_) => assert!(lacking.is_empty(), "{engine} loads {file}, which needs {:?}", names(&lacking)),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::UnsupportedFeature, "{engine}: {file}: {error}");
                    assert_eq!(engine::named_features(&error), lacking, "{engine}: {file}: {error}");
                }
            }
        }
    }
}

#[test]
fn unresolved_imports_have_the_same_message_on_every_engine() {
    let mut refused = 0;
    for file in fixtures::modules() {
        let errors: BTreeSet<String> = engine::all().iter().filter_map(|engine| engine.link_error(&file)).collect();
        assert!(errors.len() <= 1, "{file}: {errors:#?}");
        refused += errors.len();
    }
    assert!(refused >= 2, "{refused} fixtures with unresolved imports");
}

#[test]
fn every_module_without_imports_is_called_at_least_once() {
    let called: BTreeSet<String> = rows::all().into_iter().map(|row| row.file).collect();
    for file in fixtures::modules() {
        let info = wrun::ModuleInfo::read(&source::to_binary(&fixtures::read(&file)).unwrap()).unwrap();
        let is_binary = Path::new(&file).extension().is_some_and(|ending| ending == "wasm");
        // The programs of WASI are checked in tests/wasi, plug-ins in tests/extism.
        let is_checked_elsewhere = requirements::imports_wasi(&info) || requirements::imports_extism(&info);
        assert!(
            called.contains(&file) || (!is_binary && !info.imports.is_empty()) || is_checked_elsewhere,
            "no row in expected.json calls {file}"
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
