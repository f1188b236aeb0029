//! Files that a command writes. They must not be files that it reads, nor modules.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use wrun::escape::EscapedPath;

use super::failure::Failure;

/// The first bytes of modules and components.
const MAGIC: &[u8] = b"\0asm";

/// A file that the command reads: its role, such as `the policy`, and its path.
pub(crate) type ReadFile<'a> = (&'static str, Option<&'a Path>);

/// Refuses to replace a file that the command reads, a standard stream, or a module. `option` names the file to write.
///
/// # Errors
/// A usage error. Nothing is written.
pub(crate) fn check(option: &str, path: &Path, reads: &[ReadFile<'_>]) -> Result<(), Failure> {
    // A new file or a device replaces nothing.
    let Some(found) = identity(fs::metadata(path).ok()) else { return Ok(()) };
    let same = reads.iter().find(|(_, read)| read.is_some_and(|read| identity(fs::metadata(read).ok()) == Some(found)));
    let what = match same {
        Some((what, _)) => what,
        None if is_stream(io::stdin(), found) => "the file on standard input",
        None if is_stream(io::stdout(), found) => "the file on standard output",
        None if is_module(path) => "a module",
        None => return Ok(()),
    };
    let message = format!("`{option} {}` would replace {what}", EscapedPath(path));
    Err(Failure::usage(message).hint(format!("`{option}` takes the file to write: `{option} FILE`")))
}

/// The device and the inode of a regular file.
pub(crate) type Identity = (u64, u64);

/// Returns the identity of a regular file.
pub(crate) fn identity(metadata: Option<Metadata>) -> Option<Identity> {
    metadata.filter(Metadata::is_file).map(|metadata| (metadata.dev(), metadata.ino()))
}

/// Checks that a file can be written later. Leaves no file where there was none.
///
/// # Errors
/// Those of opening or creating it.
pub(crate) fn check_writable(path: &Path) -> io::Result<()> {
    // Opening a pipe would wait for its reader.
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Ok(());
    }
    match File::options().append(true).open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        opened => return opened.map(drop),
    }
    match File::create_new(path) {
        // A link to a file that does not exist yet.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        created => created.and_then(|_| fs::remove_file(path)),
    }
}

fn is_stream(stream: impl AsFd, file: Identity) -> bool {
    rustix::fs::fstat(stream).is_ok_and(|stream| (stream.st_dev, stream.st_ino) == file)
}

/// Returns whether a file is a binary module, or a text module by its name.
fn is_module(path: &Path) -> bool {
    let starts_with_magic = || {
        let mut start = [0; MAGIC.len()];
        File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok_and(|()| start == *MAGIC)
    };
    path.extension().is_some_and(|end| end == "wat") || starts_with_magic()
}
