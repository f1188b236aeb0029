//! `wrun compile`

use std::fs;

use serde_json::{Value, json};

use crate::cache::TestCache;
use crate::process::on_each_compiler;
use crate::vocabulary::{CALC, file, printed, run};

#[test]
fn runs_with_the_same_options_use_the_compiled_code() {
    let module = file(CALC);
    let path = module.path.as_str();
    on_each_compiler(|engine| {
        let cache = TestCache::new();
        let compile = |options: &[&str]| cache.run(&[&["compile"], engine, options, &[path]].concat());
        let calls: [&[&str]; 5] = [
            &[],
            &["--fuel", "1M"],
            &["--timeout", "1m"],
            &["--fuel", "5", "--timeout", "1s"],
            &["--memory", "1MiB", "--table-elements", "5", "--env", "A=B"],
        ];
        for (number, call) in calls.iter().enumerate() {
            let options = if call.contains(&"--memory") { &[] } else { *call };
            let again = number == 4;
            let output = compile(options);
            assert_eq!((output.code, output.stderr.as_str()), (0, ""));
            let expected = if again { "was in the cache already" } else { "compiled in " };
            assert!(output.stdout.starts_with(&format!("{path}: {expected}")), "{}", output.stdout);
            assert_eq!(cache.lookup(&[engine, call, &[path, "zero"]].concat()), "hit", "{call:?}");
        }
        assert_eq!(cache.entries().len(), 4);
    });
}

#[test]
#[cfg(feature = "wasmtime-runtime")]
fn a_policy_and_determinism_count_as_in_a_run() {
    let cache = TestCache::new();
    let policy = cache.path("policy.toml");
    fs::write(&policy, "deterministic = 3\nruntime = \"wasmtime\"\n[limits]\nfuel = \"10M\"\n").unwrap();
    let policy = policy.to_str().unwrap();
    assert_eq!(cache.run(&["compile", "--policy", policy, "fixtures/add.wasm"]).code, 0);
    let call = ["fixtures/add.wasm", "add", "1", "2"];
    assert_eq!(cache.lookup(&[&["--policy", policy], &call[..]].concat()), "hit");
    assert_eq!(cache.lookup(&[&["-r", "wasmtime", "--deterministic", "--fuel", "7"], &call[..]].concat()), "hit");
    assert_eq!(cache.lookup(&[&["-r", "wasmtime", "--fuel", "7"], &call[..]].concat()), "miss");
    let about = &cache.run(&["cache", "list", "-o", "json"]);
    let report: Value = serde_json::from_str(&about.stdout).unwrap();
    let options: Vec<_> =
        report["entries"].as_array().unwrap().iter().map(|one| one["about"]["options"].clone()).collect();
    assert!(options.contains(&json!(["fuel", "deterministic"])), "{options:?}");
}

#[test]
fn the_other_modules_are_compiled_if_one_fails() {
    on_each_compiler(|engine| {
        let cache = TestCache::new();
        let modules = ["Cargo.toml", "fixtures/add.wasm", "/no/such.wasm", "fixtures/wat/recursion.wat"];
        let output = cache.run(&[&["compile"], engine, &modules].concat());
        assert_eq!((output.code, output.stdout.lines().count()), (126, 2), "{output:?}");
        assert!(output.stderr.contains("error: Cargo.toml: not a WebAssembly module"), "{}", output.stderr);
        assert!(output.stderr.contains("error: no such module file: /no/such.wasm"), "{}", output.stderr);
        assert_eq!(cache.entries().len(), 2);

        let output = cache.run(&[&["compile", "-o", "json"], engine, &modules].concat());
        assert_eq!((output.code, output.stderr.as_str()), (126, ""));
        let report: Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!(report[0]["error"]["kind"], json!("invalid_module"));
        assert_eq!(
            (&report[0]["ok"], &report[0]["cache"], &report[0]["key"]),
            (&json!(false), &json!(null), &json!(null))
        );
        assert_eq!((&report[1]["ok"], &report[1]["cache"]), (&json!(true), &json!("hit")));
        assert_eq!((&report[1]["module"], &report[1]["compile_ns"]), (&json!("fixtures/add.wasm"), &json!(null)));
        assert!(report[1]["compiled_bytes"].as_u64().unwrap() > 100);
        let key = report[1]["key"].as_str().unwrap();
        assert!(cache.entries().iter().any(|entry| entry.to_str().unwrap().contains(key)));
        assert_eq!(report[2]["error"]["kind"], json!("module_not_found"));
        let packed =
            cache.wrun().args([&["compile", "-o", "msgpack"], engine, &modules].concat()).output().unwrap().stdout;
        assert_eq!(rmp_serde::from_slice::<Value>(&packed).unwrap(), report);
    });
}

#[test]
fn a_module_on_standard_input_is_compiled_too() {
    let cache = TestCache::new();
    let output =
        cache.wrun().args(["compile", "-"]).write_stdin(fs::read("fixtures/add.wasm").unwrap()).output().unwrap();
    assert_eq!(printed(&output).code, 0);
    assert_eq!(cache.lookup(&["fixtures/add.wasm", "add", "1", "2"]), "hit");
    assert!(cache.run(&["cache", "list"]).stdout.starts_with("-  "), "it has no name");
}

#[test]
fn compile_needs_a_usable_cache() {
    run(&["compile", "fixtures/add.wasm"]).fails(2, &["no cache directory", "--cache-dir"]);
    run(&["compile"]).fails(2, &["MODULES"]);
    let cache = TestCache::new();
    let small = cache.wrun().env("WRUN_CACHE_SIZE", "1KiB").args(["compile", "fixtures/add.wasm"]).output().unwrap();
    printed(&small).fails(2, &["fixtures/add.wasm: ", "bytes exceeds the cache's limit of 1024", "WRUN_CACHE_SIZE"]);
}
