//! One vocabulary of failures for every engine: kind, trap, context, kept source.

use std::error::Error as StdError;
use std::fmt;

use serde::{Serialize, Serializer};

use crate::escape::Escaped;
use crate::limits::LimitExceeded;

/// What this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, grouped by what the caller can do about it. Exhaustive, so that whoever maps kinds (to exit codes,
/// say) is told by the compiler of a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The bytes are no valid WebAssembly module. Get another module.
    InvalidModule,
    /// The module is valid but needs a feature this engine or compiler lacks. Choose another engine.
    UnsupportedFeature,
    /// The engine cannot hold what the configuration asks for, or a cache folder is of no use. Change it.
    UnsupportedConfig,
    /// The engine asked for is not compiled in. Build with its cargo feature.
    EngineUnavailable,
    /// A capability that cannot be granted, such as a folder that is not there. Change the grant.
    Grant,
    /// An import nobody provides, or one of the wrong type. Provide it.
    Unlinkable,
    /// No such export, or one of another kind. Choose another name.
    UnknownExport,
    /// The arguments do not fit the signature. Change them.
    InvalidArgument,
    /// A limit stopped the module before it ran. Raise the limit.
    Limit,
    /// The guest trapped.
    Trap,
    /// The guest used up its fuel. Give it more.
    OutOfFuel,
    /// The guest used up its time. Give it more.
    Timeout,
    /// Somebody interrupted the guest.
    Interrupted,
    /// The runtime was shut down. Make another.
    ShutDown,
    /// The guest ended itself, with [`Error::exit_code`]: how a call that it ended says so.
    Exited,
    /// An access outside guest memory by the host.
    MemoryAccess,
    /// The instance trapped, was stopped or exited earlier and takes no more calls. Make another.
    Crashed,
    /// The machine has no room, or there is a bug in an engine or in wrun: report it.
    Internal,
}

impl ErrorKind {
    /// The name in the envelope's `error.kind`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidModule => "invalid_module",
            Self::UnsupportedFeature => "unsupported_feature",
            Self::UnsupportedConfig => "unsupported_config",
            Self::EngineUnavailable => "engine_unavailable",
            Self::Grant => "grant",
            Self::Unlinkable => "unlinkable",
            Self::UnknownExport => "unknown_export",
            Self::InvalidArgument => "invalid_argument",
            Self::Limit => "limit",
            Self::Trap => "trap",
            Self::OutOfFuel => "out_of_fuel",
            Self::Timeout => "timeout",
            Self::Interrupted => "interrupted",
            Self::ShutDown => "shut_down",
            Self::Exited => "exited",
            Self::MemoryAccess => "memory_access",
            Self::Crashed => "crashed",
            Self::Internal => "internal",
        }
    }
}

impl Serialize for ErrorKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Why a guest trapped, in the words of the WebAssembly specification's test suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Trap {
    /// `unreachable` was executed.
    Unreachable,
    /// An integer division or remainder by zero.
    IntegerDivideByZero,
    /// An integer operation whose result does not fit.
    IntegerOverflow,
    /// A float that no integer represents was converted to one.
    InvalidConversionToInteger,
    /// A load, store or bulk operation outside linear memory.
    MemoryOutOfBounds,
    /// A table access outside the table.
    TableOutOfBounds,
    /// An indirect call through a null table element.
    UninitializedElement,
    /// An indirect call to a function of another type.
    IndirectCallTypeMismatch,
    /// The guest used up its stack.
    StackOverflow,
    /// An atomic access at an unaligned address.
    UnalignedAtomic,
    /// A wait on a memory that is not shared.
    AtomicWaitNonSharedMemory,
    /// A null reference was used.
    NullReference,
    /// A GC array access outside the array.
    ArrayOutOfBounds,
    /// A reference cast to a type it is not of.
    CastFailure,
    /// A GC allocation too large to succeed.
    AllocationTooLarge,
    /// An exception nobody caught.
    UncaughtException,
    /// A host function returned an error.
    Host,
    /// Something only one engine knows; the message tells.
    Other,
}

impl Trap {
    /// The name in the envelope's `error.trap`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::IntegerDivideByZero => "integer_divide_by_zero",
            Self::IntegerOverflow => "integer_overflow",
            Self::InvalidConversionToInteger => "invalid_conversion_to_integer",
            Self::MemoryOutOfBounds => "memory_out_of_bounds",
            Self::TableOutOfBounds => "table_out_of_bounds",
            Self::UninitializedElement => "uninitialized_element",
            Self::IndirectCallTypeMismatch => "indirect_call_type_mismatch",
            Self::StackOverflow => "stack_overflow",
            Self::UnalignedAtomic => "unaligned_atomic",
            Self::AtomicWaitNonSharedMemory => "atomic_wait_non_shared_memory",
            Self::NullReference => "null_reference",
            Self::ArrayOutOfBounds => "array_out_of_bounds",
            Self::CastFailure => "cast_failure",
            Self::AllocationTooLarge => "allocation_too_large",
            Self::UncaughtException => "uncaught_exception",
            Self::Host => "host",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreachable => "unreachable executed",
            Self::IntegerDivideByZero => "integer divide by zero",
            Self::IntegerOverflow => "integer overflow",
            Self::InvalidConversionToInteger => "invalid conversion to integer",
            Self::MemoryOutOfBounds => "out of bounds memory access",
            Self::TableOutOfBounds => "out of bounds table access",
            Self::UninitializedElement => "uninitialized element",
            Self::IndirectCallTypeMismatch => "indirect call type mismatch",
            Self::StackOverflow => "call stack exhausted",
            Self::UnalignedAtomic => "unaligned atomic",
            Self::AtomicWaitNonSharedMemory => "expected shared memory",
            Self::NullReference => "null reference",
            Self::ArrayOutOfBounds => "out of bounds array access",
            Self::CastFailure => "cast failure",
            Self::AllocationTooLarge => "allocation size too large",
            Self::UncaughtException => "uncaught exception",
            Self::Host => "host function failed",
            Self::Other => "trap",
        })
    }
}

