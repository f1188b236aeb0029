//! Checks that need no engine. Both engines refuse the same things with the same messages.

mod admit;
mod component;
mod config;
mod guard;
mod imports;
mod limits;
mod module;
mod validity;
pub(crate) mod wasix;

pub use admit::{AdmittedCode, admit};
pub(crate) use component::no_components;
#[cfg(feature = "components")]
pub(crate) use component::not_provided;
pub use component::{AdmittedComponent, admit_component};
pub use config::{MAX_STACK, MIN_STACK, check_config, check_grants, check_grants_with_network, check_possible_grants};
pub(crate) use guard::guard_compiler;
pub(crate) use imports::check_imports;
#[cfg(feature = "components")]
pub(crate) use imports::unresolved;
pub use limits::check_amounts;
pub(crate) use limits::{check_instance, check_stoppable, shared_bytes, unstoppable};
pub use module::{AdmittedModule, admit_module};
pub(crate) use validity::is_feature_enabled;
