//! The README's console blocks, run as a reader would: each `$ ` line in a shell, its output compared.
#![cfg(all(feature = "wasmtime-runtime", feature = "wasmer-runtime", feature = "wasix"))]

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use crate::vocabulary::{ENVIRONMENT, WRUN};

/// A command of the README, and what it says comes of it.
struct Example {
    line: usize,
    command: String,
    output: Vec<String>,
}

fn examples() -> Vec<Example> {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let mut examples: Vec<Example> = Vec::new();
    let mut inside = false;
    for (index, text) in readme.lines().enumerate() {
        if text.starts_with("```") {
            inside = text == "```console";
        } else if let Some(command) = text.strip_prefix("$ ").filter(|_| inside) {
            examples.push(Example { line: index + 1, command: command.to_owned(), output: Vec::new() });
        } else if inside {
            examples.last_mut().unwrap().output.push(text.to_owned());
        }
    }
    examples
}

#[test]
fn every_example_does_what_it_says() {
    let path =
        OsString::from(format!("{}:{}", Path::new(WRUN).parent().unwrap().display(), std::env::var("PATH").unwrap()));
    let home = tempfile::tempdir().unwrap();
    let examples = examples();
    assert!(examples.len() >= 12, "the README has {} examples", examples.len());
    for Example { line, command, output } in examples {
        let mut shell = Command::new("sh");
        for name in ENVIRONMENT {
            shell.env_remove(name);
        }
        let ran = shell
            .args(["-c", &format!("{{ {command}; }} 2>&1")])
            .envs([("PATH", path.as_ref()), ("HOME", home.path().as_os_str())])
            .output()
            .unwrap();
        let printed = String::from_utf8(ran.stdout).unwrap();
        let matches = printed.lines().count() == output.len()
            && printed.lines().zip(&output).all(|(printed, expected)| is_like(printed, expected));
        assert!(matches, "README.md:{line}: `{command}` printed\n{printed}");
    }
}

/// Whether a line is the expected one, where `[..]` stands for anything.
fn is_like(line: &str, expected: &str) -> bool {
    let mut parts = expected.split("[..]");
    let Some(mut rest) = line.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<_> = parts.collect();
    for (index, part) in parts.iter().enumerate() {
        let at = if index + 1 == parts.len() {
            rest.ends_with(part).then(|| rest.len() - part.len())
        } else {
            rest.find(part)
        };
        let Some(at) = at else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty()
}

#[test]
fn the_two_set_up_commands_are_there() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    assert!(readme.contains("\ncargo run --release -- --runtime wasmer fixtures/add.wasm add 5 3\ncargo test\n"));
}
