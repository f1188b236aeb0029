//! A record that makes wrun panic fails alone.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::OnceLock;

use super::*;
use crate::batch::buffer::Buffers;
use crate::batch::caller::Caller;
use crate::batch::chunk::{ByteRecords, Chunk, Extent, Extents, Records};
use crate::batch::format::{Decode, Encode, Formats, Layout, Record};
use crate::batch::options::{BatchOptions, BatchOutput};
use crate::batch::output;
use crate::batch::pipeline::shared::Shared;
use crate::config::RuntimeConfig;
use crate::error::Result;
use crate::runtime::call::CallResult;
use crate::runtime::callable::{CallArgs, Callable};
use crate::session::{InstanceOptions, Session, Worker, WorkerOptions};
use crate::value::types::Value;

const DOUBLE: &[u8] =
    br#"(module (func (export "double") (param i32) (result i32) (i32.shl (local.get 0) (i32.const 1))))"#;

/// Where the third record panics.
#[derive(Clone, Copy, PartialEq)]
enum Panics {
    /// Whenever it is decoded.
    Decoder,
    /// After its result is appended.
    Encoder,
}

struct Decoder(Panics);

impl Decode for Decoder {
    fn decode(&mut self, record: &mut Record<'_>, args: &mut CallArgs) -> Result<()> {
        assert!(self.0 != Panics::Decoder || record.index != 2, "no such record");
        *args = CallArgs::Core(vec![Value::I32(i32::try_from(record.index).unwrap())]);
        Ok(())
    }
}

struct Encoder<'a>(Box<dyn Encode + 'a>);

impl Encode for Encoder<'_> {
    fn result(&mut self, record: &Record<'_>, result: &CallResult, output: &mut Vec<u8>) -> Result<()> {
        self.0.result(record, result, output)?;
        assert_ne!(record.index, 2, "no such result");
        Ok(())
    }

    fn error(&mut self, record: &Record<'_>, error: &Error, output: &mut Vec<u8>) {
        self.0.error(record, error, output);
    }

    fn pass(&mut self, record: &Record<'_>, output: &mut Vec<u8>) {
        self.0.pass(record, output);
    }

    fn pending(&self) -> usize {
        self.0.pending()
    }

    fn finish(&mut self, output: &mut Vec<u8>) {
        self.0.finish(output);
    }

    fn rescue(&mut self, rows: usize, output: &mut Vec<u8>) {
        self.0.rescue(rows, output);
    }
}

/// Processes five records. Returns the whole output, and the number of records that failed.
fn output_of(format: BatchOutput, panics: Panics) -> (Vec<u8>, usize) {
    let session = Session::open(&RuntimeConfig::default(), DOUBLE, None).unwrap();
    let callable: Callable = session.function("double").unwrap();
    let code = session.prepare(InstanceOptions::default(), &|_| {}).unwrap();
    let options = BatchOptions { output: format, ..BatchOptions::default() };
    let formats = Formats { callable: &callable, options: &options, layout: OnceLock::from(Layout::default()) };
    let worker = Box::new(Worker::new(&code, &callable, WorkerOptions::default()));
    let caller = Caller::Function { worker, decoder: Box::new(Decoder(panics)), args: CallArgs::Core(Vec::new()) };
    let buffers = Buffers::default();
    let mut processor = Processor::new(&formats, caller, None, false, buffers.clone());
    if panics == Panics::Encoder {
        processor.encoder = Box::new(Encoder(output::encoder(&formats)));
    }
    let records = || {
        let extents = Extents::Split(vec![Extent::At(Range::default()); 5]);
        Part::from(Chunk { first: 1, records: Records::Bytes(ByteRecords { bytes: buffers.copy(b""), extents }) })
    };
    let schedule: Shared<'_, Part, Processed> = Shared::new(1, true, || false);
    schedule.push(records());
    let (_, pause) = schedule.take().unwrap();
    let mut parts = VecDeque::from([records()]);
    let processed = process(&mut processor, &mut parts, pause);
    assert!(parts.is_empty());
    assert_eq!(processed.tally.records(), 5);
    let output = [output::head(&formats), processed.output.to_vec(), output::tail(&formats)].concat();
    (output, processed.tally.failures().len())
}

#[test]
fn a_record_that_panics_fails_alone() {
    for panics in [Panics::Decoder, Panics::Encoder] {
        for (format, begin, end) in [
            (BatchOutput::Json, "0\n2\n{\"error\":{\"kind\":\"internal\",", ",\"record\":3}}\n6\n8\n"),
            (BatchOutput::Csv, "result,error_kind,error_message\n0,,\n2,,\n,internal,", "\n6,,\n8,,\n"),
        ] {
            let (output, failed) = output_of(format, panics);
            let text = String::from_utf8(output).unwrap();
            assert!(text.starts_with(begin) && text.ends_with(end) && text.contains("no such re"), "{text}");
            assert_eq!(failed, 1);
        }
    }
}

#[cfg(feature = "arrow")]
#[test]
fn rows_before_a_panic_are_kept() {
    use arrow_array::Array;
    use arrow_array::cast::AsArray;
    use arrow_array::types::Int32Type;

    for panics in [Panics::Decoder, Panics::Encoder] {
        let (output, failed) = output_of(BatchOutput::Arrow, panics);
        let stream = arrow_ipc::reader::StreamReader::try_new(output.as_slice(), None).unwrap();
        let mut results = Vec::new();
        for batch in stream {
            let batch = batch.unwrap();
            let kinds = batch.column(1).as_string::<i32>();
            for (row, result) in batch.column(0).as_primitive::<Int32Type>().iter().enumerate() {
                assert_eq!(result.is_none(), kinds.is_valid(row));
                results.push(result);
            }
        }
        assert_eq!((results, failed), (vec![Some(0), Some(2), None, Some(6), Some(8)], 1));
    }
}
