//! docs/engines-compared.md is of the form that its script writes, and its claims about features hold.
#![cfg(all(feature = "wasmtime-runtime", feature = "wasmer-runtime", feature = "wasix", feature = "wasi-p3"))]

use std::collections::BTreeSet;
use std::fs;

use wrun::Feature;

use crate::vocabulary::{Command, run, skipped};

const PAGE: &str = "docs/engines-compared.md";

/// The options of each column.
const COLUMNS: [&[&str]; 3] = [&["-r", "wasmtime"], &["-r", "wasmer"], &["-r", "wasmer", "--compiler", "singlepass"]];

/// A row of the table of features: the name, the arguments of `wrun`, and a cell for each column.
struct Row {
    name: String,
    args: Vec<String>,
    cells: Vec<String>,
}

fn rows() -> Vec<Row> {
    let page = fs::read_to_string(PAGE).unwrap();
    let (_, rest) = page.split_once("<!-- features -->\n").unwrap();
    let (table, _) = rest.split_once("<!-- /features -->").unwrap();
    let row = |line: &str| {
        let mut cells = line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned());
        let (name, command) = (cells.next().unwrap(), cells.next().unwrap());
        let args = command.trim_matches('`').split(' ').skip(1).map(str::to_owned).collect();
        Row { name, args, cells: cells.collect() }
    };
    table.lines().skip(2).map(row).collect()
}

/// Returns the feature that a row is about. Other rows are about interfaces and limits.
fn feature(row: &Row) -> Option<&'static Feature> {
    let name = row.name.strip_prefix('`')?.strip_suffix('`')?;
    Some(Feature::ALL.iter().find(|feature| feature.as_str() == name).unwrap_or_else(|| panic!("no feature {name}")))
}

#[test]
fn the_page_has_the_form_that_the_script_writes() {
    let script = ["benches/engines_compared.py", "--check", PAGE];
    let Ok(output) = Command::new("python3").args(script).env("HOME", "/").output() else {
        return skipped("there is no python3");
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn each_engine_has_the_features_that_the_page_says() {
    let cache = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for Row { name, args, cells } in rows() {
        assert_eq!(cells.len(), COLUMNS.len(), "{name}");
        for (options, cell) in COLUMNS.iter().zip(cells) {
            let mut all = [*options, &["--cache-dir", cache.path().to_str().unwrap()]].concat();
            all.extend(args.iter().map(String::as_str));
            let printed = run(&all);
            let found = match printed.code {
                0 => "yes",
                _ => printed.stderr.lines().next().unwrap().trim_start_matches("error: "),
            };
            if found != cell {
                wrong.push(format!("{name}: {all:?}: `{found}`, the page says `{cell}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_module_of_each_feature_needs_it() {
    for row in rows() {
        let Some(feature) = feature(&row) else { continue };
        let report = run(&["inspect", "-o", "json", &row.args[0]]).stdout;
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        let needed = report["features"].as_array().unwrap();
        assert!(needed.iter().any(|one| one == feature.as_str()), "{}: {needed:?}", row.name);
    }
}

#[test]
fn the_page_has_every_feature_of_any_engine() {
    let listed: BTreeSet<_> = rows().iter().filter_map(feature).collect();
    let supported: BTreeSet<_> = Feature::ALL.iter().filter(|feature| feature.homes().next().is_some()).collect();
    assert_eq!(listed, supported);
}
