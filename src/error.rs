//! The error type for every engine: kind, trap, context and source.

use std::error::Error as StdError;
use std::fmt;

use derive_more::Display;
use serde::Serialize;
use strum::{IntoStaticStr, VariantArray};

use crate::escape::Escaped;
use crate::limits::{LimitExceeded, LimitKind};

mod refusal;

/// The result type of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The kind of an error, grouped by how the caller can react. The enum is exhaustive, so that a `match` (to exit codes,
/// for example) does not compile until it handles a new kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, VariantArray, Serialize)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ErrorKind {
    /// The input is not a valid WebAssembly module. Use another module.
    InvalidModule,
    /// The module is valid but needs a feature that this engine or compiler lacks. Use another engine.
    UnsupportedFeature,
    /// The engine cannot enforce the configuration, or a cache folder cannot be used. Change the configuration.
    UnsupportedConfig,
    /// The engine is not compiled in. Build with its cargo feature.
    EngineUnavailable,
    /// A capability cannot be granted, such as a directory that does not exist. Change the grant.
    Grant,
    /// An import is unresolved or has the wrong type. Provide it.
    Unlinkable,
    /// There is no export of this name, or it has another kind. Use another name.
    UnknownExport,
    /// The arguments do not match the signature. Change them.
    InvalidArgument,
    /// The module needs more than a limit allows, and did not run. Raise the limit.
    Limit,
    /// The guest trapped.
    Trap,
    /// The guest ran out of fuel. Raise the limit.
    OutOfFuel,
    /// The guest exceeded its time limit. Raise the limit.
    Timeout,
    /// The guest was interrupted.
    Interrupted,
    /// The runtime was shut down. Create another.
    ShutDown,
    /// The guest exited during the call, with [`Error::exit_code`].
    Exited,
    /// A function of a plug-in reported an error, which is the message. The instance accepts further calls.
    Plugin,
    /// The host accessed guest memory out of bounds, perhaps because a guest returned a wrong pointer or length, or allocated
    /// nothing.
    MemoryAccess,
    /// The result of the guest does not have the format of the convention by which it is called. The instance accepts further
    /// calls.
    InvalidResult,
    /// An earlier call trapped, was stopped or exited, and the instance accepts no calls. Create another.
    Crashed,
    /// The system refused memory, a thread or a file, or failed to read or write. Raise the limits of the process.
    Io,
    /// There is a bug in an engine or in wrun.
    Internal,
}

impl ErrorKind {
    /// All kinds.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Returns the name used in the envelope's `error.kind`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Why a guest trapped, named as in the test suite of the WebAssembly specification.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, Hash, IntoStaticStr, VariantArray, Serialize)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[non_exhaustive]
pub enum Trap {
    /// `unreachable` was executed.
    #[display("unreachable executed")]
    Unreachable,
    /// An integer division or remainder by zero.
    #[display("integer divide by zero")]
    IntegerDivideByZero,
    /// An integer operation whose result does not fit.
    #[display("integer overflow")]
    IntegerOverflow,
    /// A conversion to an integer of a NaN or of a float out of its range.
    #[display("invalid conversion to integer")]
    InvalidConversionToInteger,
    /// A load, store or bulk operation outside linear memory.
    #[display("out of bounds memory access")]
    MemoryOutOfBounds,
    /// A table access outside the table.
    #[display("out of bounds table access")]
    TableOutOfBounds,
    /// An indirect call through a null table element.
    #[display("uninitialized element")]
    UninitializedElement,
    /// An indirect call to a function of another type.
    #[display("indirect call type mismatch")]
    IndirectCallTypeMismatch,
    /// The guest's stack overflowed.
    #[display("call stack exhausted")]
    StackOverflow,
    /// An atomic access at an unaligned address.
    #[display("unaligned atomic")]
    UnalignedAtomic,
    /// An atomic wait on a memory that is not shared.
    #[display("expected shared memory")]
    AtomicWaitNonSharedMemory,
    /// A null reference was used.
    #[display("null reference")]
    NullReference,
    /// A GC array access outside the array.
    #[display("out of bounds array access")]
    ArrayOutOfBounds,
    /// A reference was cast to a type that it does not have.
    #[display("cast failure")]
    CastFailure,
    /// A GC allocation too large to succeed.
    #[display("allocation size too large")]
    AllocationTooLarge,
    /// An exception was not caught.
    #[display("uncaught exception")]
    UncaughtException,
    /// A host function returned an error.
    #[display("host function failed")]
    Host,
    /// A trap of one engine only, described by the message.
    #[display("trap")]
    Other,
}

impl Trap {
    /// All traps.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Returns the name used in the envelope's `error.trap`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A guest function on the stack of a trap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Frame {
    /// The function's index in its module, counting imports.
    pub function_index: u32,
    /// Its name, if the module has a name section.
    pub function: Option<String>,
    /// The offset of the instruction in the module's bytes, if the engine knows it.
    pub offset: Option<u64>,
}

impl Frame {
    /// The maximum number of frames in an error.
    pub const MAX_COUNT: usize = 20;

