//! The call of a record: a function, or an operation on a living instance.

use super::chunk::Chunk;
use super::driven::{Driver, Request};
use super::format::{Decode, Formats};
use super::id::Id;
use super::input;
use super::options::BatchInput;
use crate::error::Result;
use crate::runtime::call::CallResult;
use crate::runtime::callable::CallArgs;
use crate::session::{CallUsage, Worker};

/// Decodes records and makes their calls. Each worker has one.
pub(super) enum Caller<'a> {
    Function {
        worker: Box<Worker<'a>>,
        decoder: Box<dyn Decode + 'a>,
        /// The arguments of the current call.
        args: CallArgs,
    },
    Driver {
        driver: Box<Driver<'a>>,
        /// The answer to the last operation.
        answer: CallResult,
    },
}

/// A record that is decoded.
pub(super) enum Decoded<'c> {
    /// The arguments are those of the caller.
    Args,
    Operation(Request<'c>),
}

impl<'a> Caller<'a> {
    pub(super) fn function(worker: Worker<'a>, formats: &'a Formats<'a>) -> Self {
        Self::Function { worker: Box::new(worker), decoder: input::decoder(formats), args: CallArgs::Core(Vec::new()) }
    }

    pub(super) fn driver(driver: Driver<'a>) -> Self {
        Self::Driver { driver: Box::new(driver), answer: CallResult::Core(Vec::new()) }
    }

    /// Decodes the record at an index of a chunk. Returns its id, also if the rest is wrong.
    pub(super) fn decode<'c>(
        &mut self,
        chunk: &'c Chunk,
        index: usize,
        formats: &Formats<'_>,
    ) -> (Option<Id<'c>>, Result<Decoded<'c>>) {
        match self {
            Self::Function { decoder, args, .. } => {
                let (id, decoded) = decoder.decode(chunk, index, args);
                (id, decoded.map(|()| Decoded::Args))
            }
            Self::Driver { .. } => match input::bytes_at(chunk, index, formats) {
                Ok(record) => {
                    let request = match formats.options.input {
                        BatchInput::Msgpack => Request::from_msgpack(record),
                        _ => Request::from_json(record),
                    };
                    (request.id(), Ok(Decoded::Operation(request)))
                }
                Err(error) => (None, Err(error)),
            },
        }
    }

    /// Makes the call that was decoded last.
    pub(super) fn call(&mut self, decoded: Decoded<'_>) -> Result<&CallResult> {
        match (self, decoded) {
            (Self::Function { worker, args, .. }, _) => worker.call(args),
            (Self::Driver { driver, answer }, Decoded::Operation(request)) => {
                let operation = driver.decode(request)?;
                *answer = driver.apply(&operation)?;
                Ok(answer)
            }
            (Self::Driver { answer, .. }, Decoded::Args) => Ok(answer),
        }
    }

    /// Returns the resources that the last call used.
    pub(super) fn usage(&self) -> CallUsage {
        match self {
            Self::Function { worker, .. } => worker.usage(),
            Self::Driver { driver, .. } => driver.usage(),
        }
    }
}
