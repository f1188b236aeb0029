//! Calls: grammar, arguments, outputs, envelope.

use serde_json::json;

use crate::vocabulary::{CALC, file, on_each_engine, run, run_with};

#[test]
fn the_first_command_prints_eight() {
    on_each_engine(|engine| run(&["--runtime", engine, "fixtures/add.wasm", "add", "5", "3"]).prints("8\n"));
}

#[test]
fn options_stand_anywhere() {
    let module = file(CALC);
    on_each_engine(|engine| {
        run(&[&module.path, "add", "5", "3", "-r", engine]).prints("8\n");
        run(&[&module.path, "-r", engine, "add", "5", "-o", "text", "3"]).prints("8\n");
        run(&["--output=text", &module.path, "add", "-r", engine, "5", "3", "--memory", "1MiB"]).prints("8\n");
    });
}

#[test]
fn negative_and_non_finite_values_need_no_double_dash() {
    let module = file(CALC);
    run(&[&module.path, "add", "-5", "-0x3"]).prints("-8\n");
    run(&[&module.path, "add", "-5", "3", "-o", "text"]).prints("-2\n");
    run(&[&module.path, "neg", "-1.5e3"]).prints("1500.0\n");
    run(&[&module.path, "neg", "-inf"]).prints("\"inf\"\n");
    run(&[&module.path, "neg", "-nan"]).prints("\"nan\"\n");
    run(&[&module.path, "neg", "-nan:0x1"]).prints("\"nan:0x1\"\n");
    run(&[&module.path, "neg", "-.5"]).prints("0.5\n");
    run(&[&module.path, "neg", "0.0"]).prints("-0.0\n");
    run(&[&module.path, "neg", "-o", "text", "inf"]).prints("-inf\n");
}

#[test]
fn results_are_null_a_value_or_an_array() {
    let module = file(CALC);
    on_each_engine(|engine| {
        run(&["-r", engine, &module.path, "nothing"]).prints("null\n");
        run(&["-r", engine, &module.path, "pair", "9223372036854775807"]).prints("[9223372036854775807,1]\n");
        run(&["-r", engine, &module.path, "pair", "18446744073709551615", "-o", "text"]).prints("-1\n1\n");
        run(&["-r", engine, &module.path, "nothing", "-o", "text"]).prints("null\n");
        run(&["-r", engine, &module.path, "pair", "1", "--pretty"]).prints("[\n  1,\n  1\n]\n");
    });
}

#[test]
fn arguments_come_from_standard_input() {
    let module = file(CALC);
    on_each_engine(|engine| {
        run_with(&["-r", engine, &module.path, "add"], "[5,3]").prints("8\n");
        run_with(&["-r", engine, &module.path, "add", "-"], " [ 5 , \"0x3\" ]\n").prints("8\n");
        run_with(&["-r", engine, &module.path, "neg"], "1.5\n").prints("-1.5\n");
        run_with(&["-r", engine, &module.path, "neg"], "\"inf\"").prints("\"-inf\"\n");
        run_with(&["-r", engine, &module.path, "neg"], "[2]").prints("-2.0\n");
        run_with(&["-r", engine, &module.path, "add", "--input", "msgpack"], vec![0x92, 5, 3]).prints("8\n");
        run_with(&["-r", engine, &module.path, "neg", "--input", "msgpack"], vec![0xca, 0x3f, 0xc0, 0, 0])
            .prints("-1.5\n");
    });
}

#[test]
fn a_function_without_parameters_does_not_read_standard_input() {
    let module = file(CALC);
    run_with(&[&module.path, "zero"], "not json").prints("0\n");
}

#[test]
fn the_module_comes_from_standard_input() {
    on_each_engine(|engine| {
        run_with(&["-r", engine, "-", "add", "5", "3"], CALC).prints("8\n");
        let binary = std::fs::read("fixtures/add.wasm").unwrap();
        run_with(&["-r", engine, "-", "add", "5", "3"], binary).prints("8\n");
        run_with(&["-r", engine, "-", "zero"], CALC).prints("0\n");
    });
}

#[test]
fn text_and_binary_are_distinguished_by_content() {
    let text_named_wasm = file(CALC);
    run(&[&text_named_wasm.path, "zero"]).prints("0\n");
    run(&["fixtures/add.wat", "add", "1", "2"]).prints("3\n");
}

#[test]
fn messagepack_is_the_same_value() {
    let module = file(CALC);
    on_each_engine(|engine| {
        let output = crate::vocabulary::wrun()
            .args(["-r", engine, "-o", "msgpack", &module.path, "pair", "-1"])
            .output()
            .unwrap();
        assert_eq!(output.stdout, [0x92, 0xff, 0x01]);
    });
}

