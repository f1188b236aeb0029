//! Text and bytes through modules: `--abi`, `--payload`, `--alloc`, `--free` and `-o raw`.

use crate::vocabulary::{file, long_output, on_each_engine, printed, run, run_with, wrun};

const STRINGS: &str = "fixtures/text/strings.wasm";
const FILTER: &str = "fixtures/text/filter.wasm";

#[test]
fn each_convention_takes_and_prints_text() {
    on_each_engine(|engine| {
        let call = |args: &[&str]| run(&[&["-r", engine], args].concat());
        call(&["--abi", "packed", STRINGS, "upper", "héllo"]).prints("\"HéLLO\"\n");
        call(&["--abi", "packed", STRINGS, "upper", ""]).prints("\"\"\n");
        call(&["--abi", "packed", "fixtures/text/words.wasm", "reverse_words", "one two"]).prints("\"two one\"\n");
        call(&["--abi", "packed", "fixtures/text/names.wasm", "capitalize", "ada l"]).prints("\"Ada L\"\n");
        call(&["--abi", "cstr", STRINGS, "repeat", "hi", "3", "-o", "text"]).prints("hi, hi, hi\n");
        call(&["--abi", "cstr", STRINGS, "after", "a", "b"]).prints("null\n");
        call(&["--abi", "stdio", FILTER, "_start", "hello"]).prints("\"HELLO\"\n");
    });
}

#[test]
fn arguments_come_from_standard_input_too() {
    let upper = ["--abi", "packed", STRINGS, "upper"];
    run_with(&upper, "[\"a\"]").prints("\"A\"\n");
    run_with(&[&upper[..], &["-"]].concat(), "\"-x\"").prints("\"-X\"\n");
    let output = wrun().args(upper).args(["--input", "msgpack", "-o", "msgpack"]).write_stdin(&b"\xa1a"[..]).output();
    assert_eq!(output.unwrap().stdout, b"\xa1A");
    run_with(&["--abi", "stdio", FILTER], "\"a\\n\"").prints("\"A\\n\"\n");
    run_with(&["--abi", "cstr", STRINGS, "repeat"], "[\"a\", 2]").prints("\"a, a\"\n");
    run_with(&upper, "").fails(2, &["standard input is empty", "signature: upper: func(input: string) -> string"]);
}

#[test]
fn raw_output_is_the_bytes() {
    run(&["--abi", "packed", "-o", "raw", STRINGS, "upper", "abc\n"]).prints("ABC\n");
    run(&["--abi", "packed", "-o", "raw", STRINGS, "upper", ""]).prints("");
    run(&["--abi", "cstr", "-o", "raw", STRINGS, "after", "a", "b"]).prints("");
    // As the guest wrote it.
    let measure = ["--abi", "packed", "--payload", "json", "-o", "raw", STRINGS, "measure", "[ 1 ]"];
    run(&measure).prints("{ \"value\": [1], \"depth\": 1 }");
    let add_one = ["--abi", "packed", "--payload", "bytes", "-o", "raw", STRINGS, "add_one"];
    let output = wrun().args(add_one).write_stdin("{\"base64\":\"/v8=\"}").output().unwrap();
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(0), &b"\xff\x00"[..]));
}

#[test]
#[cfg(feature = "components")]
fn raw_output_of_components() {
    let shop = "fixtures/component/shop/shop.wasm";
    run(&["-r", "wasmtime", "-o", "raw", shop, "greet", "bob"]).prints("hello, bob");
    run(&["-r", "wasmtime", "-o", "raw", shop, "till#total", "[]"]).fails(2, &["`-o raw` writes text or bytes"]);
}

#[test]
fn raw_output_of_numbers_is_refused_before_anything_runs() {
    run(&["-o", "raw", "fixtures/add.wasm", "add", "1", "2"])
        .fails(2, &["`-o raw` writes text or bytes", "add(i32, i32)"]);
    run(&["-o", "raw", "--abi", "cstr", STRINGS, "vowels", "a"]).fails(2, &["`-o raw` writes text or bytes"]);
    run(&["-o", "raw", "--metrics", "fixtures/add.wasm", "add", "1", "2"]).fails(2, &["not raw bytes"]);
}

