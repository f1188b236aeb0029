//! The records of a stream, without calls.

use std::io::Read;

use serde_json::Value;

use super::buffer::Buffers;
use super::format::{Formats, Record};
use super::id::Id;
use super::input;
use super::options::BatchOptions;
use crate::error::{Error, Result};
use crate::runtime::callable::{CallArgs, Callable};

/// A record of [`read_records`].
#[derive(Debug)]
#[non_exhaustive]
pub struct DecodedRecord<'a> {
    /// Its number in the stream, counted from 1.
    pub number: u64,
    /// Its id, if it has one.
    pub id: Option<Value>,
    /// The arguments, or why the record has none.
    pub args: Result<&'a CallArgs>,
}

/// Reads records and decodes them as the arguments of a function, one by one. `next` gets each as soon as it is complete. Memory is
/// bounded by the maximum length of a record.
///
/// # Errors
/// [`ErrorKind::Io`](crate::ErrorKind::Io) if reading fails; those of [`BatchOptions::check`]; the first error of `next`, which ends
/// reading.
pub fn read_records<E: From<Error>>(
    callable: &Callable,
    options: &BatchOptions,
    stream: &mut (dyn Read + Send),
    mut next: impl FnMut(DecodedRecord<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let formats = Formats::new(callable, options)?;
    let (mut source, mut decoder) = (input::source(&formats, stream, &Buffers::default()), input::decoder(&formats));
    let mut args = CallArgs::Core(Vec::new());
    while let Some(chunk) = source.next_chunk()? {
        for index in 0..chunk.records.len() {
            let mut record = Record::new(&chunk, index);
            let outcome = decoder.decode(&mut record, &mut args);
            let id = record.id.map(Id::value);
            next(DecodedRecord { number: record.number(), id, args: outcome.map(|()| &args) })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::component::info::CodeInfo;
    use crate::error::ErrorKind;
    use crate::module::info::ModuleInfo;

    /// Endless records of four bytes. Counts the bytes that were read.
    struct Endless<'a>(&'a AtomicU64);

    impl Read for Endless<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = buffer.len() / 4 * 4;
            buffer[..length].chunks_mut(4).for_each(|record| record.copy_from_slice(b"[7]\n"));
            self.0.fetch_add(length as u64, Ordering::SeqCst);
            Ok(length)
        }
    }

    #[test]
    fn reading_stays_close_to_the_record_and_ends_with_an_error() {
        let binary = wat::parse_str(r#"(module (func (export "f") (param i32)))"#).unwrap();
        let callable = Callable::find(&CodeInfo::Module(Arc::new(ModuleInfo::read(&binary).unwrap())), "f").unwrap();
        let read = AtomicU64::new(0);
        let mut seen = 0;
        let ended = read_records(&callable, &BatchOptions::default(), &mut Endless(&read), |record| {
            seen += 1;
            assert_eq!(record.number, seen);
            assert!(record.id.is_none() && record.args.is_ok());
            let ahead = read.load(Ordering::SeqCst) - 4 * seen;
            assert!(ahead <= 1 << 20, "record {seen}: {ahead} bytes ahead");
            if seen < 500_000 { Ok(()) } else { Err(Error::new(ErrorKind::Io, "enough")) }
        });
        assert_eq!(ended.unwrap_err().message(), "enough");
        assert_eq!(seen, 500_000);
    }
}
