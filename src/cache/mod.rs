//! Compiled code, kept in a folder between processes.
//!
//! An entry is one file: the code as its engine serialized it, the facts of the module, metadata for users, and a checksum over
//! all of it, which is verified before any of it is used. The file's name is the entry's key: a hash of the whole module and
//! of everything else that the code depends on.
//!
//! A user who can write to the folder can run any code with the rights of every user of the cache. So a folder is used only by
//! its owner, and only if no other user can write to it.
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

pub(crate) mod entry;
mod eviction;
mod folder;
mod format;
mod key;
mod listing;
mod metadata;
#[cfg_attr(not(unix), path = "permissions_other.rs")]
mod permissions;
mod size_log;
mod store;

pub use eviction::PruneStats;
pub use listing::{ListedEntry, VerifiedEntry};
pub use metadata::EntryMetadata;
pub use store::{Cache, DEFAULT_MAX_BYTES};
