//! Unsupported features are refused, or fail with an errno.

use wrun::{Capabilities, ErrorKind, Limits, Trap, Value};

use crate::guest::{Program, fixture, on_each, refused};

#[test]
#[cfg(feature = "wasmtime-runtime")]
fn wasmtime_refuses_wasix_and_names_wasmer() {
    crate::guest::within(|| {
        for program in ["hello.wasm", "threads.wasm"] {
            let program = Program::new(&wrun::RuntimeConfig::wasmtime(), &fixture(program));
            let started = program.start(Limits::none(), Capabilities::none());
            refused(started, ErrorKind::UnsupportedFeature, "needs WASIX, which wasmtime does not have");
        }
    });
}

#[test]
fn wasix_is_never_deterministic() {
    on_each(|config| {
        let program = Program::new(&config, &fixture("hello.wasm"));
        let started = program.start(Limits::none(), Capabilities::none().with_seed(1));
        refused(started, ErrorKind::UnsupportedFeature, "not deterministic");
    });
}

#[test]
fn dynamically_linked_modules_and_other_shared_memories_are_refused() {
    let cases = [
        (r#"(module (@custom "dylink.0" "") (import "wasix_32v1" "sched_yield" (func (result i32))))"#, "dynamically"),
        (r#"(module (import "wasix_32v1" "sched_yield" (func (result i32))) (memory 1 2 shared))"#, "shared memory"),
        (
            r#"(module (import "wasix_32v1" "sched_yield" (func (result i32))) (import "env" "other" (memory 1 2 shared)))"#,
            "shared memory",
        ),
    ];
    on_each(move |config| {
        for (wat, part) in cases {
            let started = Program::new(&config, wat.as_bytes()).start(Limits::none(), Capabilities::none());
            refused(started, ErrorKind::UnsupportedFeature, part);
        }
    });
}

#[test]
fn unknown_functions_and_wrong_types_are_named() {
    let cases = [
        (r#"(module (import "wasix_32v1" "fd_fly" (func (result i32))))"#, "`wasix_32v1` `fd_fly`: func () -> i32"),
        (
            r#"(module (import "wasix_32v1" "fd_close" (func (result i32))))"#,
            "`wasix_32v1` `fd_close`: the module expects func () -> i32, the host provides func (i32) -> i32",
        ),
        (
            r#"(module (import "wasix_32v1" "fd_close" (func (param i32) (result i32))) (import "env" "log" (func)))"#,
            "1 unresolved import:\n  `env` `log`: func () -> ()",
        ),
    ];
    on_each(move |config| {
        for (wat, part) in cases {
            let started = Program::new(&config, wat.as_bytes()).start(Limits::none(), Capabilities::none());
            refused(started, ErrorKind::Unlinkable, part);
        }
    });
}

#[test]
fn functions_that_start_programs_or_link_code_fail() {
    let errnos = [
        ("proc_fork", "i32 i32"),
        ("proc_fork_env", "i32"),
        ("proc_snapshot", ""),
        ("stack_checkpoint", "i32 i32"),
        ("proc_exec3", "i32 i32 i32 i32 i32 i32 i32 i32 i32"),
        ("proc_exec4", "i32 i32 i32 i32 i32 i32 i32 i32 i32"),
        ("proc_spawn", "i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32"),
        ("proc_spawn2", "i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32"),
        ("dlopen", "i32 i32 i32 i32 i32 i32 i32 i32"),
        ("dlsym", "i32 i32 i32 i32 i32 i32"),
        ("context_create", "i32 i32"),
        ("context_switch", "i64"),
        ("closure_free", "i32"),
        ("call_dynamic", "i32 i32 i32 i32 i32 i32"),
        ("tty_get", "i32"),
        ("tty_set", "i32"),
    ];
    let traps =
        [("proc_exec", "i32 i32 i32 i32"), ("proc_exec2", "i32 i32 i32 i32 i32 i32"), ("stack_restore", "i32 i64")];
    on_each(move |config| {
        let call = |name: &str, params: &str, result: &str| {
            let args: String = params.split_whitespace().map(|ty| format!("({ty}.const 0)")).collect();
            let wat = format!(
                r#"(module (import "wasix_32v1" "{name}" (func $call (param {params}) {result}))
                    (memory (export "memory") 1) (func (export "run") {result} (call $call {args})))"#
            );
            let mut guest = Program::new(&config, wat.as_bytes()).start(Limits::none(), Capabilities::none()).unwrap();
            guest.call("run", &[])
        };
        for (name, params) in errnos {
            assert_eq!(call(name, params, "(result i32)").unwrap(), [Value::I32(58)], "{name}");
        }
        for (name, params) in traps {
            let error = call(name, params, "").unwrap_err();
            assert_eq!(error.trap_code(), Some(Trap::Host), "{error}");
            assert!(error.message().contains(name), "{error}");
        }
    });
}

#[test]
fn a_missing_directory_is_refused() {
    on_each(|config| {
        let program = Program::new(&config, &fixture("hello.wasm"));
        let granted = Capabilities::none().with_dir(wrun::DirGrant::new("/nowhere/at/all", "/data"));
        refused(program.start(Limits::none(), granted), ErrorKind::Grant, "/nowhere/at/all");
    });
}
