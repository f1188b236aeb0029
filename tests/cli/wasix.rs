//! WASIX programs on the command line.
#![cfg(feature = "wasix")]

use serde_json::json;

use crate::process::{Running, wrun};
use crate::vocabulary::{endless, file, piped_to_head, run, run_with};

const HELLO: &str = "fixtures/wasix/hello.wasm";
const WORLD: &str = "fixtures/wasix/world.wasm";
const THREADS: &str = "fixtures/wasix/threads.wasm";

/// Wasmer with each of its compilers.
fn on_each(body: impl Fn(&[&str])) {
    for compiler in ["cranelift", "singlepass"] {
        body(&["-r", "wasmer", "--compiler", compiler]);
    }
}

fn wasix(options: &[&str], more: &[&str], module: &str, what: &str) -> crate::vocabulary::Printed {
    run(&[options, more, &[module, "--", what]].concat())
}

#[test]
fn a_program_runs_and_its_exit_code_is_kept() {
    on_each(|options| {
        run(&[options, &[HELLO]].concat()).prints("hello from WASIX\n");
        assert_eq!(wasix(options, &[], HELLO, "exit").code, 12);
        let far = wasix(options, &[], HELLO, "exit-far");
        assert_eq!((far.code, far.stderr.as_str()), (125, "note: the guest exited with 300\n"));
        run(&[options, &[HELLO, "add", "5", "3"]].concat()).prints("8\n");
    });
}

#[test]
fn a_program_reads_standard_input_to_its_end() {
    on_each(|options| {
        let output = run_with(&[options, &[WORLD]].concat(), "piped");
        assert!(output.stdout.ends_with("random=1\nread piped\n"), "{output:?}");
        let long = "x".repeat(1 << 20);
        let output = run_with(&[options, &[WORLD]].concat(), long.as_str());
        let read: usize = output.stdout.lines().filter_map(|line| line.strip_prefix("read ")).map(str::len).sum();
        assert_eq!((output.code, read), (0, 1 << 20));
    });
}

#[test]
fn threads_run_and_end_with_the_program() {
    on_each(|options| {
        wasix(options, &[], THREADS, "add").prints("counter=8000\n");
        wasix(options, &[], THREADS, "leave-running").prints("leaving\n");
        assert_eq!(wasix(options, &[], THREADS, "exit-while-running").code, 7);
        assert_eq!(wasix(options, &[], THREADS, "exit").code, 40);
        wasix(options, &[], THREADS, "trap-while-waiting").fails(134, &["unreachable executed: in thread 2"]);
        let envelope = wasix(options, &["--metrics"], THREADS, "trap").envelope();
        let error = &envelope["error"];
        assert_eq!((&error["kind"], &error["trap"]), (&json!("trap"), &json!("unreachable")), "{envelope}");
    });
}

#[test]
fn unsupported_limits_and_engines_are_refused_before_anything_runs() {
    #[cfg(feature = "wasmtime-runtime")]
    for program in [HELLO, THREADS] {
        run(&["-r", "wasmtime", program])
            .fails(126, &["needs WASIX, which wasmtime does not have", "hint: use `--runtime wasmer`"]);
    }
    run(&["-r", "wasmer", "--deterministic", HELLO]).fails(126, &["not deterministic"]);
    on_each(|options| {
        wasix(options, &["--fuel", "1M"], THREADS, "add")
            .fails(126, &["can start threads", "cannot have a fuel limit"]);
        wasix(options, &["--memory", "1MiB"], THREADS, "add").fails(137, &["linear memory", "1048576"]);
        assert_eq!(wasix(options, &["--fuel", "1M"], HELLO, "exit").code, 12, "hello.wasm starts no threads");
        assert_eq!(wasix(options, &["--fuel", "100"], HELLO, "exit").code, 152);
    });
}

#[test]
fn a_timeout_ends_a_program_in_any_blocking_call() {
    on_each(|options| {
        for what in ["run", "sleep", "wait-in-code", "wait-at-gate", "join", "read-pipe", "poll"] {
            let args = [options, &["--timeout", "200ms", THREADS, "--", what]].concat();
            let ended = Running::start_captured(&mut wrun(&args)).end();
            ended.fails(124, &["200ms"]);
            assert!(ended.after.as_millis() < 3000, "{what} took {:?}", ended.after);
        }
        let ended = Running::start_captured(&mut wrun(&[options, &["--timeout", "200ms", WORLD]].concat())).end();
        assert_eq!(ended.code, Some(124), "reading from an open standard input: {ended:?}");
    });
}

#[test]
fn signals_end_a_program_in_any_blocking_call() {
    for (options, what) in [(&[][..], "sleep"), (&["--metrics"], "wait-in-code"), (&["--timeout", "1m"], "run")] {
        for (name, number) in [("INT", 2), ("TERM", 15)] {
            let args = [&["-r", "wasmer"], options, &[THREADS, "--", what]].concat();
            let running = Running::start_captured(&mut wrun(&args));
            running.wait_for_start();
            running.signal(name);
            let ended = running.end();
            assert_eq!(ended.signal, Some(number), "{what} {options:?} {name}: {ended:?}");
        }
    }
}

#[test]
fn a_program_that_writes_to_a_closed_pipe_ends_without_an_error() {
    let module = file(endless("wasix_32v1"));
    for flags in ["", "--timeout 1h", "--memory 1MiB"] {
        let (stdout, stderr) = piped_to_head(&format!("-r wasmer {flags} {}", module.path));
        assert_eq!((&*stdout, &*stderr), ("y\ny\n", "code 0\n"), "{flags}");
    }
}
