//! One entry, a file: the code, the facts of its module, its label, and a trailer with lengths, key and checksum. The code
//! comes first, so that an engine can map the file as it is.

use std::fs::{self, File, FileTimes, Metadata};
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use blake3::{Hash, Hasher};
use serde::{Deserialize, Serialize};

use super::key::FORMAT;
use super::metadata::EntryMetadata;
use super::permissions;
use crate::module::info::ModuleInfo;
use crate::module::{file, hash};
use crate::runtime::compiled_code::Code;

/// When an entry was used is known to this: a use sooner after another is not noted, so that most cost nothing.
const USE_KNOWN_TO: Duration = Duration::from_mins(10);

/// What temporary files start with, until they are whole and get their name.
pub(super) const TEMPORARY: &str = ".new-";

/// What is known of the module, and would cost time to find out again.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EntryFacts {
    pub(super) info: ModuleInfo,
    pub(super) code_shift: i64,
}

/// An entry whose every byte was checked.
#[derive(Debug)]
pub(super) struct LoadedEntry {
    facts: EntryFacts,
    file: File,
    metadata: Metadata,
    /// How long the code is, and the code itself where it is short.
    length: u64,
    bytes: Option<Vec<u8>>,
}

impl LoadedEntry {
    /// Notes that the entry is used, for whoever makes room; a folder that cannot be written to keeps what it says.
    pub(super) fn mark_use(&self) {
        let known = self.metadata.modified().ok().and_then(|time| time.elapsed().ok());
        if known.is_none_or(|age| age > USE_KNOWN_TO) {
            let _ = self.file.set_times(FileTimes::new().set_modified(SystemTime::now()));
        }
    }

    /// The facts and the code.
    pub(super) fn into_parts(self) -> (EntryFacts, Code) {
        let Self { facts, file, length, bytes, .. } = self;
        (facts, bytes.map_or(Code::File(file, length), Code::Bytes))
    }
}

/// The end of a file, of fixed length. Numbers are little-endian.
struct Trailer {
    code: u64,
    facts: u64,
    label: u64,
    key: Hash,
}

impl Trailer {
    const MAGIC: [u8; 8] = *b"wrunCODE";
    /// Without the checksum, which comes last.
    const LENGTH: usize = 72;
    const CHECKSUM: usize = 32;

    fn to_bytes(&self) -> Vec<u8> {
        let numbers = [FORMAT, self.code, self.facts, self.label].map(u64::to_le_bytes);
        [&Self::MAGIC[..], numbers.as_flattened(), self.key.as_bytes()].concat()
    }

    /// The trailer of a file of this length, and the checksum.
    fn read(file: &File, length: u64) -> io::Result<(Self, Hash)> {
        let mut bytes = [0; Self::LENGTH + Self::CHECKSUM];
        let start = length.checked_sub(bytes.len() as u64).ok_or_else(|| bad("it is too short"))?;
        file::fill(file, start, &mut bytes)?;
        let (words, rest) = bytes.as_chunks::<8>();
        let [magic, format, code, facts, label, hashes @ ..] = words else { return Err(bad("it has no trailer")) };
        debug_assert!(rest.is_empty());
        if *magic != Self::MAGIC {
            return Err(bad("it does not end as an entry does"));
        }
        if u64::from_le_bytes(*format) != FORMAT {
            return Err(bad("it is of another version"));
        }
        let [code, facts, label] = [code, facts, label].map(|number| u64::from_le_bytes(*number));
        if code.checked_add(facts).and_then(|sum| sum.checked_add(label)) != Some(start) {
            return Err(bad("its lengths do not add up"));
        }
        let (hashes, _) = hashes.as_flattened().as_chunks::<32>();
        let [key, checksum] = hashes else { return Err(bad("it has no checksum")) };
        Ok((Self { code, facts, label, key: Hash::from_bytes(*key) }, Hash::from_bytes(*checksum)))
    }
}

/// An entry that is to be written.
pub(super) struct EntryWriter<'c> {
    code: &'c [u8],
    /// All that follows the code but the checksum.
    tail: Vec<u8>,
}

impl<'c> EntryWriter<'c> {
    pub(super) fn new(key: Hash, code: &'c [u8], facts: &EntryFacts, about: &EntryMetadata) -> io::Result<Self> {
        let [facts, label] =
            [rmp_serde::to_vec(facts), rmp_serde::to_vec(about)].map(|encoded| encoded.map_err(io::Error::other));
        let (facts, label) = (facts?, label?);
        let trailer = Trailer { code: code.len() as u64, facts: facts.len() as u64, label: label.len() as u64, key };
        Ok(Self { code, tail: [facts, label, trailer.to_bytes()].concat() })
    }

    /// How long its file will be.
    pub(super) fn length(&self) -> u64 {
        (self.code.len() + self.tail.len() + Trailer::CHECKSUM) as u64
    }

    /// Writes it under a temporary name, and gives it its own once it is whole.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let mut hasher = Hasher::new();
        hash::add(&mut hasher, self.code);
        hash::add(&mut hasher, &self.tail);
        let mut file = permissions::new_entry(path.parent().unwrap_or(Path::new("")), TEMPORARY)?;
        for part in [self.code, &self.tail, hasher.finalize().as_bytes()] {
            file.write_all(part)?;
        }
        file.persist(path).or_else(|failed| match failed.error.kind() {
            // Whatever it is, it is no entry.
            ErrorKind::IsADirectory | ErrorKind::DirectoryNotEmpty => {
                fs::remove_dir_all(path)?;
                Ok(failed.file.persist(path)?)
            }
            _ => Err(failed.error),
        })?;
        Ok(())
    }
}

/// Reads the entry of this key, once each of its bytes is found to be what was written.
///
/// # Errors
/// [`ErrorKind::NotFound`] where there is none; [`ErrorKind::InvalidData`] and others where it is not to be used.
pub(super) fn load(path: &Path, key: Hash) -> io::Result<LoadedEntry> {
    let (file, metadata) = permissions::open(path)?;
    let (trailer, checksum) = Trailer::read(&file, metadata.len())?;
    if trailer.key != key {
        return Err(bad("it is not what its name says"));
    }
    let covered = metadata.len() - Trailer::CHECKSUM as u64;
    let (found, tail, bytes) = if covered < hash::LARGE_FILE as u64 {
        let mut bytes = file::read(&file, 0, covered)?;
        let found = blake3::hash(&bytes);
        let tail = bytes.split_off(usize::try_from(trailer.code).map_err(io::Error::other)?);
        (found, tail, Some(bytes))
    } else {
        (hash::of_file(&file, covered)?, file::read(&file, trailer.code, trailer.facts)?, None)
    };
    if found != checksum {
        return Err(bad("its checksum is wrong"));
    }
    let facts = tail.get(..usize::try_from(trailer.facts).map_err(io::Error::other)?).unwrap_or_default();
    let facts = rmp_serde::from_slice(facts).map_err(io::Error::other)?;
    Ok(LoadedEntry { facts, file, metadata, length: trailer.code, bytes })
}

/// Reads what an entry tells of itself, unchecked.
pub(super) fn about(path: &Path) -> io::Result<EntryMetadata> {
    let (file, metadata) = permissions::open(path)?;
    let (trailer, _) = Trailer::read(&file, metadata.len())?;
    let label = file::read(&file, trailer.code + trailer.facts, trailer.label)?;
    rmp_serde::from_slice(&label).map_err(io::Error::other)
}

fn bad(why: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}
