//! Text and bytes through functions of modules, which pass only numbers: the conventions of toolchains for strings in linear
//! memory, programs that read standard input and write standard output, and Extism plug-ins.

mod buffers;
mod call;
mod extism;
mod function;
mod memory;
mod options;
mod payload;
mod signature;

pub(crate) use call::ResolvedText;
pub(crate) use extism::ResolvedPlugin;
pub use function::TextFunction;
pub use options::{Abi, Payload, TextOptions};
pub use signature::fitting;
