//! Components without an engine: the types of WIT, values of these types, and the facts of a component.

#[cfg(not(feature = "components"))]
mod disabled;
pub mod info;
pub mod lookup;
#[cfg(feature = "components")]
mod read;
mod serial;
pub(crate) mod similar;
#[cfg(feature = "components")]
mod type_reader;
pub mod types;
pub mod value;
#[cfg(feature = "components")]
mod wit;

#[cfg(not(feature = "components"))]
pub use disabled::wit_text;
#[cfg(feature = "components")]
pub use wit::wit_text;
