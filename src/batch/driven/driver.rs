//! Applies operations to one live instance.

use std::collections::HashMap;
use std::time::Instant;

use super::operation::{Action, Operation, Request};
use super::shapes;
use crate::batch::options::BatchOptions;
use crate::component::info::CodeInfo;
use crate::component::value::WitValue;
use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;
use crate::limits::Limits;
use crate::module::info::ModuleInfo;
use crate::runtime::access;
use crate::runtime::call::{CallResult, ResolvedCallable};
use crate::runtime::callable::{CallArgs, Callable};
use crate::runtime::code::CodeInstance;
use crate::runtime::lookup;
use crate::runtime::traits::WasmInstance;
use crate::session::{CallUsage, PreparedCode, nanoseconds};

/// The limits of a [`Driver`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct DriverOptions {
    /// The limits. Fuel and time are those of each operation; memory, stack and table elements are those of the instance.
    pub limits: Limits,
    /// The maximum number of bytes that an operation reads.
    pub max_read: usize,
    /// Whether [`CallUsage::call_ns`] is measured.
    pub measure_time: bool,
}

impl DriverOptions {
    pub(in crate::batch) fn of_batch(options: &BatchOptions) -> Self {
        let BatchOptions { max_record, worker, .. } = options;
        Self { limits: worker.limits, max_read: *max_record, measure_time: worker.measure_time }
    }
}

impl Default for DriverOptions {
    /// No limits; reads of at most 16 MiB.
    fn default() -> Self {
        Self { limits: Limits::none(), max_read: 16 << 20, measure_time: false }
    }
}

/// Keeps one instance, and applies operations to it: calls, and access to its memories and globals.
///
/// After a call that traps, exits or exceeds a limit, calls fail with [`ErrorKind::Crashed`] until [`Operation::Restart`].
/// Memories and globals can still be read.
///
/// ```
/// use wrun::batch::{Driver, DriverOptions};
/// use wrun::session::{InstanceOptions, Session};
/// use wrun::RuntimeConfig;
///
/// # fn main() -> wrun::Result<()> {
/// let wasm = br#"(module (memory (export "memory") 1)
///   (func (export "first") (result i32) (i32.load8_u (i32.const 0))))"#;
/// let session = Session::open(&RuntimeConfig::default(), wasm, None)?;
/// let code = session.prepare(InstanceOptions::default(), &|_| {})?;
/// let mut driver = Driver::new(&code, DriverOptions::default())?;
/// for operation in [r#"{"write":{"offset":0,"text":"A"}}"#, r#"{"call":"first"}"#] {
///     let operation = driver.decode_json(operation.as_bytes())?;
///     println!("{}", driver.apply(&operation)?.to_text());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Driver<'a> {
    code: &'a PreparedCode,
    info: CodeInfo,
    options: DriverOptions,
    /// `None` after a restart that failed.
    instance: Option<CodeInstance>,
    functions: HashMap<String, DrivenFunction>,
    usage: CallUsage,
}

#[derive(Debug)]
struct DrivenFunction {
    callable: Callable,
    /// The function of the current instance.
    resolved: Option<ResolvedCallable>,
}

impl<'a> Driver<'a> {
    /// Creates the instance.
    ///
    /// # Errors
    /// Those of [`PreparedCode::instantiate`].
    pub fn new(code: &'a PreparedCode, options: DriverOptions) -> Result<Self> {
        let instance = code.instantiate(options.limits, &|_| {})?.into_instance();
        Ok(Self {
            code,
            info: code.info(),
            options,
            instance: Some(instance),
            functions: HashMap::new(),
            usage: CallUsage::default(),
        })
    }

    /// Decodes an operation in JSON: `{"call": "f", "args": […]}`, `{"write": {"offset": …, "text" | "base64" | "bytes": …}}`,
    /// `{"read": {"offset": …, "length": …}}`, `{"global": "g"}` or `{"restart": true}`. A key `id` is ignored.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if it is not an operation, [`ErrorKind::UnknownExport`] if there is no such function,
    /// [`ErrorKind::UnsupportedFeature`] if the function has types whose values JSON cannot express.
    pub fn decode_json(&mut self, record: &[u8]) -> Result<Operation> {
        self.decode(Request::from_json(record))
    }

    /// Decodes an operation in MessagePack of the same shape as [`Driver::decode_json`].
    ///
    /// # Errors
    /// As [`Driver::decode_json`].
    pub fn decode_msgpack(&mut self, record: &[u8]) -> Result<Operation> {
        self.decode(Request::from_msgpack(record))
    }

    pub(in crate::batch) fn decode(&mut self, request: Request<'_>) -> Result<Operation> {
        match request.action? {
            Action::Call { function, args } => {
                let callable = &self.function(&function)?.callable;
                let args = match args {
                    Some(args) => args.decode_args(callable)?,
                    None => callable.decode_json(b"[]")?,
                };
                Ok(Operation::Call { function, args })
            }
            Action::Other(operation) => Ok(operation),
        }
    }

