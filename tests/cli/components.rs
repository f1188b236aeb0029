//! Components: calls, programs, refusals, the cache.

use crate::vocabulary::{File, file, run};

/// A component with functions of WIT types.
const SHOP: &str = include_str!("shop.wat");

/// A component whose `run` succeeds or fails, by the only digit in its text.
fn program(fails: bool) -> File {
    file(format!(
        r#"(component
          (core module $code (func (export "run") (result i32) (i32.const {})))
          (core instance $code (instantiate $code))
          (func $run (result (result)) (canon lift (core func $code "run")))
          (instance $run (export "run" (func $run)))
          (export "wasi:cli/run@0.2.0" (instance $run)))"#,
        u8::from(fails)
    ))
}

#[cfg(feature = "components")]
mod calls {
    use serde_json::json;

    use super::{SHOP, file, program, run};
    use crate::vocabulary::{on_each_engine, run_with, wrun};

    #[test]
    fn a_string_argument_is_the_text_itself() {
        let shop = file(SHOP);
        run(&[&shop.path, "greet", "bob"]).prints("\"hello, bob\"\n");
        run(&[&shop.path, "greet", "\"bob\""]).prints("\"hello, \\\"bob\\\"\"\n");
        run(&[&shop.path, "greet", ""]).prints("\"hello, \"\n");
        run(&["-r", "wasmtime", &shop.path, "greet", "bob", "-o", "text"]).prints("hello, bob\n");
        let packed = run(&[&shop.path, "greet", "bob", "-o", "msgpack"]);
        assert_eq!((packed.code, packed.stdout.as_str()), (0, "\u{fffd}hello, bob"), "a string of 10 bytes");
    }

    #[test]
    fn arguments_come_from_standard_input() {
        let shop = file(SHOP);
        let items = r#"[[{"name":"tea","price":1.5,"qty":2,"tags":[]},{"name":"jam","price":3,"qty":1,"tags":["a"]}]]"#;
        run_with(&[&shop.path, "till#total"], items).prints("3\n");
        run_with(&[&shop.path, "till#total", "-"], items).prints("3\n");
        run_with(&[&shop.path, "divide"], "[7, 2]").prints("{\"ok\":3}\n");
        run_with(&[&shop.path, "divide", "--input", "msgpack"], vec![0x92, 7, 2]).prints("{\"ok\":3}\n");
        run_with(&[&shop.path, "greet"], "\"bob\"").prints("\"hello, bob\"\n");
        run_with(&["-", "greet", "bob"], SHOP).prints("\"hello, bob\"\n");
        run_with(&["-", "greet", "-"], SHOP).fails(2, &["cannot both come from standard input"]);
    }

    #[test]
    fn a_function_has_several_names() {
        let shop = file(SHOP);
        for name in ["till#total", "till.total", "demo:shop/till#total", "demo:shop/till@1.2.0#total"] {
            run(&[&shop.path, name, "[]"]).prints("0\n");
        }
    }

    #[test]
    fn a_result_that_is_err_is_printed_and_exits_with_1() {
        let shop = file(SHOP);
        let printed = run(&[&shop.path, "divide", "7", "0"]);
        assert_eq!(
            (printed.code, printed.stdout.as_str(), printed.stderr.as_str()),
            (1, "{\"err\":\"by-zero\"}\n", "")
        );
        let envelope = run(&[&shop.path, "divide", "7", "0", "--metrics"]);
        assert_eq!(envelope.code, 1);
        let envelope = envelope.envelope();
        assert_eq!((&envelope["ok"], &envelope["exit_code"]), (&json!(false), &json!(1)));
        assert_eq!(envelope["result"], json!({"err": "by-zero"}));
        assert_eq!(envelope.get("error"), None);
    }

