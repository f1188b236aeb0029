//! `wrun schema`: real reports fit the schemas.

use std::fs;

use serde_json::{Value, json};

use crate::json_schema::Schema;
use crate::vocabulary::{CALC, File, Printed, endless, file, on_each_engine, run, run_with, skipped, wrun};
use crate::wrong_reports::wrong_reports;

fn schema(name: &str) -> String {
    let Printed { stdout, stderr, code } = run(&["schema", name]);
    assert_eq!((code, stderr.as_str()), (0, ""), "{name}");
    stdout
}

/// Checks that a value fits a schema.
#[track_caller]
fn fits_schema(name: &str, schema: &Schema, value: &Value) {
    let errors = schema.errors(value);
    assert!(errors.is_empty(), "{name}: {}\nin {value}", errors.join("\n"));
}

/// Checks that a value fits a schema, and that it does not with any one mistake.
#[track_caller]
pub(crate) fn fits(name: &str, value: &Value) {
    let schema = Schema::new(&schema(name));
    fits_schema(name, &schema, value);
    for (place, wrong) in wrong_reports(value) {
        assert!(!schema.errors(&wrong).is_empty(), "{name} allows a mistake at `{place}`: {wrong}");
    }
}

/// Runs `wrun`, checks its report in JSON and in MessagePack, and returns the one in JSON.
#[track_caller]
pub(crate) fn prints(name: &str, args: &[&str]) -> Value {
    let Printed { stdout, stderr, .. } = run(args);
    let value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{args:?}: {error}: {stdout}{stderr}"));
    fits(name, &value);
    let mut args: Vec<_> = args.iter().map(|arg| if *arg == "json" { "msgpack" } else { arg }).collect();
    if !args.contains(&"msgpack") {
        args.splice(..0, ["-o", "msgpack"]);
    }
    let packed = wrun().args(&args).output().unwrap().stdout;
    fits(name, &rmp_serde::from_slice(&packed).unwrap_or_else(|error| panic!("{args:?}: {error}")));
    value
}

/// A module that reaches limits.
fn grows() -> File {
    file(
        r#"(module (memory (export "memory") 1) (table 1 funcref)
          (func (export "grow") (result i32) (memory.grow (i32.const 99)))
          (func (export "f") (if (i32.eq (memory.grow (i32.const 99)) (i32.const -1)) (then unreachable)))
          (func $deep (export "deep") (call $deep)) (func (export "spin") (loop (br 0))))"#,
    )
}

#[cfg(feature = "components")]
fn shop() -> File {
    file(include_str!("shop.wat"))
}

#[test]
fn envelopes_fit() {
    let (calc, writer) = (file(CALC), file(endless("wasi_snapshot_preview1")));
    let grows = grows();
    on_each_engine(|engine| {
        let envelope = |args: &[&str]| prints("envelope", &[&["-r", engine, "--metrics", "--no-cache"], args].concat());
        assert_eq!(envelope(&[&calc.path, "add", "5", "3"])["result"], 8);
        assert_eq!(envelope(&[&calc.path, "pair", "5"])["result"], json!([5, 1]));
        assert_eq!(envelope(&[&calc.path, "nothing"])["result"], Value::Null);
        assert_eq!(envelope(&[&calc.path, "neg", "inf"])["result"], "-inf");
        assert_eq!(envelope(&[&calc.path, "div", "1", "0"])["error"]["trap"], "integer_divide_by_zero");
        assert_eq!(envelope(&[&calc.path, "add", "1"])["error"]["kind"], "invalid_argument");
        assert_eq!(envelope(&[&calc.path, "ad", "1"])["error"]["kind"], "unknown_export");
        assert_eq!(envelope(&["--fuel", "9", &grows.path, "spin"])["error"]["kind"], "out_of_fuel");
        assert_eq!(envelope(&["--timeout", "50ms", &grows.path, "spin"])["error"]["kind"], "timeout");
        assert_eq!(envelope(&["--memory", "1MiB", &grows.path, "f"])["error"]["limit"]["kind"], "memory");
        assert_eq!(envelope(&["--memory", "1KiB", &grows.path, "f"])["error"]["kind"], "limit");
        assert_eq!(envelope(&[&grows.path, "deep"])["error"]["kind"], "trap");
        let cut = envelope(&["--capture=9B", "--timeout", "50ms", &writer.path]);
        assert_eq!(cut["stdout_truncated"], true);
    });
}

