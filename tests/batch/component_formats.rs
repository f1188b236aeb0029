//! Formats of records and results of components, which have text and values with parts.
#![cfg(feature = "components")]

use wrun::RuntimeConfig;
use wrun::batch::{BatchInput, BatchOutput, OnError};

use crate::formats::{convert, formats, function};
use crate::vocabulary::Guest;

/// Functions that return their arguments.
const ECHOES: &[u8] = include_bytes!("../../fixtures/component/types/types.wasm");

fn echo(name: &str) -> Guest {
    function(&RuntimeConfig::wasmtime(), ECHOES, name)
}

fn text_of(guest: &Guest, (input, output): (BatchInput, BatchOutput), records: &str) -> String {
    let mut options = formats(input, output);
    options.on_error = OnError::Skip;
    String::from_utf8(convert(guest, &options, records.as_bytes())).unwrap()
}

const PERSON: &str = r#"{"id":1,"name":"A, \"B\"","email":"","age":3,"score":0.5,"active":true,"ratio":1.5,"level":-1,"initial":"ü","favourite":"red"}"#;

#[test]
fn strings_pass_as_they_are() {
    let guest = echo("echo-string");
    let lines = (BatchInput::Lines, BatchOutput::Text);
    assert_eq!(text_of(&guest, lines, "a \"b\"\n\nü, [1]"), "a \"b\"\n\nü, [1]\n");
    let nul = (BatchInput::Nul, BatchOutput::Text);
    assert_eq!(text_of(&guest, nul, "a\nb\0\0c"), "a\nb\0\0c\0");
    assert_eq!(text_of(&guest, (BatchInput::Nul, BatchOutput::Raw), "a\nb\0\0c"), "a\nbc");
    let csv = (BatchInput::Csv, BatchOutput::Csv);
    assert_eq!(text_of(&guest, csv, "v\n\"a\n\"\"b\"\"\"\n\"\"\nc d\n"), "result\n\"a\n\"\"b\"\"\"\n\"\"\nc d\n");
    assert_eq!(text_of(&guest, (BatchInput::Json, BatchOutput::Csv), "\"a,b\"\n[\"c\"]"), "result\n\"a,b\"\nc\n");
    assert_eq!(
        text_of(&guest, (BatchInput::Csv, BatchOutput::Json), "v,id\n\"a\",7\n"),
        "{\"id\":\"7\",\"result\":\"a\"}\n"
    );
}

#[test]
fn bytes_are_written_raw() {
    let mut options = formats(BatchInput::Msgpack, BatchOutput::Raw);
    options.on_error = OnError::Fail;
    let output = convert(&echo("echo-bytes"), &options, b"\xc4\x02\x00\xff\xc4\x00\x91\xc4\x01\n");
    assert_eq!(output, b"\x00\xff\n");
}

#[test]
fn a_record_has_a_column_for_each_field() {
    let guest = echo("echo-person");
    let expected = "id,name,email,age,score,active,ratio,level,initial,favourite\n\
        1,\"A, \"\"B\"\"\",,3,0.5,true,1.5,-1,ü,red\n";
    assert_eq!(text_of(&guest, (BatchInput::Json, BatchOutput::Csv), &format!("[{PERSON}]\n")), expected);
    assert_eq!(text_of(&guest, (BatchInput::Json, BatchOutput::Json), &format!("{PERSON}\n")), format!("{PERSON}\n"));
}

