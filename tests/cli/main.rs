//! The command line. Each test starts processes.

mod bare_root;
#[cfg(feature = "arrow")]
mod batch_arrow;
mod batch_driven;
mod bounds;
mod cache;
mod cache_command;
mod cache_folder;
mod calling;
mod compile;
mod completions;
mod components;
mod documents;
mod engines;
mod exit_codes;
mod grants;
mod habits;
mod hostile_components;
mod input;
mod inspect;
mod inspect_components;
mod limits;
mod long_names;
mod mistakes;
mod network;
mod process;
mod programs;
mod scarce;
mod signals;
mod start;
mod stopping;
mod streams;
mod terminal;
mod vocabulary;
mod wasi_testsuite;
mod wasix;
