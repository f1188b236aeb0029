//! The command line, as a user meets it: one process a test.

mod calling;
mod engines;
mod exit_codes;
mod grants;
mod habits;
mod input;
mod inspect;
mod limits;
mod process;
mod readme;
mod stopping;
mod vocabulary;
mod wasix;
