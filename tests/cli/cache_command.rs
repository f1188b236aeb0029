//! `wrun cache`

use std::fs;

use serde_json::{Value, json};

use crate::cache::{ADD, TestCache, rewrite};
use crate::process::on_each_compiler;
use crate::vocabulary::{printed, run};

#[test]
fn a_cache_is_listed_and_cleared() {
    on_each_compiler(|engine| {
        let cache = TestCache::new();
        cache.run(&["cache", "path"]).prints(&format!("{}\n", cache.folder().display()));
        cache.run(&["cache", "list"]).prints("0 entries, 0 B of at most 1.0 GiB\n");
        cache.run(&["cache", "verify"]).prints("0 checked, 0 bad\n");
        cache.run(&["cache", "clear"]).prints("removed 0 entries (0 B), 0 entries left (0 B)\n");
        assert!(!cache.folder().exists(), "looking for the cache does not create it");

        cache.run(&[engine, &ADD].concat()).prints("8\n");
        let [_, runtime, _, compiler] = engine else { panic!("{engine:?}") };
        let list = cache.run(&["cache", "list"]).stdout;
        assert!(list.starts_with(&format!("add.wasm  {runtime} ")) && list.contains(compiler), "{list}");
        assert!(list.contains("just now\n1 entry, "), "{list}");
        let report: Value = serde_json::from_str(&cache.run(&["cache", "list", "-o", "json"]).stdout).unwrap();
        assert_eq!(report["path"], json!(cache.folder()));
        assert_eq!(report["bytes"], json!(cache.entries()[0].metadata().unwrap().len()));
        let about = &report["entries"][0]["about"];
        assert_eq!((&about["module"], &about["runtime"]), (&json!("add.wasm"), &json!(runtime)));
        let packed = cache.wrun().args(["cache", "list", "-o", "msgpack"]).output().unwrap().stdout;
        assert_eq!(rmp_serde::from_slice::<Value>(&packed).unwrap(), report);

        let cleared: Value = serde_json::from_str(&cache.run(&["cache", "clear", "-o", "json"]).stdout).unwrap();
        assert_eq!((&cleared["removed"], &cleared["kept"]), (&json!(1), &json!(0)));
        assert!(cache.entries().is_empty());
    });
}

#[test]
fn prune_and_the_environment_limit_the_size() {
    let cache = TestCache::new();
    cache.run(&ADD).prints("8\n");
    cache.run(&["fixtures/wat/recursion.wat", "fib", "5"]).prints("5\n");
    let pruned = cache.run(&["cache", "prune"]).stdout;
    assert!(pruned.starts_with("removed 0 entries (0 B), 2 entries left"), "{pruned}");
    let all: u64 = cache.entries().iter().map(|entry| entry.metadata().unwrap().len()).sum();
    let pruned = cache.run(&["cache", "prune", "--max-size", &format!("{}B", all - 1)]).stdout;
    assert!(pruned.starts_with("removed 1 entry ("), "{pruned}");
    let pruned = printed(&cache.wrun().env("WRUN_CACHE_SIZE", "1KiB").args(["cache", "prune"]).output().unwrap());
    assert!(pruned.stdout.starts_with("removed 1 entry ("), "{}", pruned.stdout);
    printed(&cache.wrun().env("WRUN_CACHE_SIZE", "1KiB").args(ADD).output().unwrap()).prints("8\n");
    assert!(cache.entries().is_empty(), "an entry above the maximum size is not kept");
    let path: Value = serde_json::from_slice(
        &cache.wrun().env("WRUN_CACHE_SIZE", "2MiB").args(["cache", "path", "-o", "json"]).output().unwrap().stdout,
    )
    .unwrap();
    assert_eq!(path, json!({"path": cache.folder(), "from": "environment", "max_bytes": 2 << 20}));

    printed(&cache.wrun().env("WRUN_CACHE_SIZE", "much").args(ADD).output().unwrap())
        .fails(2, &["WRUN_CACHE_SIZE", "unit"]);
    printed(&cache.wrun().env("WRUN_CACHE_SIZE", "much").arg("--no-cache").args(ADD).output().unwrap()).prints("8\n");
    cache.run(&["cache", "list", "--max-size", "1GiB"]).fails(2, &["--max-size", "prune"]);
    cache.run(&["cache", "clear", "--remove"]).fails(2, &["--remove", "verify"]);
    cache.run(&["cache", "burn"]).fails(2, &["burn"]);
    cache.run(&["cache"]).fails(2, &["ACTION"]);
    run(&["cache", "path"]).fails(2, &["neither XDG_CACHE_HOME nor HOME", "--cache-dir"]);
}

#[test]
fn verify_fails_if_it_leaves_bad_entries() {
    let cache = TestCache::new();
    cache.run(&ADD).prints("8\n");
    let entry = cache.entries().remove(0);
    rewrite(&entry, b"nothing");
    let key = entry.file_stem().unwrap().to_str().unwrap();
    for _ in 0..2 {
        let verified = cache.run(&["cache", "verify"]);
        assert_eq!((verified.code, verified.stdout), (1, format!("{key}: the file is too short\n1 checked, 1 bad\n")));
    }
    let report = cache.run(&["cache", "verify", "--remove", "-o", "json"]);
    let report = (report.code, serde_json::from_str::<Value>(&report.stdout).unwrap());
    let bad = json!([{"key": key, "bytes": 7, "fault": "the file is too short"}]);
    assert_eq!(report, (0, json!({"path": cache.folder(), "checked": 1, "bad": bad, "removed": true})));
    cache.run(&["cache", "verify"]).prints("0 checked, 0 bad\n");
}

#[test]
fn control_characters_in_names_are_escaped_in_lists() {
    let cache = TestCache::new();
    let odd = cache.path("a\u{1b}[2J\nb.wasm");
    fs::copy("fixtures/add.wasm", &odd).unwrap();
    cache.run(&[odd.to_str().unwrap(), "add", "1", "2"]).prints("3\n");
    let list = cache.run(&["cache", "list"]).stdout;
    assert!(list.starts_with("a\\u{1b}[2J\\u{a}b.wasm"), "{list}");
}
