//! The file format of an entry: the code, the facts of its module or component, its metadata, and a trailer with lengths, key and checksum.
//! The code comes first, so that an engine can map the file as it is.

use std::fs::{self, File, FileTimes, Metadata};
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use blake3::{Hash, Hasher};
use serde::{Deserialize, Serialize};

use super::folder::TEMPORARY;
use super::key::FORMAT;
use super::metadata::EntryMetadata;
use super::permissions;
use crate::component::info::CodeInfo;
use crate::module::{hash, read_at};
use crate::runtime::cached_code::Code;

/// The accuracy of an entry's last use. A use within this time of the last one is not recorded, so that most cost nothing.
const USE_ACCURACY: Duration = Duration::from_mins(10);

/// Facts of the module or component and its code that would take time to find again.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EntryFacts {
    pub(super) info: CodeInfo,
    pub(super) code_shift: i64,
}

/// An entry whose bytes all match its checksum.
#[derive(Debug)]
pub(super) struct LoadedEntry {
    facts: EntryFacts,
    file: File,
    metadata: Metadata,
    /// The length of the code, at the start of the file.
    code_length: u64,
    /// The code of a small entry.
    code: Option<Vec<u8>>,
}

impl LoadedEntry {
    /// Records that the entry is used now. Does nothing if the file system is read-only.
    pub(super) fn mark_use(&self) {
        let last = self.metadata.modified().ok().and_then(|time| time.elapsed().ok());
        if last.is_none_or(|age| age > USE_ACCURACY) {
            let _ = self.file.set_times(FileTimes::new().set_modified(SystemTime::now()));
        }
    }

    /// Returns the facts and the code.
    pub(super) fn into_parts(self) -> (EntryFacts, Code) {
        let Self { facts, file, code_length, code, .. } = self;
        (facts, code.map_or(Code::File(file, code_length), Code::Bytes))
    }
}

/// The end of a file, of fixed length: the lengths in bytes of the parts before it, and the key. Numbers are little-endian.
struct Trailer {
    code: u64,
    facts: u64,
    metadata: u64,
    key: Hash,
}

impl Trailer {
    const MAGIC: [u8; 8] = *b"wrunCODE";
    /// Bytes, without the checksum that follows.
    const LENGTH: usize = 72;
    /// Bytes of the checksum.
    const CHECKSUM: usize = 32;

    fn to_bytes(&self) -> Vec<u8> {
        let numbers = [FORMAT, self.code, self.facts, self.metadata].map(u64::to_le_bytes);
        [&Self::MAGIC[..], numbers.as_flattened(), self.key.as_bytes()].concat()
    }

    /// Reads the trailer of a file of this length, and the checksum.
    fn read(file: &File, length: u64) -> io::Result<(Self, Hash)> {
        let mut bytes = [0; Self::LENGTH + Self::CHECKSUM];
        let start = length.checked_sub(bytes.len() as u64).ok_or_else(|| damaged("the file is too short"))?;
        read_at::read_exact_at(file, start, &mut bytes)?;
        let (words, rest) = bytes.as_chunks::<8>();
        let [magic, format, code, facts, metadata, hashes @ ..] = words else { return Err(damaged("no trailer")) };
        debug_assert!(rest.is_empty());
        if *magic != Self::MAGIC {
            return Err(damaged("the trailer is damaged"));
        }
        if u64::from_le_bytes(*format) != FORMAT {
            return Err(damaged("it has another format version"));
        }
        let [code, facts, metadata] = [code, facts, metadata].map(|number| u64::from_le_bytes(*number));
        if code.checked_add(facts).and_then(|sum| sum.checked_add(metadata)) != Some(start) {
            return Err(damaged("the lengths in the trailer are wrong"));
        }
        let (hashes, _) = hashes.as_flattened().as_chunks::<32>();
        let [key, checksum] = hashes else { return Err(damaged("no checksum")) };
        Ok((Self { code, facts, metadata, key: Hash::from_bytes(*key) }, Hash::from_bytes(*checksum)))
    }
}

