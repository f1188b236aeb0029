//! Checks that need no engine. Both engines refuse the same things with the same messages.

mod admit;
mod component;
mod config;
mod imports;
mod limits;
pub(crate) mod wasix;

pub use admit::{AdmittedModule, admit};
pub(crate) use admit::{guard_compiler, is_feature_enabled};
pub(crate) use component::no_components;
pub use component::{AdmittedComponent, admit_component};
pub use config::{MAX_STACK, MIN_STACK, check_config, check_grants};
pub(crate) use imports::check_imports;
pub use limits::check_amounts;
pub(crate) use limits::{check_instance, check_stoppable, shared_bytes, unstoppable};
