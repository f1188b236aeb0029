//! How many bytes the entries take, as far as is known without looking at each of them.
//!
//! A list of numbers, to which everybody appends what it is about to write; nobody waits for anybody. Whoever looks through the
//! folder begins it anew, and holds the lock meanwhile.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Write};
use std::path::Path;

use super::permissions;

/// Its name in the folder.
const NAME: &str = ".ledger";
/// What it begins with, so that nothing else is written to.
const MAGIC: [u8; 8] = *b"wrunROOM";

/// The ledger of one folder.
#[derive(Debug)]
pub(super) struct SizeLog(File);

/// What a ledger says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LoggedSize {
    pub(super) bytes: u64,
    /// How many entries were added since they were counted.
    pub(super) added: u64,
}

impl SizeLog {
    /// The ledger of a folder; it is made where there is none, if it is to be.
    pub(super) fn open(folder: &Path, make: bool) -> io::Result<Self> {
        permissions::open_notes(&folder.join(NAME), make).map(Self)
    }

    /// What it says; `None` where that is nothing, or it is no ledger.
    pub(super) fn read(&self) -> Option<LoggedSize> {
        let mut bytes = Vec::new();
        (&self.0).read_to_end(&mut bytes).ok()?;
        match bytes.as_chunks::<8>() {
            ([MAGIC, counted, added @ ..], []) => {
                let number = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
                let sum = added.iter().map(number).fold(number(counted), u64::saturating_add);
                Some(LoggedSize { bytes: sum, added: added.len() as u64 })
            }
            _ => None,
        }
    }

    /// Notes an entry of this many bytes. It is one write at the end, so that those of others stay what they are.
    pub(super) fn add(&self, bytes: u64) -> io::Result<()> {
        (&self.0).write_all(&bytes.to_le_bytes())
    }

    /// Whether nobody else is looking through the folder; nobody will until this ledger is dropped.
    pub(super) fn try_lock(&self) -> bool {
        !matches!(self.0.try_lock(), Err(TryLockError::WouldBlock))
    }

    /// Waits until nobody else is looking through the folder.
    pub(super) fn lock(&self) -> io::Result<()> {
        self.0.lock()
    }

    /// Begins anew, with entries of this many bytes. Should that fail, or what is there be no ledger, then the next one counts.
    pub(super) fn begin(&self, bytes: u64) {
        let is_new = self.0.metadata().is_ok_and(|found| found.len() == 0);
        let _ = if is_new {
            (&self.0).write_all([MAGIC, bytes.to_le_bytes()].as_flattened())
        } else if self.is_one() {
            // What it begins with stays, whatever others append meanwhile.
            self.0.set_len(MAGIC.len() as u64).and_then(|()| self.add(bytes))
        } else {
            Ok(())
        };
    }

    fn is_one(&self) -> bool {
        let mut start = [0; MAGIC.len()];
        crate::module::file::fill(&self.0, 0, &mut start).is_ok() && start == MAGIC
    }
}
