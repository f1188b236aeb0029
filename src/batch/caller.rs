//! The call of a record: a function, or an operation on a living instance.

use super::driven::{Driver, Request};
use super::format::{Decode, Formats, Record};
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
    Operation(Box<Request<'c>>),
}

impl<'a> Caller<'a> {
    pub(super) fn function(worker: Worker<'a>, formats: &'a Formats<'a>) -> Self {
        Self::Function { worker: Box::new(worker), decoder: input::decoder(formats), args: CallArgs::Core(Vec::new()) }
    }

    pub(super) fn driver(driver: Driver<'a>) -> Self {
        Self::Driver { driver: Box::new(driver), answer: CallResult::Core(Vec::new()) }
    }

    /// Decodes a record. Sets its id, also if the rest is wrong.
    #[inline]
    pub(super) fn decode<'c>(&mut self, record: &mut Record<'c>, formats: &Formats<'_>) -> Result<Decoded<'c>> {
        match self {
            Self::Function { decoder, args, .. } => decoder.decode(record, args).map(|()| Decoded::Args),
            Self::Driver { .. } => {
                let bytes = input::bytes_of(record, formats)?;
                let request = match formats.options.input {
                    BatchInput::Msgpack => Request::from_msgpack(bytes),
                    _ => Request::from_json(bytes),
                };
                formats.check_id(request.id())?;
                record.id = request.id();
                Ok(Decoded::Operation(Box::new(request)))
            }
        }
    }

    /// Makes the call that was decoded last.
    #[inline]
    pub(super) fn call(&mut self, decoded: Decoded<'_>) -> Result<&CallResult> {
        match (self, decoded) {
            (Self::Function { worker, args, .. }, _) => worker.call(args),
            (Self::Driver { driver, answer }, Decoded::Operation(request)) => {
                let operation = driver.decode(*request)?;
                *answer = driver.apply(&operation)?;
                Ok(answer)
            }
            (Self::Driver { .. }, Decoded::Args) => unreachable!("a driver decodes operations"),
        }
    }

    /// Returns the resources that the last call used.
    pub(super) fn usage(&mut self) -> CallUsage {
        match self {
            Self::Function { worker, .. } => worker.usage(),
            Self::Driver { driver, .. } => driver.usage(),
        }
    }
}
