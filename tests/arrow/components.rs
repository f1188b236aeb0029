//! Functions of components.

use std::fs;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, StructArray};
use arrow_schema::{Field, Fields, Schema};
use wrun::RuntimeConfig;
use wrun::batch::{BatchInput, BatchOutput, OnError};

use crate::vocabulary::{Guest, arrow, batch, columns, only, stream_of};

fn guest(file: &str, function: &str) -> Guest {
    let wasm = fs::read(format!("fixtures/component/types/{file}")).unwrap();
    Guest::new(&RuntimeConfig::wasmtime(), &wasm, function)
}

/// Sends values through an `echo` function: from JSON to Arrow, back from there to JSON, and from Arrow to Arrow.
#[track_caller]
fn passes(file: &str, function: &str, ty: &str, values: &[&str]) {
    let echo = guest(file, function);
    let lines: String = values.iter().map(|value| format!("[{value}]\n")).collect();
    let mut options = arrow();
    options.on_error = OnError::Fail;
    options.input = BatchInput::Json;
    let (output, report) = echo.run(&options, lines.as_bytes());
    assert_eq!(report.unwrap().records, values.len() as u64, "{function}");
    let results = only(&output);
    assert_eq!(columns(&results).join(", "), ty, "{function}");

    let argument = argument(&results);
    options.input = BatchInput::Arrow;
    let (again, _) = echo.map(&options, std::slice::from_ref(&argument));
    assert_eq!(again, results, "{function}");
    options.output = BatchOutput::Json;
    let (output, _) = echo.run(&options, &stream_of(&[argument]));
    let expected: String = values.iter().map(|value| format!("{value}\n")).collect();
    assert_eq!(String::from_utf8(output).unwrap(), expected, "{function}");
}

/// Makes the results of an `echo` function its argument `v`. The fields of a record become a struct again.
fn argument(results: &RecordBatch) -> RecordBatch {
    let schema = results.schema();
    let (field, column): (Field, ArrayRef) = if results.num_columns() == 1 && schema.field(0).name() == "result" {
        (schema.field(0).clone().with_name("v"), Arc::clone(results.column(0)))
    } else {
        let fields: Fields = schema.fields().clone();
        let columns = StructArray::new(fields, results.columns().to_vec(), None);
        (Field::new("v", columns.data_type().clone(), false), Arc::new(columns))
    };
    RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![column]).unwrap()
}

