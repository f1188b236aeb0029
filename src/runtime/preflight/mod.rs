//! Checks that need no engine. Both engines refuse the same things with the same messages.

mod admit;
mod config;
mod grants;
mod guard;
mod imports;
mod instance;
mod limits;
pub(crate) mod wasix;

pub(crate) use admit::is_feature_enabled;
pub use admit::{AdmittedModule, admit};
pub use config::{LEAST_STACK, MOST_STACK, check_config};
pub use grants::check_grants;
pub(crate) use guard::guard_compiler;
pub(crate) use imports::check_imports;
pub(crate) use instance::{check_instance, check_stoppable, unstoppable};
pub use limits::check_amounts;
pub(crate) use limits::{may_grow_tables, shared_bytes};
