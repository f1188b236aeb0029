//! Timeouts end a command in any phase, with an envelope if requested.

use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::process::{ENDLESS, Ended, Running, full_pipe, has_all_fields, on_each_compiler, slow_to_compile, wrun};
use crate::vocabulary::{file, on_each_engine, run};

const ENDLESS_START: &str = r#"(module
  (func $start (loop $again (br $again)))
  (func (export "seven") (result i32) (i32.const 7))
  (start $start))"#;

/// Runs a command to its end.
#[track_caller]
fn ends(options: &[&str], args: &[&str]) -> Ended {
    Running::start_captured(&mut wrun(&[options, args].concat())).end()
}

/// Creates a named pipe that has no writer, in a folder that is removed on drop.
fn named_pipe() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe").to_str().unwrap().to_owned();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    (folder, path)
}

/// Asserts that this is the envelope of a timeout.
#[track_caller]
fn timed_out(envelope: &Value, limit_ns: u64) {
    has_all_fields(envelope);
    let error = &envelope["error"];
    assert_eq!((&envelope["exit_code"], &error["kind"]), (&json!(124), &json!("timeout")), "{envelope}");
    assert_eq!((&error["limit"]["kind"], &error["limit"]["limit"]), (&json!("time"), &json!(limit_ns)), "{envelope}");
    assert!(error["limit"]["attempted"].as_u64().unwrap() >= limit_ns, "{envelope}");
    assert!(envelope["metrics"]["total_ns"].as_u64().unwrap() >= limit_ns, "{envelope}");
}

#[test]
fn a_timeout_ends_a_loop() {
    let module = file(ENDLESS);
    on_each_compiler(|options| {
        let output = ends(options, &["--timeout", "200ms", &module.path, "spin"]);
        output.fails(124, &["error: ", "200ms"]);
        assert!(output.after >= Duration::from_millis(200), "{output:?}");
    });
}

#[test]
fn a_timeout_ends_a_start_function() {
    let module = file(ENDLESS_START);
    on_each_compiler(|options| ends(options, &["--timeout", "0.2s", &module.path, "seven"]).fails(124, &["200ms"]));
}

#[test]
fn a_timeout_ends_an_atomic_wait() {
    let module = file(
        r#"(module
          (memory 1 1 shared)
          (func (export "wait") (result i32)
            (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1))))"#,
    );
    on_each_compiler(|options| {
        ends(options, &["--timeout", "200ms", &module.path, "wait"]).fails(124, &["200ms"]);
        let output = ends(options, &["--metrics", "--timeout", "200ms", &module.path, "wait"]);
        timed_out(&output.envelope(), 200_000_000);
        assert_eq!(output.envelope()["error"]["function"], json!("wait"), "{output:?}");
    });
}

#[test]
fn a_timeout_ends_initialize() {
    let module = file(
        r#"(module
          (func (export "_initialize") (loop $again (br $again)))
          (func (export "seven") (result i32) (i32.const 7)))"#,
    );
    on_each_compiler(|options| ends(options, &["--timeout", "200ms", &module.path, "seven"]).fails(124, &["200ms"]));
}

#[test]
fn a_call_within_its_timeout_prints_its_result() {
    let module = file(ENDLESS);
    on_each_compiler(|options| {
        for timeout in ["10s", "277777h", "2m"] {
            run(&[options, &["--timeout", timeout, &module.path, "seven"]].concat()).prints("7\n");
        }
        let output = run(&[options, &["--timeout", "10s", "--metrics", &module.path, "seven"]].concat());
        assert_eq!((output.code, &output.envelope()["result"]), (0, &json!(7)));
    });
}

#[test]
fn a_timeout_of_zero_ends_every_call() {
    let module = file(ENDLESS);
    on_each_compiler(|options| {
        for (timeout, name) in [("0s", "seven"), ("0ms", "spin"), ("1us", "seven")] {
            ends(options, &["--timeout", timeout, &module.path, name]).fails(124, &["error: "]);
        }
        timed_out(&ends(options, &["--metrics", "--timeout", "0s", &module.path, "seven"]).envelope(), 0);
    });
}

