//! The exit codes, on each engine.

use crate::vocabulary::{CALC, WRUN, file, on_each_engine, run, skipped};

#[test]
fn code_0_is_success() {
    on_each_engine(|engine| assert_eq!(run(&["-r", engine, "fixtures/add.wasm", "add", "1", "1"]).code, 0));
}

#[test]
fn code_2_is_usage() {
    let module = file(CALC);
    let calc = module.path.as_str();
    on_each_engine(|engine| {
        run(&["-r", engine, calc, "add", "5"]).fails(2, &["too few", "argument 2 (i32)", "add(i32, i32) -> i32"]);
        run(&["-r", engine, calc, "add", "1", "2", "3"]).fails(2, &["too many", "3 given", "2 parameters"]);
        run(&["-r", engine, calc, "add", "1", "x"]).fails(2, &["argument 2 (i32)", "`x`", "add(i32, i32) -> i32"]);
        run(&["-r", engine, calc, "add", "1", "4294967296"]).fails(2, &["out of range for i32"]);
        run(&["-r", engine, calc, "add", "1", "1.5"]).fails(2, &["invalid i32 `1.5`"]);
        run(&["-r", engine, calc, "add", "1", "2", "--", "3"]).fails(2, &["WASI"]);
        run(&["-r", engine, calc, "zero", "--stack", "1KiB"]).fails(2, &["65536", "1 GiB"]);
    });
    run(&[calc, "zero", "--no-such-flag"]).fails(2, &["--no-such-flag"]);
    run(&[calc, "zero", "--memory", "64"]).fails(2, &["a unit is required"]);
    run(&[calc, "zero", "--memory", "-1MiB"]).fails(2, &["'-1MiB'", "a number and a unit"]);
    run(&[calc, "zero", "--timeout", "1"]).fails(2, &["a unit is required", "1.5s"]);
    run(&[calc, "zero", "--timeout", "-1s"]).fails(2, &["'-1s'", "a number and a unit"]);
    run(&[calc, "zero", "--timeout", "1 day"]).fails(2, &["'1 day'", "a number and a unit"]);
    run(&[calc, "zero", "--timeout", "99999999999h"]).fails(2, &["out of range"]);
    run(&[calc, "zero", "--fuel", "10x"]).fails(2, &["10M"]);
    run(&[calc, "zero", "--fuel", "-1"]).fails(2, &["'-1'", "10M"]);
    run(&["-r", "wasmedge", calc, "zero"]).fails(2, &["wasmtime", "wasmer"]);
    run(&["--metrics", "-o", "text", calc, "zero"]).fails(2, &["envelope"]);
    run(&["-v", "-q", calc, "zero"]).fails(2, &["--quiet"]);
    run(&[]).fails(2, &["Usage: wrun"]);
}

#[cfg(feature = "wasmtime-runtime")]
#[test]
fn a_compiler_of_another_engine_is_refused() {
    let output = run(&["-r", "wasmtime", "--compiler", "singlepass", "fixtures/add.wasm", "add", "1", "2"]);
    output.fails(2, &["wasmtime has no compiler singlepass", "--runtime wasmer"]);
}

#[cfg(feature = "wasmer-runtime")]
#[test]
fn singlepass_runs_on_wasmer() {
    run(&["-r", "wasmer", "--compiler", "singlepass", "fixtures/add.wasm", "add", "5", "3"]).prints("8\n");
}

#[cfg(not(feature = "wasmer-runtime"))]
#[test]
fn an_engine_that_is_not_compiled_in_is_refused() {
    let output = run(&["-r", "wasmer", "fixtures/add.wasm", "add", "1", "2"]);
    output.fails(2, &["wasmer is not compiled into", "--features wasmer-runtime", "--runtime wasmtime"]);
}

#[cfg(not(feature = "wasmtime-runtime"))]
#[test]
fn an_engine_that_is_not_compiled_in_is_refused() {
    let output = run(&["-r", "wasmtime", "fixtures/add.wasm", "add", "1", "2"]);
    output.fails(2, &["wasmtime is not compiled into", "--features wasmtime-runtime", "--runtime wasmer"]);
}

