//! Run WebAssembly on Wasmtime or Wasmer through one contract: the same call, the same limits, the same outcome.

pub mod backends;
pub mod capabilities;
pub mod config;
pub mod error;
pub mod limits;
pub mod module;
pub mod runtime;
pub mod session;
pub mod value;

pub use backends::create_runtime;
#[cfg(feature = "wasmer-runtime")]
pub use backends::wasmer::{WasmerFunctionCaller, WasmerInstance, WasmerModule, WasmerRuntime};
#[cfg(feature = "wasmtime-runtime")]
pub use backends::wasmtime::{WasmtimeFunctionCaller, WasmtimeInstance, WasmtimeModule, WasmtimeRuntime};
pub use capabilities::Capabilities;
pub use config::RuntimeConfig;
pub use error::{Error, ErrorKind, Frame, Result, Trap};
pub use limits::{LimitExceeded, LimitKind, Limits};
pub use module::info::{ExternType, MemoryType, ModuleInfo, TableType};
pub use runtime::ext::WasmInstanceExt;
pub use runtime::features::Feature;
pub use runtime::host::{HostContext, HostError, HostFunction, HostImports, HostItem};
pub use runtime::kind::{Compiler, RuntimeKind};
pub use runtime::life::InstanceState;
pub use runtime::metrics::RuntimeMetrics;
pub use runtime::traits::{WasmFunctionCaller, WasmInstance, WasmModule, WasmRuntime};
pub use value::types::{FuncType, ValType, Value};
