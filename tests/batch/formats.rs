//! Formats of records and results.

use wrun::batch::{self, BatchCounters, BatchInput, BatchOptions, BatchOutput, OnError, Stop, Streams};
use wrun::session::{InstanceOptions, Session};
use wrun::{ErrorKind, RuntimeConfig};

use crate::vocabulary::{Blocks, Guest, jobs, lines, on_each};

pub(crate) const FUNCTIONS: &str = r#"
(module
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "divide") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func (export "same") (param i64) (result i64) (local.get 0))
  (func (export "swap") (param i32 f64) (result f64 i32) (local.get 1) (local.get 0))
  (func (export "seven") (result i32) (i32.const 7))
  (func (export "nothing") (param i32)))"#;

pub(crate) fn function(config: &RuntimeConfig, source: &[u8], name: &str) -> Guest {
    let session = Session::open(config, source, None).unwrap();
    let callable = session.function(name).unwrap();
    Guest { code: session.prepare(InstanceOptions::default(), &|_| {}).unwrap(), callable }
}

pub(crate) fn formats(input: BatchInput, output: BatchOutput) -> BatchOptions {
    let mut options = jobs(1);
    (options.input, options.output) = (input, output);
    options
}

pub(crate) fn convert(guest: &Guest, options: &BatchOptions, input: &[u8]) -> Vec<u8> {
    let mut output = Vec::new();
    guest.run(options, &mut Blocks::new([input]), &mut output).unwrap();
    output
}

/// Checks the output of a function for an input.
#[track_caller]
pub(crate) fn assert_output(name: &str, options: &BatchOptions, input: impl AsRef<[u8]>, expected: impl AsRef<[u8]>) {
    on_each(|config| {
        let output = convert(&function(config, FUNCTIONS.as_bytes(), name), options, input.as_ref());
        assert_eq!(output.escape_ascii().to_string(), expected.as_ref().escape_ascii().to_string(), "{name}");
    });
}

const NOT_AN_INTEGER: &str = "expected an integer such as 42, -7 or 0xff";

#[test]
fn lines_of_json_are_arrays_bare_values_or_calls() {
    let json = formats(BatchInput::Json, BatchOutput::Json);
    assert_output("add", &json, "[1,2]\n [ 3 , 4 ] \r\n\n  \r\n[\"0x10\",1]\n[5,6]", "3\n7\n17\n11\n");
    assert_output("same", &json, "1\n[2]\n\"-3\"\n18446744073709551615\n{\"args\":4}\n", "1\n2\n-3\n-1\n4\n");
    assert_output("seven", &json, "[]\n{\"args\":[],\"id\":null}\n", "7\n{\"id\":null,\"result\":7}\n");
    assert_output("nothing", &json, "\u{feff}[1]\n", "null\n");
    assert_output("swap", &json, "[1,0.1]\n", "[0.1,1]\n");
    assert_output("swap", &json, "\u{feff}\n\n", "");
}

