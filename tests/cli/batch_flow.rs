//! How a batch ends: by signals, and when the reader of its results goes away.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::process::{ENDLESS, Running, wrun};
use crate::vocabulary::{WRUN, file, on_each_engine, skipped};

const ADD: [&str; 3] = ["batch", "fixtures/add.wasm", "add"];

/// A module with a function that takes a while.
const SLOW: &str = r#"(module (func (export "slow") (param i32) (result i32) (local i32)
  (local.set 1 (i32.const 300000000))
  (loop (br_if 0 (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))
  (local.get 0)))"#;

fn metrics_of(path: &std::path::Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn results_leave_while_the_input_is_silent() {
    on_each_engine(|engine| {
        let mut running = Running::start_captured(&mut wrun(&[&ADD[..], &["-r", engine]].concat()));
        for (record, result) in [("[1,2]\n", "3\n"), ("[3,4]\n", "7\n"), ("[5", ""), (",6]\n", "11\n")] {
            running.write(record.as_bytes());
            running.wait_for_output(result.as_bytes());
        }
        running.close();
        assert_eq!(running.end().code, Some(0));
    });
}

#[test]
fn a_signal_ends_a_batch_that_waits_for_records() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics");
    on_each_engine(|engine| {
        for (name, number, kind) in [("INT", 2, "interrupted"), ("TERM", 15, "terminated")] {
            let args = [&ADD[..], &["-r", engine, "--metrics", path.to_str().unwrap()]].concat();
            let mut running = Running::start_captured(&mut wrun(&args));
            // The incomplete record is dropped.
            running.write(b"[1,2]\n[3");
            running.wait_for_output(b"3\n");
            running.signal(name);
            let ended = running.end();
            assert_eq!((ended.signal, ended.stderr.as_str()), (Some(number), "note: stopped after 1 record\n"));
            let metrics = metrics_of(&path);
            assert_eq!((&metrics["error"]["kind"], &metrics["exit_code"]), (&json!(kind), &json!(128 + number)));
            assert_eq!((&metrics["batch"]["records"], &metrics["batch"]["outcome"]), (&json!(1), &json!("stopped")));
        }
    });
}

#[test]
fn a_signal_lets_the_call_that_runs_finish() {
    let module = file(SLOW);
    on_each_engine(|engine| {
        let mut running =
            Running::start_captured(&mut wrun(&["batch", "-r", engine, "--jobs", "1", &module.path, "slow"]));
        running.write(&b"7\n".repeat(100));
        running.wait_for_output(b"7\n");
        running.signal("INT");
        let ended = running.end();
        let note = match ended.stdout.len() / 2 {
            0 => "note: stopped after 1 record\n".to_owned(),
            more => format!("note: stopped after {} records\n", more + 1),
        };
        assert_eq!((ended.signal, ended.stderr), (Some(2), note));
        assert!(ended.stdout.len() < 200 && ended.stdout.chunks(2).all(|line| line == b"7\n"), "{:?}", ended.stdout);
    });
}

#[test]
fn a_second_signal_ends_a_batch_at_once() {
    let module = file(ENDLESS);
    on_each_engine(|engine| {
        let mut running = Running::start_captured(&mut wrun(&["batch", "-r", engine, &module.path, "spin_on"]));
        running.wait_for_handler(libc::SIGINT);
        running.write(b"1\n");
        std::thread::sleep(std::time::Duration::from_millis(500));
        running.signal("INT");
        std::thread::sleep(std::time::Duration::from_millis(500));
        assert!(running.is_running(), "the call still runs");
        running.signal("TERM");
        assert_eq!(running.end().signal, Some(libc::SIGTERM));
    });
}

/// `timeout` sends its signal to the command, and then to its whole process group.
#[test]
fn a_signal_that_is_sent_twice_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics");
    let line =
        format!("yes '[1,2]' | timeout 2 {WRUN} batch --no-cache fixtures/add.wasm add --metrics {}", path.display());
    let output = Command::new("sh").args(["-c", &line]).output().unwrap();
    assert!(output.stdout.chunks(2).all(|line| line == b"3\n"));
    let metrics = metrics_of(&path);
    assert_eq!(metrics["batch"]["records"], json!(output.stdout.len() / 2), "{metrics}");
    assert_eq!(metrics["batch"]["outcome"], json!("stopped"));
}

#[test]
fn process_1_exits_with_the_code_of_the_signal() {
    let unshare = ["-r", "-p", "-f", "--kill-child"];
    if !Command::new("unshare").args(unshare).arg("true").stderr(Stdio::null()).status().is_ok_and(|it| it.success()) {
        return skipped("`unshare` (util-linux) cannot create a PID namespace here");
    }
    let mut command = Command::new("unshare");
    let mut running = Running::start_captured(command.args(unshare).arg(WRUN).args(ADD));
    let child = running.wait_for_child();
    running.write(b"[1,2]\n");
    running.wait_for_output(b"3\n");
    child.signal("TERM");
    let ended = running.end();
    assert_eq!(
        (ended.code, ended.stdout.as_slice(), ended.stderr.as_str()),
        (Some(143), &b""[..], "note: stopped after 1 record\n")
    );
}

#[test]
fn a_batch_ends_quietly_when_its_reader_goes_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics");
    on_each_engine(|engine| {
        // The input is endless, or silent after a record.
        for input in ["yes '[1,2]'", "{ echo '[1,2]'; sleep 100; }"] {
            let batch = format!("{WRUN} {} -r {engine} --no-cache --metrics {}", ADD.join(" "), path.display());
            let line =
                format!("mkfifo in; {input} >in & {{ {batch} <in; echo code $? >&2; }} | head -1; kill $! 2>/dev/null");
            let dir = tempfile::tempdir().unwrap();
            let root = std::env::current_dir().unwrap();
            let line = line.replace("fixtures/", &format!("{}/fixtures/", root.display()));
            let output =
                Command::new("timeout").args(["60", "sh", "-c", &line]).current_dir(dir.path()).output().unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert_eq!((output.stdout.as_slice(), stderr.trim()), (&b"3\n"[..], "code 0"), "{input}");
            assert_eq!(metrics_of(&path)["batch"]["outcome"], json!("output_closed"), "{input}");
        }
    });
}

#[test]
fn an_ignored_signal_stays_ignored() {
    let line = format!("trap '' INT; exec {WRUN} {}", ADD.join(" "));
    let mut running = Running::start_captured(Command::new("sh").args(["-c", &line]));
    running.write(b"[1,2]\n");
    running.wait_for_output(b"3\n");
    running.signal("INT");
    running.write(b"[3,4]\n");
    running.wait_for_output(b"7\n");
    running.close();
    assert_eq!(running.end().code, Some(0));
}
