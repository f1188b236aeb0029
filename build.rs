//! Hashes what compiled code depends on besides the engines, for the keys of the cache: the library's sources and `Cargo.lock`.

use std::ffi::OsStr;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};

/// The sources of the command, which are not part of the library.
const COMMAND: [&str; 2] = ["src/cli", "src/main.rs"];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=Cargo.lock");
    let mut files = Vec::new();
    for path in entries(Path::new("src"))? {
        if !COMMAND.iter().any(|command| path == Path::new(command)) {
            println!("cargo::rerun-if-changed={}", path.display());
            collect(path, &mut files)?;
        }
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        fs::read(&file)?.hash(&mut hasher);
        file.hash(&mut hasher);
    }
    // A program that uses the library has its own lock file.
    fs::read("Cargo.lock").unwrap_or_default().hash(&mut hasher);
    println!("cargo::rustc-env=WRUN_SOURCES={:x}", hasher.finish());
    Ok(())
}

/// Collects the source files in a folder, or the path itself.
fn collect(path: PathBuf, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_dir() {
        for entry in entries(&path)? {
            collect(entry, files)?;
        }
    } else if path.extension() == Some(OsStr::new("rs")) {
        files.push(path);
    }
    Ok(())
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}