#[test]
fn a_record_with_a_field_id_is_one_column_beside_an_id() {
    let record = format!(r#"{{"id":7,"args":[{PERSON}]}}"#);
    let output = text_of(&echo("echo-person"), (BatchInput::Json, BatchOutput::Csv), &record);
    let (header, row) = output.split_once('\n').unwrap();
    assert_eq!(header, "id,result");
    assert!(row.starts_with(r#"7,"{""id"":1,""name"":"#), "{row}");
}

/// Returns the message for the only record.
fn message_of(guest: &Guest, input: BatchInput, record: &[u8]) -> String {
    let output = convert(guest, &formats(input, BatchOutput::Json), record);
    let output: serde_json::Value = serde_json::from_slice(&output).unwrap();
    output["error"]["message"].as_str().unwrap_or_else(|| panic!("{output}")).to_owned()
}

#[test]
fn an_object_that_is_neither_a_record_nor_a_call_is_explained() {
    let guest = echo("echo-point");
    for (record, parts) in [
        (
            r#"{"id":7,"x":1,"y":2}"#,
            ["unknown field `id`", r#"; with an id, the argument goes in `args`: {"id":…,"args":[…]}"#],
        ),
        (r#"{"args":[{"x":1,"y":2}],"ID":7}"#, ["unknown key `ID`", "has the keys `args` and optionally `id`"]),
        (r#"{"id":7}"#, ["the key `args` is missing", "has the keys `args` and optionally `id`"]),
    ] {
        let packed = rmp_serde::to_vec(&serde_json::from_str::<serde_json::Value>(record).unwrap()).unwrap();
        for (input, record) in [(BatchInput::Json, record.as_bytes()), (BatchInput::Msgpack, &packed)] {
            let message = message_of(&guest, input, record);
            assert!(parts.iter().all(|part| message.contains(part)), "{message}");
        }
    }
    // The record itself is wrong.
    for (name, record) in [("echo-point", r#"{"x":1,"z":2}"#), ("echo-person", r#"{"id":"x"}"#)] {
        let message = message_of(&echo(name), BatchInput::Json, record.as_bytes());
        assert!(message.starts_with('v') && !message.contains("`args`"), "{message}");
    }
}

#[test]
fn a_record_with_the_fields_of_a_call_goes_in_an_array() {
    const CALL_LIKE: &str = r#"(component
      (core module $m (func (export "f") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
      (core instance $i (instantiate $m))
      (type $call' (record (field "id" u32) (field "args" u32)))
      (export $call "call" (type $call'))
      (func (export "f") (param "v" $call) (result u32) (canon lift (core func $i "f"))))"#;
    let guest = function(&RuntimeConfig::wasmtime(), CALL_LIKE.as_bytes(), "f");
    let object = r#"{"id":1,"args":2}"#;
    let packed = b"\x82\xa2id\x01\xa4args\x02";
    for (input, record) in [(BatchInput::Json, object.as_bytes()), (BatchInput::Msgpack, packed)] {
        let message = message_of(&guest, input, record);
        let end = "; an object with these keys is a call: write it in an array to pass it as the argument";
        assert!(message.ends_with(end), "{message}");
    }
    let json = (BatchInput::Json, BatchOutput::Json);
    assert_eq!(text_of(&guest, json, &format!("[{object}]\n{{\"args\":[{object}]}}\n")), "3\n3\n");
}

#[test]
fn values_with_parts_are_compact_json_in_a_field() {
    let csv = (BatchInput::Json, BatchOutput::Csv);
    assert_eq!(text_of(&echo("echo-strings"), csv, "[[\"a\", \"b,c\"]]"), "result\n\"[\"\"a\"\",\"\"b,c\"\"]\"\n");
    assert_eq!(text_of(&echo("echo-point"), csv, "{\"x\": 1, \"y\": -2}"), "x,y\n1,-2\n");
    assert_eq!(text_of(&echo("echo-option-string"), csv, "\"a\"\nnull\n\"b\""), "result\na\n\"\"\nb\n");
    assert_eq!(text_of(&echo("echo-result"), csv, "{\"err\":\"a\"}"), "result\n\"{\"\"err\"\":\"\"a\"\"}\"\n");
    assert_eq!(text_of(&echo("echo-colour"), csv, "\"blue\""), "result\nblue\n");
}

#[test]
fn parameters_are_found_by_the_names_of_columns() {
    let guest = echo("gather");
    let rows = "maybe,text,id,bytes,number\n,t,i,\"[1,2]\",7\n5,u,j,[],8\n";
    let output = text_of(&guest, (BatchInput::Csv, BatchOutput::Json), rows);
    assert_eq!(output.lines().last().unwrap(), r#"{"id":"j","result":[8,"u",5,{"base64":""}]}"#);
}

#[test]
fn columns_for_some_of_the_parameters_are_not_taken_in_order() {
    let guest = echo("gather");
    let mut options = formats(BatchInput::Csv, BatchOutput::Json);
    let refused = |options: &_, header: &str| {
        let error = guest.run(options, &mut header.as_bytes(), &mut Vec::new()).unwrap_err();
        (error.message().to_owned(), error.hints().to_vec())
    };
    let choose = "`--columns NAME,...` chooses one column for each parameter";
    for (header, found, hints) in [
        ("maybe,txt,bytes,number", "`maybe`, `txt`, `bytes`, `number`", &["did you mean `txt`?", choose][..]),
        ("a,b,bytes,c", "`a`, `b`, `bytes`, `c`", &[choose]),
        ("MAYBE,Text,BYTES,NUMBER", "`MAYBE`, `Text`, `BYTES`, `NUMBER`", &["did you mean `NUMBER`?", choose]),
    ] {
        let (message, found_hints) = refused(&options, &format!("{header}\n,t,[],7\n"));
        assert!(message.ends_with(&format!("; its columns are: {found}")), "{message}");
        assert_eq!(found_hints, hints, "{message}");
    }
    options.columns = Some(["NUMBER", "Text", "MAYBE", "BYTES"].map(str::to_owned).to_vec());
    let output = convert(&guest, &options, b"MAYBE,Text,BYTES,NUMBER\n5,t,[],7\n");
    assert_eq!(String::from_utf8(output).unwrap(), "[7,\"t\",5,{\"base64\":\"\"}]\n");
    let alone = text_of(&echo("echo-string"), (BatchInput::Csv, BatchOutput::Text), "V\nx\n");
    assert_eq!(alone, "x\n");
}

#[test]
fn values_round_trip_through_messagepack() {
    let records = [PERSON, PERSON].join("\n");
    let guest = echo("echo-person");
    let packed = convert(&guest, &formats(BatchInput::Json, BatchOutput::Msgpack), records.as_bytes());
    let output = convert(&guest, &formats(BatchInput::Msgpack, BatchOutput::Json), &packed);
    assert_eq!(String::from_utf8(output).unwrap(), records + "\n");
}
