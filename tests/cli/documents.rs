//! Runs the `console` blocks of README.md and docs/*.md: each line after `$ ` in a shell, and compares its output.
#![cfg(all(feature = "wasmtime-runtime", feature = "wasmer-runtime", feature = "wasix"))]

use std::fs;
use std::path::{Path, PathBuf};

use crate::vocabulary::{Command, WRUN};

/// A command in a document and the output it promises. `[..]` in the output stands for any text in a line.
struct Example {
    place: String,
    command: String,
    output: Vec<String>,
}

fn documents() -> Vec<PathBuf> {
    let docs = fs::read_dir("docs").unwrap().map(|entry| entry.unwrap().path());
    let docs = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    [PathBuf::from("README.md")].into_iter().chain(docs).collect()
}

fn examples(document: &Path) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut inside = false;
    for (index, line) in fs::read_to_string(document).unwrap().lines().enumerate() {
        let place = format!("{}:{}", document.display(), index + 1);
        if line.starts_with("```") {
            inside = line == "```console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            examples.push(Example { place, command: command.to_owned(), output: Vec::new() });
        } else if inside {
            let example = examples.last_mut().unwrap_or_else(|| panic!("{place}: output without a command"));
            example.output.push(line.to_owned());
        }
    }
    examples
}

/// Runs the examples of one document in order, with a fresh home folder. Returns the number of examples.
fn run_examples(document: &Path, failures: &mut Vec<String>) -> usize {
    let home = tempfile::tempdir().unwrap();
    let path = format!("{}:{}", Path::new(WRUN).parent().unwrap().display(), std::env::var("PATH").unwrap());
    let examples = examples(document);
    for Example { place, command, output } in &examples {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{{ {command}; }} 2>&1")]).env("PATH", &path).env("HOME", home.path());
        let printed = String::from_utf8(shell.output().unwrap().stdout).unwrap();
        let same_length = printed.lines().count() == output.len();
        if !same_length || !printed.lines().zip(output).all(|(line, pattern)| fits(line, pattern)) {
            failures.push(format!("{place}: `{command}` printed\n{printed}instead of\n{}\n", output.join("\n")));
        }
    }
    examples.len()
}

/// Whether a line fits a pattern, in which `[..]` stands for any text.
fn fits(line: &str, pattern: &str) -> bool {
    let Some((start, rest)) = pattern.split_once("[..]") else { return line == pattern };
    let Some(mut line) = line.strip_prefix(start) else { return false };
    let mut parts: Vec<_> = rest.split("[..]").collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, after)) = line.split_once(part) else { return false };
        line = after;
    }
    line.ends_with(end)
}

#[test]
fn examples_print_what_the_documents_say() {
    let mut failures = Vec::new();
    let counts: Vec<_> = documents().iter().map(|document| run_examples(document, &mut failures)).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(counts[0] >= 5 && counts.iter().sum::<usize>() >= 25, "there are too few examples: {counts:?}");
}

#[test]
fn the_readme_starts_with_two_commands() {
    let readme = fs::read_to_string("README.md").unwrap();
    assert!(readme.contains("\ncargo run -- --runtime wasmer fixtures/add.wasm add 5 3\ncargo test\n"));
}

#[test]
fn patterns_stand_for_any_text() {
    for (line, pattern) in [("ab", "ab"), ("ab", "[..]"), ("abcbd", "a[..]b[..]d"), ("ab", "a[..]b"), ("a", "a[..]")] {
        assert!(fits(line, pattern), "{line} {pattern}");
    }
    for (line, pattern) in [("ab", "a"), ("ab", "b[..]"), ("ab", "[..]a"), ("ab", "a[..]b[..]b"), ("abc", "a[..]b")] {
        assert!(!fits(line, pattern), "{line} {pattern}");
    }
}
