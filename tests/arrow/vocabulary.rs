//! Helpers for the cases.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{Field, Schema};
use arrow_select::concat::concat_batches;
use wrun::batch::{self, BatchCounters, BatchInput, BatchOptions, BatchOutput, BatchReport, Stop, Streams};
use wrun::engine::features;
use wrun::session::{InstanceOptions, PreparedCode, Session};
use wrun::{Callable, Result, RuntimeConfig};

/// A function that is called with each row.
pub(crate) struct Guest {
    code: PreparedCode,
    callable: Callable,
}

impl Guest {
    pub(crate) fn new(config: &RuntimeConfig, wasm: &[u8], function: &str) -> Self {
        let session = Session::open(config, wasm, None).unwrap();
        let callable = session.function(function).unwrap();
        let code = session.prepare(InstanceOptions::default(), &|_| {}).unwrap();
        Self { code, callable }
    }

    /// The number of modules that the runtime has compiled.
    pub(crate) fn modules_compiled(&self) -> u64 {
        self.code.runtime().metrics().modules_compiled
    }

    /// The number of calls that the guests have had.
    pub(crate) fn calls(&self) -> u64 {
        self.code.runtime().metrics().calls
    }

    /// Runs a batch, and returns its output.
    pub(crate) fn run(&self, options: &BatchOptions, input: &[u8]) -> (Vec<u8>, Result<BatchReport>) {
        let (mut input, mut output) = (input, Vec::new());
        let (counters, stop) = (BatchCounters::default(), Stop::default());
        let streams = Streams::new(&mut input, &mut output, &counters, &stop);
        let report = batch::run(&self.code, &self.callable, options, streams);
        (output, report)
    }

    /// Runs a batch from Arrow to Arrow.
    #[track_caller]
    pub(crate) fn map(&self, options: &BatchOptions, batches: &[RecordBatch]) -> (RecordBatch, BatchReport) {
        let (output, report) = self.run(options, &stream_of(batches));
        (only(&output), report.unwrap_or_else(|error| panic!("{error}")))
    }

    /// Runs a batch whose columns do not match the parameters, and returns the error and its hints.
    #[track_caller]
    pub(crate) fn refuses(&self, options: &BatchOptions, batch: &RecordBatch) -> String {
        let (output, report) = self.run(options, &stream_of(std::slice::from_ref(batch)));
        assert!(read(&output).is_empty(), "there are results");
        let error = report.expect_err("the columns are refused");
        format!("{error}\n{}", error.hints().join("\n"))
    }
}

/// Every engine that is compiled in, with each of its compilers.
pub(crate) fn on_each(case: impl Fn(&RuntimeConfig)) {
    for (kind, compiler) in features::combinations().filter(|(kind, _)| kind.is_available()) {
        case(&RuntimeConfig::new(kind).with_compiler(compiler));
    }
}

/// Options of a batch from Arrow to Arrow.
pub(crate) fn arrow() -> BatchOptions {
    let mut options = BatchOptions::default();
    (options.input, options.output) = (BatchInput::Arrow, BatchOutput::Arrow);
    options
}

/// A record batch with columns of these names. All are nullable.
pub(crate) fn batch(columns: &[(&str, ArrayRef)]) -> RecordBatch {
    let fields: Vec<_> =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    let arrays = columns.iter().map(|(_, array)| Arc::clone(array)).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
}

/// Writes record batches as a stream.
pub(crate) fn stream_of(batches: &[RecordBatch]) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), &batches[0].schema()).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}

/// Reads the record batches of a stream; none of no bytes.
#[track_caller]
pub(crate) fn read(stream: &[u8]) -> Vec<RecordBatch> {
    if stream.is_empty() {
        return Vec::new();
    }
    StreamReader::try_new(stream, None).unwrap().map(|batch| batch.unwrap()).collect()
}

/// Reads a complete stream as one record batch. How results are split into record batches depends on time.
#[track_caller]
pub(crate) fn only(stream: &[u8]) -> RecordBatch {
    assert!(stream.ends_with(&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]), "the mark at the end");
    let schema = StreamReader::try_new(stream, None).unwrap().schema();
    concat_batches(&schema, &read(stream)).unwrap()
}

/// The names of the columns of a record batch, with their types.
pub(crate) fn columns(batch: &RecordBatch) -> Vec<String> {
    let field = |field: &Arc<Field>| {
        format!("{}: {}{}", field.name(), field.data_type(), if field.is_nullable() { "?" } else { "" })
    };
    batch.schema().fields().iter().map(field).collect()
}