#[test]
fn payloads_are_json_values_or_bytes() {
    on_each_engine(|engine| {
        let call = |payload: &str, args: &[&str]| {
            run(&[&["-r", engine, "--abi", "packed", "--payload", payload, STRINGS], args].concat())
        };
        let value = r#"{"b":1.10,"a":12345678901234567890123}"#;
        call("json", &["measure", value]).prints(&format!("{{\"value\":{value},\"depth\":1}}\n"));
        call("json", &["measure", "[1]", "-o", "text"]).prints("{\"value\":[1],\"depth\":1}\n");
        call("json", &["measure", "1.0", "--pretty"]).prints("{\n  \"value\": 1.0,\n  \"depth\": 0\n}\n");
        call("bytes", &["add_one", "[255,0]"]).prints("{\"base64\":\"AAE=\"}\n");
        call("json", &["measure", "{x}"])
            .fails(2, &["input: not JSON", "signature: measure: func(input: json) -> json"]);
    });
}

#[test]
fn failures_of_the_guest_have_a_kind_and_an_exit_code() {
    on_each_engine(|engine| {
        let add_one = ["-r", engine, "--abi", "packed", STRINGS, "add_one", "\u{7f}"];
        run(&add_one).fails(134, &["the result of `add_one` is not UTF-8", "hint: `--payload bytes`"]);
        let envelope = run(&[&add_one[..], &["--metrics"]].concat()).envelope();
        assert_eq!((&envelope["error"]["kind"], &envelope["exit_code"]), (&"invalid_result".into(), &134.into()));
        let big = format!("\"{}\"", "x".repeat(1 << 20));
        let upper = ["-r", engine, "--memory", "1MiB", "--abi", "packed", STRINGS, "upper", "-"];
        run_with(&upper, big).fails(137, &["`malloc` returned a null pointer", "limit"]);
        run(&["-r", engine, "--abi", "stdio", FILTER, "_start", ""]).fails(3, &[]);
        run(&["-r", engine, "--fuel", "100", "--abi", "packed", STRINGS, "upper", &"x".repeat(99)])
            .fails(152, &["fuel"]);
    });
}

#[test]
fn the_envelope_has_the_text() {
    let envelope = run(&["--metrics", "--abi", "packed", STRINGS, "upper", "a"]).envelope();
    assert_eq!((&envelope["result"], &envelope["result_types"]), (&"A".into(), &serde_json::json!(["string"])));
    assert_eq!(envelope["function"], "upper");
    let envelope = run(&["--metrics", "--abi", "stdio", FILTER, "_start", "a"]).envelope();
    assert_eq!((&envelope["result"], &envelope["function"]), (&"A".into(), &"_start".into()));
}

#[test]
fn the_output_of_a_program_is_bounded() {
    let program = file(long_output(65));
    on_each_engine(|engine| {
        let args = ["-r", engine, "--abi", "stdio", "--payload", "bytes", &program.path, "_start", "\"x\""];
        run(&args).fails(137, &["wrote 68157440 bytes", "a result has at most 67108864"]);
        let failed = run(&[&["--metrics"], &args[..]].concat()).envelope();
        assert_eq!(failed["error"]["kind"], "limit");
        let args = ["batch", "-r", engine, "--abi", "stdio", "--payload", "bytes", &program.path];
        let failed = run_with(&args, "\"x\"\n");
        assert!(failed.code == 123 && failed.stdout.contains("\"kind\":\"limit\""), "{failed:?}");
    });
}

#[test]
#[cfg(feature = "components")]
fn stdio_runs_programs_that_are_components() {
    let programs = ["fixtures/component/programs/actions.wasm", "fixtures/component/programs/actions3.wasm"];
    for program in &programs[..if cfg!(feature = "wasi-p3") { 2 } else { 1 }] {
        let stdio = ["-r", "wasmtime", "--abi", "stdio", program];
        run(&[&stdio[..], &["run#run", "héllo", "--", "echo", "-"]].concat()).prints("\"héllo\"\n");
        run_with(&[&stdio[..], &["--", "echo", "-"]].concat(), "\"hello\"").prints("\"hello\"\n");
        let batch = [&["batch"], &stdio[..], &["--", "echo", "-"]].concat();
        run_with(&batch, "\"a\"\n\"b c\"\n").prints("\"a\"\n\"b c\"\n");
        let failed = run_with(&[&["batch"], &stdio[..], &["--", "exit", "3"]].concat(), "\"a\"\n");
        assert!(failed.code == 123 && failed.stdout.contains("\"kind\":\"exited\""), "{failed:?}");
    }
}