#[test]
fn values_of_every_type_pass_unchanged() {
    let point = "Struct(\"x\": non-null Int32, \"y\": non-null Int32)";
    for (function, ty, values) in [
        ("echo-bool", "result: Boolean", &["true", "false"][..]),
        ("echo-s8", "result: Int8", &["-128", "127"]),
        ("echo-u8", "result: UInt8", &["255"]),
        ("echo-s16", "result: Int16", &["-32768"]),
        ("echo-u16", "result: UInt16", &["65535"]),
        ("echo-s32", "result: Int32", &["-2147483648"]),
        ("echo-u32", "result: UInt32", &["4294967295"]),
        ("echo-s64", "result: Int64", &["-9223372036854775808", "9007199254740993"]),
        ("echo-u64", "result: UInt64", &["18446744073709551615"]),
        ("echo-f32", "result: Float32", &["0.1", "\"-inf\"", "-0.0"]),
        ("echo-f64", "result: Float64", &["0.1", "\"nan\"", "-0.0"]),
        ("echo-char", "result: Utf8", &["\"é\"", "\"\u{1f600}\""]),
        ("echo-string", "result: Utf8", &["\"\"", "\"a\\nb\\u0000\"", "\"ünï\""]),
        ("echo-bytes", "result: Binary", &[r#"{"base64":""}"#, r#"{"base64":"AP8="}"#]),
        ("echo-bools", "result: List(non-null Boolean)", &["[]", "[true,false]"]),
        ("echo-strings", "result: List(non-null Utf8)", &["[\"a\",\"\"]", "[]", "[\"b\"]"]),
        ("echo-options", "result: List(Boolean)", &["[null,true,null]", "[]"]),
        ("echo-point", "x: Int32, y: Int32", &[r#"{"x":1,"y":-2}"#]),
        ("echo-colour", "result: Utf8", &["\"red\"", "\"blue\""]),
        ("echo-access", "result: List(non-null Utf8)", &["[]", "[\"read\",\"execute\"]"]),
        ("echo-option", "result: UInt32?", &["null", "0"]),
        ("echo-option-string", "result: Utf8?", &["null", "\"\""]),
        ("echo-option-option", "result: Struct(\"some\": UInt32)?", &["null", r#"{"some":null}"#, r#"{"some":3}"#]),
        ("echo-result", "result: Struct(\"ok\": UInt32, \"err\": Utf8)", &[r#"{"ok":0}"#, r#"{"err":""}"#]),
        ("echo-result-unit", "result: Struct(\"ok\": Boolean, \"err\": Boolean)", &["\"ok\"", "\"err\""]),
        ("echo-option-unit", "result: Struct(\"ok\": Boolean, \"err\": Boolean)?", &["null", "\"ok\""]),
        ("echo-one", "result: Struct(\"0\": non-null Utf8)", &["[\"a\"]"]),
    ] {
        passes("types.wasm", function, ty, values);
    }
    let shapes =
        ["\"empty\"", r#"{"circle":1.5}"#, r#"{"polygon":[{"x":1,"y":2}]}"#, r#"{"nested":null}"#, r#"{"nested":7}"#];
    let cases = format!(
        "Struct(\"empty\": Boolean, \"circle\": Float64, \"label\": Utf8, \"polygon\": List(non-null {point}), \"nested\": Struct(\"some\": UInt32))"
    );
    passes("types.wasm", "echo-shape", &format!("result: {cases}"), &shapes);
}

#[test]
fn maps_and_lists_of_fixed_length_pass_unchanged() {
    let map = "result: Map(\"entries\": non-null Struct(\"key\": non-null Utf8, \"value\": non-null UInt32), unsorted)";
    passes("maps.wasm", "echo-names", map, &["{}", r#"{"a":1,"b":2}"#]);
    passes("arrays.wasm", "echo-four", "result: List(non-null UInt32)", &["[1,2,3,4]"]);
}

#[test]
fn a_record_with_a_field_id_is_one_column_beside_ids() {
    let person = r#"{"id":1,"name":"n","email":"e","age":3,"score":0.5,"active":true,"ratio":1.5,"level":-1,"initial":"i","favourite":"red"}"#;
    let echo = guest("types.wasm", "echo-person");
    let mut options = arrow();
    options.input = BatchInput::Json;
    let columns_of = |record: &str| columns(&only(&echo.run(&options, record.as_bytes()).0));
    let beside_ids = columns_of(&format!(r#"{{"id":7,"args":[{person}]}}"#));
    assert!(beside_ids[0].starts_with("id: Utf8"), "{beside_ids:?}");
    assert!(beside_ids[1].starts_with("result: Struct(\"id\": non-null UInt64"), "{beside_ids:?}");
    let without_ids = columns_of(person);
    assert!(without_ids[0].starts_with("id: UInt64") && without_ids[1].starts_with("name: Utf8"), "{without_ids:?}");
}

#[test]
fn several_parameters_are_columns_in_any_order_and_absent_options_are_null() {
    let gather = guest("types.wasm", "gather");
    let rows = batch(&[
        ("text", Arc::new(arrow_array::StringArray::from(vec!["a", "b"]))),
        ("bytes", Arc::new(arrow_array::BinaryArray::from(vec![&b"x"[..], b""]))),
        ("unused", Arc::new(arrow_array::NullArray::new(2))),
        ("maybe", Arc::new(arrow_array::Int64Array::from(vec![None, Some(9)]))),
        ("number", Arc::new(arrow_array::Int64Array::from(vec![255, 256]))),
    ]);
    let mut options = arrow();
    options.output = BatchOutput::Json;
    let (output, report) = gather.run(&options, &stream_of(&[rows]));
    let output = String::from_utf8(output).unwrap();
    let (first, second) = output.split_once('\n').unwrap();
    assert_eq!(first, r#"[255,"a",null,{"base64":"eA=="}]"#);
    assert!(second.contains("number: 256 is out of range for u8"), "{second}");
    assert_eq!(report.unwrap().failed, 1);
}

#[test]
fn a_null_for_a_parameter_that_is_not_an_option_fails_its_row_only() {
    let echo = guest("types.wasm", "echo-string");
    let rows = batch(&[("v", Arc::new(arrow_array::StringViewArray::from(vec![Some("a"), None])))]);
    let (results, report) = echo.map(&arrow(), &[rows]);
    assert_eq!((report.records, report.failed), (2, 1));
    let messages = results.column_by_name("error_message").unwrap();
    let messages = arrow_array::cast::AsArray::as_string::<i32>(messages.as_ref());
    assert_eq!(messages.value(1), "v: the value is null: expected string");
}

#[test]
fn columns_that_cannot_be_a_type_are_refused_with_their_path() {
    use arrow_array::{Int32Array, ListArray, StringArray};
    let point = |fields: Vec<(&str, ArrayRef)>| {
        let fields = fields
            .into_iter()
            .map(|(name, array)| (Arc::new(Field::new(name, array.data_type().clone(), true)), array));
        batch(&[("v", Arc::new(StructArray::from(fields.collect::<Vec<_>>())))])
    };
    let int = || -> ArrayRef { Arc::new(Int32Array::from(vec![1])) };
    let text = || -> ArrayRef { Arc::new(StringArray::from(vec!["a"])) };
    let echo = guest("types.wasm", "echo-point");
    for (rows, said) in [
        (point(vec![("x", int()), ("y", text())]), "column `v`: y: values of type Utf8 cannot be passed as s32"),
        (point(vec![("x", int())]), "column `v`: the field `y` is missing"),
        (point(vec![("x", int()), ("y", int()), ("yy", int())]), "unknown field `yy`: did you mean `y`?"),
    ] {
        let refused = echo.refuses(&arrow(), &rows);
        assert!(refused.contains(said), "{refused}");
    }
    let list = ListArray::from_iter_primitive::<arrow_array::types::Float64Type, _, _>(vec![Some(vec![Some(1.0)])]);
    let refused = guest("types.wasm", "echo-numbers").refuses(&arrow(), &batch(&[("v", Arc::new(list))]));
    assert!(refused.contains("[]: values of type Float64 cannot be passed as u64"), "{refused}");
}
