//! Hashes `Cargo.lock` for the keys of the compiled-code cache: compiled code depends on more crates than the two engines.

use std::hash::{DefaultHasher, Hash, Hasher};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=Cargo.lock");
    let mut hasher = DefaultHasher::new();
    std::fs::read("Cargo.lock").unwrap_or_default().hash(&mut hasher);
    println!("cargo::rustc-env=WRUN_LOCK={:x}", hasher.finish());
}
