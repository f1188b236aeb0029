//! Components that try to outlive or outgrow their limits, on the command line.
#![cfg(feature = "components")]

use crate::vocabulary::{File, file, run};

/// Functions that do not end, or ask for too much.
fn greedy() -> File {
    file(
        r#"(component
            (import "wasi:io/poll@0.2.0" (instance $poll
                (export "pollable" (type $p (sub resource)))
                (export "poll" (func (param "in" (list (borrow $p))) (result (list u32))))))
            (alias export $poll "pollable" (type $pollable))
            (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
                (alias outer 1 $pollable (type $pp)) (export "pollable" (type $p (eq $pp)))
                (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
            (import "wasi:cli/exit@0.2.0" (instance $exit (export "exit" (func (param "status" (result))))))
            (core module $libc
                (memory (export "memory") 1)
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
            (core instance $libc (instantiate $libc))
            (core func $subscribe (canon lower (func $clock "subscribe-duration")))
            (core func $poll (canon lower (func $poll "poll") (memory $libc "memory") (realloc (func $libc "realloc"))))
            (core func $exit (canon lower (func $exit "exit")))
            (core module $m
                (import "libc" "memory" (memory 1))
                (import "" "subscribe" (func $subscribe (param i64) (result i32)))
                (import "" "poll" (func $poll (param i32 i32 i32)))
                (import "" "exit" (func $exit (param i32)))
                (func $poll-for (param i64)
                    (i32.store (i32.const 0) (call $subscribe (local.get 0)))
                    (loop $l (call $poll (i32.const 0) (i32.const 1) (i32.const 8)) (br $l)))
                (func (export "never") (call $poll-for (i64.const 1000000000000000)))
                (func (export "always") (call $poll-for (i64.const 0)))
                (func (export "loop") (loop $l (br $l)))
                (func (export "exit") (call $exit (i32.const 1)))
                (func (export "grow")
                    (loop $l (br_if $l (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
                    (unreachable))
                (func (export "lie") (result i32)
                    (i32.store (i32.const 8) (i32.const 0))
                    (i32.store (i32.const 12) (i32.const -1))
                    (i32.const 8)))
            (core instance $i (instantiate $m (with "libc" (instance $libc)) (with "" (instance
                (export "subscribe" (func $subscribe)) (export "poll" (func $poll)) (export "exit" (func $exit))))))
            (func (export "never") (canon lift (core func $i "never")))
            (func (export "always") (canon lift (core func $i "always")))
            (func (export "loop") (canon lift (core func $i "loop")))
            (func (export "exit") (canon lift (core func $i "exit")))
            (func (export "grow") (canon lift (core func $i "grow")))
            (func (export "lie") (result string) (canon lift (core func $i "lie") (memory $libc "memory"))))"#,
    )
}

#[test]
fn every_end_has_its_exit_code() {
    let greedy = greedy();
    for function in ["never", "always", "loop"] {
        run(&["--timeout", "200ms", &greedy.path, function]).fails(124, &["time limit of 200ms"]);
    }
    run(&["--fuel", "10K", &greedy.path, "loop"]).fails(152, &["10000 units of fuel"]);
    run(&["--memory", "1MiB", &greedy.path, "grow"]).fails(137, &["linear memory"]);
    run(&["--memory", "32KiB", &greedy.path, "grow"]).fails(137, &["linear memory"]);
    run(&[&greedy.path, "lie"]).fails(134, &["out of bounds"]);
    assert_eq!(run(&[&greedy.path, "exit"]).code, 1);
}

#[test]
fn the_envelope_tells_the_limit() {
    let greedy = greedy();
    let envelope = run(&["--metrics", "--memory", "1MiB", &greedy.path, "grow"]).envelope();
    assert_eq!(envelope["error"]["kind"], "trap");
    assert_eq!(envelope["error"]["limit"]["kind"], "memory");
    assert_eq!(envelope["metrics"]["memory_peak_bytes"], 1 << 20);
    let envelope = run(&["--metrics", "--timeout", "200ms", &greedy.path, "never"]).envelope();
    assert_eq!((&envelope["error"]["kind"], &envelope["exit_code"]), (&"timeout".into(), &124.into()));
}

#[test]
fn output_without_end_is_captured_up_to_a_limit() {
    // The program writes 4096 bytes at a time, without end.
    let endless = file(
        r#"(component
            (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
            (alias export $error "error" (type $error))
            (import "wasi:io/streams@0.2.0" (instance $streams
                (alias outer 1 $error (type $e')) (export "error" (type $e (eq $e')))
                (export "output-stream" (type $out (sub resource)))
                (type $se' (variant (case "last-operation-failed" (own $e)) (case "closed")))
                (export "stream-error" (type $se (eq $se')))
                (export "[method]output-stream.blocking-write-and-flush" (func (param "self" (borrow $out))
                    (param "contents" (list u8)) (result (result (error $se)))))))
            (alias export $streams "output-stream" (type $output))
            (import "wasi:cli/stdout@0.2.0" (instance $stdout
                (alias outer 1 $output (type $o)) (export "output-stream" (type $out (eq $o)))
                (export "get-stdout" (func (result (own $out))))))
            (core module $libc (memory (export "memory") 1))
            (core instance $libc (instantiate $libc))
            (core func $stdout (canon lower (func $stdout "get-stdout")))
            (core func $write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush")
                (memory $libc "memory")))
            (core module $m
                (import "" "stdout" (func $stdout (result i32)))
                (import "" "write" (func $write (param i32 i32 i32 i32)))
                (func (export "run") (result i32) (local $out i32)
                    (local.set $out (call $stdout))
                    (loop $l (call $write (local.get $out) (i32.const 0) (i32.const 4096) (i32.const 8192)) (br $l))
                    (unreachable)))
            (core instance $i (instantiate $m (with "" (instance
                (export "stdout" (func $stdout)) (export "write" (func $write))))))
            (func $run (result (result)) (canon lift (core func $i "run")))
            (instance $run (export "run" (func $run)))
            (export "wasi:cli/run@0.2.0" (instance $run)))"#,
    );
    let ran = run(&["--metrics", "--capture=1MiB", "--timeout", "1s", &endless.path]);
    let envelope: serde_json::Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
    assert_eq!((ran.code, &envelope["error"]["kind"]), (124, &"timeout".into()));
    assert!(ran.stderr.contains("only the first 1048576 of the"), "{}", ran.stderr);
}

#[test]
fn a_large_component_is_inspected() {
    let exports: String =
        (0..3_000).map(|n| format!(r#"(func (export "f{n}") (canon lift (core func $i "f")))"#)).collect();
    let large = file(format!(
        r#"(component (core module $m (func (export "f"))) (core instance $i (instantiate $m)) {exports})"#
    ));
    let inspected = run(&["inspect", &large.path]);
    assert_eq!((inspected.code, inspected.stdout.contains("f2999")), (0, true), "{}", inspected.stderr);
}
