//! Runs with few threads, little memory or few files: each ends normally, or with exit code 125 and an error of kind `io`.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::time::Duration;

use serde_json::Value;

use crate::process::{Running, full_pipe, on_each_compiler, wrun};
use crate::vocabulary::{Command, Printed, WRUN, file, in_shell, printed, skipped};

const GREET: &str = "fixtures/c/greet.wasm -- -";

/// Checks that a run ended normally or that the system refused something; with `--metrics`, that there is an envelope.
#[track_caller]
fn ends_in_order(output: &Printed, has_envelope: bool, context: &str) {
    assert!(matches!(output.code, 0 | 125), "{context}: {output:?}");
    assert!(!output.stderr.contains("please report"), "{context}: {output:?}");
    if has_envelope {
        let envelope: Value = serde_json::from_str(&output.stdout).expect(context);
        assert_eq!(envelope["exit_code"], output.code, "{context}: {output:?}");
        assert!(output.code == 0 || envelope["error"]["kind"] == "io", "{context}: {output:?}");
    }
}

/// Runs `wrun` on one of the fixtures as a user who can start no thread; `None` if the test cannot become that user.
fn without_threads(options: &str, module: &str, rest: &str, stdin: &str) -> Option<Printed> {
    let line = line_without_threads(options, module, rest)?;
    Some(printed(&Command::new("sh").args(["-c", &line]).write_stdin(stdin).output().unwrap()))
}

/// The command line for a shell that does this.
fn line_without_threads(options: &str, module: &str, rest: &str) -> Option<String> {
    // No other process has this user, since processes count, too.
    let user = 1_000_000_000 + std::process::id();
    // The user cannot open the path of the build.
    let limited = format!("setpriv --reuid={user} --regid={user} --clear-groups prlimit --nproc=1 /proc/self/fd/9");
    let line = format!("exec {limited} {options} /proc/self/fd/8 {rest} 9<{WRUN} 8<{module}");
    let version = format!("exec {limited} --version 9<{WRUN}");
    let version = printed(&Command::new("sh").args(["-c", &version]).output().unwrap());
    if version.code != 0 {
        skipped(&format!("cannot limit the threads of another user: {}", version.stderr));
        return None;
    }
    Some(line)
}

#[test]
fn a_signal_ends_the_report_that_there_is_no_thread_for_the_time_limit() {
    let options = "--timeout 9s --metrics";
    let Some(line) = line_without_threads(options, "fixtures/add.wasm", "add 5 3") else { return };
    let (reader, full) = full_pipe();
    let shell = || std::process::Command::new("sh");
    let mut running = Running::start(shell().args(["-c", &line]).stdout(full));
    running.wait_for_handler(libc::SIGINT);
    std::thread::sleep(Duration::from_millis(200));
    assert!(running.is_running(), "its report is blocked");
    running.signal("INT");
    assert_eq!(running.end().signal, Some(libc::SIGINT));
    drop(reader);
}

#[cfg(feature = "wasmtime-runtime")]
#[test]
fn wasmtime_needs_no_thread() {
    let run = |options: &str, module: &str, rest: &str, stdin: &str| {
        without_threads(&format!("-r wasmtime {options}"), module, rest, stdin)
    };
    let Some(sum) = run("", "fixtures/add.wasm", "add 5 3", "") else { return };
    sum.prints("8\n");
    // Large enough to be compiled on several threads.
    let copied = run("--metrics", "fixtures/c/greet.wasm", "-- - 3", "some text\n").unwrap();
    assert_eq!(copied.code, 3, "{copied:?}");
    assert!(copied.stdout.starts_with("hello, whoever you are\nsome text\n{\"ok\":false"), "{copied:?}");
    let refused = run("--timeout 9s --metrics", "fixtures/add.wasm", "add 5 3", "").unwrap();
    assert!(refused.stdout.contains("cannot enforce the time limit"), "{refused:?}");
    ends_in_order(&refused, true, "a time limit");
}

#[cfg(feature = "wasmer-runtime")]
#[test]
fn wasmer_says_that_it_needs_a_thread() {
    for compiler in ["cranelift", "singlepass"] {
        for (module, rest) in [("fixtures/add.wasm", "add 5 3"), ("fixtures/c/greet.wasm", "-- -")] {
            let options = format!("-r wasmer --compiler {compiler} --metrics");
            let Some(refused) = without_threads(&options, module, rest, "") else { return };
            assert!(refused.stdout.contains("cannot start a thread to compile"), "{refused:?}");
            ends_in_order(&refused, true, compiler);
        }
    }
}