    #[test]
    fn the_envelope_has_types_in_wit() {
        let shop = file(SHOP);
        let envelope = run(&[&shop.path, "divide", "7", "2", "--metrics", "--memory", "1MiB"]).envelope();
        assert_eq!((&envelope["ok"], &envelope["function"]), (&json!(true), &json!("divide")));
        assert_eq!(envelope["result_types"], json!(["result<u32, reason>"]));
        assert_eq!(envelope["result"], json!({"ok": 3}));
        let metrics = &envelope["metrics"];
        assert_eq!((&metrics["memory_bytes"], &metrics["cache"]), (&json!(65536), &json!("off")));
        let envelope = run(&[&shop.path, "till#total", "[]", "--metrics"]).envelope();
        assert_eq!(envelope["function"], json!("demo:shop/till@1.2.0#total"));
        assert_eq!(envelope["result_types"], json!(["u32"]));
    }

    #[test]
    fn wrong_names_and_arguments_are_explained_before_anything_is_compiled() {
        let shop = file(SHOP);
        let unknown = run(&[&shop.path, "gret", "bob"]);
        unknown.fails(
            127,
            &["exports no function `gret`", "did you mean `greet`?", "greet: func(name: string) -> string"],
        );
        run(&[&shop.path]).fails(127, &["no function given", "`wasi:cli/run`", "total"]);
        let wrong = run(&[&shop.path, "divide", "7", "7_000_000_000"]);
        wrong.fails(2, &["out of range for u32", "signature: divide: func(a: u32, b: u32) -> result<u32, reason>"]);
        let inspect = format!("`wrun inspect {}` shows the types", shop.path);
        wrong.fails(2, &[&inspect]);
        let missing = run(&[&shop.path, "greet"]);
        missing.fails(2, &["signature"]);
        assert!(!missing.stderr.contains("shows the types"), "{missing:?}");
        run(&[&shop.path, "greet(\"bob\")"]).fails(127, &["arguments are separate words: `greet bob`"]);
        run(&[&shop.path, "divide(7, [2])"]).fails(127, &["arguments are separate words: `divide 7 '[2]'`"]);
        run(&[&shop.path, "divide(a: 7)"]).fails(127, &["arguments are separate words: `divide ARGS...`"]);
        run(&[&shop.path, "divide", "7"]).fails(2, &["too few"]);
        let envelope = run(&["--metrics", &shop.path, "divide", "7"]).envelope();
        assert_eq!(envelope["error"]["kind"], json!("invalid_argument"));
        assert_eq!(envelope["metrics"]["compile_ns"], json!(null));
        let guests = run(&[&shop.path, "greet", "bob", "--", "-x"]);
        guests.fails(2, &["the component takes no arguments after `--`", "`echo '[\"-x\"]' | wrun MODULE FUNCTION`"]);
    }

    #[test]
    fn text_that_looks_like_an_option_comes_from_standard_input() {
        let shop = file(SHOP);
        for (word, tip) in [("-x", "`echo '[\"-x\"]' | wrun "), ("--it's", "`echo '[\"--it'\\''s\"]' | wrun ")] {
            let refused = run(&[&shop.path, "greet", word]);
            refused.fails(2, &[&format!("to pass `{word}` as an argument, use standard input: "), tip]);
            assert!(!refused.stderr.contains("--function") && !refused.stderr.contains("to a program"), "{refused:?}");
        }
        run(&[&shop.path, "--function=greet", "-x"]).fails(2, &["use standard input", " greet`"]);
        run_with(&[&shop.path, "greet"], "[\"-x\"]").prints("\"hello, -x\"\n");
    }

