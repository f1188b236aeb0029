//! One live instance and operations on it: calls, and access to its memories and globals.

mod driver;
mod fields;
mod operation;
mod shapes;

pub use driver::{Driver, DriverOptions};
pub use operation::Operation;
pub(super) use operation::Request;
