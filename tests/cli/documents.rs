//! Runs the `console` blocks of README.md and docs/*.md: each line after `$ ` in a shell, and compares its output. Blocks that name
//! tools (`console needs=parallel,python:pyspark`) are skipped where one is missing. Blocks that name a file show all of it
//! (`python file=docs/scale-out/spark_pipe.py`).
#![cfg(all(feature = "wasmtime-runtime", feature = "wasmer-runtime", feature = "wasix"))]

use std::fs;
use std::path::{Path, PathBuf};

use crate::scale_out::{missing, search_path};
use crate::vocabulary::{Command, printed, skipped, wrun};

/// A command in a document and the output it promises. `[..]` in the output stands for any text in a line.
struct Example {
    place: String,
    command: String,
    output: Vec<String>,
    /// The tools that it needs, separated by commas.
    needs: String,
}

#[test]
fn the_policy_of_the_documents_is_accepted() {
    let document = fs::read_to_string("docs/policy.md").unwrap();
    let (_, policy) = document.split_once("```toml\n").unwrap();
    let (policy, _) = policy.split_once("```").unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    let path = folder.path().join("policy.toml");
    fs::write(&path, policy).unwrap();
    for args in [&["--explain", "x"][..], &["fixtures/wasix/hello.wasm"]] {
        let mut command = wrun();
        command.args(["--policy", path.to_str().unwrap()]).args(args).env("HOME", folder.path());
        let printed = printed(&command.output().unwrap());
        assert_eq!((printed.code, printed.stderr.as_str()), (0, ""), "{printed:?}");
    }
}

fn documents() -> Vec<PathBuf> {
    let docs = fs::read_dir("docs").unwrap().map(|entry| entry.unwrap().path());
    let docs = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    [PathBuf::from("README.md")].into_iter().chain(docs).collect()
}

fn examples(document: &Path) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let (mut inside, mut needs) = (false, "");
    let text = fs::read_to_string(document).unwrap();
    for (index, line) in text.lines().enumerate() {
        let place = format!("{}:{}", document.display(), index + 1);
        if line.starts_with("```") {
            inside = line.starts_with("```console");
            needs = line.split_once(" needs=").map_or("", |(_, needs)| needs);
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            examples.push(Example { place, command: command.to_owned(), output: Vec::new(), needs: needs.to_owned() });
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
    let examples = examples(document);
    for Example { place, command, output, needs } in &examples {
        if let Some(tool) = missing(needs) {
            skipped(&format!("{place} needs {tool}"));
            continue;
        }
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{{ {command}; }} 2>&1")]).env("PATH", search_path()).env("HOME", home.path());
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
fn listings_show_whole_files() {
    let mut listings = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for block in text.split("\n```").filter(|block| block.lines().next().unwrap().contains(" file=")) {
            let (head, listing) = block.split_once('\n').unwrap();
            let file = head.split_once(" file=").unwrap().1;
            assert_eq!(format!("{listing}\n"), fs::read_to_string(file).unwrap(), "{}: {file}", document.display());
            listings += 1;
        }
    }
    assert!(listings >= 3, "there are too few listings: {listings}");
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
