//! Limits on the command line, on each engine.

use serde_json::json;

use crate::vocabulary::{file, in_shell, on_each_engine, printed, run};

#[test]
fn growth_beyond_the_limit_returns_minus_one() {
    on_each_engine(|engine| {
        let grow = |pages: &str| run(&["-r", engine, "--memory", "640KiB", "fixtures/wat/memory.wat", "grow", pages]);
        grow("9").prints("1\n");
        grow("10").prints("-1\n");
        grow("65535").prints("-1\n");
    });
}

#[test]
fn all_memories_of_an_instance_share_the_limit() {
    let module = file(
        r#"(module (memory $a 1) (memory $b 1)
        (func (export "both") (param i32 i32) (result i32 i32)
          (memory.grow $a (local.get 0)) (memory.grow $b (local.get 1))))"#,
    );
    on_each_engine(|engine| {
        let both = |a: &str, b: &str| run(&["-r", engine, "--memory", "640KiB", &module.path, "both", a, b]);
        both("4", "4").prints("[1,1]\n");
        both("4", "5").prints("[1,-1]\n");
        both("9", "1").prints("[-1,1]\n");
    });
}

#[test]
fn the_envelope_names_the_limit() {
    on_each_engine(|engine| {
        let output = run(&["-r", engine, "--metrics", "--memory", "1MiB", "fixtures/wat/memory_big.wat", "grow", "0"]);
        let error = output.envelope()["error"].clone();
        assert_eq!((output.code, &error["kind"]), (137, &json!("limit")));
        assert_eq!(error["limit"], json!({"kind": "memory", "limit": 1_048_576, "attempted": 13_107_200}));
        let output =
            run(&["-r", engine, "--metrics", "--table-elements", "1_000", "fixtures/wat/table_big.wat", "size"]);
        let limit = output.envelope()["error"]["limit"].clone();
        assert_eq!(limit, json!({"kind": "table_elements", "limit": 1000, "attempted": 200_000}));
    });
}

#[test]
fn a_trap_after_denied_growth_names_the_limit() {
    let module = file(
        r#"(module (memory 1) (table 1 funcref)
        (func (export "m") (if (i32.eq (memory.grow (i32.const 100)) (i32.const -1)) (then (unreachable))))
        (func (export "t") (if (i32.eq (table.grow (ref.null func) (i32.const 100)) (i32.const -1)) (then (unreachable))))
        (func (export "x") (unreachable)))"#,
    );
    on_each_engine(|engine| {
        let output = run(&["-r", engine, "--metrics", "--memory", "1MiB", &module.path, "m"]);
        let error = output.envelope()["error"].clone();
        assert_eq!((output.code, &error["kind"], &error["trap"]), (137, &json!("trap"), &json!("unreachable")));
        assert_eq!(error["limit"], json!({"kind": "memory", "limit": 1_048_576, "attempted": 6_619_136}));
        let hint = "the guest needs 6619136 bytes of linear memory, the limit is 1048576 (1 MiB); it trapped after the growth was denied";
        assert_eq!(error["hints"], json!([hint]));
        run(&["-r", engine, "--memory", "1MiB", &module.path, "m"])
            .fails(137, &["hint: the guest needs 6619136 bytes"]);
        let output = run(&["-r", engine, "--metrics", "--memory", "1MiB", &module.path, "x"]);
        assert_eq!((output.code, &output.envelope()["error"]["limit"]), (134, &json!(null)));
    });
    on_each_engine(|engine| {
        let output = run(&["-r", engine, "--metrics", "--table-elements", "10", &module.path, "t"]);
        let limit = &output.envelope()["error"]["limit"];
        assert_eq!((output.code, &limit["kind"], &limit["limit"]), (137, &json!("table_elements"), &json!(10)));
    });
}

#[cfg(feature = "wasmer-runtime")]
#[test]
fn wasmer_refuses_exceptions_under_a_memory_limit() {
    let output = run(&["-r", "wasmer", "--memory", "1MiB", "fixtures/wat/exceptions.wat", "caught"]);
    output.fails(126, &["exceptions", "use `--runtime wasmtime`"]);
    run(&["-r", "wasmer", "fixtures/wat/exceptions.wat", "caught"]).prints("7\n");
}

