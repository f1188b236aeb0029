//! What the crates are, for keys of the cache. And how the program is linked, where it is known which linker that is: the one that comes
//! with Rust. Other ways to link it give the same program, a little slower to start (ARCHITECTURE.md, "What does a start cost?").

use std::env;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::process::Command;

/// Functions that the standard library calls where the C library has them. Whoever calls one without asking is taken at its
/// word as long as each crate is linked by itself; optimised as one unit, all calls become calls of what may be absent, and a
/// C library that is linked whole leaves out what may be absent.
const MAY_BE_ABSENT: [&str; 4] = ["copy_file_range", "gettid", "posix_spawn_file_actions_addchdir_np", "statx"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=link/start.order");
    println!("cargo::rerun-if-changed=Cargo.lock");
    println!("cargo::rustc-env=WRUN_LOCK={:x}", hash_of(Path::new("Cargo.lock")));
    let is = |name: &str, wanted: &str| env::var(name).is_ok_and(|value| value == wanted);
    if !is("CARGO_CFG_TARGET_OS", "linux") || !is("CARGO_CFG_TARGET_ENV", "gnu") {
        return;
    }
    let whole =
        env::var("CARGO_CFG_TARGET_FEATURE").is_ok_and(|features| features.split(',').any(|one| one == "crt-static"));
    if whole {
        for function in MAY_BE_ABSENT {
            println!("cargo::rustc-link-arg=-Wl,--undefined={function}");
        }
    }
    let x86_64 = is("CARGO_CFG_TARGET_ARCH", "x86_64");
    if whole && x86_64 {
        // `prefault.rs`.
        println!("cargo::rustc-link-arg-bins=-Wl,--entry=wrun_start");
    }
    if x86_64 && is("PROFILE", "release") && links_with_lld() {
        // The functions of a start stand beside each other: fewer pages to map.
        let folder = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo::rustc-link-arg-bins=-Wl,--symbol-ordering-file={folder}/link/start.order");
        println!("cargo::rustc-link-arg-bins=-Wl,--no-warn-symbol-ordering");
    }
}

/// A number that changes with the versions of all crates, for keys of the cache: which code comes out of the engines depends on
/// more crates than these name exactly.
fn hash_of(lock: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    std::fs::read(lock).unwrap_or_default().hash(&mut hasher);
    hasher.finish()
}

/// Whether the linker is the one that comes with Rust for this target: it is there, and no other was chosen.
fn links_with_lld() -> bool {
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let chosen = ["-fuse-ld", "linker=", "linker-flavor=", "linker-features=", "link-self-contained="]
        .iter()
        .any(|flag| flags.contains(flag));
    if chosen || env::var_os("RUSTC_LINKER").is_some() {
        return false;
    }
    let (Some(rustc), Ok(host)) = (env::var_os("RUSTC"), env::var("HOST")) else { return false };
    let Ok(said) = Command::new(rustc).args(["--print", "sysroot"]).output() else { return false };
    let Ok(sysroot) = String::from_utf8(said.stdout) else { return false };
    Path::new(sysroot.trim_end()).join("lib/rustlib").join(host).join("bin/gcc-ld/ld.lld").exists()
}
