//! `wrun engines`, `wrun completions`, `wrun man`

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::vocabulary::{Command, run, skipped, wrun};

#[test]
fn each_engine_and_compiler_has_an_entry() {
    let report: Value = serde_json::from_str(&run(&["engines", "-o", "json"]).stdout).unwrap();
    let entries = report.as_array().unwrap();
    let names: Vec<_> = entries.iter().map(|one| (one["runtime"].clone(), one["compiler"].clone())).collect();
    let expected = [("wasmtime", "cranelift"), ("wasmer", "cranelift"), ("wasmer", "singlepass")];
    assert_eq!(names, expected.map(|(runtime, compiler)| (json!(runtime), json!(compiler))));
    for kind in wrun::RuntimeKind::ALL {
        let entry = entries.iter().find(|one| one["runtime"] == json!(kind.as_str())).unwrap();
        assert_eq!(entry["compiled_in"], json!(kind.is_available()));
        assert_eq!(entry["enforces"].as_array().unwrap().len(), 6);
    }
    assert_eq!(entries.iter().filter(|one| one["default"] == json!(true)).count(), 1);
}

#[test]
fn versions_match_the_manifest() {
    let manifest = fs::read_to_string("Cargo.toml").unwrap();
    for kind in wrun::RuntimeKind::ALL {
        let pin = format!("{kind} = {{ version = \"={}\"", kind.version());
        assert!(manifest.contains(&pin), "{pin}");
    }
}

#[test]
fn the_table_in_the_docs_is_current() {
    let document = fs::read_to_string("docs/engines.md").unwrap();
    let (_, rest) = document.split_once("<!-- engines -->\n").unwrap();
    let (table, _) = rest.split_once("<!-- /engines -->").unwrap();
    assert!(table == run(&["engines", "-o", "markdown"]).stdout, "stale: run `wrun engines -o markdown`");
}

#[test]
fn messagepack_is_the_same_report() {
    let output = wrun().args(["engines", "-o", "msgpack"]).output().unwrap();
    let report: Value = rmp_serde::from_slice(&output.stdout).unwrap();
    assert_eq!(report, serde_json::from_str::<Value>(&run(&["engines", "-o", "json"]).stdout).unwrap());
}

#[test]
fn completions_are_current() {
    for (shell, file) in [
        ("bash", "wrun.bash"),
        ("elvish", "wrun.elv"),
        ("fish", "wrun.fish"),
        ("powershell", "_wrun.ps1"),
        ("zsh", "_wrun"),
    ] {
        let kept = fs::read_to_string(format!("completions/{file}")).unwrap();
        let fresh = run(&["completions", shell]).stdout;
        assert!(fresh == kept, "stale: run `wrun completions {shell} > completions/{file}`");
    }
}

#[test]
fn manual_pages_are_current() {
    let folder = tempfile::tempdir().unwrap();
    run(&["man", folder.path().to_str().unwrap()]).prints("");
    let pages = |folder: &Path| {
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files.map(|file| (file.file_name().unwrap().to_owned(), fs::read_to_string(&file).unwrap())).collect()
    };
    let (fresh, kept): (BTreeMap<_, _>, BTreeMap<_, _>) = (pages(folder.path()), pages("docs/man".as_ref()));
    assert!(fresh == kept, "stale: run `rm docs/man/*; wrun man docs/man`");
    assert_eq!(run(&["man"]).stdout, kept[OsStr::new("wrun.1")]);
}

#[test]
fn manual_pages_are_formatted_without_warnings() {
    for page in fs::read_dir("docs/man").unwrap().map(|entry| entry.unwrap().path()) {
        let mut groff = Command::new("groff");
        let Ok(output) = groff.args(["-man", "-Tutf8", "-ww", "-z"]).arg(&page).output() else {
            return skipped("groff is not installed");
        };
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{}", page.display());
    }
}
