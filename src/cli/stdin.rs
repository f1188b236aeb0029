//! Standard input of the process, which the module, the policy or the arguments can come from.

use std::fs;
use std::io::{self, IsTerminal, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use wrun::stdio::Blocking;

use super::failure::Failure;
use super::output::printer;

/// How long standard input may be silent before a note says what wrun waits for.
const SILENCE: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// The maximum number of links from a name to its file, as on Linux.
const MAX_LINKS: usize = 40;

/// Returns whether this path is standard input by another name: `/dev/stdin`, `/dev/fd/0`, or the path of the same pipe,
/// terminal or device. A regular file under its own path does not count, because opening it gives a separate position.
pub(crate) fn is_named_by(path: &Path) -> bool {
    let (Ok(stdin), Ok(named)) = (rustix::fs::fstat(io::stdin()), fs::metadata(path)) else { return false };
    (stdin.st_dev, stdin.st_ino) == (named.dev(), named.ino()) && (!named.is_file() || is_descriptor(path))
}

/// Returns whether a path leads to a file descriptor in `/proc`.
fn is_descriptor(path: &Path) -> bool {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let Ok(parent) = parent.canonicalize() else { return false };
        if parent.starts_with("/proc") && parent.ends_with("fd") {
            return true;
        }
        let Ok(target) = fs::read_link(&path) else { return false };
        path = parent.join(target);
    }
    false
}

/// Reads standard input to its end. If it is silent and standard error is a terminal, a note says that wrun waits for `what`.
pub(crate) fn read(what: &str, quiet: bool) -> Result<Vec<u8>, Failure> {
    let stdin = io::stdin();
    if !quiet && io::stderr().is_terminal() {
        let ready = poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&SILENCE));
        if matches!(ready, Ok(0)) {
            printer::note(&format!("waiting for {what} on standard input"), quiet);
        }
    }
    let mut bytes = Vec::new();
    let read = Blocking(stdin).read_to_end(&mut bytes);
    read.map_err(|error| Failure::io("cannot read standard input", &error))?;
    Ok(bytes)
}
