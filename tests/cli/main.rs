//! The command line. Each test starts processes.

mod bounds;
mod cache;
mod cache_command;
mod cache_folder;
mod calling;
mod compile;
mod completions;
mod documents;
mod engines;
mod exit_codes;
mod grants;
mod habits;
mod input;
mod inspect;
mod limits;
mod long_names;
mod mistakes;
mod network;
mod process;
mod programs;
mod signals;
mod start;
mod stopping;
mod terminal;
mod vocabulary;
mod wasix;