#[test]
fn code_125_is_a_failure_of_wrun() {
    run(&["fixtures", "add"]).fails(126, &["cannot read the module fixtures", "directory"]);
    if !cfg!(target_os = "linux") {
        return skipped("only Linux has /dev/full");
    }
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = std::process::Command::new(WRUN);
    let args = ["--no-cache", "fixtures/add.wasm", "add", "5", "3"];
    let output = command.args(args).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(125));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write to standard output"));
}

#[test]
fn code_126_is_a_module_that_cannot_run() {
    on_each_engine(|engine| {
        run(&["-r", engine, "Cargo.toml", "f"]).fails(126, &["not a WebAssembly module"]);
        let unlinkable = ["`env` `log`: func (i32) -> ()", "`env` `memory`: memory 1..", "`env` `limit`: global i64"];
        run(&["-r", engine, "fixtures/wat/imports_missing.wat", "run"]).fails(126, &unlinkable);
        let output = run(&["-r", engine, "--metrics", "fixtures/wat/imports_missing.wat", "run"]);
        assert!(output.envelope()["metrics"]["compile_ns"].is_null(), "it is refused before it is compiled");
    });
}

#[cfg(feature = "wasmer-runtime")]
#[test]
fn a_missing_feature_is_named_with_an_engine_that_has_it() {
    let output = run(&["-r", "wasmer", "fixtures/wat/gc.wat", "run"]);
    output.fails(126, &["gc, which wasmer with cranelift does not support", "--runtime wasmtime --compiler cranelift"]);
    let output = run(&["-r", "wasmer", "--compiler", "singlepass", "fixtures/wat/simd.wat", "run"]);
    output.fails(
        126,
        &["needs simd, which wasmer with singlepass does not support", "--runtime wasmer --compiler cranelift"],
    );
}

#[test]
fn code_127_is_a_missing_module_or_export() {
    let module = file(CALC);
    run(&["no/such/file.wasm", "f"]).fails(127, &["no such module file: no/such/file.wasm"]);
    run(&["inspect", "no/such/file.wasm"]).fails(127, &["no such module file"]);
    on_each_engine(|engine| {
        run(&["-r", engine, &module.path, "adt", "1", "2"])
            .fails(127, &["did you mean `add`?", "pair(i64) -> (i64, i32)"]);
        run(&["-r", engine, &module.path, "memory"]).fails(127, &["`memory` is a memory, not a function"]);
        run(&["-r", engine, &module.path]).fails(127, &["no function given", "add(i32, i32) -> i32"]);
    });
}

#[test]
fn code_134_is_a_trap() {
    on_each_engine(|engine| {
        let output = run(&["-r", engine, "fixtures/wat/traps.wat", "unreachable"]);
        output.fails(134, &["error: unreachable executed", "at unreachable @ 0x"]);
        run(&["-r", engine, "fixtures/wat/traps.wat", "stack_overflow"]).fails(134, &["call stack exhausted"]);
        run(&["-r", engine, "fixtures/wat/start_trap.wat", "get"]).fails(134, &["unreachable executed"]);
        run(&["-r", engine, "fixtures/wat/start_command_trap.wat"]).fails(134, &["error:"]);
    });
}

#[test]
fn code_152_is_out_of_fuel() {
    on_each_engine(|engine| {
        let output = run(&["-r", engine, "--fuel", "1K", "fixtures/wat/recursion.wat", "fib", "30"]);
        output.fails(152, &["used more than its 1000 units of fuel"]);
        run(&["-r", engine, "--fuel", "0", "fixtures/add.wasm", "add", "1", "2"]).fails(152, &["0 units"]);
    });
}

#[test]
fn code_137_is_a_limit() {
    on_each_engine(|engine| {
        let output = run(&["-r", engine, "--memory", "1MiB", "fixtures/wat/memory_big.wat", "grow", "0"]);
        output.fails(137, &["13107200 bytes", "limit is 1048576"]);
        let output = run(&["-r", engine, "--table-elements", "10", "fixtures/wat/table_big.wat", "size"]);
        assert_eq!(output.code, 137, "{output:?}");
    });
}
