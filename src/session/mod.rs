//! From the bytes of a module or component to the result of a call, in steps that can be measured and repeated.
//!
//! [`Session::open`] reads a module or component, or finds its compiled code in a cache; [`Session::function`] finds a
//! function, which decodes its arguments; [`Session::prepare`] compiles or loads the code; [`PreparedCode::instantiate`] makes
//! any number of instances; [`PreparedInstance::call`] calls the function. Each step reports [`Event`]s, which [`CallMetrics`]
//! can record.
//!
//! ```
//! use wrun::session::{CallMetrics, Completion, InstanceOptions, Session};
//! use wrun::{Limits, RuntimeConfig};
//!
//! # fn main() -> wrun::Result<()> {
//! let wasm = br#"(module (func (export "double") (param i32) (result i32) (i32.shl (local.get 0) (i32.const 1))))"#;
//! let metrics = std::cell::Cell::new(CallMetrics::default());
//! let record = |event| metrics.set(metrics.get().with(event));
//!
//! let session = Session::open(&RuntimeConfig::default(), wasm, None)?;
//! let double = session.function("double")?;
//! let args = double.decode_json(b"[21]")?;
//! let prepared = session.prepare(InstanceOptions::default(), &record)?;
//! let mut instance = prepared.instantiate(Limits::none(), &record)?;
//! let Completion::Returned(result) = instance.call(&double, &args, &record)? else { return Ok(()) };
//! assert_eq!(result.to_text(), "42");
//! assert!(metrics.get().call_ns.is_some());
//! # Ok(())
//! # }
//! ```

mod completion;
mod deadline;
mod events;
mod metrics;
mod open;
mod options;
mod prepared;
mod program_streams;
mod rows;
mod source;
mod stuck;
mod worker;

pub use crate::limits::nanoseconds;
pub use completion::Completion;
pub use deadline::Deadline;
pub use events::{CacheUse, Event};
pub use metrics::CallMetrics;
pub use open::{CacheFill, Session};
pub use options::InstanceOptions;
pub use prepared::{PreparedCode, PreparedInstance};
pub(crate) use rows::RowWorker;
pub use source::ModuleSource;
pub use stuck::StuckLimit;
pub use worker::{CallUsage, InstanceMode, Worker, WorkerOptions};