    #[test]
    fn only_a_component_that_reads_arguments_takes_them() {
        let clock = file(
            r#"(component
              (import "wasi:clocks/monotonic-clock@0.2.0" (instance (export "now" (func (result u64)))))
              (core module $code (func (export "f")))
              (core instance $code (instantiate $code))
              (func (export "f") (canon lift (core func $code "f"))))"#,
        );
        run(&[&clock.path, "f"]).prints("null\n");
        run(&[&clock.path, "f", "--", "x"]).fails(2, &["it does not import `get-arguments`"]);
    }

    #[test]
    fn an_invalid_result_is_named() {
        let text = |start: u32, length: u32| {
            file(format!(
                r#"(component
                  (core module $code
                    (memory (export "memory") 1)
                    (data (i32.const 0) "\00\00\00\00\00\00\00\00\ff")
                    (func (export "f") (result i32)
                      (i32.store (i32.const 0) (i32.const {start}))
                      (i32.store (i32.const 4) (i32.const {length}))
                      (i32.const 0)))
                  (core instance $code (instantiate $code))
                  (func (export "f") (result string)
                    (canon lift (core func $code "f") (memory $code "memory"))))"#
            ))
        };
        run(&[&text(8, 1).path, "f"]).fails(134, &["the component returned an invalid value: invalid utf-8"]);
        run(&[&text(8, 100_000).path, "f"]).fails(134, &["the component returned an invalid value: string pointer"]);
    }

    #[test]
    fn limits_hold() {
        let shop = file(SHOP);
        run(&[&shop.path, "spin", "--timeout", "200ms"]).fails(124, &["time limit of 200ms"]);
        run(&[&shop.path, "spin", "--fuel", "100K"]).fails(152, &["100000 units of fuel"]);
        run(&[&shop.path, "greet", "bob", "--memory", "1KiB"]).fails(137, &["limit"]);
        run(&[&shop.path, "trap"]).fails(134, &["unreachable"]);
    }

    #[test]
    fn a_program_exits_with_0_or_1() {
        run(&[&program(false).path]).prints("");
        run(&[&program(true).path]).fails(1, &[]);
        let envelope = run(&["--metrics", &program(true).path]).envelope();
        assert_eq!((&envelope["ok"], &envelope["guest_exit_code"]), (&json!(false), &json!(1)));
        assert_eq!(envelope["function"], json!("wasi:cli/run@0.2.0#run"));
        let word = run(&[&program(false).path, "report.csv"]);
        word.fails(127, &["arguments of a program go after `--`", "-- report.csv"]);
    }

    #[test]
    fn a_component_that_answers_http_requests_is_not_served() {
        for interface in ["wasi:http/incoming-handler@0.2.0", "wasi:http/handler@0.3.0"] {
            let handler = file(format!(
                r#"(component
                    (core module $m (func (export "handle")))
                    (core instance $i (instantiate $m))
                    (func $handle (canon lift (core func $i "handle")))
                    (instance $handler (export "handle" (func $handle)))
                    (export "{interface}" (instance $handler)))"#
            ));
            let answers = format!("it answers HTTP requests (`{interface}`): wrun is not a server");
            run(&[&handler.path]).fails(127, &["is not a program", &answers]);
        }
    }

    #[test]
    fn wasmer_refuses_a_component_before_compiling_it() {
        let shop = file(SHOP);
        on_each_engine(|engine| {
            let envelope = run(&["-r", engine, "--metrics", "--no-cache", &shop.path, "greet", "bob"]).envelope();
            if engine == "wasmtime" {
                return assert_eq!(envelope["result"], json!("hello, bob"));
            }
            assert_eq!(
                (&envelope["error"]["kind"], &envelope["exit_code"]),
                (&json!("unsupported_feature"), &json!(126))
            );
            assert_eq!(envelope["error"]["hints"], json!(["use `--runtime wasmtime`"]));
            assert_eq!(envelope["metrics"]["compile_ns"], json!(null));
            let folder = tempfile::tempdir().unwrap();
            let compiled =
                wrun().env("WRUN_CACHE_DIR", folder.path()).args(["compile", "-r", engine, &shop.path]).output();
            assert_eq!(compiled.unwrap().status.code(), Some(126));
        });
    }

    #[test]
    fn resources_are_refused_before_anything_is_compiled() {
        let desk = file(
            r#"(component
              (type $ticket' (resource (rep i32)))
              (core func $new (canon resource.new $ticket'))
              (core instance $code (export "new" (func $new)))
              (export $ticket "ticket" (type $ticket'))
              (func (export "open") (param "number" u32) (result (own $ticket)) (canon lift (core func $code "new"))))"#,
        );
        run(&[&desk.path, "open", "7"]).fails(
            126,
            &[
                "cannot call `open`: the result contains the resource `ticket`, which has no text form",
                "the library can pass",
            ],
        );
        let envelope = run(&["--metrics", &desk.path, "open", "7"]).envelope();
        assert_eq!(envelope["error"]["kind"], json!("unsupported_feature"));
        assert_eq!(envelope["metrics"]["compile_ns"], json!(null));
    }

    #[test]
    fn unresolved_imports_are_refused_before_anything_is_compiled() {
        let guest = file(
            r#"(component
              (import "demo:shop/prices@1.0.0" (instance (export "price" (func (param "of" string) (result u32)))))
              (core module $code (func (export "f")))
              (core instance $code (instantiate $code))
              (func (export "f") (canon lift (core func $code "f"))))"#,
        );
        let parts = ["1 unresolved import", "`demo:shop/prices@1.0.0` `price`", "the library can provide functions"];
        run(&[&guest.path, "f"]).fails(126, &parts);
        let envelope = run(&["--metrics", &guest.path, "f"]).envelope();
        assert_eq!(envelope["error"]["kind"], json!("unlinkable"));
        assert_eq!(envelope["metrics"]["compile_ns"], json!(null));
        let preliminary = file(
            r#"(component
              (import "wasi:clocks/monotonic-clock@0.2.0-rc-2023-11-10" (instance (export "now" (func (result u64)))))
              (core module $code (func (export "f")))
              (core instance $code (instantiate $code))
              (func (export "f") (canon lift (core func $code "f"))))"#,
        );
        let envelope = run(&["--metrics", &preliminary.path, "f"]).envelope();
        let hint = "wrun provides WASI 0.2 and 0.3, not preliminary versions";
        assert_eq!(envelope["error"]["hints"], json!([hint]));
    }

    #[test]
    fn functions_that_wasi_does_not_have_are_refused_before_anything_is_compiled() {
        let guest = file(
            r#"(component
              (import "wasi:cli/exit@0.2.99" (instance (export "exit-nicely" (func))
                (export "exit" (func (param "status" (result))))))
              (core module $code (func (export "f")))
              (core instance $code (instantiate $code))
              (func (export "f") (canon lift (core func $code "f"))))"#,
        );
        run(&[&guest.path, "f"]).fails(126, &["1 unresolved import", "`wasi:cli/exit@0.2.99` `exit-nicely`: func()"]);
        let envelope = run(&["--metrics", &guest.path, "f"]).envelope();
        assert_eq!(envelope["error"]["kind"], json!("unlinkable"));
        assert_eq!(envelope["metrics"]["compile_ns"], json!(null));
    }

    #[test]
    fn network_rules_are_granted_to_components_but_not_in_deterministic_runs() {
        run(&["--net", "dns", &program(false).path]).prints("");
        run(&["--net", "dns", "--deterministic", &program(false).path]).fails(126, &["not deterministic"]);
        let explained = run(&["-r", "wasmtime", "--net", "dns", "--explain", "app.wasm"]);
        assert!(explained.code == 0 && explained.stdout.contains("net             dns "), "{explained:?}");
    }

    #[test]
    fn the_cache_holds_components() {
        let (shop, folder) = (file(SHOP), tempfile::tempdir().unwrap());
        let cache = folder.path().join("code");
        let cached = |args: &[&str]| {
            let output = wrun().env("WRUN_CACHE_DIR", &cache).args(args).output().unwrap();
            serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
        };
        let report = cached(&["compile", "-o", "json", &shop.path]);
        assert_eq!((&report[0]["ok"], &report[0]["cache"]), (&json!(true), &json!("miss")));
        let envelope = cached(&["--metrics", &shop.path, "greet", "bob"]);
        assert_eq!((&envelope["metrics"]["cache"], &envelope["result"]), (&json!("hit"), &json!("hello, bob")));
        let wrong = cached(&["--metrics", &shop.path, "divide", "7", "x"]);
        assert_eq!((&wrong["metrics"]["cache"], &wrong["error"]["kind"]), (&json!("hit"), &json!("invalid_argument")));
        assert_eq!(cached(&["cache", "list", "-o", "json"])["entries"][0]["about"]["module"], json!("module.wasm"));
        assert_eq!(cached(&["cache", "verify", "-o", "json"])["bad"], json!([]));
    }
}

#[cfg(not(feature = "components"))]
#[test]
fn a_build_without_components_refuses_them() {
    run(&[&file(SHOP).path, "greet", "bob"]).fails(126, &["`components`"]);
    run(&[&program(false).path]).fails(126, &["`components`"]);
}
