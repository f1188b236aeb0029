//! The action for failed records, with each pair of formats; and the combinations that are refused.

use wrun::ErrorKind;
use wrun::batch::{BatchInput, BatchOptions, BatchOutcome, BatchOutput, OnError};

use crate::formats::{formats, function};
use crate::vocabulary::on_each;

const SAME: &[u8] = br#"(module (func (export "same") (param i32) (result i32) (local.get 0)))"#;
const INPUTS: [BatchInput; 5] =
    [BatchInput::Json, BatchInput::Lines, BatchInput::Nul, BatchInput::Csv, BatchInput::Msgpack];
const OUTPUTS: [BatchOutput; 4] = [BatchOutput::Json, BatchOutput::Text, BatchOutput::Csv, BatchOutput::Msgpack];

/// The records 1, `x` and 2.
fn records(input: BatchInput) -> &'static [u8] {
    match input {
        BatchInput::Json => b"1\n\"x\"\n2\n",
        BatchInput::Lines => b"1\nx\n2\n",
        BatchInput::Nul => b"1\0x\x002\0",
        BatchInput::Csv => b"v\n1\nx\n2\n",
        BatchInput::Msgpack => b"\x01\xa1x\x02",
        other => panic!("{other}"),
    }
}

/// The results of these records, with something between them for the second.
fn results(options: &BatchOptions, second: &[u8]) -> Vec<u8> {
    let (head, one, two, end): (&[u8], &[u8], &[u8], &[u8]) = match options.output {
        BatchOutput::Text if options.input == BatchInput::Nul => (b"", b"1", b"2", b"\0"),
        BatchOutput::Json | BatchOutput::Text => (b"", b"1", b"2", b"\n"),
        BatchOutput::Csv if options.on_error == OnError::Emit => {
            (b"result,error_kind,error_message\n", b"1,,", b"2,,", b"\n")
        }
        BatchOutput::Csv => (b"result\n", b"1", b"2", b"\n"),
        BatchOutput::Msgpack => (b"", b"\x01", b"\x02", b""),
        other => panic!("{other}"),
    };
    [head, one, end, second, two, end].concat()
}

/// The error of the second record.
fn error(options: &BatchOptions) -> Vec<u8> {
    let expected = "expected an integer such as 42, -7 or 0xff";
    let message = match options.input {
        BatchInput::Json | BatchInput::Lines | BatchInput::Nul | BatchInput::Csv | BatchInput::Msgpack => {
            format!("argument 1 (i32): invalid i32 `x`: {expected}")
        }
        other => panic!("{other}"),
    };
    match options.output {
        BatchOutput::Msgpack => {
            let mut bytes = b"\x81\xa5error\x83\xa4kind\xb0invalid_argument\xa7message\xd9".to_vec();
            bytes.push(u8::try_from(message.len()).unwrap());
            [bytes.as_slice(), message.as_bytes(), b"\xa6record\x02"].concat()
        }
        BatchOutput::Csv => format!(",invalid_argument,\"{message}\"\n").into_bytes(),
        output => {
            let end = if output == BatchOutput::Text && options.input == BatchInput::Nul { '\0' } else { '\n' };
            format!(r#"{{"error":{{"kind":"invalid_argument","message":"{message}","record":2}}}}{end}"#).into_bytes()
        }
    }
}

/// Whether output of this format can hold a record.
fn can_pass(options: &BatchOptions) -> bool {
    matches!(
        (options.input, options.output),
        (BatchInput::Json, BatchOutput::Json)
            | (BatchInput::Lines | BatchInput::Nul, BatchOutput::Text)
            | (BatchInput::Csv, BatchOutput::Csv)
            | (BatchInput::Msgpack, BatchOutput::Msgpack)
    )
}

#[test]
fn each_action_works_for_each_pair_of_formats() {
    on_each(|config| {
        let guest = function(config, SAME, "same");
        for (input, output) in INPUTS.into_iter().flat_map(|input| OUTPUTS.map(|output| (input, output))) {
            for action in [OnError::Emit, OnError::Skip, OnError::Pass, OnError::Fail] {
                let mut options = formats(input, output);
                options.on_error = action;
                let mut written = Vec::new();
                let report = guest.run(&options, &mut records(input), &mut written);
                if action == OnError::Pass && !can_pass(&options) {
                    let error = report.unwrap_err();
                    assert_eq!((error.kind(), written.len()), (ErrorKind::InvalidArgument, 0), "{error}");
                    continue;
                }
                let report = report.unwrap();
                let passed: &[u8] = match input {
                    BatchInput::Json => b"\"x\"\n",
                    BatchInput::Nul => b"x\0",
                    BatchInput::Msgpack => b"\xa1x",
                    _ => b"x\n",
                };
                let expected = match action {
                    OnError::Emit => results(&options, &error(&options)),
                    OnError::Pass => results(&options, passed),
                    _ => results(&options, b""),
                };
                let expected = if action == OnError::Fail {
                    let failure = report.failure.unwrap();
                    assert_eq!((failure.record, failure.error.kind()), (2, ErrorKind::InvalidArgument));
                    assert_eq!(report.outcome, BatchOutcome::Failed);
                    let second = results(&options, b"").len() - if output == BatchOutput::Msgpack { 1 } else { 2 };
                    expected[..second].to_vec()
                } else {
                    assert_eq!((report.records, report.failed), (3, 1));
                    expected
                };
                let shown = |bytes: &[u8]| bytes.escape_ascii().to_string();
                assert_eq!(shown(&written), shown(&expected), "{input} to {output}, {action}");
            }
        }
    });
}

#[test]
fn combinations_that_cannot_work_are_refused_before_anything_runs() {
    let module = br#"(module
        (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))"#;
    on_each(|config| {
        let guest = function(config, module, "add");
        let refused = |change: fn(&mut BatchOptions), reason: &str| {
            let mut options = BatchOptions::default();
            change(&mut options);
            let error = options.check(&guest.callable).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(error.to_string().contains(reason), "{error}");
        };
        refused(|options| options.input = BatchInput::Lines, "a record of the format `lines` is one argument");
        refused(|options| options.input = BatchInput::Nul, "a record of the format `nul` is one argument");
        refused(|options| options.output = BatchOutput::Raw, "needs a result that is a string or bytes");
        refused(|options| options.header = false, "records of the format `json` have no header");
        refused(|options| options.columns = Some(vec!["a".into()]), "records of the format `json` have no columns");
        refused(
            |options| (options.input, options.columns) = (BatchInput::Csv, Some(vec!["a".into()])),
            "1 column for the 2 parameters",
        );
        refused(
            |options| {
                (options.input, options.header) = (BatchInput::Csv, false);
                options.columns = Some(vec!["1".into(), "0".into()]);
            },
            "a column is given by its position from 1, not as `0`",
        );
        refused(
            |options| (options.output, options.on_error) = (BatchOutput::Text, OnError::Pass),
            "failed records of the format `json` cannot pass into output of the format `text`",
        );
    });
}