#[test]
fn a_timeout_before_the_guest_runs_says_so() {
    let module = file(ENDLESS);
    on_each_compiler(|options| {
        let ended = ends(options, &["--timeout", "1us", &module.path, "seven"]);
        ended.fails(124, &["timed out after 1µs while "]);
        assert!(!ended.stderr.contains("guest exceeded"), "{ended:?}");
        let ended = ends(options, &["--metrics", "--timeout", "1us", &module.path, "seven"]);
        timed_out(&ended.envelope(), 1000);
        assert_eq!(ended.envelope()["error"]["function"], json!(null), "{ended:?}");
    });
}

#[test]
fn a_timeout_ends_reading_the_module() {
    on_each_engine(|engine| {
        let args = ["-r", engine, "--timeout", "200ms", "-", "seven"];
        Running::start_captured(&mut wrun(&args)).end().fails(124, &["200ms", "reading the module"]);
        let mut half = Running::start_captured(&mut wrun(&args));
        half.write(&ENDLESS.as_bytes()[..30]);
        half.end().fails(124, &["reading the module"]);
    });
}

#[test]
fn a_timeout_ends_reading_the_arguments() {
    let module = file(ENDLESS);
    on_each_engine(|engine| {
        let args = ["-r", engine, "--timeout", "200ms", &module.path, "spin_on"];
        Running::start_captured(&mut wrun(&args)).end().fails(124, &["200ms", "reading the arguments"]);
        let mut half = Running::start_captured(&mut wrun(&[&args[..], &["-"]].concat()));
        half.write(b"[5");
        half.end().fails(124, &["reading the arguments"]);
        let output = Running::start_captured(&mut wrun(&[&args[..], &["--metrics"]].concat())).end();
        timed_out(&output.envelope(), 200_000_000);
        assert_eq!((&output.envelope()["function"], output.code), (&json!("spin_on"), Some(124)));
    });
}

#[test]
fn a_timeout_ends_compiling() {
    let module = slow_to_compile();
    on_each_engine(|engine| {
        let output = ends(&["-r", engine], &["--timeout", "400ms", &module.path, "f", "1"]);
        output.fails(124, &["400ms", "while compiling"]);
        assert!(output.after < Duration::from_secs(5), "{output:?}");
        let output = ends(&["-r", engine], &["--metrics", "--timeout", "400ms", &module.path, "f", "1"]);
        timed_out(&output.envelope(), 400_000_000);
        assert!(output.envelope()["metrics"]["load_ns"].is_u64(), "the measured times are reported: {output:?}");
        assert!(output.envelope()["metrics"]["call_ns"].is_null(), "{output:?}");
    });
}

#[test]
fn the_envelope_of_a_timeout_is_complete_in_each_format() {
    let (module, start) = (file(ENDLESS), file(ENDLESS_START));
    on_each_compiler(|options| {
        for (path, name) in [(&module.path, "spin"), (&start.path, "seven")] {
            let args = ["--timeout", "200ms", "--metrics", path.as_str(), name];
            let json = ends(options, &args);
            timed_out(&json.envelope(), 200_000_000);
            let text = String::from_utf8_lossy(&json.stdout);
            assert_eq!((json.code, text.lines().count()), (Some(124), 1), "{text}");
            let packed = ends(options, &[&["-o", "msgpack"], &args[..]].concat());
            let envelope: Value = rmp_serde::from_slice(&packed.stdout).unwrap();
            timed_out(&envelope, 200_000_000);
            assert_eq!((packed.code, packed.stderr.as_str()), (Some(124), ""));
            assert_eq!(envelope["function"], json!(name));
        }
    });
}

#[test]
fn the_error_distinguishes_fuel_and_time() {
    let module = file(ENDLESS);
    on_each_compiler(|options| {
        let args = ["--metrics", "--timeout", "200ms", "--fuel", "1000000G", &module.path, "spin"];
        let output = ends(options, &args);
        timed_out(&output.envelope(), 200_000_000);
        assert_eq!(output.envelope()["metrics"]["fuel_used"], json!(null), "{output:?}");
        let output = ends(options, &["--timeout", "10s", "--fuel", "1M", &module.path, "spin"]);
        output.fails(152, &["1000000 units of fuel"]);
    });
}

