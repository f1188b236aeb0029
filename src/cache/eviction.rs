//! Keeps a cache within its size limit: the least recently used entries are removed first.

use std::time::Duration;

use serde::Serialize;

use super::folder;
use super::size_log::SizeLog;
use super::store::Cache;
use crate::error::Result;

/// The age from which a temporary file is abandoned: a process that still writes to it would have changed it since.
const ABANDONED: Duration = Duration::from_mins(10);
/// The number of new entries after which the folder is scanned even if the size log shows enough room.
const RESCAN_AFTER: u64 = 256;

/// The result of [`Cache::prune`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PruneStats {
    /// The number of entries removed.
    pub removed: u64,
    /// The bytes freed, including abandoned temporary files.
    pub removed_bytes: u64,
    /// The number of entries left.
    pub kept: u64,
    /// The bytes that the remaining entries take.
    pub kept_bytes: u64,
}

impl Cache {
    /// Removes the least recently used entries until the rest take at most `max_bytes`, and abandoned temporary files.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Io`](crate::ErrorKind::Io) if the folder cannot be read or an entry cannot be removed.
    pub fn prune(&self, max_bytes: u64) -> Result<PruneStats> {
        let size_log = SizeLog::open(self.dir(), false).and_then(|size_log| size_log.lock().map(|()| size_log));
        let (pruned, left) = self.evict(max_bytes, max_bytes)?;
        if let Ok(size_log) = size_log {
            size_log.reset(left);
        }
        pruned
    }

    /// Removes every entry, and abandoned temporary files.
    ///
    /// # Errors
    /// Those of [`Cache::prune`].
    pub fn clear(&self) -> Result<PruneStats> {
        self.prune(0)
    }

    /// Makes room for a new entry of `entry_bytes`, and adds it to the size log before it is written, so that an interrupted
    /// write is counted too. Does not wait for another process that makes room, and ignores failures, since the caller only
    /// wants to run a module.
    pub(super) fn make_room(&self, entry_bytes: u64) {
        let size_log = SizeLog::open(self.dir(), true).ok();
        let known = size_log.as_ref().and_then(SizeLog::read);
        if let (Some(size_log), Some(known)) = (&size_log, known)
            && size_log.add(entry_bytes).is_ok()
            && known.added < RESCAN_AFTER
            && known.bytes.saturating_add(entry_bytes) <= self.max_bytes()
        {
            return;
        }
        if size_log.as_ref().is_some_and(|size_log| !size_log.try_lock()) {
            return;
        }
        // The target is below the limit, so that not every new entry from now on causes a scan.
        let room = self.max_bytes().saturating_sub(entry_bytes);
        let evicted = self.evict(room, room.min(self.max_bytes() - self.max_bytes() / 8));
        if let (Some(size_log), Ok((_, left))) = (&size_log, evicted) {
            size_log.reset(left.saturating_add(entry_bytes));
        }
    }

    /// Removes abandoned temporary files and, if all files take more than `max_bytes`, the oldest entries until the rest take
    /// at most `target`. Returns the statistics, or the first failure to remove an entry, and the bytes left.
    fn evict(&self, max_bytes: u64, target: u64) -> Result<(Result<PruneStats>, u64)> {
        let mut files = folder::scan(self.dir()).map_err(|error| self.failure("read", error))?;
        files.sort_by_key(|file| file.modified);
        let mut left: u64 = files.iter().map(|file| file.bytes).sum();
        let mut stats = PruneStats::default();
        let mut failed = None;
        // Empty files are no entries, but `clear` removes them too.
        let too_many = left > max_bytes || max_bytes == 0;
        for file in &files {
            let evict = match file.key {
                Some(_) => too_many && (left > target || target == 0),
                None => file.modified.elapsed().is_ok_and(|age| age > ABANDONED),
            };
            let removed = evict.then(|| folder::remove(&file.path));
            if let Some(Ok(())) = removed {
                stats.removed += u64::from(file.key.is_some());
                stats.removed_bytes += file.bytes;
                left -= file.bytes;
            } else if file.key.is_some() {
                stats.kept += 1;
                stats.kept_bytes += file.bytes;
            }
            failed = failed.or(removed.and_then(Result::err));
        }
        let stats = failed.map_or(Ok(stats), |error| Err(self.failure("remove an entry from", error)));
        Ok((stats, left))
    }
}
