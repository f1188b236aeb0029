//! SIGINT and SIGTERM end a command in any phase, with an envelope if requested, by the signal itself.

use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::process::{ENDLESS, Running, full_pipe, has_all_fields, ignores, on_each_compiler, slow_to_compile, wrun};
use crate::schema::fits;
use crate::vocabulary::{File, WRUN, file, on_each_engine, skipped};

/// SIGINT and SIGTERM: name, number, exit code in the envelope, `error.kind`.
const SIGNALS: [(&str, i32, i32, &str); 2] = [("INT", 2, 130, "interrupted"), ("TERM", 15, 143, "terminated")];

/// Returns a WASI module that prints `go` and then loops, in the function `$run`.
fn prints_go(rest: &str) -> File {
    file(format!(
        r#"(module (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1) (data (i32.const 0) "\08\00\00\00\03\00\00\00go\n")
        (func $run (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 20)))
          (loop $forever (br $forever)))
        (func (export "seven") (result i32) (i32.const 7)) {rest})"#
    ))
}

#[test]
fn a_signal_ends_a_loop_silently() {
    let module = file(ENDLESS);
    on_each_compiler(|options| {
        for (name, number, _, _) in SIGNALS {
            for more in [&[][..], &["--timeout", "1h"]] {
                let running = Running::start_captured(&mut wrun(&[options, more, &[&module.path, "spin"]].concat()));
                running.wait_for_start();
                running.signal(name);
                running.end().ended_silently_by(number);
            }
        }
    });
}