#[test]
fn an_error_in_json_names_the_column() {
    let json = formats(BatchInput::Json, BatchOutput::Json);
    let reason = "the arguments are not valid JSON: expected value at column 2";
    let error = format!(r#"{{"error":{{"kind":"invalid_argument","message":"{reason}","record":2}}}}"#);
    assert_output("same", &json, "1\n[x]\n", format!("1\n{error}\n"));
}

#[test]
fn an_id_comes_back_as_it_was_written() {
    let json = formats(BatchInput::Json, BatchOutput::Json);
    assert_output(
        "add",
        &json,
        r#"{"id":12345678901234567890123,"args":[1,2]}
{"args":[1,2],"id":"\u00e4"}
{"id":{"a": [1]},"args":[1]}
"#,
        r#"{"id":12345678901234567890123,"result":3}
{"id":"\u00e4","result":3}
{"id":{"a": [1]},"error":{"kind":"invalid_argument","message":"too few arguments: 1 given, 2 parameters; argument 2 (i32) is missing","record":3}}
"#,
    );
}

#[test]
fn an_object_with_other_keys_is_no_call() {
    let options = formats(BatchInput::Json, BatchOutput::Json);
    on_each(|config| {
        let guest = function(config, FUNCTIONS.as_bytes(), "add");
        for (record, message) in [
            (
                r#"{"id":1}"#,
                "the key `args` is missing: a record that is an object has the keys `args` and optionally `id`",
            ),
            (r#"{"id":1,"args":[1,2],"x":0}"#, "unknown key `x`: a record that is an object has the keys `args`"),
            (r#"{"id":1,"arg":[1,2]}"#, "unknown key `arg`: a record"),
            (r#"{"args":[1,2],"args":[1,2]}"#, "the key `args` is repeated: a record"),
            (r#"{"args":[1,2],"id":1,"id":2}"#, "the key `id` is repeated: a record"),
            (r#"{"args":[1,2]"#, "the arguments are not valid JSON: "),
            ("{}", "the key `args` is missing: a record"),
        ] {
            let output = String::from_utf8(convert(&guest, &options, record.as_bytes())).unwrap();
            let expected = format!(r#"{{"error":{{"kind":"invalid_argument","message":"{message}"#);
            assert!(output.starts_with(&expected), "{record}: {output}");
        }
    });
}

#[test]
fn an_object_with_other_keys_is_no_number() {
    let json = formats(BatchInput::Json, BatchOutput::Json);
    let message = "unknown key `v`: a record that is an object has the keys `args` and optionally `id`";
    let error = format!(r#"{{"error":{{"kind":"invalid_argument","message":"{message}","record":1}}}}"#) + "\n";
    assert_output("same", &json, r#"{"v":1}"#, &error);
    // {"v": 1}
    assert_output("same", &formats(BatchInput::Msgpack, BatchOutput::Json), b"\x81\xa1v\x01", &error);
}

#[test]
fn errors_have_the_number_of_their_record() {
    let json = formats(BatchInput::Json, BatchOutput::Json);
    let bad = |record| {
        format!(
            r#"{{"error":{{"kind":"invalid_argument","message":"argument 1 (i64): invalid i64 `x`: {NOT_AN_INTEGER}","record":{record}}}}}"#
        )
    };
    assert_output("same", &json, "1\n\n\"x\"\n\n2\n\"x\"\n", format!("1\n{}\n2\n{}\n", bad(2), bad(4)));
    let trap = r#"{"error":{"kind":"trap","trap":"integer_divide_by_zero","message":""#;
    on_each(|config| {
        let output = convert(&function(config, FUNCTIONS.as_bytes(), "divide"), &json, b"[4,2]\n[1,0]\n[9,3]\n");
        let lines: Vec<_> = str::from_utf8(&output).unwrap().lines().collect();
        assert!(lines[1].starts_with(trap) && lines[1].ends_with("\"record\":2}}"), "{}", lines[1]);
        assert_eq!((lines[0], lines[2], lines.len()), ("2", "3", 3));
    });
}

#[test]
fn a_line_is_one_argument_as_text() {
    let lines = formats(BatchInput::Lines, BatchOutput::Text);
    assert_output("same", &lines, "1\n0x10\r\n-3", "1\n16\n-3\n");
    assert_output("seven", &lines, "\n\r\n", "7\n7\n");
    let nul = formats(BatchInput::Nul, BatchOutput::Text);
    assert_output("same", &nul, "1\x002\x003", "1\x002\x003\0");
    let json = formats(BatchInput::Nul, BatchOutput::Json);
    assert_output("same", &json, "1\x002\0", "1\n2\n");
    let error = |record, found: &str| {
        format!(
            r#"{{"error":{{"kind":"invalid_argument","message":"argument 1 (i64): invalid i64 `{found}`: {NOT_AN_INTEGER}","record":{record}}}}}"#
        )
    };
    assert_output("same", &lines, "1\n\n2", format!("1\n{}\n2\n", error(2, r#"\"\""#)));
}

#[test]
fn output_in_columns_has_a_header_even_without_records() {
    let mut options = formats(BatchInput::Csv, BatchOutput::Csv);
    assert_output("add", &options, "x,y\n", "result,error_kind,error_message\n");
    options.on_error = OnError::Skip;
    assert_output("swap", &options, "", "result1,result2\n");
    assert_output("swap", &options, "a,b\n1,0.5\n", "result1,result2\n0.5,1\n");
    assert_output("nothing", &options, "a\n1\n", "result\n\"\"\n");
}

#[test]
fn the_first_record_decides_whether_there_is_a_column_for_ids() {
    let mut options = formats(BatchInput::Json, BatchOutput::Csv);
    options.on_error = OnError::Skip;
    assert_output(
        "same",
        &options,
        "{\"id\":\"a\",\"args\":1}\n2\n{\"id\":7,\"args\":3}\n",
        "id,result\na,1\n,2\n7,3\n",
    );
    options.on_error = OnError::Emit;
    let message = "\"the record has an id, and the first record had none, so there is no column for it\"";
    assert_output(
        "same",
        &options,
        "2\n{\"id\":7,\"args\":3}\n",
        format!("result,error_kind,error_message\n2,,\n,invalid_argument,{message}\n"),
    );
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct FailedLine {
    id: Option<u8>,
    error: Failure,
}
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Failure {
    kind: String,
    message: String,
    record: u64,
}

#[test]
fn messagepack_has_the_shapes_of_json() {
    let same = formats(BatchInput::Msgpack, BatchOutput::Msgpack);
    assert_output(
        "add",
        &same,
        b"\x92\x01\x02\x82\xa2id\xc4\x01z\xa4args\x92\x03\x04",
        b"\x03\x82\xa2id\xc4\x01z\xa6result\x07",
    );
    assert_output("seven", &same, b"\x90\x81\xa4args\x90", b"\x07\x07");
    let json = formats(BatchInput::Msgpack, BatchOutput::Json);
    assert_output("same", &json, b"\x05\x82\xa4args\x91\x06\xa2id\xa1q", "5\n{\"id\":\"q\",\"result\":6}\n");
    let to_msgpack = formats(BatchInput::Json, BatchOutput::Msgpack);
    assert_output("same", &to_msgpack, "{\"id\":\"q\",\"args\":6}", b"\x82\xa2id\xa1q\xa6result\x06");
    on_each(|config| {
        let guest = function(config, FUNCTIONS.as_bytes(), "same");
        let output = convert(&guest, &same, b"\xc0\x82\xa2id\x07\xa4args\xc2");
        let mut source = output.as_slice();
        for (id, number) in [(None, 1), (Some(7), 2)] {
            let FailedLine { id: found, error } = rmp_serde::from_read(&mut source).unwrap();
            assert_eq!((found, error.kind.as_str(), error.record), (id, "invalid_argument", number));
            assert!(error.message.starts_with("argument 1 (i64): expected an integer"), "{}", error.message);
        }
        assert!(source.is_empty());
    });
}

#[test]
fn an_id_that_json_does_not_have_fails_its_record() {
    let json = formats(BatchInput::Msgpack, BatchOutput::Json);
    let message = "the id is a MessagePack value that JSON does not have";
    assert_output(
        "same",
        &json,
        b"\x82\xa2id\x81\xc4\x01z\x01\xa4args\x05\x06",
        format!("{{\"error\":{{\"kind\":\"invalid_argument\",\"message\":\"{message}\",\"record\":1}}}}\n6\n"),
    );
}

#[test]
fn an_id_that_json_does_not_have_fails_its_operation() {
    on_each(|config| {
        let guest = function(config, FUNCTIONS.as_bytes(), "seven");
        let options = formats(BatchInput::Msgpack, BatchOutput::Json);
        let (counters, stop, mut output) = (BatchCounters::default(), Stop::default(), Vec::new());
        let mut input = b"\x82\xa2id\x81\xc4\x01z\x01\xa4call\xa5seven\x82\xa2id\x02\xa4call\xa5seven".as_slice();
        let streams = Streams::new(&mut input, &mut output, &counters, &stop);
        batch::run_driven(&guest.code, &options, streams).unwrap();
        let lines = lines(&output);
        assert!(lines[0].contains("the id is a MessagePack value that JSON does not have"), "{}", lines[0]);
        assert_eq!((lines[1].as_str(), lines.len()), (r#"{"id":2,"result":7}"#, 2));
    });
}

#[test]
fn a_truncated_messagepack_value_is_an_error_of_the_last_record() {
    let json = formats(BatchInput::Msgpack, BatchOutput::Json);
    let error = |record| {
        format!(
            r#"{{"error":{{"kind":"invalid_argument","message":"the input ends within the value","record":{record}}}}}"#
        )
    };
    assert_output("same", &json, b"\x05\xcb\x01", format!("5\n{}\n", error(2)));
    assert_output("same", &json, b"\xdd\xff\xff\xff\xff\x01", format!("{}\n", error(1)));
}

#[test]
fn reading_ends_where_no_messagepack_value_has_an_end() {
    on_each(|config| {
        let guest = function(config, FUNCTIONS.as_bytes(), "same");
        let options = formats(BatchInput::Msgpack, BatchOutput::Json);
        let mut output = Vec::new();
        let error = guest.run(&options, &mut b"\x05\x92\x01\xc1\x06\x07".as_slice(), &mut output).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.to_string().starts_with("cannot read the input after record 2: the byte 0xc1"), "{error}");
        let lines: Vec<_> = str::from_utf8(&output).unwrap().lines().collect();
        assert_eq!((lines[0], lines.len()), ("5", 2));
        assert!(lines[1].contains("\"record\":2"), "{}", lines[1]);
    });
}

#[test]
fn a_record_beyond_the_limit_fails_and_is_skipped() {
    let message = "the record is longer than 8 bytes";
    let error =
        |record| format!(r#"{{"error":{{"kind":"invalid_argument","message":"{message}","record":{record}}}}}"#);
    for (input, long) in [
        (BatchInput::Json, &b"1\n\"000000002\"\n3\n12345678\n123456789\r\n4"[..]),
        (BatchInput::Lines, b"1\n0000000002\n3\n12345678\n123456789\r\n4\n"),
        (BatchInput::Nul, b"1\x00000000000002\x003\x0012345678\x00123456789\x004\x00"),
        (BatchInput::Csv, b"x\n1\n0000000002\n3\n\"12345678\"\n123456789\r\n4\n"),
    ] {
        let mut options = formats(input, BatchOutput::Json);
        options.max_record = 8;
        let long: Vec<u8> = long.to_vec();
        assert_output("same", &options, long, format!("1\n{}\n3\n12345678\n{}\n4\n", error(2), error(5)));
    }
    let mut options = formats(BatchInput::Msgpack, BatchOutput::Json);
    options.max_record = 8;
    let mut input = b"\x01\xda\x4e\x20".to_vec();
    input.extend(vec![b'0'; 20_000]);
    input.extend(b"\x91\xa6123456\x04");
    assert_output("same", &options, input, format!("1\n{}\n123456\n4\n", error(2)));
}

#[test]
fn text_that_is_not_utf8_fails_its_record() {
    for (input, bytes) in [
        (BatchInput::Lines, &b"1\n\xff\n2\n"[..]),
        (BatchInput::Json, b"1\n\"\xff\"\n2\n"),
        (BatchInput::Csv, b"x\n1\n\xff\n2\n"),
    ] {
        on_each(|config| {
            let guest = function(config, FUNCTIONS.as_bytes(), "same");
            let output = convert(&guest, &formats(input, BatchOutput::Json), bytes);
            let lines: Vec<_> = str::from_utf8(&output).unwrap().lines().collect();
            assert_eq!((lines[0], lines[2], lines.len()), ("1", "2", 3));
            assert!(lines[1].contains("utf-8") || lines[1].contains("UTF-8"), "{}", lines[1]);
        });
    }
}
