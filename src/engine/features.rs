//! WebAssembly features, and the engines and compilers that support them.

use serde::Serialize;
use strum::{Display, IntoStaticStr, VariantArray};
use wasmparser::WasmFeatures;

use crate::engine::kind::{Compiler, RuntimeKind};

macro_rules! features {
    ($($(#[$doc:meta])* $variant:ident = $flag:ident, $wasmtime:literal $wasmer:literal $singlepass:literal;)*) => {
        /// A WebAssembly feature (proposal) beyond version 1, named after its proposal.
        #[derive(
            Clone, Copy, Debug, Display, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, VariantArray, Serialize,
        )]
        #[serde(rename_all = "snake_case")]
        #[strum(serialize_all = "snake_case")]
        #[non_exhaustive]
        pub enum Feature { $($(#[$doc])* $variant,)* }

        impl Feature {
            /// All features, oldest first.
            pub const ALL: &'static [Self] = Self::VARIANTS;

            /// Returns the name of the proposal, with underscores.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                self.into()
            }

            /// Returns whether this engine with this compiler supports the feature.
            #[must_use]
            pub const fn is_supported(self, kind: RuntimeKind, compiler: Compiler) -> bool {
                let (wasmtime, wasmer, singlepass) = match self { $(Self::$variant => ($wasmtime, $wasmer, $singlepass),)* };
                match (kind, compiler) {
                    (RuntimeKind::Wasmtime, Compiler::Cranelift) => wasmtime,
                    (RuntimeKind::Wasmer, Compiler::Cranelift) => wasmer,
                    (RuntimeKind::Wasmer, Compiler::Singlepass) => singlepass,
                    (RuntimeKind::Wasmtime, Compiler::Singlepass) => false,
                }
            }

            pub(crate) const fn flag(self) -> WasmFeatures {
                match self { $(Self::$variant => WasmFeatures::$flag,)* }
            }
        }
    };
}

// The columns: Wasmtime, Wasmer with Cranelift, Wasmer with Singlepass. The spec tests cover each `true` of a
// feature of core modules.
features! {
    /// Importing and exporting mutable globals (WebAssembly 1.0).
    MutableGlobal = MUTABLE_GLOBAL, true true true;
    /// `trunc_sat` (2.0).
    SaturatingFloatToInt = SATURATING_FLOAT_TO_INT, true true true;
    /// `extend8_s` and similar operators (2.0).
    SignExtension = SIGN_EXTENSION, true true true;
    /// Several results, blocks with parameters (2.0).
    MultiValue = MULTI_VALUE, true true true;
    /// `memory.copy`, `table.init` and similar operators (2.0).
    BulkMemory = BULK_MEMORY, true true true;
    /// `externref`, `funcref`, several tables (2.0).
    ReferenceTypes = REFERENCE_TYPES, true true true;
    /// 128-bit vectors (2.0).
    Simd = SIMD, true true false;
    /// Vector operations whose result may depend on the machine (3.0).
    RelaxedSimd = RELAXED_SIMD, true true false;
    /// Atomics and shared memories.
    Threads = THREADS, true true true;
    /// Arithmetic in constant expressions (3.0).
    ExtendedConst = EXTENDED_CONST, true true true;
    /// Several memories (3.0).
    MultiMemory = MULTI_MEMORY, true true true;
    /// `try_table`, `throw`, tags (3.0).
    Exceptions = EXCEPTIONS, true true false;
    /// `return_call` (3.0).
    TailCall = TAIL_CALL, true false false;
    /// 64-bit memories and tables (3.0).
    Memory64 = MEMORY64, true false false;
    /// Typed function references (3.0).
    FunctionReferences = FUNCTION_REFERENCES, true false false;
    /// Structs, arrays and other garbage-collected types (3.0).
    Gc = GC, true false false;
    /// Memories with a custom page size.
    CustomPageSizes = CUSTOM_PAGE_SIZES, true false false;
    /// 128-bit integer arithmetic.
    WideArithmetic = WIDE_ARITHMETIC, true true false;
    /// The old form of exceptions (`try`, `catch`).
    LegacyExceptions = LEGACY_EXCEPTIONS, false false false;
    /// `memory.discard`.
    MemoryControl = MEMORY_CONTROL, false false false;
    /// Shared functions, tables and globals.
    SharedEverythingThreads = SHARED_EVERYTHING_THREADS, false false false;
    /// Continuations.
    StackSwitching = STACK_SWITCHING, false false false;
    /// Custom descriptors for GC types.
    CustomDescriptors = CUSTOM_DESCRIPTORS, false false false;
    /// Import sections that share module names.
    CompactImports = COMPACT_IMPORTS, false false false;
    /// Components.
    ComponentModel = COMPONENT_MODEL, true false false;
    /// Asynchronous functions, streams and futures of components.
    ComponentModelAsync = CM_ASYNC, true false false;
    /// More built-in functions for asynchronous components.
    ComponentModelMoreAsyncBuiltins = CM_MORE_ASYNC_BUILTINS, true false false;
    /// Asynchronous functions of components without a callback.
    ComponentModelAsyncStackful = CM_ASYNC_STACKFUL, true false false;
    /// `map` types of components.
    ComponentModelMap = CM_MAP, true false false;
    /// Lists of fixed length.
    ComponentModelFixedLengthLists = CM_FIXED_LENGTH_LISTS, true false false;
    // Wasmtime has the next one, but keeps the messages outside all limits.
    /// `error-context`.
    ComponentModelErrorContext = CM_ERROR_CONTEXT, false false false;
    // Wasmtime implements parts of the next four. Its documentation calls them very incomplete.
    /// Threads of components.
    ComponentModelThreading = CM_THREADING, false false false;
    /// 64-bit memories at the boundary of a component.
    ComponentModelMemory64 = CM64, false false false;
    /// Garbage-collected values at the boundary of a component.
    ComponentModelGc = CM_GC, false false false;
    /// Instances under names that differ from their interface.
    ComponentModelImplements = CM_IMPLEMENTS, false false false;
    /// Imports and exports of values, and start functions of components.
    ComponentModelValues = CM_VALUES, false false false;
    /// Namespaces and packages in namespaces and packages.
    ComponentModelNestedNames = CM_NESTED_NAMES, false false false;
    /// Names with the version's suffix apart.
    ComponentModelCanonNames = CM_CANON_NAMES, false false false;
}

impl Feature {
    /// Returns the features that an engine supports with this compiler.
    pub fn supported(kind: RuntimeKind, compiler: Compiler) -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(move |feature| feature.is_supported(kind, compiler))
    }

    /// Returns whether it extends components, not core modules.
    #[must_use]
    pub const fn is_of_components(self) -> bool {
        self as usize >= Self::ComponentModel as usize
    }

    /// Returns the cargo feature that compiles it in, if it is not part of every build.
    #[must_use]
    pub const fn cargo_feature(self) -> Option<&'static str> {
        match self {
            Self::ComponentModelAsync
            | Self::ComponentModelMoreAsyncBuiltins
            | Self::ComponentModelAsyncStackful
            | Self::ComponentModelErrorContext
            | Self::ComponentModelThreading => Some("wasi-p3"),
            _ if self.is_of_components() => Some("components"),
            _ => None,
        }
    }

    /// Returns whether it is compiled in.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self.cargo_feature() {
            Some("components") => cfg!(feature = "components"),
            Some(_) => cfg!(feature = "wasi-p3"),
            None => true,
        }
    }

    /// Returns the engines and compilers that support it, compiled in or not.
    pub fn homes(self) -> impl Iterator<Item = (RuntimeKind, Compiler)> {
        combinations().filter(move |(kind, compiler)| self.is_supported(*kind, *compiler))
    }
}

/// Returns each engine with each of its compilers.
pub fn combinations() -> impl Iterator<Item = (RuntimeKind, Compiler)> {
    RuntimeKind::ALL.iter().flat_map(|kind| kind.compilers().iter().map(move |compiler| (*kind, *compiler)))
}

/// Converts features to flags of the validator, together with WebAssembly 1.0, which every engine supports.
pub(crate) fn flags(features: impl Iterator<Item = Feature>) -> WasmFeatures {
    let base = WasmFeatures::FLOATS | WasmFeatures::GC_TYPES;
    features.fold(base, |flags, feature| flags | feature.flag())
}