#[test]
fn each_convention_takes_a_batch_with_shared_and_new_instances() {
    on_each_engine(|engine| {
        for mode in ["shared", "per-call"] {
            let batch = |args: &[&str], records: &str| {
                run_with(&[&["batch", "-r", engine, "--instance", mode, "--abi"], args].concat(), records)
            };
            batch(&["packed", STRINGS, "upper"], "\"a\"\n\"b\"\n").prints("\"A\"\n\"B\"\n");
            batch(&["cstr", STRINGS, "repeat"], "[\"a\",2]\n[\"b\",1]\n").prints("\"a, a\"\n\"b\"\n");
            batch(&["stdio", FILTER], "\"a\"\n\"b\"\n").prints("\"A\"\n\"B\"\n");
            batch(&["extism", "fixtures/extism/plugin.wasm", "echo"], "\"a\"\n\"b\"\n").prints("\"a\"\n\"b\"\n");
            let failed = batch(&["packed", STRINGS, "add_one"], "\"\\u007f\"\n\"a\"\n");
            assert!(failed.code == 123 && failed.stdout.ends_with("}}\n\"b\"\n"), "{failed:?}");
            let failed = batch(&["stdio", FILTER], "\"\"\n\"a\"\n");
            assert!(failed.code == 123 && failed.stdout.ends_with("}}\n\"A\"\n"), "{failed:?}");
        }
    });
}

#[test]
fn a_time_limit_covers_allocating_and_freeing() {
    let spinning = |alloc: &str, free: &str| {
        file(format!(
            r#"(module (memory (export "memory") 1)
              (func (export "alloc") (param i32) (result i32) {alloc} (i32.const 1024))
              (func (export "free") (param i32) {free})
              (func (export "f") (param i32 i32) (result i64) (i64.const 1)))"#
        ))
    };
    let forever = "(loop $again (br $again))";
    on_each_engine(|engine| {
        for module in [spinning(forever, ""), spinning("", forever)] {
            let limited = ["-r", engine, "--timeout", "300ms", "--abi", "packed", &module.path, "f", "a"];
            run(&limited).fails(124, &["time"]);
        }
    });
}

#[test]
fn options_and_functions_that_do_not_fit() {
    run(&["--abi", "packed", STRINGS, "repeat", "a"])
        .fails(126, &["does not fit the convention `packed`", "--abi cstr"]);
    run(&["--abi", "packed", STRINGS, "uper", "a"]).fails(127, &["did you mean `upper`?"]);
    run(&["--abi", "packed", STRINGS]).fails(127, &["no function given", "upper(i32, i32) -> i64"]);
    run(&["--abi", "packed", "--alloc", "nothing", STRINGS, "upper", "a"]).fails(127, &["no function `nothing`"]);
    run(&["--abi", "packed", "--free", "upper", STRINGS, "upper", "a"])
        .fails(126, &["`--free`", "does not have the type"]);
    run(&["--alloc", "malloc", STRINGS, "upper", "1", "2"]).fails(2, &["`packed` and `cstr`"]);
    run(&["--payload", "json", STRINGS, "upper", "1", "2"]).fails(2, &["`--payload` needs `--abi`"]);
    run(&["--abi", "stdio", "--free", "free", FILTER, "_start", "a"]).fails(2, &["convention `stdio`"]);
    run(&["--abi", "stdio", STRINGS, "upper", "a"]).fails(126, &["does not fit the convention `stdio`"]);
    run(&["--abi", "packed", "--free", "", STRINGS, "upper", "a"]).prints("\"A\"\n");
}

#[test]
fn text_for_a_function_that_takes_numbers_leads_to_a_convention() {
    run(&[STRINGS, "upper", "text", "4"]).fails(2, &["hint: `--abi packed` passes text"]);
    run(&[STRINGS, "greet", "bob"]).fails(2, &["hint: `--abi cstr` passes text"]);
    let without = run(&["fixtures/add.wasm", "add", "text", "4"]);
    without.fails(2, &["invalid i32"]);
    assert!(!without.stderr.contains("--abi"), "{}", without.stderr);
    assert!(!run(&[STRINGS, "upper", "1"]).stderr.contains("--abi"));
}

#[test]
fn the_log_names_the_functions_that_allocate_and_free() {
    let output = printed(&wrun().args(["-v", "--abi", "packed", STRINGS, "upper", "a"]).output().unwrap());
    assert!(output.stderr.contains("allocated by `malloc`, freed by `free`"), "{}", output.stderr);
    let output = printed(
        &wrun().args(["-v", "--abi", "packed", "fixtures/text/names.wasm", "capitalize", "a"]).output().unwrap(),
    );
    assert!(output.stderr.contains("allocated by `__new`, pinned by `__pin`"), "{}", output.stderr);
}
