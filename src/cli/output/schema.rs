//! The JSON Schemas of the reports.

use std::collections::BTreeSet;

use clap::ValueEnum;
use serde_json::{Map, Value, json};
use wrun::{ErrorKind, Feature, Trap};

use crate::cli::failure::Failure;

/// The dialect of the schemas.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The definitions, in files of related ones.
const DEFINITIONS: [&str; 8] = [
    include_str!("schemas/batch.json"),
    include_str!("schemas/bench.json"),
    include_str!("schemas/cache.json"),
    include_str!("schemas/diff.json"),
    include_str!("schemas/diff_many.json"),
    include_str!("schemas/envelope.json"),
    include_str!("schemas/explain.json"),
    include_str!("schemas/inspect.json"),
];

/// What has a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Schema {
    /// The envelope of a call or a program, from `--metrics` and `--capture`
    Envelope,
    /// The error in envelopes
    Error,
    /// The envelope of a batch, from `wrun batch --metrics`
    Batch,
    /// A result of a batch that has an id, or the error of a record that failed
    Record,
    /// The report of `wrun diff`
    Diff,
    /// A line of `wrun diff --batch`: a record on which variants differ, or the summary
    DiffRecord,
    /// The report of `wrun diff --fuzz`
    DiffFuzz,
    /// The report of `wrun bench`
    Bench,
    /// The report of `--explain`
    Explain,
    /// The report of `wrun inspect`
    Inspect,
    /// The report of `wrun engines`
    Engines,
    /// The report of `wrun compile`
    Compile,
    /// The report of `wrun cache path`
    CachePath,
    /// The report of `wrun cache list`
    CacheList,
    /// The report of `wrun cache prune` and `wrun cache clear`
    CachePrune,
    /// The report of `wrun cache verify`
    CacheVerify,
}

impl Schema {
    /// The name of its definition.
    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// Returns the schema of a report with the definitions that it refers to, or all definitions.
pub(crate) fn document(report: Option<Schema>) -> Value {
    let mut definitions = definitions();
    let mut document = json!({ "$schema": DIALECT });
    if let Some(report) = report {
        let name = report.name();
        let mut needed = BTreeSet::new();
        collect(&name, &definitions, &mut needed);
        definitions.retain(|name, _| needed.contains(name));
        document["$ref"] = format!("#/$defs/{name}").into();
    }
    document["title"] = report.map_or_else(|| "wrun".to_owned(), |report| format!("wrun {}", report.name())).into();
    document["$defs"] = definitions.into();
    document
}

fn definitions() -> Map<String, Value> {
    let parse = |text| {
        serde_json::from_str::<Map<String, Value>>(text).unwrap_or_else(|error| unreachable!("a schema: {error}"))
    };
    let mut definitions: Map<_, _> = DEFINITIONS.into_iter().flat_map(parse).collect();
    let kinds = ErrorKind::ALL.iter().map(|kind| kind.as_str()).chain(Failure::KINDS);
    definitions.insert("error_kind".to_owned(), one_of("The kind of an error.", kinds));
    let traps = Trap::ALL.iter().map(|trap| trap.as_str());
    definitions.insert("trap".to_owned(), one_of("Why the guest trapped.", traps));
    let features = Feature::ALL.iter().map(|feature| feature.as_str());
    definitions.insert("feature".to_owned(), one_of("A WebAssembly feature.", features));
    definitions
}

/// Returns the schema of one of these names.
fn one_of(description: &str, names: impl Iterator<Item = &'static str>) -> Value {
    json!({ "description": description, "enum": names.collect::<Vec<_>>() })
}

/// Collects the names of a definition and of those that it refers to.
fn collect(name: &str, definitions: &Map<String, Value>, found: &mut BTreeSet<String>) {
    if found.insert(name.to_owned())
        && let Some(definition) = definitions.get(name)
    {
        references(definition, &mut |name| collect(name, definitions, found));
    }
}

fn references(schema: &Value, visit: &mut impl FnMut(&str)) {
    match schema {
        Value::Object(members) => {
            if let Some(name) = members.get("$ref").and_then(Value::as_str) {
                visit(name.trim_start_matches("#/$defs/"));
            }
            members.values().for_each(|member| references(member, visit));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, visit)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_defined_once() {
        let definitions = DEFINITIONS.map(|text| serde_json::from_str::<Map<String, Value>>(text).unwrap());
        let mut names: Vec<_> = definitions.iter().flat_map(Map::keys).collect();
        names.sort_unstable();
        let repeated: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert!(repeated.is_empty(), "{repeated:?}");
    }

    #[test]
    fn every_reference_has_a_definition() {
        let definitions = definitions();
        for (name, definition) in &definitions {
            references(definition, &mut |other| assert!(definitions.contains_key(other), "{name} refers to {other}"));
        }
        for report in Schema::value_variants() {
            assert!(definitions.contains_key(&report.name()), "{report:?}");
        }
    }
}
