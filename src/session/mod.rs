//! From the bytes of a module to the result of a call, in steps that can be measured and repeated.
//!
//! [`Session::open`] reads a module, or finds its compiled code in a cache; [`Session::prepare`] compiles or loads it;
//! [`PreparedModule::instantiate`] makes any number of instances; [`PreparedInstance::call`] calls a function. Each step
//! reports [`Event`]s, which [`CallMetrics`] can record.
//!
//! ```
//! use wrun::session::{CallMetrics, Completion, InstanceOptions, Session};
//! use wrun::{Limits, RuntimeConfig, Value};
//!
//! # fn main() -> wrun::Result<()> {
//! let wasm = br#"(module (func (export "double") (param i32) (result i32) (i32.shl (local.get 0) (i32.const 1))))"#;
//! let metrics = std::cell::Cell::new(CallMetrics::default());
//! let record = |event| metrics.set(metrics.get().with(event));
//!
//! let session = Session::open(&RuntimeConfig::default(), wasm, None)?;
//! let prepared = session.prepare(InstanceOptions::default(), &record)?;
//! let mut instance = prepared.instantiate(Limits::none(), &record)?;
//! let completion = instance.call("double", &[Value::I32(21)], &record)?;
//! assert_eq!(completion, Completion::Returned(vec![Value::I32(42)]));
//! assert!(metrics.get().call_ns.is_some());
//! # Ok(())
//! # }
//! ```

mod deadline;
mod events;
mod metrics;
mod open;
mod prepared;
mod source;

pub use deadline::Deadline;
pub use events::{CacheUse, Event};
pub use metrics::{CallMetrics, nanoseconds};
pub use open::{CacheFill, Session};
pub use prepared::{Completion, InstanceOptions, PreparedInstance, PreparedModule};
pub use source::ModuleSource;
