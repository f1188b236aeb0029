//! What is decided before a module is compiled: the engine, its compiler, the guest's stack.

use crate::engine::kind::{Compiler, Optimization, RuntimeKind};

/// The most guest stack where nothing else is asked for, in bytes: 1 MiB on both engines, so that the same
/// recursion reaches about the same depth with Cranelift (Singlepass uses larger frames).
pub const DEFAULT_MAX_STACK: u64 = 1 << 20;

/// Everything an engine must know before it compiles. Plain data: building one opens nothing and cannot fail;
/// [`create_runtime`](crate::create_runtime) checks it.
///
/// Amounts for one instance (memory, table elements) are [`Limits`](crate::Limits).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuntimeConfig {
    /// The engine.
    pub kind: RuntimeKind,
    /// The engine's compiler; `None` is the engine's default, Cranelift on both.
    pub compiler: Option<Compiler>,
    /// What the compiler takes time for; `None` is speed with Cranelift. Singlepass optimises nothing.
    pub optimization: Option<Optimization>,
    /// The most stack a guest may use, in bytes; `None` is [`DEFAULT_MAX_STACK`].
    pub max_stack: Option<u64>,
    /// Whether [portable fuel](crate::runtime::fuel) is counted, so that instances can be limited in it.
    pub metering: bool,
    /// Whether guests can be stopped and paused while they run: by [`Limits::time`](crate::Limits::time), by
    /// [`Control`](crate::Control), by shutdown, by dropping an [`AsyncCall`](crate::AsyncCall).
    pub interruption: bool,
    /// Whether every NaN an operator produces is the canonical one, which the specification leaves open: the same
    /// program then computes the same bits on both engines and every machine. Relaxed SIMD is refused with it where the
    /// engine has no deterministic form of it.
    pub canonical_nans: bool,
    /// Whether one module is compiled on several threads: those of rayon's global pool on Wasmtime, the compiler's own on
    /// Wasmer. A small module compiles faster on the calling thread.
    pub parallel_compilation: bool,
}

impl RuntimeConfig {
    /// The configuration of one engine, everything else at its default.
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
        }
    }

    /// Wasmtime, everything else at its default.
    #[must_use]
    pub const fn wasmtime() -> Self {
        Self::new(RuntimeKind::Wasmtime)
    }

    /// Wasmer, everything else at its default.
    #[must_use]
    pub const fn wasmer() -> Self {
        Self::new(RuntimeKind::Wasmer)
    }

    /// The same with a compiler chosen.
    #[must_use]
    pub const fn with_compiler(mut self, compiler: Compiler) -> Self {
        self.compiler = Some(compiler);
        self
    }

    /// The same with what the compiler takes time for.
    #[must_use]
    pub const fn with_optimization(mut self, optimization: Optimization) -> Self {
        self.optimization = Some(optimization);
        self
    }

    /// The same with the guest's stack bounded, in bytes.
    #[must_use]
    pub const fn with_max_stack(mut self, bytes: u64) -> Self {
        self.max_stack = Some(bytes);
        self
    }

    /// The same with portable fuel counted.
    #[must_use]
    pub const fn with_metering(mut self) -> Self {
        self.metering = true;
        self
    }

    /// The same with guests that can be stopped and paused.
    #[must_use]
    pub const fn with_interruption(mut self) -> Self {
        self.interruption = true;
        self
    }

    /// The same with canonical NaNs.
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

    /// The compiler in force.
    #[must_use]
    pub fn effective_compiler(&self) -> Compiler {
        self.compiler.unwrap_or(Compiler::Cranelift)
    }

    /// What the compiler in force takes time for.
    #[must_use]
    pub fn effective_optimization(&self) -> Optimization {
        match self.effective_compiler() {
            Compiler::Cranelift => self.optimization.unwrap_or(Optimization::Speed),
            Compiler::Singlepass => Optimization::None,
        }
    }

    /// The stack bound in force, in bytes.
    #[must_use]
    pub fn effective_max_stack(&self) -> u64 {
        self.max_stack.unwrap_or(DEFAULT_MAX_STACK)
    }
}

impl Default for RuntimeConfig {
    /// Wasmtime where it is compiled in, else Wasmer.
    fn default() -> Self {
        Self::new(RuntimeKind::default())
    }
}
