//! WASIX on Wasmer: what its guests see of the world.

mod errors;
mod file;
mod files;
mod folder;
mod mounts;
mod names;
mod network;
mod stat;
