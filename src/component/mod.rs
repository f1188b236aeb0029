//! Components without an engine: the types of WIT, values of these types, and the facts of a component.

pub mod info;
pub mod types;
pub mod value;
