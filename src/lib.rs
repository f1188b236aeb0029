//! Run WebAssembly on Wasmtime or Wasmer through one contract: the same call, the same limits, the same outcome.
//!
//! ```
//! use wrun::{Capabilities, Limits, RuntimeConfig, create_runtime};
//!
//! # fn main() -> wrun::Result<()> {
//! # let wasm_bytes = std::fs::read("fixtures/add.wasm").expect("the fixture is there");
//! # let (limits, capabilities) = (Limits::default(), Capabilities::default());
//! let config = RuntimeConfig::default();                       // or ::wasmer(), ::wasmtime()
//! let runtime = create_runtime(&config)?;                      // Box<dyn WasmRuntime>
//! let module = runtime.load_module(&wasm_bytes)?;
//! let mut instance = runtime.create_instance(module.as_ref(), limits, capabilities)?;
//! let sum = instance.call_simple_function("add", &[5, 3])?;    // i32s in, i32 out
//! # assert_eq!(sum, 8);
//! # Ok(())
//! # }
//! ```
//!
//! [`WasmRuntime`], [`WasmModule`], [`WasmInstance`] and [`WasmFunctionCaller`] are the contract; the engines behind it
//! are chosen by [`RuntimeConfig`] and made by [`create_runtime`]. [`WasmInstanceExt`] adds calls in JSON, MessagePack
//! and Rust types; [`session`] splits a call into steps and measures them; a [`Cache`]
//! keeps compiled code between processes.

#![warn(clippy::unwrap_used)]
#![cfg_attr(
    not(any(feature = "wasmtime-runtime", feature = "wasmer-runtime")),
    allow(dead_code, unused_imports, reason = "without engines, most of the crate has no caller")
)]

pub mod backends;
pub mod batch;
pub mod bench;
pub mod cache;
pub mod capabilities;
pub mod compare;
pub mod component;
pub mod config;
pub mod engine;
pub mod error;
pub mod escape;
pub mod extism;
#[cfg(feature = "http")]
mod http_client;
pub mod limits;
pub mod module;
pub mod network;
pub mod runtime;
pub mod session;
pub mod stdio;
mod sync;
pub mod value;
#[cfg_attr(not(any(feature = "wasmtime-runtime", feature = "wasmer-runtime")), path = "wasi/disabled.rs")]
mod wasi;

pub use backends::create_runtime;
#[cfg(feature = "wasmer-runtime")]
pub use backends::wasmer::{WasmerFunctionCaller, WasmerInstance, WasmerModule, WasmerRuntime};
#[cfg(feature = "components")]
pub use backends::wasmtime::{WasmtimeComponent, WasmtimeComponentFunction, WasmtimeComponentInstance};
#[cfg(feature = "wasmtime-runtime")]
pub use backends::wasmtime::{WasmtimeFunctionCaller, WasmtimeInstance, WasmtimeModule, WasmtimeRuntime};
pub use cache::Cache;
pub use capabilities::{Access, Capabilities, Captured, DirGrant, Input, Output};
pub use component::info::{CodeInfo, ComponentInfo};
pub use component::types::{WitFunction, WitType};
pub use component::value::{ResourceHandle, WitValue};
pub use config::RuntimeConfig;
pub use engine::features::Feature;
pub use engine::kind::{Compiler, Optimization, RuntimeKind};
pub use error::{Error, ErrorKind, Frame, Result, Trap};
pub use limits::{LimitExceeded, LimitKind, Limits};
pub use module::file::ModuleFile;
pub use module::info::{ExternType, MemoryType, ModuleInfo, TableType};
pub use network::NetRule;
pub use runtime::async_call::AsyncCall;
pub use runtime::call::{CallResult, ResolvedCallable};
pub use runtime::callable::{CallArgs, Callable};
pub use runtime::code::{CodeInstance, CompiledCode};
pub use runtime::component::{WasmComponent, WasmComponentFunction, WasmComponentInstance};
pub use runtime::component_ext::WasmComponentInstanceExt;
pub use runtime::component_host::ComponentImports;
pub use runtime::control::Control;
pub use runtime::ext::WasmInstanceExt;
pub use runtime::host::{Exit, HostContext, HostError, HostFunction, HostImports, HostItem, InterruptToken};
pub use runtime::metrics::{RuntimeMetrics, Shutdown};
pub use runtime::status::InstanceState;
pub use runtime::text_abi::{Abi, Payload, TextOptions};
pub use runtime::traits::{WasmFunctionCaller, WasmInstance, WasmModule, WasmRuntime};
pub use value::types::{FuncType, ValType, Value};

/// The examples of the documents, compiled and run.
#[cfg(all(doctest, feature = "components"))]
#[doc = include_str!("../docs/library.md")]
struct Documents;

/// The examples of the document about plug-ins.
#[cfg(all(doctest, any(feature = "wasmtime-runtime", feature = "wasmer-runtime")))]
#[doc = include_str!("../docs/extism.md")]
struct ExtismDocument;

/// The example of the document about measurements.
#[cfg(all(doctest, any(feature = "wasmtime-runtime", feature = "wasmer-runtime")))]
#[doc = include_str!("../docs/bench.md")]
struct BenchDocument;
