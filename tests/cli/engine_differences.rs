//! Runs the modules of docs/engine-differences.md: each differs as the document says.
#![cfg(all(feature = "wasmtime-runtime", feature = "wasmer-runtime", target_arch = "x86_64"))]

use std::fs;

use crate::vocabulary::{file, run};

/// A module of the document, and what `wrun diff` prints after the runs.
#[derive(Default)]
struct Example {
    options: Vec<String>,
    module: String,
    output: String,
}

fn examples() -> Vec<Example> {
    let document = fs::read_to_string("docs/engine-differences.md").unwrap();
    let mut examples: Vec<Example> = Vec::new();
    let mut block = None;
    for line in document.lines() {
        match (line.strip_prefix("```"), block) {
            (Some(info), None) => {
                let kind = info.split(' ').next().unwrap_or_default();
                if kind == "wat" {
                    let options = info.split_once("options=").map(|(_, options)| options.split(' '));
                    let options = options.into_iter().flatten().map(str::to_owned).collect();
                    examples.push(Example { options, ..Example::default() });
                }
                block = Some(kind);
            }
            (Some(_), Some(_)) => block = None,
            (None, Some(kind)) => {
                let example = examples.last_mut().unwrap();
                let text = if kind == "wat" { &mut example.module } else { &mut example.output };
                *text += &format!("{line}\n");
            }
            (None, None) => {}
        }
    }
    examples
}

#[test]
fn each_module_differs_as_the_document_says() {
    let examples = examples();
    assert!(examples.len() >= 10, "{} examples", examples.len());
    for Example { options, module, output } in examples {
        let path = file(&module);
        let args: Vec<_> =
            ["diff"].into_iter().chain(options.iter().map(String::as_str)).chain([&*path.path, "f"]).collect();
        let printed = run(&args);
        let runs = printed.stdout.lines().count() - output.lines().count();
        let after: String = printed.stdout.lines().skip(runs).map(|line| format!("{line}\n")).collect();
        assert_eq!(after, output, "{module}{printed:?}");
        assert_eq!(runs, 8, "a header and seven variants: {printed:?}");
        assert_eq!(printed.code, if output.ends_with("\ndiffer\n") { 1 } else { 2 }, "{printed:?}");
    }
}