#[test]
fn envelopes_of_guests_that_exit_fit() {
    let exits = file(
        r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          (memory (export "memory") 1) (func (export "_start") (call $exit (i32.const 200))))"#,
    );
    on_each_engine(|engine| {
        let envelope = prints("envelope", &["-r", engine, "--metrics", "--capture", "--no-cache", &exits.path]);
        assert_eq!((&envelope["guest_exit_code"], &envelope["exit_code"]), (&json!(200), &json!(125)));
    });
}

#[test]
fn envelopes_with_output_fit() {
    let writes = file(
        r#"(module (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 1) (data (i32.const 0) "\08\00\00\00\02\00\00\00\ff\fe")
          (func (export "_start")
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 100)))
            (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 100)))))"#,
    );
    on_each_engine(|engine| {
        // MessagePack has bytes.
        let printed = run(&["-r", engine, "--metrics", "--capture=1B", "--no-cache", &writes.path]);
        let envelope: Value = serde_json::from_str(&printed.stdout).unwrap();
        fits("envelope", &envelope);
        assert_eq!(envelope["stdout"], json!({"base64": "/w=="}));
        assert_eq!((&envelope["stderr_truncated"], &envelope["stderr_bytes"]), (&json!(true), &json!(2)));
    });
}

#[test]
fn the_error_of_an_envelope_fits() {
    let envelope = prints("envelope", &["--metrics", "--no-cache", "fixtures/add.wasm", "ad", "5", "3"]);
    fits("error", &envelope["error"]);
}

#[test]
fn batches_fit() {
    let calc = file(CALC);
    on_each_engine(|engine| {
        for (function, records, more) in [
            ("add", "[1,2]\n{\"id\":\"a\",\"args\":[3,4]}\n", &["--fuel", "99"][..]),
            ("div", "{\"id\":[7],\"args\":[1,0]}\n[1,0]\n[\"x\",0]\n", &[]),
            ("div", "[1,0]\n", &["--on-error", "fail"]),
            ("no", "[1,0]\n", &[]),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let (metrics, errors) = (folder.path().join("metrics"), folder.path().join("errors"));
            let [metrics, errors] = [&metrics, &errors].map(|path| path.to_str().unwrap());
            let args = ["batch", "-r", engine, "--no-cache", "--metrics", metrics, "--errors", errors];
            let mut args = [&args[..], more, &[&calc.path, function]].concat();
            if more.contains(&"fail") {
                args.retain(|arg| *arg != "--errors" && *arg != errors);
            }
            let printed = run_with(&args, records);
            let read = |path| fs::read_to_string(path).unwrap_or_default();
            let metrics = serde_json::from_str(&read(metrics));
            fits("batch", &metrics.unwrap_or_else(|error| panic!("{function}: {error}: {}", printed.stderr)));
            let records: Vec<_> = printed.stdout.lines().chain(read(errors).lines()).map(str::to_owned).collect();
            for record in records.iter().filter(|line| line.starts_with('{')) {
                fits("record", &serde_json::from_str(record).unwrap());
            }
        }
    });
}

