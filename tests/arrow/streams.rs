//! Whole streams: many batches, none, several streams, files.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, Int8Array, Int32Array, RecordBatch};
use arrow_ipc::writer::FileWriter;
use wrun::ErrorKind;
use wrun::batch::{BatchInput, BatchOutput, OnError};

use crate::vocabulary::{Guest, arrow, batch, on_each, only, read, stream_of};

const GUEST: &str = r#"(module
  (func (export "double") (param i32) (result i32)
    (if (i32.eq (local.get 0) (i32.const 13)) (then (unreachable)))
    (i32.shl (local.get 0) (i32.const 1))))"#;

fn numbers(range: std::ops::Range<i32>) -> RecordBatch {
    batch(&[("n", Arc::new(range.collect::<Int32Array>()))])
}

fn results(stream: &[u8]) -> Vec<Option<i32>> {
    let batches = read(stream);
    batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int32Type>().iter().collect::<Vec<_>>()).collect()
}

#[test]
fn results_are_in_the_order_of_the_rows_with_any_number_of_workers() {
    on_each(|config| {
        let double = Guest::new(config, GUEST.as_bytes(), "double");
        let stream = stream_of(&[numbers(0..20_000), numbers(0..0), numbers(20_000..20_001), numbers(20_001..30_000)]);
        for jobs in [1, 3] {
            let mut options = arrow();
            options.jobs = jobs.try_into().unwrap();
            let (output, report) = double.run(&options, &stream);
            let expected: Vec<_> = (0..30_000).map(|n| (n != 13).then_some(2 * n)).collect();
            assert!(results(&output) == expected, "the results are in order");
            assert_eq!(report.unwrap().failed, 1);
        }
    });
}

#[test]
fn an_empty_stream_gives_a_stream_with_a_schema() {
    on_each(|config| {
        let double = Guest::new(config, GUEST.as_bytes(), "double");
        let (results, report) = double.map(&arrow(), &[numbers(0..0)]);
        assert_eq!((results.num_rows(), results.schema().field(0).name().as_str(), report.records), (0, "result", 0));
        let mut options = arrow();
        options.input = BatchInput::Json;
        assert_eq!(only(&double.run(&options, b"").0).num_rows(), 0);
    });
}

#[test]
fn other_formats_of_records_give_arrow_and_arrow_gives_other_formats() {
    on_each(|config| {
        let double = Guest::new(config, GUEST.as_bytes(), "double");
        let mut options = arrow();
        options.input = BatchInput::Json;
        let (output, _) = double.run(&options, b"1\n[13]\n\"0x10\"\n");
        assert_eq!(results(&output), [Some(2), None, Some(32)]);
        let (output, _) = double.run(&options, b"{\"id\":[7],\"args\":[1]}\n2\n{\"id\":\"x\",\"args\":[3]}\n");
        let ids = only(&output).column(0).as_string::<i32>().iter().map(|id| id.map(str::to_owned)).collect::<Vec<_>>();
        assert_eq!(ids, [Some("[7]".to_owned()), None, Some("x".to_owned())]);

        (options.input, options.output) = (BatchInput::Arrow, BatchOutput::Json);
        options.on_error = OnError::Skip;
        let (output, _) = double.run(&options, &stream_of(&[numbers(12..15)]));
        assert_eq!(output, b"24\n28\n");
        options.on_error = OnError::Emit;
        let (output, _) = double.run(&options, &stream_of(&[numbers(13..14)]));
        let output = String::from_utf8(output).unwrap();
        assert!(output.contains(r#""kind":"trap""#) && output.contains(r#""record":1"#), "{output}");
    });
}

#[test]
fn a_failed_row_stops_the_batch_after_the_results_before_it() {
    on_each(|config| {
        let double = Guest::new(config, GUEST.as_bytes(), "double");
        let mut options = arrow();
        options.on_error = OnError::Fail;
        let (output, report) = double.run(&options, &stream_of(&[numbers(10..20)]));
        assert!(report.is_ok());
        assert_eq!(results(&output), [Some(20), Some(22), Some(24)]);
    });
}

#[test]
fn streams_one_after_the_other_are_one_if_their_columns_are_the_same() {
    on_each(|config| {
        let double = Guest::new(config, GUEST.as_bytes(), "double");
        let mut both = stream_of(&[numbers(0..2)]);
        both.extend(stream_of(&[numbers(2..4)]));
        assert_eq!(results(&double.run(&arrow(), &both).0), [Some(0), Some(2), Some(4), Some(6)]);
        both.extend(stream_of(&[batch(&[("m", Arc::new(Int8Array::from(vec![1])))])]));
        let error = double.run(&arrow(), &both).1.unwrap_err();
        assert!(error.to_string().contains("its columns change"), "{error}");
    });
}

#[test]
fn files_are_read_as_streams() {
    on_each(|config| {
        let double = Guest::new(config, GUEST.as_bytes(), "double");
        let values: ArrayRef = Arc::new(Int32Array::from(vec![5, 6]));
        let column = DictionaryArray::new(Int8Array::from(vec![1, 0, 1]), values);
        let rows = batch(&[("n", Arc::new(column))]);
        let mut writer = FileWriter::try_new(Vec::new(), &rows.schema()).unwrap();
        writer.write(&rows).unwrap();
        writer.finish().unwrap();
        let (output, report) = double.run(&arrow(), &writer.into_inner().unwrap());
        assert_eq!(results(&output), [Some(12), Some(10), Some(12)]);
        assert_eq!(report.unwrap().records, 3);
    });
}

#[test]
fn a_record_batch_is_bounded_by_the_length_of_records() {
    on_each(|config| {
        let double = Guest::new(config, GUEST.as_bytes(), "double");
        let mut options = arrow();
        options.max_record = 64;
        let (output, report) = double.run(&options, &stream_of(&[numbers(0..1000), numbers(0..2000)]));
        let error = report.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains("is longer than the maximum of 4096 bytes"), "{error}");
        assert_eq!(results(&output).len(), 1000, "the first batch fits");
    });
}
