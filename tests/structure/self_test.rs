//! The rules find each kind of violation in a small tree.

use crate::Sources;
use crate::rules::{Allowed, violations};

/// A tree without violations.
const CLEAN: [(&str, &str); 11] = [
    (
        "src/lib.rs",
        r#"pub mod error; pub mod config; pub mod value; pub mod backends; pub mod cache;
           #[cfg_attr(not(unix), path = "wasi/disabled.rs")] mod wasi;
           pub use cache::Cache; pub use error::Error;"#,
    ),
    ("src/main.rs", "mod cli; fn main() { cli::run() }"),
    ("src/cli.rs", "use wrun::{Cache, Error}; pub fn run() { wrun::backends::create() }"),
    (
        "src/error.rs",
        r##"/* crate::cache /* nested */ crate::cache */ // crate::cache
            fn f<'a>() { ("crate::cache", r#"use crate::"cache";"#, b"\"crate::cache", '"', '\'', b'"') }
            #[cfg(test)] mod tests { use super::*; use crate::cache::Cache; fn f() { crate::cache::f() } }"##,
    ),
    ("src/config.rs", ""),
    ("src/value.rs", "use crate::{error::{self, Error}}; mod sealed { use super::super::error::f; } use error::X;"),
    ("src/cache.rs", "use crate::value; use super::backends::{Engine, create}; pub struct Cache(value::Value);"),
    (
        "src/backends/mod.rs",
        "//! Engines.\n #[cfg(unix)] pub(crate) mod wasmtime; pub use wasmtime::{Engine, create,};",
    ),
    ("src/backends/wasmtime/mod.rs", "mod runtime; pub use runtime::{Engine, create};"),
    (
        "src/backends/wasmtime/runtime.rs",
        "use wasmtime::Engine as E; pub struct Engine; pub fn create() { wasmtime::f() }",
    ),
    ("src/wasi/disabled.rs", "use wasmtime_wasi::p1; use std::fmt; fn f() -> impl Fn() + use<> { fmt::write }"),
];

/// Lists the violations in the clean tree with these files added or replaced.
fn violations_with(changes: &[(&str, &str)], allowed: &[Allowed]) -> Vec<String> {
    let files = CLEAN.iter().chain(changes);
    let sources: Sources = files.map(|(path, source)| ((*path).to_owned(), (*source).to_owned())).collect();
    violations(&sources, allowed)
}

#[test]
fn a_clean_tree_has_no_violations() {
    assert_eq!(violations_with(&[], &[]), [""; 0]);
}

#[test]
fn upward_imports_are_found_through_exports() {
    let source =
        "use crate::{\n value,\n backends::create};\nfn f() { crate::Cache::new(super::backends::wasmtime::Engine) }";
    let expected = [
        "src/config.rs:1: upward import of src/backends/wasmtime/runtime.rs",
        "src/config.rs:1: upward import of src/value.rs",
        "src/config.rs:4: upward import of src/backends/wasmtime/runtime.rs",
        "src/config.rs:4: upward import of src/cache.rs",
    ];
    assert_eq!(violations_with(&[("src/config.rs", source)], &[]), expected);
}

#[test]
fn a_binary_that_includes_parts_of_the_library_is_found() {
    let expected = ["src/config.rs: part of the binary, which uses the library only through `wrun::`"];
    assert_eq!(violations_with(&[("src/main.rs", "mod cli; mod config;")], &[]), expected);
}

#[test]
fn cycles_are_found_unless_they_are_allowed() {
    let cycle = [
        ("src/config.rs", "use crate::error::f;"),
        ("src/error.rs", "use crate::limits;\nfn f() { limits::$x() }"),
        ("src/limits.rs", "use super::config::*;"),
        ("src/lib.rs", "mod error; mod config; mod limits; mod value; mod backends; mod cache; mod wasi;"),
    ];
    let expected = "src/config.rs: import cycle of 3 files\n    src/config.rs:1 imports src/error.rs\n    \
                    src/error.rs:2 imports src/limits.rs\n    src/limits.rs:1 imports src/config.rs";
    assert_eq!(violations_with(&cycle, &[])[0], expected);
    let allowed: Allowed = ("src/error.rs", "src/limits.rs", "it is a test");
    assert!(!violations_with(&cycle, &[allowed]).concat().contains("cycle"));
    let stale = ["src/error.rs: no cycle needs the allowed import of src/limits.rs"];
    assert_eq!(violations_with(&[], &[allowed]), stale);
}

#[test]
fn engine_crates_are_found_outside_their_folders() {
    let changes = [
        ("src/config.rs", "fn f() { wasmtime::Engine::new() }"),
        ("src/backends/wasmtime/runtime.rs", "use wasmer::Store;\npub fn create() {}"),
        ("src/wasi/disabled.rs", "use {wiggle::X, wasmtime::Engine};"),
        ("src/cli.rs", "use wasmer_wasix as w; pub fn run() { virtual_fs::f() }"),
    ];
    let expected = [
        "src/backends/wasmtime/runtime.rs:1: names the engine crate `wasmer`",
        "src/cli.rs:1: names the engine crate `virtual_fs`",
        "src/cli.rs:1: names the engine crate `wasmer_wasix`",
        "src/config.rs:1: names the engine crate `wasmtime`",
        "src/wasi/disabled.rs:1: names the engine crate `wasmtime`",
    ];
    assert_eq!(violations_with(&changes, &[]), expected);
}

#[test]
fn long_files_code_in_mod_rs_and_unknown_files_are_found() {
    let long = "\n".repeat(401);
    let changes = [
        ("src/config.rs", long.as_str()),
        ("src/backends/mod.rs", "mod wasmtime;\n#[cfg(unix)]\npub(crate) fn create() {}"),
        ("src/main.rs", "mod cli; mod odd;"),
        ("src/odd.rs", ""),
        ("src/unused.rs", ""),
    ];
    let expected = [
        "src/backends/mod.rs:3: code in a mod.rs",
        "src/config.rs: 401 lines, more than 400",
        "src/odd.rs: this part of the crate has no floor in FLOORS",
        "src/unused.rs: no `mod` leads to this file",
    ];
    assert_eq!(violations_with(&changes, &[]), expected);
}
