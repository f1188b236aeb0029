//! Text and bytes through modules: `--abi`, `--payload`, `--alloc`, `--free` and `-o raw`.

use crate::vocabulary::{on_each_engine, printed, run, run_with, wrun};

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
