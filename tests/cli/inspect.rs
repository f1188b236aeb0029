//! `wrun inspect`

use serde_json::{Value, json};

use crate::vocabulary::{run, run_with, wrun};

fn inspect(module: &str) -> Value {
    serde_json::from_str(&run(&["inspect", module, "-o", "json"]).stdout).unwrap()
}

#[test]
fn types_are_complete() {
    let report = inspect("fixtures/wat/imports_missing.wat");
    assert_eq!(
        report["imports"],
        json!([
            {"module": "env", "name": "log", "kind": "func", "type": {"params": ["i32"], "results": []}},
            {"module": "env", "name": "memory", "kind": "memory",
             "type": {"minimum": 1, "maximum": null, "shared": false, "memory64": false, "page_size": 65536}},
            {"module": "env", "name": "limit", "kind": "global", "type": {"value": "i64", "mutable": false}},
            {"module": "wasi_snapshot_preview1", "name": "fd_write", "kind": "func",
             "type": {"params": ["i32", "i32", "i32", "i32"], "results": ["i32"]}},
        ])
    );
    assert_eq!(report["capabilities"], json!(["streams", "host"]));
    let tables = inspect("fixtures/wat/table_big.wat");
    let table = json!({"element": "funcref", "minimum": 200_000, "maximum": null, "table64": false});
    assert_eq!(tables["tables"], json!([table]));
}

#[test]
fn features_and_the_engines_that_support_them() {
    for (module, feature, runs) in [
        ("gc", "gc", [true, false, false]),
        ("tail_call", "tail_call", [true, false, false]),
        ("memory64", "memory64", [true, false, false]),
        ("simd", "simd", [true, true, false]),
        ("relaxed_simd", "relaxed_simd", [true, true, false]),
        ("exceptions", "exceptions", [true, true, false]),
        ("threads", "threads", [true, true, true]),
        ("extended_const", "extended_const", [true, true, true]),
        ("two_memories", "multi_memory", [true, true, true]),
    ] {
        let report = inspect(&format!("fixtures/wat/{module}.wat"));
        assert!(report["features"].as_array().unwrap().contains(&json!(feature)), "{module}: {}", report["features"]);
        let engines: Vec<_> = report["engines"].as_array().unwrap().iter().map(|one| one["runs"].as_bool()).collect();
        assert_eq!(engines, runs.map(Some), "{module}");
    }
    assert_eq!(inspect("fixtures/add.wasm")["features"], json!([]));
}

#[test]
fn a_module_whose_imports_are_unresolved_runs_nowhere() {
    let report = inspect("fixtures/wat/imports_missing.wat");
    for engine in report["engines"].as_array().unwrap() {
        assert_eq!((&engine["runs"], &engine["missing"]), (&json!(false), &json!([])), "{engine}");
        let reason = engine["reason"].as_str().unwrap();
        assert!(reason.starts_with("3 unresolved imports:\n  `env` `log`: func (i32) -> ()\n"), "{reason}");
    }
    let text = run(&["inspect", "fixtures/wat/imports_missing.wat"]).stdout;
    for engine in ["wasmtime cranelift", "wasmer cranelift", "wasmer singlepass"] {
        let note = if text.contains(&format!("{engine}: cannot run it (not compiled in)")) {
            " (not compiled in)"
        } else {
            ""
        };
        let line =
            format!("\n  {engine}: cannot run it{note}: 3 unresolved imports:\n    `env` `log`: func (i32) -> ()\n");
        assert!(text.contains(&line), "{text}");
    }
}

#[test]
fn wasix_runs_only_where_it_is_compiled_in() {
    let report = inspect("fixtures/wasix/hello.wasm");
    let engines = report["engines"].as_array().unwrap();
    let runs: Vec<_> = engines.iter().map(|engine| engine["runs"].as_bool().unwrap()).collect();
    let on_wasmer = cfg!(feature = "wasix");
    assert_eq!(runs, [false, on_wasmer, on_wasmer]);
    assert_eq!(engines[0]["reason"], json!("the module needs WASIX, which wasmtime does not have"));
    assert_eq!(engines[1]["reason"].is_null(), on_wasmer);
}

#[test]
fn what_wrun_provides_is_resolved() {
    for module in ["fixtures/add.wasm", "fixtures/c/greet.wasm", "fixtures/extism/plugin.wasm"] {
        let report = inspect(module);
        for engine in report["engines"].as_array().unwrap() {
            assert_eq!((&engine["runs"], &engine["reason"]), (&json!(true), &json!(null)), "{module}: {engine}");
        }
    }
}

#[test]
fn start_function_sections_and_producers() {
    assert!(inspect("fixtures/wat/start_ok.wat")["start"].is_u64());
    let report = inspect("fixtures/c/checksums.wasm");
    let names: Vec<_> = report["custom_sections"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert!(names.contains(&json!("name")) && names.contains(&json!("producers")), "{names:?}");
    assert_eq!(report["producers"][0]["field"], json!("processed-by"));
    assert_eq!(report["size"], json!(std::fs::metadata("fixtures/c/checksums.wasm").unwrap().len()));
}

#[test]
fn json_and_messagepack_are_the_same_report() {
    let output = wrun().args(["inspect", "fixtures/c/checksums.wasm", "-o", "msgpack"]).output().unwrap();
    let report: Value = rmp_serde::from_slice(&output.stdout).unwrap();
    assert_eq!(report, inspect("fixtures/c/checksums.wasm"));
}

#[test]
fn the_module_can_come_from_standard_input() {
    let output = run_with(&["inspect", "-"], "(module (func (export \"f\")))");
    assert_eq!(output.code, 0);
    assert!(output.stdout.contains("f: func () -> ()"), "{output:?}");
}
