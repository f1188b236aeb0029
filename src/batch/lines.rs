//! Records that end with one byte.

use std::sync::OnceLock;

use memchr::{memchr_iter, memrchr};

/// Returns the content of a line without its delimiter: without `\r` before `\n`.
#[inline]
pub(super) fn content(line: &[u8], delimiter: u8) -> &[u8] {
    match line {
        [content @ .., b'\r'] if delimiter == b'\n' => content,
        _ => line,
    }
}

/// The lines of a chunk, each of which is a record. The reader counts them; their ends are found when the first is needed.
#[derive(Debug)]
pub(super) struct Lines {
    delimiter: u8,
    count: usize,
    /// The maximum length of a record in bytes.
    max: usize,
    /// The positions of the delimiters.
    ends: OnceLock<Vec<u32>>,
}

impl Lines {
    /// Returns the length of the complete lines at the start of some bytes; `None` if there are none.
    pub(super) fn length(bytes: &[u8], delimiter: u8) -> Option<usize> {
        memrchr(delimiter, bytes).map(|last| last + 1)
    }

    /// Counts complete lines. `None` if there are too many bytes.
    pub(super) fn count(bytes: &[u8], delimiter: u8, max: usize) -> Option<Self> {
        u32::try_from(bytes.len()).ok()?;
        let count = memchr_iter(delimiter, bytes).count();
        Some(Self { delimiter, count, max, ends: OnceLock::new() })
    }

    /// Returns the number of lines.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Returns about how many bytes of memory the positions take.
    pub(super) fn bytes(&self) -> usize {
        self.count * size_of::<u32>()
    }

    /// Returns a line of these bytes, which were counted. `None` if it is too long.
    #[inline]
    pub(super) fn get<'b>(&self, bytes: &'b [u8], index: usize) -> Option<&'b [u8]> {
        let ends = self.split(bytes);
        let start = index.checked_sub(1).map_or(0, |previous| ends[previous] as usize + 1);
        let content = content(&bytes[start..ends[index] as usize], self.delimiter);
        (content.len() <= self.max).then_some(content)
    }

    /// Finds the ends of the lines of these bytes, unless that was done before.
    #[inline]
    pub(super) fn split(&self, bytes: &[u8]) -> &[u32] {
        self.ends.get_or_init(|| self.ends(bytes))
    }

    #[cold]
    #[expect(clippy::cast_possible_truncation, reason = "`count` has checked the length")]
    fn ends(&self, bytes: &[u8]) -> Vec<u32> {
        let mut ends = Vec::with_capacity(self.count);
        ends.extend(memchr_iter(self.delimiter, bytes).map(|at| at as u32));
        ends
    }
}
