//! WASIX programs on Wasmer with each of its compilers: their functions, their limits and their ends. Tests that hang fail
//! after a minute.
#![cfg(feature = "wasix")]

mod arguments;
mod descriptors;
#[path = "../wasi/dir_tree.rs"]
mod dir_tree;
mod ends;
mod epoll;
mod files;
mod guest;
mod host;
#[path = "../wasi/layout.rs"]
mod layout;
mod limits;
mod network;
#[path = "../wasi/path_calls.rs"]
mod path_calls;
mod programs;
mod refusals;
mod slashes;
mod stopping;
mod threads;