    /// Applies an operation. Calls return their result, reads the bytes or the text, globals their value, and other operations
    /// nothing, as a function without results.
    ///
    /// # Errors
    /// - Those of [`Callable::find`] and [`ResolvedCallable::call`].
    /// - Those of [`WasmInstance::read_memory`](crate::WasmInstance::read_memory),
    ///   [`WasmInstance::write_memory`](crate::WasmInstance::write_memory) and
    ///   [`WasmInstance::global`](crate::WasmInstance::global).
    /// - [`ErrorKind::InvalidArgument`] if more than [`DriverOptions::max_read`] bytes are read, or text is not UTF-8.
    /// - [`ErrorKind::UnsupportedFeature`] if a component's memory or global is accessed.
    /// - Those of [`PreparedCode::instantiate`] for a restart.
    pub fn apply(&mut self, operation: &Operation) -> Result<CallResult> {
        self.usage = CallUsage::default();
        match operation {
            Operation::Call { function, args } => self.call(function, args),
            Operation::Write { memory, offset, bytes } => {
                let (instance, memory) = self.memory(memory.as_deref())?;
                instance.write_memory(&memory, *offset, bytes)?;
                Ok(nothing())
            }
            Operation::Read { memory, offset, length, as_text } => {
                self.read(memory.as_deref(), *offset, *length, *as_text)
            }
            Operation::Global { name } => self.module()?.global(name).map(|value| CallResult::Core(vec![value])),
            Operation::Restart => {
                self.functions.values_mut().for_each(|function| function.resolved = None);
                // Two instances at a time could take twice the memory.
                self.instance = None;
                self.instance = Some(self.code.instantiate(self.options.limits, &|_| {})?.into_instance());
                Ok(nothing())
            }
        }
    }

    /// Returns the resources that the last operation used, if it was a call.
    #[must_use]
    pub fn usage(&self) -> CallUsage {
        self.usage
    }

    fn call(&mut self, name: &str, args: &CallArgs) -> Result<CallResult> {
        let DriverOptions { limits, measure_time, .. } = self.options;
        let fuel = self.code.fuel_of_each_call(limits);
        self.function(name)?;
        let Self { instance, functions, usage, .. } = self;
        let instance = instance.as_mut().ok_or_else(not_restarted)?;
        let function = functions.get_mut(name);
        let DrivenFunction { callable, resolved } = function.unwrap_or_else(|| unreachable!("the function was found"));
        let function = match resolved {
            Some(function) => function,
            None => resolved.insert(instance.resolve(callable)?),
        };
        fuel.map_or(Ok(()), |fuel| instance.reset_fuel(fuel))?;
        limits.time.map_or(Ok(()), |time| instance.reset_time(time))?;
        let begin = measure_time.then(Instant::now);
        let outcome = function.call(instance, args).cloned();
        usage.call_ns = begin.map(|begin| nanoseconds(begin.elapsed()));
        usage.fuel_used = fuel.and_then(|_| instance.fuel_used());
        usage.memory_peak_bytes = instance.memory_peak_bytes();
        outcome.map_err(|error| match error.kind() {
            ErrorKind::Crashed => error.with_hint(r#"{"restart":true} makes a new instance"#),
            _ => error,
        })
    }

    fn read(&mut self, memory: Option<&str>, offset: u64, length: u64, as_text: bool) -> Result<CallResult> {
        let max = self.options.max_read;
        let (instance, memory) = self.memory(memory)?;
        let size = instance.memory_size(&memory)?;
        if !access::is_within(offset, length, size) {
            return Err(access::out_of_bounds(offset, length, size));
        }
        let Some(length) = usize::try_from(length).ok().filter(|length| *length <= max) else {
            let message = format!("a read of {length} bytes is longer than the maximum of {max} bytes for a record");
            return Err(Error::new(ErrorKind::InvalidArgument, message).with_hint("read the range in parts"));
        };
        let mut bytes = vec![0; length];
        instance.read_memory(&memory, offset, &mut bytes)?;
        if !as_text {
            return Ok(CallResult::Component(Some(WitValue::Bytes(bytes)), shapes::RETURNS_BYTES.clone()));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = offset + error.utf8_error().valid_up_to() as u64;
            let message = format!("the bytes are not UTF-8: the first invalid one is at offset {at}");
            Error::new(ErrorKind::InvalidArgument, message).with_source(error)
        })?;
        Ok(CallResult::Component(Some(WitValue::String(text)), shapes::RETURNS_TEXT.clone()))
    }

    /// Finds a function once. Names of functions that do not exist are not kept, so the map is bounded by the exports.
    fn function(&mut self, name: &str) -> Result<&DrivenFunction> {
        if !self.functions.contains_key(name) {
            let callable = Callable::find(&self.info, name)?;
            self.functions.insert(name.to_owned(), DrivenFunction { callable, resolved: None });
        }
        Ok(&self.functions[name])
    }

    fn module(&mut self) -> Result<&mut dyn WasmInstance> {
        match self.instance.as_mut().ok_or_else(not_restarted)? {
            CodeInstance::Module(instance) => Ok(instance.as_mut()),
            CodeInstance::Component(_) => {
                let message = "a component exports no memories and no globals: only `call` and `restart` work";
                Err(Error::new(ErrorKind::UnsupportedFeature, message))
            }
        }
    }

    /// Returns the instance, and the name of the memory that an operation means.
    fn memory(&mut self, name: Option<&str>) -> Result<(&mut dyn WasmInstance, String)> {
        let instance = self.module()?;
        let name = name.map_or_else(|| default_memory(instance.info()), |name| Ok(name.to_owned()))?;
        Ok((instance, name))
    }
}

fn default_memory(info: &ModuleInfo) -> Result<String> {
    let memories = lookup::memories(info);
    match (lookup::default_memory(&memories), memories.first()) {
        (Some((name, _)), _) => Ok(name.to_owned()),
        (None, None) => Err(lookup::no_such_export(info, "memory", lookup::MEMORY)),
        (None, Some((first, _))) => {
            let message = format!("the module exports {} memories: name one", memories.len());
            let hint = format!(r#"add a key such as "memory":"{}""#, Escaped(first));
            Err(Error::new(ErrorKind::InvalidArgument, message).with_hint(hint))
        }
    }
}

fn nothing() -> CallResult {
    CallResult::Core(Vec::new())
}

fn not_restarted() -> Error {
    Error::new(ErrorKind::Crashed, "there is no instance: the last restart failed")
        .with_hint(r#"{"restart":true} tries again"#)
}
