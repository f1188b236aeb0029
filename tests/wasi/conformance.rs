//! Runs the self-checking programs in `fixtures/wasi/conformance` on every engine.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use wrun::{Capabilities, DirGrant, Input};

use crate::guest::{End, fixtures, on_each};

/// The inputs and the expected results of a program.
struct Manifest(Value);

impl Manifest {
    fn list(&self, key: &str) -> Vec<String> {
        let items = self.0[key].as_array().into_iter().flatten();
        items.map(|item| item.as_str().unwrap().to_owned()).collect()
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.0[key].as_str()
    }

    fn env(&self) -> BTreeMap<String, String> {
        let pairs = self.0["env"].as_object().into_iter().flatten();
        pairs.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
    }

    fn exit_code(&self) -> i32 {
        self.0["exit_code"].as_i64().map_or(0, |code| i32::try_from(code).unwrap())
    }
}

fn programs() -> Vec<PathBuf> {
    let all = fs::read_dir(fixtures().join("conformance")).unwrap().map(|entry| entry.unwrap().path());
    let mut programs: Vec<_> = all.filter(|path| path.extension().is_some_and(|ending| ending == "wasm")).collect();
    programs.sort();
    programs
}

/// Copies a directory recursively.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Runs one program on each engine and returns its failures.
fn failures(wasm: &Path) -> Vec<String> {
    let name = wasm.file_stem().unwrap().to_str().unwrap();
    let manifest = Manifest(serde_json::from_slice(&fs::read(wasm.with_extension("json")).unwrap()).unwrap());
    let mut failures = Vec::new();
    for program in on_each(wasm, None) {
        let directory = tempfile::tempdir().unwrap();
        let args = std::iter::once(format!("{name}.wasm")).chain(manifest.list("args"));
        let mut granted = Capabilities::none().with_args(args);
        for dir in manifest.list("dirs") {
            let host = directory.path().join(&dir);
            copy(&fixtures().join("conformance").join(&dir), &host);
            granted = granted.with_dir(DirGrant::new(host, dir));
        }
        granted = manifest.env().into_iter().fold(granted, |granted, (name, value)| granted.with_env(name, value));
        if let Some(stdin) = manifest.text("stdin") {
            granted = granted.with_stdin(Input::Bytes(stdin.into()));
        }
        let ran = program.run(granted, None);
        let matches = |key: &str, written: &str| manifest.text(key).is_none_or(|text| text == written);
        let passed = ran.end == End::Code(manifest.exit_code())
            && matches("stdout", &ran.stdout)
            && matches("stderr", &ran.stderr);
        if !passed {
            failures.push(format!("{name} on {program}: {ran:?}"));
        }
    }
    failures
}

/// Runs one part of the programs; the parts run in parallel.
fn part(part: usize, parts: usize) {
    let programs = programs();
    assert!(programs.len() >= 78, "{} programs", programs.len());
    let failures: Vec<_> = programs.iter().skip(part).step_by(parts).flat_map(|wasm| failures(wasm)).collect();
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_program_passes_first_half() {
    part(0, 2);
}

#[test]
fn every_program_passes_second_half() {
    part(1, 2);
}