impl Serialize for Trap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One guest function on the stack when it trapped, innermost first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Frame {
    /// The function's index in its module, imports counted.
    pub function_index: u32,
    /// Its name, where the module has a name section.
    pub function: Option<String>,
    /// The offset of the instruction in the module's bytes, where the engine knows it.
    pub offset: Option<u64>,
}

impl Frame {
    /// The most frames an error keeps.
    pub const MOST: usize = 20;

    /// A frame of function `function_index`.
    #[must_use]
    pub const fn new(function_index: u32, function: Option<String>, offset: Option<u64>) -> Self {
        Self { function_index, function, offset }
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.function {
            Some(name) => write!(f, "{}", Escaped(name))?,
            None => write!(f, "func[{}]", self.function_index)?,
        }
        self.offset.map_or(Ok(()), |offset| write!(f, " @ {offset:#x}"))
    }
}

/// A failure: its kind, a message that says what and where, and what else is known.
#[derive(Debug)]
pub struct Error {
    details: Box<Details>,
}

#[derive(Debug)]
struct Details {
    kind: ErrorKind,
    message: String,
    trap: Option<Trap>,
    exit_code: Option<i32>,
    function: Option<String>,
    backtrace: Vec<Frame>,
    limit: Option<LimitExceeded>,
    hints: Vec<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// A failure of `kind`.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            details: Box::new(Details {
                kind,
                message: message.into(),
                trap: None,
                exit_code: None,
                function: None,
                backtrace: Vec::new(),
                limit: None,
                hints: Vec::new(),
                source: None,
            }),
        }
    }

    /// A trap, with what the engine said of it where that tells more than the trap itself.
    #[must_use]
    pub fn trap(trap: Trap, detail: Option<String>) -> Self {
        let message = match detail {
            Some(detail) => format!("{trap}: {detail}"),
            None => trap.to_string(),
        };
        let mut error = Self::new(ErrorKind::Trap, message);
        error.details.trap = Some(trap);
        error
    }

    /// A limit that stopped the module before it ran.
    #[must_use]
    pub fn limit(exceeded: LimitExceeded) -> Self {
        let mut error = Self::new(ErrorKind::Limit, format!("the module {exceeded}"));
        error.details.limit = Some(exceeded);
        error
    }

    /// A guest that used up its fuel.
    #[must_use]
    pub fn out_of_fuel(exceeded: LimitExceeded) -> Self {
        let mut error = Self::new(ErrorKind::OutOfFuel, format!("the guest {exceeded}"));
        error.details.limit = Some(exceeded);
        error
    }

    /// A guest that used up its time.
    #[must_use]
    pub fn timeout(exceeded: LimitExceeded) -> Self {
        let mut error = Self::new(ErrorKind::Timeout, format!("the guest {exceeded}"));
        error.details.limit = Some(exceeded);
        error
    }

    /// A guest that ended itself.
    #[must_use]
    pub fn exited(code: i32) -> Self {
        let mut error = Self::new(ErrorKind::Exited, format!("the guest exited with {code}"));
        error.details.exit_code = Some(code);
        error
    }

    /// The same, with the limit that growth was denied by before the guest trapped.
    #[must_use]
    pub(crate) fn after_denied_growth(mut self, denied: LimitExceeded) -> Self {
        self.details.limit = Some(denied);
        self
    }

    /// The same, naming the guest function that was called.
    #[must_use]
    pub fn in_function(mut self, function: impl Into<String>) -> Self {
        self.details.function = Some(function.into());
        self
    }

    /// The same with the guest's stack, innermost first.
    #[must_use]
    pub fn with_backtrace(mut self, backtrace: Vec<Frame>) -> Self {
        self.details.backtrace = backtrace;
        self
    }

    /// The same with one more thing the user can do.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.details.hints.push(hint.into());
        self
    }

    /// The same with what caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.details.source = Some(source.into());
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.details.kind
    }

    /// The message, without kind or hints.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.details.message
    }

    /// Why the guest trapped, where it did.
    #[must_use]
    pub fn trap_code(&self) -> Option<Trap> {
        self.details.trap
    }

    /// The code the guest ended itself with, where it did.
    #[must_use]
    pub fn exit_code(&self) -> Option<i32> {
        self.details.exit_code
    }

    /// The guest function that was called, where one was.
    #[must_use]
    pub fn function(&self) -> Option<&str> {
        self.details.function.as_deref()
    }

    /// The guest's stack when it trapped, innermost first, [`Frame::MOST`] frames at most.
    #[must_use]
    pub fn backtrace(&self) -> &[Frame] {
        &self.details.backtrace
    }

    /// The limit that was hit, where one was; of a trap, the limit that denied the guest growth in the same call.
    #[must_use]
    pub fn limit_exceeded(&self) -> Option<LimitExceeded> {
        self.details.limit
    }

    /// What the user can do about it, a sentence each.
    #[must_use]
    pub fn hints(&self) -> &[String] {
        &self.details.hints
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.details.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.details.source.as_deref().map(|source| source as _)
    }
}
