//! Components without an engine: the types of WIT, values of these types and their formats, and the facts of a component.

mod access;
pub mod args;
pub mod check;
mod clipped;
mod compound;
mod context;
mod decode;
#[cfg(not(feature = "components"))]
mod disabled;
pub mod encode;
pub(crate) mod failure;
pub mod info;
pub mod json;
pub(crate) mod labels;
pub mod lookup;
pub mod msgpack;
mod printable;
#[cfg(feature = "components")]
mod read;
mod requirements;
pub(crate) mod scalar;
mod sequence;
mod serial;
pub mod similar;
mod size;
pub mod text;
#[cfg(feature = "components")]
mod type_reader;
pub mod types;
pub mod value;
#[cfg_attr(not(feature = "components"), path = "wave_disabled.rs")]
mod wave;
#[cfg(feature = "components")]
mod wit;

#[cfg(not(feature = "components"))]
pub use disabled::wit_text;
pub use requirements::host_capabilities;
#[cfg(feature = "components")]
pub use wit::wit_text;
