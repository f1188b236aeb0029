//! `wrun batch MODULE` without a function: records are operations on one instance.

use std::process::Command;

use crate::process::{self, Running};
use crate::vocabulary::{on_each_engine, path_with_wrun, python_example, run, run_with, skipped, wrun};

const GUEST: &str = "fixtures/driven.wat";

#[test]
fn operations_are_answered_in_order_and_errors_take_their_place() {
    on_each_engine(|runtime| {
        let operations = r#"{"call":"alloc","args":[5]}
{"write":{"offset":16,"text":"straß"}}
{"call":"upper","args":[16,6]}

{"id":"r","read":{"offset":16,"length":6,"as":"text"}}
{"id":2,"read":{"offset":65536,"length":1}}
{"reed":1}
{"call":"upper","args":[65536,1]}
{"call":"alloc","args":[1]}
{"restart":true}
{"global":"next"}
"#;
        let printed = run_with(&["batch", "-r", runtime, GUEST], operations);
        let answers: Vec<&str> = printed.stdout.lines().collect();
        assert_eq!(answers[..4], ["16", "null", "null", r#"{"id":"r","result":"STRAß"}"#], "{printed:?}");
        assert!(
            answers[4].starts_with(r#"{"id":2,"error":{"kind":"memory_access","message":"1 bytes at"#),
            "{printed:?}"
        );
        assert!(answers[5].contains(r#""kind":"invalid_argument""#) && answers[5].contains("unknown key `reed`"));
        assert!(answers[6].contains(r#""trap":"memory_out_of_bounds""#), "{printed:?}");
        assert!(answers[7].contains(r#""kind":"crashed""#) && answers[7].contains(r#""record":8"#), "{printed:?}");
        assert_eq!((&answers[8..], printed.code), (&["null", "16"][..], 123), "{printed:?}");
    });
}

#[test]
fn operations_in_messagepack_have_the_same_shape() {
    on_each_engine(|runtime| {
        let operations =
            b"\x81\xa5write\x82\xa6offset\x10\xa5bytes\xc4\x02ab\x82\xa2id\x07\xa4read\x82\xa6offset\x10\xa6length\x02";
        let mut command = wrun();
        command.args(["batch", "--input", "msgpack", "-o", "msgpack", "-r", runtime, GUEST]);
        let output = command.write_stdin(operations.to_vec()).output().unwrap();
        assert_eq!(output.stdout, b"\xc0\x82\xa2id\x07\xa6result\xc4\x02ab");
        assert!(output.status.success());
    });
}

#[test]
fn an_answer_leaves_before_the_next_operation_comes() {
    let mut running = Running::start_captured(&mut process::wrun(&["batch", GUEST]));
    for expected in ["16\n", "17\n", "18\n"] {
        running.write(b"{\"call\":\"alloc\",\"args\":[1]}\n");
        running.wait_for_output(expected.as_bytes());
    }
    running.close();
    assert_eq!(running.end().code, Some(0));
}

#[test]
fn limits_are_those_of_each_operation() {
    on_each_engine(|runtime| {
        let calls = "{\"call\":\"upper\",\"args\":[16,50]}\n".repeat(9);
        let printed = run_with(&["batch", "--fuel", "1000", "-r", runtime, GUEST], calls.clone());
        assert_eq!((printed.stdout.as_str(), printed.code), ("null\n".repeat(9).as_str(), 0), "{printed:?}");
        let printed = run_with(&["batch", "--fuel", "100", "-r", runtime, GUEST], calls);
        assert!(printed.stdout.contains(r#""kind":"out_of_fuel""#), "{printed:?}");
        assert_eq!(printed.code, 123);
    });
}

#[test]
fn what_needs_a_function_is_refused_before_anything_runs() {
    for (options, text) in [
        (&["--jobs", "2"][..], "2 jobs"),
        (&["--instance", "per-call"], "instance"),
        (&["--input", "csv"], "csv"),
        (&["--input", "lines"], "lines"),
        (&["-o", "arrow"], "arrow"),
        (&["--unordered"], "unordered"),
        (&["--columns", "a"], "columns"),
    ] {
        let printed = run(&[&["batch", GUEST], options].concat());
        assert!(
            printed.code == 2 && printed.stdout.is_empty() && printed.stderr.contains(text),
            "{options:?}: {printed:?}"
        );
    }
}

#[cfg(feature = "components")]
#[test]
fn components_take_calls() {
    let operations = r#"{"call":"echo-pair","args":[[1,"a"]]}
{"read":{"offset":0,"length":1}}
{"call":"echo-pear","args":[[1,"a"]]}
"#;
    let printed = run_with(&["batch", "fixtures/component/types/types.wasm"], operations);
    let answers: Vec<&str> = printed.stdout.lines().collect();
    assert_eq!(answers[0], r#"[1,"a"]"#, "{printed:?}");
    assert!(answers[1].contains(r#""kind":"unsupported_feature""#), "{printed:?}");
    assert!(answers[2].contains(r#""kind":"unknown_export""#), "{printed:?}");
}

#[test]
fn the_example_in_python_works() {
    let (example, expected) = python_example("docs/driving.md");
    let Ok(output) = Command::new("python3").args(["-c", &example]).env("PATH", path_with_wrun()).output() else {
        return skipped("there is no python3");
    };
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), expected, "{stderr}");
}