#[test]
fn reports_fit() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().to_str().unwrap();
    let calc = file(CALC);
    prints("engines", &["engines", "-o", "json"]);
    prints("explain", &["--explain", "-o", "json", "--no-cache", "fixtures/add.wasm", "add"]);
    let explained = &["--explain", "-o", "json", "--dir", "src::/s::ro", "--env", "A=b", "--memory", "1MiB", "a.wasm"];
    assert_eq!(prints("explain", explained)["grants"]["dirs"][0]["read_only"], true);
    let policy = folder.path().join("policy.toml");
    fs::write(&policy, "[limits]\nmemory = \"1MiB\"\n").unwrap();
    let policy = policy.to_str().unwrap();
    let mut granted = vec!["--explain", "-o", "json", "--policy", policy, "--config", "a=b", "a.wasm"];
    if cfg!(any(feature = "components", feature = "http")) {
        granted.splice(..0, ["--net", "127.0.0.1:80"]);
    }
    assert_eq!(prints("explain", &granted)["limits"]["memory"], json!({"value": 1 << 20, "from": "policy"}));
    prints("explain", &["batch", "--explain", "-o", "json", &calc.path, "add"]);
    let compile = ["compile", "-o", "json", "--cache-dir", cache, &calc.path, "no-such.wasm", "README.md"];
    assert_eq!(prints("compile", &compile).as_array().unwrap().len(), 3);
    assert_eq!(prints("compile", &compile)[0]["cache"], "hit");
    prints("compile", &["compile", "-o", "json", "--cache-dir", cache, "--opt", "size", &calc.path]);
    prints("cache-path", &["cache", "path", "-o", "json", "--cache-dir", cache]);
    let listed = prints("cache-list", &["cache", "list", "-o", "json", "--cache-dir", cache]);
    let key = listed["entries"][0]["key"].as_str().unwrap().to_owned();
    prints("cache-verify", &["cache", "verify", "-o", "json", "--cache-dir", cache]);
    let entry = walk(folder.path()).into_iter().find(|path| path.to_string_lossy().contains(&key)).unwrap();
    fs::write(entry, "damaged").unwrap();
    assert_eq!(
        prints("cache-list", &["cache", "list", "-o", "json", "--cache-dir", cache])["entries"][0]["about"],
        Value::Null
    );
    let verified = prints("cache-verify", &["cache", "verify", "-o", "json", "--cache-dir", cache]);
    assert_eq!(verified["bad"].as_array().unwrap().len(), 1, "{verified}");
    prints("cache-prune", &["cache", "prune", "-o", "json", "--cache-dir", cache]);
    prints("cache-prune", &["cache", "clear", "-o", "json", "--cache-dir", cache]);
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn comparisons_fit() {
    let calc = file(CALC);
    let printing = file(
        r#"(module (memory (export "memory") 1) (global (export "g") (mut i64) (i64.const 5))
          (func (export "f") (param f64) (result f64) (f64.div (local.get 0) (f64.const 0)))
          (func $deep (export "deep") (call $deep)))"#,
    );
    for args in [
        &[calc.path.as_str(), "add", "5", "3"][..],
        &[&calc.path, "div", "5", "0"],
        &[&printing.path, "f", "0"],
        &[&printing.path, "deep"],
        &["--memory", "1KiB", &printing.path, "f", "0"],
    ] {
        prints("diff", &[&["diff", "-o", "json"], args].concat());
    }
    // A file that has other contents each time.
    let uuid = ["diff", "-o", "json", "--dir", "/proc/sys/kernel/random::/r::ro", "fixtures/c/greet.wasm"];
    let differs = prints("diff", &[&uuid[..], &["--", "/r/uuid", "7"]].concat());
    assert_eq!((&differs["verdict"], &differs["runs"][0]["ending"]), (&json!("differ"), &json!({"exited": 7})));
    assert!(differs["runs"][1]["memories"]["memory"]["first_difference"].is_u64(), "{differs}");
    let denied = prints("diff", &["diff", "-o", "json", "--memory", "1MiB", &grows().path, "grow"]);
    assert_eq!(denied["runs"][0]["denied"]["kind"], "memory");
}