#[test]
fn the_envelope_has_the_result_and_the_metrics() {
    let module = file(CALC);
    on_each_engine(|engine| {
        let envelope = run(&["-r", engine, "--metrics", &module.path, "add", "5", "3"]).envelope();
        assert_eq!(envelope["ok"], json!(true));
        assert_eq!(envelope["runtime"], json!(engine));
        assert_eq!(envelope["module"], json!(module.path));
        assert_eq!((&envelope["function"], &envelope["result"]), (&json!("add"), &json!(8)));
        assert_eq!((&envelope["result_types"], &envelope["exit_code"]), (&json!(["i32"]), &json!(0)));
        let metrics = &envelope["metrics"];
        for time in ["load_ns", "compile_ns", "instantiate_ns", "call_ns", "total_ns"] {
            assert!(metrics[time].as_u64().unwrap() > 0, "{time}");
        }
        assert_eq!((&metrics["cache"], &metrics["fuel_used"]), (&json!("off"), &json!(null)));
        assert_eq!((&metrics["memory_bytes"], &metrics["memory_peak_bytes"]), (&json!(65536), &json!(65536)));
    });
}

#[test]
fn the_envelope_of_a_failure_is_well_formed_and_on_standard_output() {
    let module = file(CALC);
    on_each_engine(|engine| {
        let output = run(&["-r", engine, "--metrics", &module.path, "div", "1", "0"]);
        let envelope = output.envelope();
        assert_eq!((output.code, &envelope["exit_code"], &envelope["ok"]), (134, &json!(134), &json!(false)));
        let error = &envelope["error"];
        assert_eq!((&error["kind"], &error["trap"]), (&json!("trap"), &json!("integer_divide_by_zero")));
        assert_eq!((&error["function"], &error["limit"]), (&json!("div"), &json!(null)));
        assert_eq!(error["backtrace"].as_array().unwrap().len(), 1);
        assert!(envelope.get("result").is_none());
        assert!(envelope["metrics"]["call_ns"].as_u64().is_some());

        let output = run(&["-r", engine, "--metrics", &module.path, "ad"]);
        assert_eq!((output.code, &output.envelope()["error"]["kind"]), (127, &json!("unknown_export")));
        assert_eq!(output.envelope()["metrics"]["compile_ns"], json!(null));
    });
    let output = run(&["--metrics", "no/such/file.wasm", "f"]);
    assert_eq!((output.code, &output.envelope()["error"]["kind"]), (127, &json!("module_not_found")));
}

#[test]
fn the_envelope_in_messagepack_has_the_same_shape() {
    let module = file(CALC);
    let output =
        crate::vocabulary::wrun().args(["--metrics", "-o", "msgpack", &module.path, "add", "5", "3"]).output().unwrap();
    let envelope: serde_json::Value = rmp_serde::from_slice(&output.stdout).unwrap();
    let json = run(&["--metrics", &module.path, "add", "5", "3"]).envelope();
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&envelope), keys(&json));
    assert_eq!(keys(&envelope["metrics"]), keys(&json["metrics"]));
    assert_eq!(envelope["result"], json!(8));
}

#[test]
fn deterministic_nans_are_canonical() {
    let module =
        file(r#"(module (func (export "add") (param f32 f32) (result f32) (f32.add (local.get 0) (local.get 1))))"#);
    on_each_engine(|engine| {
        run(&["-r", engine, "--deterministic", &module.path, "add", "nan:0x200001", "1"]).prints("\"nan\"\n");
    });
}

#[test]
fn a_program_runs_from_start_and_a_reactor_is_initialised() {
    on_each_engine(|engine| {
        run(&["-r", engine, "fixtures/wat/start_command.wat"]).prints("");
        let initialised = file(
            r#"(module (global $g (mut i32) (i32.const 1))
            (func (export "_initialize") (global.set $g (i32.add (global.get $g) (i32.const 41))))
            (func (export "get") (result i32) (global.get $g)))"#,
        );
        run(&["-r", engine, &initialised.path, "get"]).prints("42\n");
        run(&["-r", engine, &initialised.path, "_initialize"]).prints("null\n");
        let other = file(
            r#"(module (func (export "_initialize") (param i32)) (func (export "get") (result i32) (i32.const 1)))"#,
        );
        run(&["-r", engine, &other.path, "get"]).prints("1\n");
    });
}
