//! Rules for the files in `src`: imports point downwards and form no cycles, only backends name engine crates, files
//! are short, and `mod.rs` files hold no code.

mod rules;
mod scan;
mod self_test;
mod tokens;
mod tree;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Source files by path.
type Sources = BTreeMap<String, String>;

fn read_sources(folder: &Path, sources: &mut Sources) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_sources(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.insert(path.to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn source_files_follow_the_rules() {
    let mut sources = Sources::new();
    read_sources(Path::new("src"), &mut sources);
    let violations = rules::violations(&sources, rules::ALLOWED_IMPORTS);
    assert!(violations.is_empty(), "{} violations:\n{}", violations.len(), violations.join("\n"));
}