#[test]
fn a_timeout_with_a_closed_pipe_keeps_its_exit_code() {
    let module = file(ENDLESS);
    let (reader, writer) = std::io::pipe().unwrap();
    let running = Running::start(wrun(&["--metrics", "--timeout", "200ms", &module.path, "spin"]).stdout(writer));
    drop(reader);
    assert_eq!(running.end().code, Some(124));
}

#[test]
fn a_timeout_ends_a_blocked_report() {
    let module = file(ENDLESS);
    let (reader, full) = full_pipe();
    for args in [
        &["--timeout", "100ms", &module.path, "spin"][..],
        &["--metrics", "--timeout", "100ms", &module.path, "spin"],
        &["--metrics", "--timeout", "100ms", "-", "seven"],
    ] {
        let mut command = wrun(args);
        let running = Running::start(command.stdout(full.try_clone().unwrap()).stderr(full.try_clone().unwrap()));
        assert_eq!(running.end().code, Some(124), "{args:?}");
    }
    drop(reader);
}

#[test]
fn a_timeout_ends_opening_a_pipe_without_a_writer() {
    let (folder, pipe) = named_pipe();
    let grant = format!("{}::/granted", folder.path().display());
    let module = file(ENDLESS);
    let opens = file(
        r#"(module (import "wasi_snapshot_preview1" "path_open"
            (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
          (memory (export "memory") 1) (data (i32.const 0) "pipe")
          (func (export "open")
            (drop (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 0)
              (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16)))
            (loop $forever (br $forever))))"#,
    );
    on_each_engine(|engine| {
        let ends = |args: &[&str]| ends(&["-r", engine, "--timeout", "300ms"], args);
        ends(&[&pipe, "seven"]).fails(124, &["300ms", "reading the module"]);
        ends(&["--policy", &pipe, &module.path, "seven"]).fails(124, &["300ms", "reading the policy"]);
        ends(&["--metrics", "--policy", &pipe, &module.path, "seven"]).fails(124, &["300ms", "reading the policy"]);
        // A host call that blocks.
        ends(&["--dir", &grant, &opens.path, "open"]).fails(124, &["300ms"]);
        let ended = ends(&["--metrics", "--dir", &grant, &opens.path, "open"]);
        timed_out(&ended.envelope(), 300_000_000);
        assert_eq!(ended.envelope()["error"]["function"], json!("open"), "{ended:?}");
    });
}

/// Coarse kernel timers end at multiples of 256 ms. The ends of nine timeouts spread evenly over that time, so a third of them would
/// be more than 170 ms late. On a busy machine, processes that sleep are late too.
#[test]
fn a_timeout_of_seconds_is_punctual_while_reading() {
    let (module, (_folder, pipe)) = (file(ENDLESS), named_pipe());
    let reads = [["-", "seven"], [pipe.as_str(), "seven"], [module.path.as_str(), "spin_on"]];
    let (mut late, mut usual): (Vec<Duration>, Vec<Duration>) = thread::scope(|scope| {
        let waits: Vec<_> = (4500..)
            .step_by(38)
            .zip(reads.iter().cycle())
            .take(9)
            .map(|(milliseconds, args)| {
                scope.spawn(move || {
                    let timeout = Duration::from_millis(milliseconds);
                    // Processes that start at once would delay each other.
                    thread::sleep(Duration::from_millis(2 * (milliseconds - 4500)));
                    let sleeping =
                        Running::start_captured(Command::new("sleep").arg(timeout.as_secs_f64().to_string()));
                    let sleeping = scope.spawn(|| sleeping.end());
                    let ended = ends(&["--timeout", &format!("{milliseconds}ms")], args);
                    ended.fails(124, &["timed out after"]);
                    [ended, sleeping.join().unwrap()].map(|ended| ended.after.saturating_sub(timeout))
                })
            })
            .collect();
        waits.into_iter().map(|wait| <(Duration, Duration)>::from(wait.join().unwrap())).unzip()
    });
    late.sort();
    usual.sort();
    assert!(late[6] < usual[6] + Duration::from_millis(130), "{late:?}, usually {usual:?}");
}