#[test]
fn tables_grow_up_to_the_limit() {
    on_each_engine(|engine| {
        let grow = |n: &str| run(&["-r", engine, "--table-elements", "10", "fixtures/wat/tables.wat", "grow", n]);
        grow("8").prints("2\n");
        grow("9").prints("-1\n");
    });
}

#[test]
fn the_stack_limits_recursion() {
    on_each_engine(|engine| {
        let depth =
            |stack: &str, n: &str| run(&["-r", engine, "--stack", stack, "fixtures/wat/recursion.wat", "depth", n]);
        depth("64KiB", "500").prints("500\n");
        depth("64KiB", "30000").fails(134, &["call stack exhausted"]);
        depth("64MiB", "500000").prints("500000\n");
        depth("64MiB", "20000000").fails(134, &["call stack exhausted"]);
    });
}

#[test]
fn the_guest_has_its_whole_stack_under_any_ulimit() {
    on_each_engine(|engine| {
        for limit in ["1024", "8192", "65536", "unlimited"] {
            for (depth, exit_code) in [("4000", 0), ("20000000", 134)] {
                let line = format!("-r {engine} --stack 4MiB fixtures/wat/recursion.wat depth {depth}");
                let output = printed(&in_shell(&format!("ulimit -S -s {limit}"), &line).output().unwrap());
                assert_eq!(output.code, exit_code, "{engine}, {limit} KiB, {depth}: {}", output.stderr);
            }
        }
    });
}

#[test]
fn fuel_used_is_the_same_number_on_each_engine() {
    let mut used = Vec::new();
    on_each_engine(|engine| {
        let output = run(&["-r", engine, "--metrics", "--fuel", "10M", "fixtures/wat/recursion.wat", "fib", "15"]);
        let fuel = output.envelope()["metrics"]["fuel_used"].clone();
        assert!(fuel.is_u64(), "{fuel}");
        let exact = format!("{fuel}");
        let run_with = |fuel: &str| run(&["-r", engine, "--fuel", fuel, "fixtures/wat/recursion.wat", "fib", "15"]);
        run_with(&exact).prints("610\n");
        assert_eq!(run_with(&format!("{}", fuel.as_u64().unwrap() - 1)).code, 152);
        let output = run(&["-r", engine, "--metrics", "--fuel", "100", "fixtures/wat/recursion.wat", "fib", "15"]);
        assert_eq!(output.envelope()["error"]["limit"], json!({"kind": "fuel", "limit": 100, "attempted": 101}));
        assert_eq!(output.envelope()["metrics"]["fuel_used"], json!(100));
        assert_eq!(
            run(&["-r", engine, "--metrics", "fixtures/add.wasm", "add", "1", "2"]).envelope()["metrics"]["fuel_used"],
            json!(null)
        );
    });
    for kind in wrun::RuntimeKind::available() {
        for compiler in kind.compilers() {
            let args = ["-r", kind.as_str(), "--compiler", compiler.as_str(), "--metrics", "--fuel", "10M"];
            let output = run(&[&args[..], &["fixtures/wat/recursion.wat", "fib", "15"]].concat());
            used.push(output.envelope()["metrics"]["fuel_used"].clone());
        }
    }
    assert!(used.windows(2).all(|pair| pair[0] == pair[1]), "{used:?}");
}

#[test]
fn memory_in_use_and_its_peak_are_measured() {
    on_each_engine(|engine| {
        let envelope = run(&["-r", engine, "--metrics", "fixtures/wat/memory.wat", "grow", "9"]).envelope();
        assert_eq!(envelope["metrics"]["memory_bytes"], json!(655_360));
        assert_eq!(envelope["metrics"]["memory_peak_bytes"], json!(655_360));
    });
}

#[test]
fn no_time_at_all_is_0s() {
    on_each_engine(|engine| {
        let call =
            |args: &[&str]| run(&[&["-r", engine, "--timeout", "0ms", "fixtures/add.wasm", "add"], args].concat());
        call(&["5", "3"]).fails(124, &["timed out after 0s while "]);
        let explained = call(&["--explain"]).stdout;
        let line = explained.lines().find(|line| line.starts_with("timeout")).unwrap();
        assert_eq!(line.split_whitespace().nth(1), Some("0s"), "{line}");
    });
}
