//! Listings of open directories.

use std::collections::BTreeMap;

/// The size of an entry without its name, and the offset of the length of the name, in bytes.
const ENTRY: usize = 24;
const NAME_LENGTH: usize = 16;

/// The maximum size of the listings to keep, besides the one in use, in bytes.
const MAX_KEPT: usize = 64 << 20;

/// The listings of open directories, by descriptor.
#[derive(Debug, Default)]
pub(crate) struct Listings {
    listings: BTreeMap<i32, Listing>,
}

/// The entries of a directory, and the offset of each.
#[derive(Debug)]
pub(crate) struct Listing {
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

impl Listing {
    /// Creates a listing from entries as `fd_readdir` returns them.
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        let (mut starts, mut next) = (Vec::new(), 0);
        while let Some(length) = bytes.get(next + NAME_LENGTH..).and_then(<[u8]>::first_chunk) {
            starts.push(next);
            next += ENTRY + u32::from_le_bytes(*length) as usize;
        }
        Self { bytes, starts }
    }

    /// Returns the entries from this cookie on, at most `size` bytes of them.
    pub(crate) fn from(&self, cookie: i64, size: i32) -> &[u8] {
        let index = usize::try_from(cookie.cast_unsigned()).unwrap_or(usize::MAX);
        let rest = self.starts.get(index).map_or(&[][..], |start| &self.bytes[*start..]);
        &rest[..rest.len().min(size.cast_unsigned() as usize)]
    }

    fn size(&self) -> usize {
        self.bytes.capacity() + self.starts.capacity() * size_of::<usize>()
    }
}

impl Listings {
    pub(crate) fn get(&self, fd: i32) -> Option<&Listing> {
        self.listings.get(&fd)
    }

    pub(crate) fn insert(&mut self, fd: i32, listing: Listing) {
        self.listings.remove(&fd);
        if self.listings.values().map(Listing::size).sum::<usize>() > MAX_KEPT {
            self.listings.clear();
        }
        self.listings.insert(fd, listing);
    }

    pub(crate) fn remove(&mut self, fd: i32) -> Option<Listing> {
        self.listings.remove(&fd)
    }
}
