//! A file that records how many bytes the entries take, so that most additions need no scan of the folder.
//!
//! It is a list of numbers. Each process appends the size of the entry that it is about to write, without waiting for others.
//! A process that scans the folder locks the file meanwhile, and then resets it.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Write};
use std::path::Path;

use super::permissions;
use crate::module::read_at;

/// The file's name.
const NAME: &str = ".size-log";
/// The first bytes of the file. A file that does not start with them is never written to.
const MAGIC: [u8; 8] = *b"wrunSIZE";

/// The maximum length of a log in bytes. Scans keep it far shorter. A guest that may write to the folder can make the file any length.
const MAX_LENGTH: u64 = 1 << 20;

/// The open size log of a folder.
#[derive(Debug)]
pub(super) struct SizeLog(File);

/// The contents of a size log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LoggedSize {
    /// The bytes that all entries take.
    pub(super) bytes: u64,
    /// The number of entries added since the last scan.
    pub(super) added: u64,
}

impl SizeLog {
    /// Opens the size log of a folder; creates it if there is none and `create` is set.
    pub(super) fn open(folder: &Path, create: bool) -> io::Result<Self> {
        permissions::open_private(&folder.join(NAME), create).map(Self)
    }

    /// Reads the log; `None` if the file is empty, too long or not a size log.
    pub(super) fn read(&self) -> Option<LoggedSize> {
        let mut bytes = Vec::new();
        let length = (&self.0).take(MAX_LENGTH + 1).read_to_end(&mut bytes).ok()?;
        if length as u64 > MAX_LENGTH {
            return None;
        }
        match bytes.as_chunks::<8>() {
            ([MAGIC, counted, added @ ..], []) => {
                let number = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
                let sum = added.iter().map(number).fold(number(counted), u64::saturating_add);
                Some(LoggedSize { bytes: sum, added: added.len() as u64 })
            }
            _ => None,
        }
    }

    /// Records a new entry of this many bytes, by one write in append mode, which does not mix with writes of other processes.
    pub(super) fn add(&self, bytes: u64) -> io::Result<()> {
        (&self.0).write_all(&bytes.to_le_bytes())
    }

    /// Locks the log until it is dropped. Returns `false` if another process holds the lock.
    pub(super) fn try_lock(&self) -> bool {
        !matches!(self.0.try_lock(), Err(TryLockError::WouldBlock))
    }

    /// Waits for the lock, and holds it until the log is dropped.
    pub(super) fn lock(&self) -> io::Result<()> {
        self.0.lock()
    }

    /// Starts over with the size that a scan found. After a failure, or if the file is not a size log, the next addition scans the
    /// folder again.
    pub(super) fn reset(&self, bytes: u64) {
        let is_new = self.0.metadata().is_ok_and(|found| found.len() == 0);
        let _ = if is_new {
            (&self.0).write_all([MAGIC, bytes.to_le_bytes()].as_flattened())
        } else if self.has_magic() {
            // The first bytes stay, even if other processes append meanwhile.
            self.0.set_len(MAGIC.len() as u64).and_then(|()| self.add(bytes))
        } else {
            Ok(())
        };
    }

    fn has_magic(&self) -> bool {
        let mut start = [0; MAGIC.len()];
        read_at::read_exact_at(&self.0, 0, &mut start).is_ok() && start == MAGIC
    }
}