#[test]
fn a_memory_without_address_space_is_an_error_of_the_system() {
    on_each_compiler(|engine| {
        let line = format!("--metrics {} {GREET}", engine.join(" "));
        let output = printed(&in_shell("ulimit -v 2000000", &line).output().unwrap());
        assert_eq!(output.code, 125, "{output:?}");
        let error = &output.envelope()["error"];
        assert_eq!(error["kind"], "io", "{output:?}");
        assert!(error["hints"][0].as_str().unwrap().contains("`ulimit -v`"), "{output:?}");
    });
}

#[test]
fn little_memory_never_looks_like_a_trap() {
    let starts = |kib: u64| in_shell(&format!("ulimit -v {kib}"), "--version").output().unwrap().status.success();
    let (mut too_small, mut enough) = (1_000, 1_000_000);
    assert!(starts(enough));
    while enough - too_small > 500 {
        let middle = u64::midpoint(too_small, enough);
        *(if starts(middle) { &mut enough } else { &mut too_small }) = middle;
    }
    on_each_compiler(|engine| {
        let engine = engine.join(" ");
        // From 1 MB on: below, memory runs out before `main`.
        for more in (1..20).step_by(3) {
            let limit = format!("ulimit -c 0; ulimit -v {}", enough + more * 1_000);
            for options in ["", "--metrics", "--timeout 60s --metrics"] {
                let line = format!("{options} {engine} fixtures/add.wasm add 5 3");
                let output = printed(&in_shell(&limit, &line).output().unwrap());
                ends_in_order(&output, options.contains("--metrics"), &format!("{limit}; wrun {line}"));
            }
        }
    });
}

#[test]
fn few_open_files_are_an_error_of_the_system() {
    on_each_compiler(|engine| {
        for options in ["", "--metrics", "--timeout 60s --metrics"] {
            let mut codes = BTreeSet::new();
            for files in 5..12 {
                let line = format!("{options} {} fixtures/add.wasm add 5 3", engine.join(" "));
                let output = printed(&in_shell(&format!("ulimit -n {files}"), &line).output().unwrap());
                ends_in_order(&output, options.contains("--metrics"), &format!("{files} files; wrun {line}"));
                codes.insert(output.code);
            }
            // Without a supervisor, five files are enough.
            assert!(
                codes.contains(&0) && (options.is_empty() || codes.contains(&125)),
                "{engine:?} {options}: {codes:?}"
            );
        }
    });
}

#[test]
fn an_abort_prints_an_envelope() {
    let module = file("(module (func (export \"run\") (loop (br 0))))");
    for options in [&[][..], &["--metrics"]] {
        let running = Running::start_captured(&mut wrun(&[options, &[&module.path, "run"]].concat()));
        // With an envelope, the handler of SIGINT is the last.
        running.wait_for_handler(if options.is_empty() { libc::SIGABRT } else { libc::SIGINT });
        running.signal("ABRT");
        let ended = running.end();
        assert_eq!((ended.code, ended.stdout.is_empty()), (Some(125), options.is_empty()), "{ended:?}");
        assert!(ended.stderr.starts_with("error: wrun aborted"), "{ended:?}");
        if !options.is_empty() {
            let envelope: Value = serde_json::from_slice(&ended.stdout).unwrap();
            assert_eq!((&envelope["error"]["kind"], &envelope["exit_code"]), (&"io".into(), &125.into()));
        }
    }
}

/// Neither a full stream that does not block nor the guest's last line cuts or spoils the envelope.
#[test]
fn the_envelope_of_an_abort_is_a_whole_line() {
    let module = file(
        r#"(module (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1) (data (i32.const 0) "\08\00\00\00\02\00\00\00go")
        (func (export "run") (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 20)))
          (loop (br 0))))"#,
    );
    for (format, line_end) in [("json", "\n"), ("msgpack", "")] {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let args = ["--metrics", "--output", format, &module.path, "run"];
        let running =
            Running::start(wrun(&args).stdout(writer.try_clone().unwrap()).stderr(std::process::Stdio::null()));
        let mut output = [0; 2];
        reader.read_exact(&mut output).unwrap();
        assert_eq!(&output, b"go");
        rustix::io::ioctl_fionbio(&writer, true).unwrap();
        let mut filled = 0;
        while let Ok(written) = rustix::io::write(&writer, &[b' '; 4096]) {
            filled += written;
        }
        drop(writer);
        running.signal("ABRT");
        std::thread::sleep(Duration::from_millis(200));
        let mut output = vec![0; filled];
        reader.read_exact(&mut output).unwrap();
        output.clear();
        reader.read_to_end(&mut output).unwrap();
        let envelope = output.strip_prefix(line_end.as_bytes()).unwrap();
        let kind = match format {
            "json" => serde_json::from_slice::<Value>(envelope).unwrap(),
            _ => rmp_serde::from_slice::<Value>(envelope).unwrap(),
        };
        assert_eq!((&kind["error"]["kind"], running.end().code), (&"io".into(), Some(125)));
    }
}
