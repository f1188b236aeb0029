//! The work on many records together: decode them, call the function with one entry into guest code, encode the results.

use std::ops::Range;

use super::caller::Caller;
use super::chunk::Chunk;
use super::format::Record;
use super::process::{Processor, encode};
use super::processed::Processed;
use crate::error::Error;
use crate::runtime::call::CallResult;
use crate::runtime::callable::CallableType;
use crate::runtime::row_loop;
use crate::session::RowWorker;

impl Processor<'_> {
    /// Processes one or more records from the front, and removes them from `indices`: calls the function, and writes the result or the
    /// error. If it panics, only the first record is removed.
    pub(super) fn process(&mut self, chunk: &Chunk, indices: &mut Range<usize>, out: &mut Processed) {
        let first = indices.start;
        indices.start += 1;
        match self.process_rows(chunk, first..indices.end, out) {
            Some(processed) => indices.start = first + processed,
            None => self.record(chunk, first, out),
        }
        self.encoder.write_large(&mut out.output);
    }

    /// Processes records from the front together, if possible. Returns their number, at least one; `None` if the first must be
    /// processed alone. The scheduler gives workers few records at a time if calls are slow.
    #[inline]
    fn process_rows(&mut self, chunk: &Chunk, indices: Range<usize>, out: &mut Processed) -> Option<usize> {
        let mut worker = self.rows.take(&mut self.caller)?;
        let indices = indices.start..indices.end.min(indices.start + RowWorker::MAX_ROWS);
        let processed = match self.stored_rows(&mut worker, chunk, indices.clone(), out) {
            Some(processed) => processed,
            None => self.decoded_rows(&mut worker, chunk, indices, out),
        };
        self.rows.put_back(worker);
        Some(processed)
    }

    /// Processes records that the formats store by column, and of which they take the results by column.
    fn stored_rows(
        &mut self,
        rows: &mut RowWorker,
        chunk: &Chunk,
        indices: Range<usize>,
        out: &mut Processed,
    ) -> Option<usize> {
        let Caller::Function { worker, decoder, .. } = &mut self.caller else { return None };
        if !self.encoder.takes_columns() {
            return None;
        }
        let args = decoder.columns(chunk, indices.clone())?;
        let results = &mut self.rows.results;
        let (done, outcome) = rows.call(worker, indices.len(), &args, results);
        let failed = indices.start + done;
        self.encoder.columns(chunk, indices.start..failed, results, &mut out.output);
        out.tally.succeeded(done as u64);
        match outcome {
            Ok(()) => Some(done),
            Err(error) => {
                let mut record = Record::new(chunk, failed);
                // For its id.
                let _ = self.caller.decode(&mut record, self.formats);
                self.write_failure(&record, error, out);
                Some(done + 1)
            }
        }
    }

    /// Processes records that are decoded and encoded one by one.
    fn decoded_rows(
        &mut self,
        rows: &mut RowWorker,
        chunk: &Chunk,
        indices: Range<usize>,
        out: &mut Processed,
    ) -> usize {
        let mut records = Vec::with_capacity(indices.len());
        let invalid = self.decode_rows(chunk, indices, &mut records);
        let Caller::Function { worker, .. } = &mut self.caller else { unreachable!("the caller has a function") };
        let args: Vec<&[u8]> = self.rows.args.iter().map(Vec::as_slice).collect();
        let (done, outcome) = rows.call(worker, records.len(), &args, &mut self.rows.results);
        if let Some(encoded) = self.encode_rows(&records[..done], out) {
            return encoded;
        }
        match (outcome, invalid) {
            (Err(error), _) => self.write_failure(&records[done], error, out),
            (Ok(()), Some((record, error))) => self.write_failure(&record, error, out),
            (Ok(()), None) => return done,
        }
        done + 1
    }

    /// Decodes records until one is invalid, and returns this one with its error.
    fn decode_rows<'c>(
        &mut self,
        chunk: &'c Chunk,
        indices: Range<usize>,
        records: &mut Vec<Record<'c>>,
    ) -> Option<(Record<'c>, Error)> {
        let columns = &mut self.rows.args;
        columns.iter_mut().for_each(Vec::clear);
        columns.resize_with(self.formats.callable.param_count(), Vec::new);
        for index in indices {
            let mut record = Record::new(chunk, index);
            let decoded = self.caller.decode(&mut record, self.formats);
            if let Err(error) = decoded.and_then(|_| self.check_id(&record)) {
                return Some((record, error));
            }
            let Caller::Function { args, .. } = &mut self.caller else { return None };
            for (at, value) in args.core_mut().iter().enumerate() {
                row_loop::push(&mut self.rows.args[at], value);
            }
            records.push(record);
        }
        None
    }

    /// Encodes the results of records. Returns the number of records until one ends the batch, if one does.
    fn encode_rows(&mut self, records: &[Record<'_>], out: &mut Processed) -> Option<usize> {
        let CallableType::Core(ty) = self.formats.callable.ty() else { return None };
        let mut result = CallResult::Core(Vec::with_capacity(ty.results().len()));
        for (row, record) in records.iter().enumerate() {
            if let CallResult::Core(values) = &mut result {
                values.clear();
                for (at, ty) in ty.results().iter().enumerate() {
                    values.push(row_loop::get(&self.rows.results[at], row, ty));
                }
            }
            match encode(self.encoder.as_mut(), record, &result, &mut out.output) {
                Ok(()) => out.tally.succeeded(1),
                Err(error) => self.write_failure(record, error, out),
            }
            if out.failure.is_some() {
                return Some(row + 1);
            }
        }
        None
    }
}