    /// The number of frames to get from an engine: one more, to detect that a backtrace is truncated.
    pub(crate) const MAX_READ: usize = Self::MAX_COUNT + 1;

    /// Creates a frame of function `function_index`.
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

/// The maximum number of lines of a list in a message.
pub(crate) const MAX_LISTED: usize = 40;

/// An error: its kind, a message that says what failed and where, and its context.
#[derive(Debug, Display)]
#[display("{}", details.message)]
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
    /// Creates an error of `kind`.
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

    /// Creates an error for a trap, with a detail from the engine if it adds something.
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

    /// Creates an error for a limit that was exceeded: by the module before it ran, or by the guest.
    #[must_use]
    pub fn limit(exceeded: LimitExceeded) -> Self {
        let (kind, who) = match exceeded.kind {
            LimitKind::Memory | LimitKind::TableElements => (ErrorKind::Limit, "module"),
            LimitKind::Fuel => (ErrorKind::OutOfFuel, "guest"),
            LimitKind::Time => (ErrorKind::Timeout, "guest"),
        };
        Self::new(kind, format!("the {who} {exceeded}")).with_limit(exceeded)
    }

    /// Creates an error for a guest that exited with this code.
    #[must_use]
    pub fn exited(code: i32) -> Self {
        let mut error = Self::new(ErrorKind::Exited, format!("the guest exited with {code}"));
        error.details.exit_code = Some(code);
        error
    }

    /// Sets the limit that was exceeded. For a trap, it is the limit that denied growth before the guest trapped.
    #[must_use]
    pub fn with_limit(mut self, exceeded: LimitExceeded) -> Self {
        self.details.limit = Some(exceeded);
        self
    }

    /// Adds the name of the guest function that was called.
    #[must_use]
    pub fn in_function(mut self, function: impl Into<String>) -> Self {
        self.details.function = Some(function.into());
        self
    }

    /// Puts the subject of the error before the message.
    #[must_use]
    pub(crate) fn within(mut self, what: &str) -> Self {
        self.details.message = format!("{what}: {}", self.details.message);
        self
    }

    /// Adds a detail to the message.
    #[must_use]
    pub(crate) fn with_detail(mut self, detail: &str) -> Self {
        self.details.message += ": ";
        self.details.message += detail;
        self
    }

    /// Sets the backtrace, innermost frame first.
    #[must_use]
    pub fn with_backtrace(mut self, backtrace: Vec<Frame>) -> Self {
        self.details.backtrace = backtrace;
        self
    }

    /// Sets the backtrace to that of another error, which this one replaces.
    #[must_use]
    pub fn with_backtrace_of(mut self, other: &Self) -> Self {
        self.details.backtrace.clone_from(&other.details.backtrace);
        self
    }

    /// Removes the limit that was exceeded.
    pub(crate) fn without_limit(mut self) -> Self {
        self.details.limit = None;
        self
    }

    /// Removes the outermost frame of the backtrace if its function has this name.
    pub(crate) fn without_caller(mut self, name: &str) -> Self {
        self.details.backtrace.pop_if(|frame| frame.function.as_deref() == Some(name));
        self
    }

    /// Adds a hint: something the user can do about the error.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.details.hints.push(hint.into());
        self
    }

    /// Sets the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.details.source = Some(source.into());
        self
    }

    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.details.kind
    }

    /// Returns the message, without kind and hints.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.details.message
    }

    /// Returns why the guest trapped, if it did.
    #[must_use]
    pub fn trap_code(&self) -> Option<Trap> {
        self.details.trap
    }

    /// Returns the guest's exit code, if it exited.
    #[must_use]
    pub fn exit_code(&self) -> Option<i32> {
        self.details.exit_code
    }

    /// Returns the guest function that was called, if any.
    #[must_use]
    pub fn function(&self) -> Option<&str> {
        self.details.function.as_deref()
    }

    /// Returns whether the guest's stack had more frames than [`Error::backtrace`] has.
    #[must_use]
    pub fn backtrace_is_truncated(&self) -> bool {
        self.details.backtrace.len() > Frame::MAX_COUNT
    }

    /// Returns the guest's stack when it trapped: at most [`Frame::MAX_COUNT`] frames, innermost first.
    #[must_use]
    pub fn backtrace(&self) -> &[Frame] {
        &self.details.backtrace[..self.details.backtrace.len().min(Frame::MAX_COUNT)]
    }

    /// Returns the limit that was exceeded, if any. For a trap, it is the limit that denied growth in the same call.
    #[must_use]
    pub fn limit_exceeded(&self) -> Option<LimitExceeded> {
        self.details.limit
    }

    /// Returns the hints, one sentence each.
    #[must_use]
    pub fn hints(&self) -> &[String] {
        &self.details.hints
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.details.source.as_deref().map(|source| source as _)
    }
}
