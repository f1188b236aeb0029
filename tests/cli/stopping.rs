//! Timeouts, SIGINT and SIGTERM end a command in any phase, with an envelope if requested.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::process::{Ended, Running, full_pipe, on_each_compiler, wrun};
use crate::vocabulary::{File, WRUN, file, on_each_engine, run};

/// SIGINT and SIGTERM: name, number, exit code, `error.kind`.
const SIGNALS: [(&str, u32, i32, &str); 2] = [("INT", 2, 130, "interrupted"), ("TERM", 15, 143, "terminated")];

const ENDLESS: &str = r#"(module
  (func (export "spin") (loop $again (br $again)))
  (func (export "spin_on") (param i32) (result i32) (loop $again (br $again)) (local.get 0))
  (func (export "seven") (result i32) (i32.const 7)))"#;

const ENDLESS_START: &str = r#"(module
  (func $start (loop $again (br $again)))
  (func (export "seven") (result i32) (i32.const 7))
  (start $start))"#;

/// Runs a command to its end.
#[track_caller]
fn ends(options: &[&str], args: &[&str]) -> Ended {
    Running::start_captured(&mut wrun(&[options, args].concat())).end()
}

#[track_caller]
fn has_all_fields(envelope: &Value) {
    for field in ["ok", "runtime", "module", "function", "error", "exit_code", "metrics"] {
        assert!(envelope.get(field).is_some(), "no {field} in {envelope}");
    }
    for field in ["kind", "trap", "message", "function", "backtrace", "limit", "hints"] {
        assert!(envelope["error"].get(field).is_some(), "no error.{field} in {envelope}");
    }
    assert_eq!(envelope["ok"], json!(false));
    assert!(envelope["metrics"]["total_ns"].is_u64(), "{envelope}");
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

/// A module that takes seconds to compile with an optimizing compiler, but is quick to read.
fn slow_to_compile() -> File {
    fn number(mut n: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while n > 0x7f {
            bytes.push(u8::try_from(n & 0x7f).unwrap() | 0x80);
            n >>= 7;
        }
        bytes.push(u8::try_from(n).unwrap());
        bytes
    }
    let sized = |contents: &[u8]| [&number(contents.len()), contents].concat();
    let section = |id: u8, contents: &[u8]| [&[id], sized(contents).as_slice()].concat();
    // No locals; `local.get 0`, then 300 times `local.get 0, i32.const, i32.add, i32.xor`.
    let mut body = vec![0, 0x20, 0];
    (0..300_usize).for_each(|n| body.extend([0x20, 0, 0x41, u8::try_from(n % 60).unwrap(), 0x6a, 0x73]));
    body.push(0x0b);
    let functions = 600;
    let code = sized(&body).repeat(functions);
    let module = [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, &[1, 0x60, 1, 0x7f, 1, 0x7f]),
        section(3, &[number(functions), vec![0; functions]].concat()),
        section(7, &[1, 1, b'f', 0, 0]),
        section(10, &[number(functions), code].concat()),
    ];
    file(module.concat())
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
fn a_signal_ends_a_loop_silently() {
    let module = file(ENDLESS);
    on_each_compiler(|options| {
        for (name, number, code, _) in SIGNALS {
            for more in [&[][..], &["--timeout", "1h"]] {
                let running = Running::start_captured(&mut wrun(&[options, more, &[&module.path, "spin"]].concat()));
                running.wait_for_handler(number);
                running.signal(name);
                let ended = running.end();
                assert_eq!((ended.code, ended.stdout.as_slice(), ended.stderr.as_str()), (Some(code), &b""[..], ""));
            }
        }
    });
}

#[test]
fn a_signal_ends_a_loop_with_an_envelope_if_requested() {
    let module = file(ENDLESS);
    on_each_compiler(|options| {
        for (name, number, code, kind) in SIGNALS {
            let args = [options, &["--metrics", &module.path, "spin"]].concat();
            let running = Running::start_captured(&mut wrun(&args));
            running.wait_for_handler(number);
            thread::sleep(Duration::from_millis(100));
            running.signal(name);
            let ended = running.end();
            let envelope = ended.envelope();
            has_all_fields(&envelope);
            assert_eq!(ended.code, Some(code), "{ended:?}");
            assert_eq!((&envelope["error"]["kind"], &envelope["exit_code"]), (&json!(kind), &json!(code)));
            assert_eq!(envelope["error"]["limit"], json!(null));
            assert!(envelope.get("result").is_none(), "{envelope}");
        }
    });
}

#[test]
fn a_signal_ends_reading_standard_input() {
    let module = file(ENDLESS);
    for (name, number, code, kind) in SIGNALS {
        for (path, function) in [("-", "seven"), (module.path.as_str(), "spin_on")] {
            let running = Running::start_captured(&mut wrun(&[path, function]));
            running.wait_for_handler(number);
            running.signal(name);
            running.end().fails(code, &[]);
            let running = Running::start_captured(&mut wrun(&["--metrics", path, function]));
            running.wait_for_handler(number);
            running.signal(name);
            let ended = running.end();
            assert_eq!((ended.code, &ended.envelope()["error"]["kind"]), (Some(code), &json!(kind)));
        }
    }
}

#[test]
fn a_signal_ends_compiling() {
    let module = slow_to_compile();
    on_each_engine(|engine| {
        for more in [&[][..], &["--metrics"]] {
            let args = [&["-r", engine], more, &[module.path.as_str(), "f", "1"]].concat();
            let running = Running::start_captured(&mut wrun(&args));
            running.wait_for_handler(15);
            thread::sleep(Duration::from_millis(200));
            running.signal("TERM");
            assert_eq!(running.end().code, Some(143));
        }
    });
}

#[test]
fn many_signals_act_like_one() {
    let module = file(ENDLESS);
    on_each_engine(|engine| {
        let running = Running::start_captured(&mut wrun(&["-r", engine, "--metrics", &module.path, "spin"]));
        running.wait_for_handler(15);
        let pid = running.id();
        let all = format!("for s in INT TERM INT TERM INT TERM; do kill -s $s {pid} 2>/dev/null; done; true");
        assert!(std::process::Command::new("sh").args(["-c", &all]).status().unwrap().success());
        let ended = running.end();
        assert!(matches!(ended.code, Some(130 | 143)), "{ended:?}");
        if !ended.stdout.is_empty() {
            assert_eq!(ended.envelope()["exit_code"], json!(ended.code));
        }
    });
}

#[test]
fn an_ignored_signal_stays_ignored() {
    let module = file(r#"(module (func (export "same") (param i32) (result i32) (local.get 0)))"#);
    for more in ["", "--metrics", "--timeout 1h"] {
        let line = format!("trap '' INT; exec {WRUN} {more} {} same", module.path);
        let start = || Running::start_captured(std::process::Command::new("sh").args(["-c", &line]));
        let mut running = start();
        running.wait_for_handler(15);
        for _ in 0..3 {
            running.signal("INT");
        }
        thread::sleep(Duration::from_millis(50));
        assert!(running.is_running(), "{more}");
        running.write(b"[7]");
        running.close();
        let ended = running.end();
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");

        let running = start();
        running.wait_for_handler(15);
        running.signal("TERM");
        assert_eq!(running.end().code, Some(143));
    }
}

#[test]
fn a_signal_ends_a_write_to_a_full_pipe() {
    let module = file(ENDLESS);
    let runs: [&[&str]; 4] = [
        &[&module.path, "seven"],
        &["--metrics", &module.path, "seven"],
        &["--timeout", "1h", &module.path, "seven"],
        &["--metrics", "--timeout", "1h", &module.path, "seven"],
    ];
    let (reader, full) = full_pipe();
    let blocked: Vec<_> = runs
        .iter()
        .flat_map(|args| SIGNALS.map(|signal| (args, signal)))
        .map(|(args, signal)| (Running::start(wrun(args).stdout(full.try_clone().unwrap())), args, signal))
        .collect();
    for (running, _, (_, number, _, _)) in &blocked {
        running.wait_for_handler(*number);
    }
    thread::sleep(Duration::from_millis(400));
    for (mut running, args, (name, _, code, _)) in blocked {
        assert!(running.is_running(), "{args:?}: its output is blocked");
        running.signal(name);
        assert_eq!(running.end().code, Some(code), "{args:?} {name}");
    }
    drop(reader);
}

#[test]
fn a_second_signal_ends_a_blocked_report() {
    let module = file(ENDLESS);
    for (name, number, code, _) in SIGNALS {
        let (reader, full) = full_pipe();
        let mut running = Running::start(wrun(&["--metrics", &module.path, "spin"]).stdout(full));
        running.wait_for_handler(number);
        running.signal("INT");
        thread::sleep(Duration::from_millis(200));
        assert!(running.is_running(), "its report is blocked");
        running.signal(name);
        assert_eq!(running.end().code, Some(code), "{name}");
        drop(reader);
    }
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
