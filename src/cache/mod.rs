//! Compiled code, kept in a folder from one process to the next.
//!
//! An entry is one file: the code as its engine wrote it, the facts of the module, what people are told of it, and a
//! checksum over all of that, which is verified each time before a byte of it is used. Its name is its key: a hash of
//! the whole module and of everything else that the code follows from.
//!
//! Whoever can write to the folder can have any code run with the rights of whoever uses it. So it is used only where
//! nobody but its owner can, and only by its owner.
//!
//! ```
//! use wrun::{Cache, Capabilities, Limits, RuntimeConfig, create_runtime};
//!
//! # fn main() -> wrun::Result<()> {
//! # let folder = tempfile::tempdir().expect("there is room");
//! # let folder = folder.path().join("code");
//! let cache = Cache::open(folder)?.with_max_bytes(256 << 20);
//! let runtime = create_runtime(&RuntimeConfig::default())?;
//! let wasm = br#"(module (func (export "one") (result i32) (i32.const 1)))"#;
//!
//! let module = cache.load_or_compile(runtime.as_ref(), wasm)?;  // compiled
//! let again = cache.load_or_compile(runtime.as_ref(), wasm)?;   // loaded
//! assert_eq!((runtime.metrics().modules_compiled, runtime.metrics().cache_hits), (1, 1));
//! # let mut instance = runtime.create_instance(again.as_ref(), Limits::none(), Capabilities::none())?;
//! # assert_eq!(instance.call_simple_function("one", &[])?, 1);
//! # Ok(())
//! # }
//! ```

mod cpu;
pub(crate) mod entry;
mod eviction;
mod format;
mod key;
mod metadata;
#[cfg_attr(not(unix), path = "permissions_other.rs")]
mod permissions;
mod size_log;
mod store;

pub use eviction::{Checked, Listed, Pruned};
pub use metadata::EntryMetadata;
pub use store::{Cache, DEFAULT_MAX_BYTES};