/// Wasmer runs neither module.
#[cfg(feature = "wasmtime-runtime")]
#[test]
fn reports_about_refusals_fit() {
    let tail_call = file(r#"(module (func $nothing) (func (export "f") return_call $nothing))"#);
    prints("diff", &["diff", "-o", "json", &tail_call.path, "f"]);
    prints("bench", &["bench", "--time=1ms", "-o", "json", "fixtures/wat/gc.wat", "run"]);
}

#[test]
fn inspections_fit() {
    let schema = Schema::new(&schema("inspect"));
    let mut modules = 0;
    let fixtures = walk("fixtures".as_ref());
    for path in fixtures.iter().filter(|path| path.extension().is_some_and(|extension| extension == "wasm")) {
        let Printed { stdout, code, .. } = run(&["inspect", "-o", "json", path.to_str().unwrap()]);
        if code == 0 {
            fits_schema("inspect", &schema, &serde_json::from_str(&stdout).unwrap());
            modules += 1;
        }
    }
    assert!(modules >= 20, "{modules}");
    let typed = file(
        r#"(module (import "env" "g" (global (mut i64))) (import "env" "t" (table 1 2 funcref))
          (memory (export "m") 1 2) (tag (export "e") (param i32)) (func (export "f") (result v128) unreachable))"#,
    );
    prints("inspect", &["inspect", "-o", "json", &typed.path]);
    #[cfg(feature = "components")]
    assert_eq!(prints("inspect", &["inspect", "-o", "json", &shop().path])["kind"], "component");
}

#[cfg(feature = "components")]
#[test]
fn envelopes_of_components_fit() {
    let envelope = prints("envelope", &["--metrics", "--no-cache", &shop().path, "no-such-function"]);
    assert_eq!(envelope["error"]["kind"], "unknown_export");
}

#[test]
fn benches_fit() {
    let calc = file(CALC);
    let measured = prints("bench", &["bench", "--time=20ms", "-o", "json", &calc.path, "add", "5", "3"]);
    let baseline = file(measured.to_string());
    let path = baseline.path.as_str();
    let compared = &["bench", "--time=20ms", "-o", "json", "--baseline", path, "--max-regression=9999%", &calc.path];
    assert_ne!(prints("bench", &[&compared[..], &["add", "5", "3"]].concat())["baseline"]["changes"], json!([]));
}

#[test]
fn all_schemas_are_one_document() {
    let all: Value = serde_json::from_str(&run(&["schema"]).stdout).unwrap();
    for name in [
        "envelope",
        "error",
        "batch",
        "record",
        "diff",
        "diff-record",
        "diff-fuzz",
        "bench",
        "explain",
        "inspect",
        "engines",
        "compile",
        "cache-list",
    ] {
        assert_eq!(serde_json::from_str::<Value>(&schema(name)).unwrap()["$defs"][name], all["$defs"][name], "{name}");
    }
    run(&["schema", "no"]).fails(2, &["invalid value 'no'"]);
}

/// Checks the schemas and some reports with the validator of Python's package `jsonschema`, if it is installed.
#[test]
fn another_validator_agrees() {
    let program = "import json, subprocess, sys
from jsonschema import Draft202012Validator as Validator
wrun = lambda *args: json.loads(subprocess.run([sys.argv[1], *args], capture_output=True).stdout)
Validator.check_schema(wrun('schema'))
add = ['fixtures/add.wasm', 'add', '5']
for name, *args in [('envelope', '--metrics', *add, '3'), ('envelope', '--metrics', *add), ('diff', 'diff', '-o', 'json', *add, '3'),
                    ('inspect', 'inspect', '-o', 'json', add[0]), ('engines', 'engines', '-o', 'json'),
                    ('explain', '--explain', '-o', 'json', add[0])]:
    schema, report = wrun('schema', name), wrun(*args)
    Validator.check_schema(schema)
    Validator(schema).validate(report)
    if isinstance(report, dict):
        assert not Validator(schema).is_valid({**report, 'new': 1}), name
print('ok')";
    let mut python = crate::vocabulary::Command::new("python3");
    let Ok(output) = python.args(["-c", program, crate::vocabulary::WRUN]).output() else {
        return skipped("python3 is not installed");
    };
    let errors = String::from_utf8_lossy(&output.stderr);
    if errors.contains("No module named 'jsonschema'") {
        return skipped("Python's package jsonschema is not installed");
    }
    assert_eq!(String::from_utf8_lossy(&output.stdout), "ok\n", "{errors}");
}
