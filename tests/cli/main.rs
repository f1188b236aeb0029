//! The command line. Each test starts processes.

mod bare_root;
mod batch;
#[cfg(feature = "arrow")]
mod batch_arrow;
mod batch_driven;
mod batch_flow;
mod batch_stuck;
mod bounds;
mod cache;
mod cache_command;
mod cache_folder;
mod calling;
mod compile;
mod completions;
mod components;
mod diff;
mod documents;
mod engines;
mod exit_codes;
mod extism;
mod grants;
mod habits;
mod hostile_components;
#[cfg(feature = "http")]
mod http;
mod input;
mod inspect;
mod inspect_components;
mod limits;
mod long_names;
mod mistakes;
mod network;
mod process;
mod programs;
mod scale_out;
mod scarce;
mod signals;
mod start;
mod stopping;
mod streams;
mod terminal;
mod text;
mod vocabulary;
mod wasi_testsuite;
mod wasix;