/// An encoded entry, ready to be written.
pub(super) struct EntryWriter<'c> {
    code: &'c [u8],
    /// Everything after the code, except the checksum.
    tail: Vec<u8>,
}

impl<'c> EntryWriter<'c> {
    pub(super) fn new(key: Hash, code: &'c [u8], facts: &EntryFacts, metadata: &EntryMetadata) -> io::Result<Self> {
        let facts = rmp_serde::to_vec(facts).map_err(io::Error::other)?;
        let metadata = rmp_serde::to_vec(metadata).map_err(io::Error::other)?;
        let [code_length, facts_length, metadata_length] = [code, &facts, &metadata].map(|part| part.len() as u64);
        let trailer = Trailer { code: code_length, facts: facts_length, metadata: metadata_length, key };
        Ok(Self { code, tail: [facts, metadata, trailer.to_bytes()].concat() })
    }

    /// The length of its file in bytes.
    pub(super) fn length(&self) -> u64 {
        (self.code.len() + self.tail.len() + Trailer::CHECKSUM) as u64
    }

    /// Writes a temporary file, and renames it once it is complete.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let mut hasher = Hasher::new();
        hash::update(&mut hasher, self.code);
        hash::update(&mut hasher, &self.tail);
        let mut file = permissions::create_entry(path.parent().unwrap_or(Path::new("")), TEMPORARY)?;
        for part in [self.code, &self.tail, hasher.finalize().as_bytes()] {
            file.write_all(part)?;
        }
        file.persist(path).or_else(|failed| match failed.error.kind() {
            // A directory is in the entry's place.
            ErrorKind::IsADirectory | ErrorKind::DirectoryNotEmpty => {
                fs::remove_dir_all(path)?;
                Ok(failed.file.persist(path)?)
            }
            _ => Err(failed.error),
        })?;
        Ok(())
    }
}

/// Reads the entry with this key and verifies all its bytes.
///
/// # Errors
/// [`ErrorKind::NotFound`] if there is none; [`ErrorKind::InvalidData`] and others if it must not be used.
pub(super) fn load(path: &Path, key: Hash) -> io::Result<LoadedEntry> {
    let (file, metadata) = permissions::open_entry(path)?;
    let (trailer, checksum) = Trailer::read(&file, metadata.len())?;
    if trailer.key != key {
        return Err(damaged("it has another key than its name"));
    }
    let covered = metadata.len() - Trailer::CHECKSUM as u64;
    let (checksum_found, tail, code) = if covered < hash::LARGE_FILE as u64 {
        let mut code = read_at::read_range(&file, 0, covered)?;
        let checksum = blake3::hash(&code);
        let tail = code.split_off(usize::try_from(trailer.code).map_err(io::Error::other)?);
        (checksum, tail, Some(code))
    } else {
        (hash::of_file(&file, covered)?, read_at::read_range(&file, trailer.code, trailer.facts)?, None)
    };
    if checksum_found != checksum {
        return Err(damaged("checksum mismatch"));
    }
    let facts = tail.get(..usize::try_from(trailer.facts).map_err(io::Error::other)?).unwrap_or_default();
    let facts = rmp_serde::from_slice(facts).map_err(io::Error::other)?;
    Ok(LoadedEntry { facts, file, metadata, code_length: trailer.code, code })
}

/// Reads the metadata of an entry without verifying it.
pub(super) fn read_metadata(path: &Path) -> io::Result<EntryMetadata> {
    let (file, metadata) = permissions::open_entry(path)?;
    let (trailer, _) = Trailer::read(&file, metadata.len())?;
    let encoded = read_at::read_range(&file, trailer.code + trailer.facts, trailer.metadata)?;
    rmp_serde::from_slice(&encoded).map_err(io::Error::other)
}

fn damaged(why: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}