#[test]
fn a_signal_ends_a_loop_with_an_envelope_if_requested() {
    let guests = [
        (prints_go(r#"(export "spin" (func $run))"#), "spin", json!("spin")),
        (prints_go(r#"(export "_initialize" (func $run))"#), "seven", json!("_initialize")),
        (prints_go("(start $run)"), "seven", json!(null)),
    ];
    on_each_compiler(|options| {
        for (name, number, code, kind) in SIGNALS {
            for (module, function, runs) in &guests {
                let args = [options, &["--metrics", &module.path, function]].concat();
                let mut running = Running::start_captured(&mut wrun(&args));
                running.wait_for_output(b"go\n");
                running.signal(name);
                let ended = running.end();
                let envelope = ended.envelope();
                has_all_fields(&envelope);
                fits("envelope", &envelope);
                assert_eq!(ended.signal, Some(number), "{ended:?}");
                let error = &envelope["error"];
                assert_eq!((&error["kind"], &envelope["exit_code"]), (&json!(kind), &json!(code)));
                assert_eq!((&error["function"], &error["limit"]), (runs, &json!(null)), "{envelope}");
                assert!(envelope.get("result").is_none(), "{envelope}");
            }
        }
    });
}

#[test]
fn a_signal_ends_reading_standard_input() {
    let module = file(ENDLESS);
    for (name, number, _, kind) in SIGNALS {
        for (path, function) in [("-", "seven"), (module.path.as_str(), "spin_on")] {
            let running = Running::start_captured(&mut wrun(&[path, function]));
            running.wait_for_start();
            running.signal(name);
            running.end().ended_silently_by(number);
            let running = Running::start_captured(&mut wrun(&["--metrics", path, function]));
            running.wait_for_handler(number);
            running.signal(name);
            let ended = running.end();
            assert_eq!((ended.signal, &ended.envelope()["error"]["kind"]), (Some(number), &json!(kind)));
            assert_eq!(ended.envelope()["error"]["function"], json!(null), "{ended:?}");
        }
    }
}

#[test]
fn a_signal_ends_compiling() {
    let module = slow_to_compile();
    on_each_engine(|engine| {
        let cache = tempfile::tempdir().unwrap();
        let compile = ["compile", "-r", engine, "--cache-dir", cache.path().to_str().unwrap(), &module.path];
        for command in [
            &["-r", engine, &module.path, "f", "1"][..],
            &["-r", engine, "--metrics", &module.path, "f", "1"],
            &compile,
        ] {
            // The log tells when compiling begins.
            let mut running = Running::start_captured(&mut wrun(&[command, &["-vv"]].concat()));
            running.wait_for_message("compiling");
            running.signal("TERM");
            let ended = running.end();
            assert_eq!(ended.signal, Some(libc::SIGTERM), "{command:?}");
            if command.contains(&"--metrics") {
                let envelope: Value = serde_json::from_slice(&ended.stdout).unwrap();
                assert_eq!(envelope["error"]["message"], "terminated while compiling");
            } else {
                assert_eq!(ended.stdout, b"");
            }
        }
    });
}

#[test]
fn a_signal_ends_the_other_commands() {
    let cache = tempfile::tempdir().unwrap();
    for (name, number, _, _) in SIGNALS {
        for command in [&["inspect", "-"][..], &["compile", "-", "--cache-dir", cache.path().to_str().unwrap()]] {
            let running = Running::start_captured(&mut wrun(command));
            running.wait_for_start();
            running.signal(name);
            running.end().ended_silently_by(number);
        }
    }
}

#[test]
fn other_signals_have_their_usual_actions() {
    if ignores(libc::SIGHUP) {
        return skipped("SIGHUP is ignored here, as by `nohup`");
    }
    let module = file(ENDLESS);
    for more in [&[][..], &["--metrics", "--timeout", "1h"]] {
        let running = Running::start_captured(&mut wrun(&[more, &[&module.path, "spin"]].concat()));
        running.wait_for_start();
        running.signal("HUP");
        running.end().ended_silently_by(libc::SIGHUP);
    }
}

/// Process 1 of a PID namespace, such as a container, has no default actions, so it has to exit.
#[test]
fn process_1_exits_with_the_code_of_the_signal() {
    let unshare = ["-r", "-p", "-f", "--kill-child"];
    if !Command::new("unshare").args(unshare).arg("true").stderr(Stdio::null()).status().is_ok_and(|it| it.success()) {
        return skipped("`unshare` (util-linux) cannot create a PID namespace here");
    }
    let (module, endless) = (prints_go(r#"(export "spin" (func $run))"#), file(ENDLESS));
    for (name, number, code, kind) in SIGNALS {
        let start = |args: &[&str]| {
            let running = Running::start_captured(Command::new("unshare").args(unshare).arg(WRUN).args(args));
            let child = running.wait_for_child();
            (running, child)
        };
        let (mut running, child) = start(&["--metrics", &module.path, "spin"]);
        running.wait_for_output(b"go\n");
        child.signal(name);
        let ended = running.end();
        assert_eq!((ended.code, &ended.envelope()["error"]["kind"]), (Some(code), &json!(kind)), "{ended:?}");
        for args in [&[&endless.path, "spin"][..], &["--timeout", "1h", &endless.path, "spin"], &["inspect", "-"]] {
            let (running, child) = start(args);
            child.wait_for_handler(number);
            child.signal(name);
            running.end().fails(code, &[]);
        }
    }
}

#[test]
fn many_signals_act_like_one() {
    let module = file(ENDLESS);
    on_each_engine(|engine| {
        let running = Running::start_captured(&mut wrun(&["-r", engine, "--metrics", &module.path, "spin"]));
        running.wait_for_handler(libc::SIGTERM);
        let pid = running.id();
        let all = format!("for s in INT TERM INT TERM INT TERM; do kill -s $s {pid} 2>/dev/null; done; true");
        assert!(Command::new("sh").args(["-c", &all]).status().unwrap().success());
        let ended = running.end();
        assert!(matches!(ended.signal, Some(libc::SIGINT | libc::SIGTERM)), "{ended:?}");
        // A second signal may end it before the report.
        if !ended.stdout.is_empty() {
            let envelope = ended.envelope();
            has_all_fields(&envelope);
            let reported = (&envelope["error"]["kind"], &envelope["exit_code"]);
            assert!(SIGNALS.iter().any(|(_, _, code, kind)| reported == (&json!(kind), &json!(code))), "{envelope}");
        }
    });
}

#[test]
fn an_ignored_signal_stays_ignored() {
    let module = file(r#"(module (func (export "same") (param i32) (result i32) (local.get 0)))"#);
    for more in ["", "--metrics", "--timeout 1h"] {
        let line = format!("trap '' INT; exec {WRUN} {more} {} same", module.path);
        let start = || Running::start_captured(Command::new("sh").args(["-c", &line]));
        let mut running = start();
        running.wait_for_start();
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
        running.wait_for_start();
        running.signal("TERM");
        assert_eq!(running.end().signal, Some(libc::SIGTERM));
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
    for (running, _, _) in &blocked {
        running.wait_for_start();
    }
    thread::sleep(Duration::from_millis(400));
    for (mut running, args, (name, number, _, _)) in blocked {
        assert!(running.is_running(), "{args:?}: its output is blocked");
        running.signal(name);
        assert_eq!(running.end().signal, Some(number), "{args:?} {name}");
    }
    drop(reader);
}

#[test]
fn a_second_signal_ends_a_blocked_report() {
    let module = file(ENDLESS);
    for (name, number, _, _) in SIGNALS {
        let (reader, full) = full_pipe();
        let mut running = Running::start(wrun(&["--metrics", &module.path, "spin"]).stdout(full));
        running.wait_for_handler(number);
        running.signal("INT");
        thread::sleep(Duration::from_millis(200));
        assert!(running.is_running(), "its report is blocked");
        running.signal(name);
        assert_eq!(running.end().signal, Some(number), "{name}");
        drop(reader);
    }
}
