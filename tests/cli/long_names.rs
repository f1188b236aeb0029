//! A module chooses its names. None of them makes wrun print much.

use serde_json::Value;

use crate::vocabulary::{File, Printed, file, on_each_engine, run};

const LENGTH: usize = 99_000;

/// The most that any message of this module may take.
const MAX_PRINTED: usize = 12_000;

/// How a long name ends in a message.
const CUT: &str = "aaaa (99000 bytes)";

/// A module whose every name is long.
fn module(more: &str) -> File {
    let long = "a".repeat(LENGTH);
    let text = format!(
        r#"(module (@name "{long}")
          (func (@name "{long}") (export "{long}") (param i32) unreachable)
          (func (export "run") (call 0 (i32.const 1)))
          (memory (export "memory") 1)
          (global (export "g{long}") i32 (i32.const 0))
          (@custom "{long}" "contents")
          (@producers (language "{long}" "{long}"))
          {more})"#
    );
    file(wat::parse_str(text).unwrap())
}

#[track_caller]
fn prints_little(printed: &Printed) {
    let length = printed.stdout.len() + printed.stderr.len();
    assert!(length < MAX_PRINTED, "{length} bytes: {}…", &printed.stderr[..200.min(printed.stderr.len())]);
    let all = format!("{}{}", printed.stdout, printed.stderr);
    assert!(all.contains(CUT), "{all}");
}

#[test]
fn a_long_name_is_cut_wherever_it_is_printed() {
    let (module, long) = (module(""), "a".repeat(LENGTH));
    let m = module.path.as_str();
    on_each_engine(|engine| {
        let run = |args: &[&str]| run(&[&["-r", engine, "--no-cache"], args].concat());
        for (code, args) in [
            (127, vec![m, "missing"]),
            (127, vec![m, "aaa"]),
            (127, vec![m, &format!("{long}b")]),
            (2, vec![m, &long]),
            (2, vec![m, &long, "x"]),
            (134, vec![m, &long, "1"]),
            (134, vec![m, "run"]),
            (134, vec!["-v", m, &long, "1"]),
            (2, vec![m, "run", &long]),
            (127, vec![m, "--", "argument"]),
        ] {
            let printed = run(&args);
            assert_eq!(printed.code, code, "{}", &printed.stderr[..200.min(printed.stderr.len())]);
            if args != [m, "run", &long] {
                prints_little(&printed);
            }
        }
    });
    let inspected = run(&["inspect", m]);
    assert_eq!(inspected.code, 0);
    prints_little(&inspected);
}

#[test]
fn long_names_of_imports_are_cut() {
    let long = "a".repeat(LENGTH);
    let text = format!(
        r#"(module (import "{long}" "{long}" (func)) (import "{long}" "\n{long}" (func)) (func (export "f")))"#
    );
    let module = file(wat::parse_str(text).unwrap());
    let printed = run(&["--no-cache", &module.path, "f"]);
    assert_eq!(printed.code, 126);
    prints_little(&printed);
    assert!(printed.stderr.contains("\\u{a}aaaa"), "{}", printed.stderr);
}

#[test]
fn an_argument_of_any_length_is_cut() {
    let text = r#"(module (func (export "f") (param i32)) (func (export "v") (param v128)))"#;
    let module = file(text);
    for (function, argument) in [("f", "a".repeat(LENGTH)), ("f", "9".repeat(LENGTH)), ("v", "a".repeat(LENGTH))] {
        let printed = run(&["--no-cache", &module.path, function, &argument]);
        assert_eq!(printed.code, 2);
        assert!(printed.stderr.len() < MAX_PRINTED && printed.stderr.contains("(99000 bytes)"), "{}", printed.stderr);
    }
}

#[test]
fn the_envelope_has_whole_names_except_in_messages() {
    let (module, long) = (module(""), "a".repeat(LENGTH));
    let printed = run(&["--no-cache", "--metrics", &module.path, &long, "1"]);
    let envelope: Value = printed.envelope();
    assert_eq!(envelope["function"], long);
    assert_eq!(envelope["error"]["backtrace"][0]["function"], long);
    let missing = run(&["--no-cache", "--metrics", &module.path, "missing"]).envelope();
    let text = serde_json::to_string(&missing["error"]).unwrap();
    assert!(text.len() < MAX_PRINTED && text.contains(CUT), "{text}");
    let report: Value = serde_json::from_str(&run(&["inspect", &module.path, "-o", "json"]).stdout).unwrap();
    assert_eq!(report["exports"][0]["name"], long);
    assert_eq!(report["custom_sections"][0]["name"], long);
}

#[test]
fn an_invalid_module_with_long_names_prints_little() {
    let long = "a".repeat(LENGTH);
    let text = format!(r#"(module (func) (export "{long}" (func 0)) (export "{long}" (func 0)))"#);
    let printed = run(&["--no-cache", &file(wat::parse_str(text).unwrap()).path]);
    assert_eq!(printed.code, 126);
    assert!(printed.stderr.len() < MAX_PRINTED && printed.stderr.contains("duplicate export"), "{}", printed.stderr);
}

#[test]
fn a_list_of_many_exports_and_a_long_signature_are_cut() {
    let exports: String = (0..100_000).map(|index| format!("(export \"f{index}\" (func 0))")).collect();
    let parameters = "i32 ".repeat(1000);
    let module = file(
        wat::parse_str(format!(r#"(module (func) (func (export "wide") (param {parameters})) {exports})"#)).unwrap(),
    );
    let printed = run(&["--no-cache", &module.path, "missing"]);
    printed.fails(127, &["wide(i32, i32", "and 968 more)", "f38()", "and 99961 more"]);
    assert!(printed.stderr.len() < MAX_PRINTED, "{}", printed.stderr.len());
}
