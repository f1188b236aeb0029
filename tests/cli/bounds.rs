//! Output that is cut says so; and where the result and the output of the guest meet.

use serde_json::json;

use crate::process::on_each_compiler;
use crate::vocabulary::{Printed, file, run};

/// A module whose `write` writes `day€`, 6 bytes, several times to a descriptor. It returns how many bytes were written, or -1
/// if a call failed.
fn writer(wasi: &str) -> String {
    format!(
        r#"(module (import "{wasi}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 1) (data (i32.const 0) "\10\00\00\00\06\00\00\00") (data (i32.const 16) "day€")
          (func (export "write") (param $to i32) (param $times i32) (result i32) (local $written i32)
            (loop $again
              (if (call $write (local.get $to) (i32.const 0) (i32.const 1) (i32.const 8)) (then (return (i32.const -1))))
              (local.set $written (i32.add (local.get $written) (i32.load (i32.const 8))))
              (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))
            (local.get $written)))"#
    )
}

/// Calls `write` of a module for each way to provide its import, on each compiler.
fn on_each_wasi(body: impl Fn(&dyn Fn(&[&str]) -> Printed)) {
    for wasi in ["wasi_snapshot_preview1", "wasix_32v1"] {
        let module = file(writer(wasi));
        on_each_compiler(|options| {
            let has_wasix = cfg!(feature = "wasix") && options.contains(&"wasmer");
            if wasi != "wasix_32v1" || has_wasix {
                body(&|args| run(&[options, &[&*module.path, "write"], args].concat()));
            }
        });
    }
}

#[test]
fn captured_output_is_cut_at_the_bound_and_the_guest_goes_on() {
    on_each_wasi(|write| {
        let cut = |args: &[&str]| {
            let output = write(&[&["--metrics"], args].concat());
            (serde_json::from_str::<serde_json::Value>(&output.stdout).unwrap(), output.stderr)
        };
        let (envelope, note) = cut(&["--capture=8B", "1", "1000"]);
        assert_eq!((&envelope["ok"], &envelope["result"]), (&json!(true), &json!(6000)), "{envelope}");
        assert_eq!((&envelope["stdout"], &envelope["stderr"]), (&json!("day€da"), &json!("")), "{envelope}");
        assert_eq!((&envelope["stdout_truncated"], &envelope["stdout_bytes"]), (&json!(true), &json!(6000)));
        assert!(envelope.get("stderr_truncated").is_none() && envelope.get("stderr_bytes").is_none(), "{envelope}");
        let expected = "the first 8 of the 6000 bytes that the guest wrote to standard output; `--capture=SIZE`";
        assert!(note.contains(expected), "{note}");

        let (envelope, note) = cut(&["-q", "--capture=10B", "2", "2"]);
        assert_eq!(envelope["stderr"], "day€day", "no part of a character: {envelope}");
        assert_eq!((&envelope["stderr_truncated"], &envelope["stderr_bytes"]), (&json!(true), &json!(12)));
        assert!(envelope.get("stdout_truncated").is_none(), "{envelope}");
        assert_eq!(note, "");
    });
}

#[test]
fn captured_output_up_to_the_bound_is_not_cut() {
    on_each_wasi(|write| {
        for size in ["--capture", "--capture=12B", "--capture=1GiB"] {
            let envelope = write(&["--metrics", size, "1", "2"]).envelope();
            assert_eq!(envelope["stdout"], "day€day€");
            assert!(envelope.get("stdout_truncated").is_none() && envelope.get("stdout_bytes").is_none(), "{envelope}");
        }
    });
    run(&["--metrics", "--capture=8", "fixtures/add.wasm"]).fails(2, &["a unit is required"]);
}

#[test]
fn a_result_begins_on_a_new_line() {
    on_each_wasi(|write| {
        write(&["1", "2"]).prints("day€day€\n12\n");
        assert_eq!(write(&["2", "1"]).stdout, "6\n", "the other stream does not count");
        let output = write(&["--metrics", "1", "1"]);
        assert!(output.stdout.starts_with("day€\n{\"ok\":true"), "{output:?}");
        assert!(write(&["-o", "msgpack", "1", "1"]).stdout.ends_with("€\u{6}"), "MessagePack follows at once");
    });
    // No empty line where the guest ended its line, or wrote nothing.
    on_each_compiler(|options| {
        let greet = ["--metrics", "--env", "NAME=you", "fixtures/c/greet.wasm", "--", "-", "0"];
        let output = run(&[options, &greet].concat());
        assert!(output.stdout.starts_with("hello, you\n{\"ok\":true"), "{output:?}");
    });
}

#[test]
fn a_long_backtrace_says_that_it_is_cut() {
    let module = file(
        r#"(module (func $down (export "down") (param i32)
          (if (i32.eqz (local.get 0)) (then (unreachable)))
          (call $down (i32.sub (local.get 0) (i32.const 1)))
          (drop (i32.const 0))))"#,
    );
    on_each_compiler(|options| {
        let down = |more: &[&str], depth: &str| run(&[options, more, &[&module.path, "down", depth]].concat());
        for (depth, is_cut) in [("19", false), ("20", true), ("1000", true)] {
            let text = down(&[], depth);
            assert_eq!(text.stderr.lines().filter(|line| line.starts_with("  at down")).count(), 20, "{text:?}");
            assert_eq!(text.stderr.ends_with("\n  and more frames\n"), is_cut, "{text:?}");
            let error = down(&["--metrics"], depth).envelope()["error"].clone();
            assert_eq!(error["backtrace"].as_array().unwrap().len(), 20, "{error}");
            assert_eq!(error.get("backtrace_truncated"), is_cut.then_some(&json!(true)), "{error}");
        }
    });
}

#[test]
fn a_backtrace_has_the_source_names_of_rust_and_cpp() {
    const SYMBOLS: [&str; 3] =
        ["_ZN3std9panicking11begin_panic17hc5e246abf4e1b013E", "_RNvCs1234_7mycrate3foo", "_ZN4test4mainEPKc"];
    let [panic, foo, main] = SYMBOLS;
    let module = file(format!(
        "(module (func ${panic} unreachable) (func ${foo} (call ${panic})) (func ${main} (export \"f\") (call ${foo})))"
    ));
    on_each_compiler(|options| {
        let text = run(&[options, &[&module.path, "f"]].concat());
        text.fails(134, &["  at std::panicking::begin_panic", "  at mycrate::foo", "  at test::main(char const*)"]);
        let error = run(&[options, &["--metrics", &module.path, "f"]].concat()).envelope()["error"].clone();
        let names: Vec<_> = error["backtrace"].as_array().unwrap().iter().map(|frame| &frame["function"]).collect();
        assert_eq!(names, SYMBOLS, "the envelope has the names of the module");
    });
}
