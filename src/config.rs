//! The configuration of a runtime: everything that must be known before a module is compiled.

use std::num::NonZeroU32;

use crate::engine::kind::{Compiler, Optimization, RuntimeKind};

/// The default limit of the guest's stack in bytes: 1 MiB on both engines, so that the same recursion reaches about the same depth
/// with Cranelift (Singlepass uses larger frames).
pub const DEFAULT_MAX_STACK: u64 = 1 << 20;

/// The configuration of a runtime. It is plain data: building one cannot fail, and [`create_runtime`](crate::create_runtime)
/// checks it.
///
/// The limits of one instance (memory, fuel, time) are in [`Limits`](crate::Limits).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "the options are independent of each other")]
pub struct RuntimeConfig {
    /// The engine.
    pub kind: RuntimeKind,
    /// The compiler; `None` means the engine's default, which is Cranelift on both.
    pub compiler: Option<Compiler>,
    /// The optimization level; `None` means `Speed` with Cranelift. Singlepass does not optimize.
    pub optimization: Option<Optimization>,
    /// The limit of the guest's stack in bytes; `None` means [`DEFAULT_MAX_STACK`].
    pub max_stack: Option<u64>,
    /// Whether [portable fuel](crate::runtime::fuel) is counted, which [`Limits::fuel`](crate::Limits::fuel) needs.
    pub metering: bool,
    /// Whether running guests can be stopped and paused: by [`Limits::time`](crate::Limits::time),
    /// [`Control`](crate::Control), shutdown, or dropping an [`AsyncCall`](crate::AsyncCall).
    pub interruption: bool,
    /// Whether every NaN that an operator produces is the canonical one. The specification allows others; with this option, the same
    /// program computes the same bits on both engines and every machine. Modules with relaxed SIMD are then rejected if the
    /// engine has no deterministic form of it.
    pub canonical_nans: bool,
    /// Whether one module is compiled on several threads: those of rayon's global pool on Wasmtime, the compiler's own on
    /// Wasmer. A small module compiles faster on the calling thread.
    pub parallel_compilation: bool,
    /// How many instances of modules at a time use memories and tables that earlier instances have used, which makes new instances
    /// faster. `None` creates them for each instance. Only Wasmtime reuses them, and only for modules of ordinary size; for others, and
    /// for more instances at a time, the option has no effect. The pool takes address space for this many instances, 8 GiB each.
    pub pooled_instances: Option<NonZeroU32>,
}

impl RuntimeConfig {
    /// Creates a configuration of an engine, with defaults for everything else.
    #[must_use]
    pub const fn new(kind: RuntimeKind) -> Self {
        Self {
            kind,
            compiler: None,
            optimization: None,
            max_stack: None,
            metering: false,
            interruption: false,
            canonical_nans: false,
            parallel_compilation: true,
            pooled_instances: None,
        }
    }

    /// Wasmtime, with defaults for everything else.
    #[must_use]
    pub const fn wasmtime() -> Self {
        Self::new(RuntimeKind::Wasmtime)
    }

    /// Wasmer, with defaults for everything else.
    #[must_use]
    pub const fn wasmer() -> Self {
        Self::new(RuntimeKind::Wasmer)
    }

    /// Sets the compiler.
    #[must_use]
    pub const fn with_compiler(mut self, compiler: Compiler) -> Self {
        self.compiler = Some(compiler);
        self
    }

    /// Sets the optimization level.
    #[must_use]
    pub const fn with_optimization(mut self, optimization: Optimization) -> Self {
        self.optimization = Some(optimization);
        self
    }

    /// Limits the guest's stack, in bytes.
    #[must_use]
    pub const fn with_max_stack(mut self, bytes: u64) -> Self {
        self.max_stack = Some(bytes);
        self
    }

    /// Counts portable fuel.
    #[must_use]
    pub const fn with_metering(mut self) -> Self {
        self.metering = true;
        self
    }

    /// Makes guests stoppable and pausable.
    #[must_use]
    pub const fn with_interruption(mut self) -> Self {
        self.interruption = true;
        self
    }

    /// Makes NaNs canonical.
    #[must_use]
    pub const fn with_canonical_nans(mut self) -> Self {
        self.canonical_nans = true;
        self
    }

    /// Compiles each module on one thread.
    #[must_use]
    pub const fn without_parallel_compilation(mut self) -> Self {
        self.parallel_compilation = false;
        self
    }

    /// Reuses memories and tables for this many instances at a time.
    #[must_use]
    pub const fn with_pooled_instances(mut self, instances: NonZeroU32) -> Self {
        self.pooled_instances = Some(instances);
        self
    }

    /// Returns the compiler in use.
    #[must_use]
    pub fn effective_compiler(&self) -> Compiler {
        self.compiler.unwrap_or(Compiler::Cranelift)
    }

    /// Returns the optimization level in use.
    #[must_use]
    pub fn effective_optimization(&self) -> Optimization {
        match self.effective_compiler() {
            Compiler::Cranelift => self.optimization.unwrap_or(Optimization::Speed),
            Compiler::Singlepass => Optimization::None,
        }
    }

    /// Returns the stack limit in use, in bytes.
    #[must_use]
    pub fn effective_max_stack(&self) -> u64 {
        self.max_stack.unwrap_or(DEFAULT_MAX_STACK)
    }
}

impl Default for RuntimeConfig {
    /// Wasmtime if it is compiled in, else Wasmer.
    fn default() -> Self {
        Self::new(RuntimeKind::default())
    }
}
