//! The files below `fixtures/`.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Reads a file of the package.
pub(crate) fn read(file: &str) -> Vec<u8> {
    fs::read(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Returns the paths of all modules, binary or text, in order. Excludes `fixtures/wasi`, whose programs need a WASI environment
/// and have other tests, `fixtures/extism`, whose plug-ins need their host, and `fixtures/component`, which are not modules.
pub(crate) fn modules() -> Vec<String> {
    let mut found = Vec::new();
    collect(&root().join("fixtures"), &mut found);
    let relative = |path: &PathBuf| path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
    let mut modules: Vec<_> = found.iter().map(relative).collect();
    modules.sort();
    assert!(!modules.is_empty(), "there are no fixtures");
    modules
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !["wasi", "component", "extism"].iter().any(|other| path.ends_with(other)) {
                collect(&path, found);
            }
        } else if path.extension().is_some_and(|ending| ending == "wat" || ending == "wasm") {
            found.push(path);
        }
    }
}
