//! `wrun compile`

use std::fs;

use serde_json::{Value, json};

use crate::cache::World;
use crate::process::on_each_compiler;
use crate::vocabulary::{CALC, file, run, said};

#[test]
fn what_was_compiled_is_found_by_runs_with_the_same_options() {
    let module = file(CALC);
    let path = module.path.as_str();
    on_each_compiler(|engine| {
        let world = World::new();
        let compile = |options: &[&str]| world.run(&[&["compile"], engine, options, &[path]].concat());
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
            let told = compile(options);
            assert_eq!((told.code, told.stderr.as_str()), (0, ""));
            let expected = if again { "was in the cache already" } else { "compiled in " };
            assert!(told.stdout.starts_with(&format!("{path}: {expected}")), "{}", told.stdout);
            assert_eq!(world.use_of(&[engine, call, &[path, "zero"]].concat()), "hit", "{call:?}");
        }
        assert_eq!(world.entries().len(), 4);
    });
}

#[test]
#[cfg(feature = "wasmtime-runtime")]
fn a_policy_and_determinism_count_as_in_a_run() {
    let world = World::new();
    let policy = world.path("policy.toml");
    fs::write(&policy, "deterministic = 3\nruntime = \"wasmtime\"\n[limits]\nfuel = \"10M\"\n").unwrap();
    let policy = policy.to_str().unwrap();
    assert_eq!(world.run(&["compile", "--policy", policy, "fixtures/add.wasm"]).code, 0);
    let call = ["fixtures/add.wasm", "add", "1", "2"];
    assert_eq!(world.use_of(&[&["--policy", policy], &call[..]].concat()), "hit");
    assert_eq!(world.use_of(&[&["-r", "wasmtime", "--deterministic", "--fuel", "7"], &call[..]].concat()), "hit");
    assert_eq!(world.use_of(&[&["-r", "wasmtime", "--fuel", "7"], &call[..]].concat()), "miss");
    let about = &world.run(&["cache", "list", "-o", "json"]);
    let report: Value = serde_json::from_str(&about.stdout).unwrap();
    let options: Vec<_> =
        report["entries"].as_array().unwrap().iter().map(|one| one["about"]["options"].clone()).collect();
    assert!(options.contains(&json!(["fuel", "deterministic"])), "{options:?}");
}

#[test]
fn several_modules_are_compiled_though_one_of_them_fails() {
    on_each_compiler(|engine| {
        let world = World::new();
        let modules = ["Cargo.toml", "fixtures/add.wasm", "/no/such.wasm", "fixtures/wat/recursion.wat"];
        let told = world.run(&[&["compile"], engine, &modules].concat());
        assert_eq!((told.code, told.stdout.lines().count()), (126, 2), "{told:?}");
        assert!(told.stderr.contains("error: Cargo.toml: not a WebAssembly module"), "{}", told.stderr);
        assert!(told.stderr.contains("error: no such module file: /no/such.wasm"), "{}", told.stderr);
        assert_eq!(world.entries().len(), 2);

        let told = world.run(&[&["compile", "-o", "json"], engine, &modules].concat());
        assert_eq!((told.code, told.stderr.as_str()), (126, ""));
        let report: Value = serde_json::from_str(&told.stdout).unwrap();
        assert_eq!(report[0]["error"]["kind"], json!("invalid_module"));
        assert_eq!(
            (&report[0]["ok"], &report[0]["cache"], &report[0]["key"]),
            (&json!(false), &json!(null), &json!(null))
        );
        assert_eq!((&report[1]["ok"], &report[1]["cache"]), (&json!(true), &json!("hit")));
        assert_eq!((&report[1]["module"], &report[1]["compile_ns"]), (&json!("fixtures/add.wasm"), &json!(null)));
        assert!(report[1]["compiled_bytes"].as_u64().unwrap() > 100);
        let key = report[1]["key"].as_str().unwrap();
        assert!(world.entries().iter().any(|entry| entry.to_str().unwrap().contains(key)));
        assert_eq!(report[2]["error"]["kind"], json!("module_not_found"));
        let packed =
            world.wrun().args([&["compile", "-o", "msgpack"], engine, &modules].concat()).output().unwrap().stdout;
        assert_eq!(rmp_serde::from_slice::<Value>(&packed).unwrap(), report);
    });
}

#[test]
fn a_module_on_standard_input_is_compiled_too() {
    let world = World::new();
    let output =
        world.wrun().args(["compile", "-"]).write_stdin(fs::read("fixtures/add.wasm").unwrap()).output().unwrap();
    assert_eq!(said(&output).code, 0);
    assert_eq!(world.use_of(&["fixtures/add.wasm", "add", "1", "2"]), "hit");
    assert!(world.run(&["cache", "list"]).stdout.starts_with("-  "), "it has no name");
}

#[test]
fn nothing_is_compiled_for_nowhere() {
    run(&["compile", "fixtures/add.wasm"]).fails(2, &["no folder for a cache", "--cache-dir"]);
    run(&["compile"]).fails(2, &["MODULES"]);
    let world = World::new();
    let small = world.wrun().env("WRUN_CACHE_SIZE", "1KiB").args(["compile", "fixtures/add.wasm"]).output().unwrap();
    said(&small).fails(125, &["fixtures/add.wasm: ", "bytes is more than the 1024 the cache may take"]);
}
