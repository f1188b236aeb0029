//! Reading of files and directories in WASI 0.2. wasmtime-wasi reads ahead: it keeps up to 64 KiB for each stream of a file, and
//! all entries for each stream of a directory, and a guest can have many streams.

use std::fs::File;
use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, statat};
use wasmtime::component::{Linker, Resource, ResourceType};
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::bindings::filesystem::types::{DescriptorType, DirectoryEntry, ErrorCode};
use wasmtime_wasi::p2::{DynInputStream, InputStream, Pollable, StreamError, StreamResult};

use super::interface::{p2, replace};
use super::state::HasWasi;

/// The maximum number of bytes that one call reads.
const MAX_READ: usize = 64 << 10;

/// A stream of a file's bytes.
struct FileReader {
    /// `None` after the end of the file or an error.
    file: Option<Arc<File>>,
    position: u64,
}

impl InputStream for FileReader {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let Some(file) = &self.file else { return Err(StreamError::Closed) };
        let mut bytes = vec![0; size.min(MAX_READ)];
        let read = rustix::io::retry_on_intr(|| rustix::io::pread(file, &mut *bytes, self.position));
        match read {
            Ok(0) if size > 0 => {
                self.file = None;
                Err(StreamError::Closed)
            }
            Ok(count) => {
                self.position += count as u64;
                bytes.truncate(count);
                Ok(bytes.into())
            }
            Err(errno) => {
                self.file = None;
                Err(StreamError::LastOperationFailed(io::Error::from(errno).into()))
            }
        }
    }
}

#[async_trait]
impl Pollable for FileReader {
    async fn ready(&mut self) {}
}

/// A stream of a directory's entries, `directory-entry-stream`.
struct Listing {
    directory: Arc<File>,
    entries: Dir,
}

impl Listing {
    fn new(directory: &Arc<File>) -> io::Result<Self> {
        // The descriptor's own position stays as it is.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let entries = Dir::new(openat(directory, c".", flags, Mode::empty())?)?;
        Ok(Self { directory: Arc::clone(directory), entries })
    }

    fn next(&mut self) -> Result<Option<DirectoryEntry>, ErrorCode> {
        while let Some(entry) = self.entries.read() {
            let entry = entry.map_err(io::Error::from)?;
            if matches!(entry.file_name().to_bytes(), b"." | b"..") {
                continue;
            }
            let name = entry.file_name().to_str().map_err(|_| ErrorCode::IllegalByteSequence)?.to_owned();
            let type_ = match entry.file_type() {
                // Some file systems only know after another look. The file may be gone by now.
                FileType::Unknown => statat(&self.directory, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW)
                    .map_or(FileType::Unknown, |stat| FileType::from_raw_mode(stat.st_mode)),
                known => known,
            };
            return Ok(Some(DirectoryEntry { type_: descriptor_type(type_), name }));
        }
        Ok(None)
    }
}

fn descriptor_type(of: FileType) -> DescriptorType {
    match of {
        FileType::RegularFile => DescriptorType::RegularFile,
        FileType::Directory => DescriptorType::Directory,
        FileType::Symlink => DescriptorType::SymbolicLink,
        FileType::Fifo => DescriptorType::Fifo,
        FileType::Socket => DescriptorType::Socket,
        FileType::CharacterDevice => DescriptorType::CharacterDevice,
        FileType::BlockDevice => DescriptorType::BlockDevice,
        FileType::Unknown => DescriptorType::Unknown,
    }
}

/// Replaces the functions that read ahead.
pub(super) fn add_to_linker<T: HasWasi>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    let [read, list, next] = [
        "[method]descriptor.read-via-stream",
        "[method]descriptor.read-directory",
        "[method]directory-entry-stream.read-directory-entry",
    ];
    let mut interface = replace(linker, p2!("wasi:filesystem/types"), &[read, list, next])?;
    interface.func_wrap(read, |mut store, (descriptor, position): (Resource<Descriptor>, u64)| {
        let table = store.data_mut().wasi().table();
        let file = match table.get(&descriptor)? {
            Descriptor::File(file) => Arc::clone(&file.file),
            Descriptor::Dir(_) => return Ok((Err(ErrorCode::IsDirectory),)),
        };
        let reader: DynInputStream = Box::new(FileReader { file: Some(file), position });
        Ok((Ok(table.push(reader)?),))
    })?;
    interface.resource("directory-entry-stream", ResourceType::host::<Listing>(), |mut store, number| {
        store.data_mut().wasi().table().delete(Resource::<Listing>::new_own(number))?;
        Ok(())
    })?;
    interface.func_wrap(list, |mut store, (descriptor,): (Resource<Descriptor>,)| {
        let table = store.data_mut().wasi().table();
        let listing = match table.get(&descriptor)? {
            Descriptor::Dir(directory) => Listing::new(&directory.dir),
            Descriptor::File(_) => return Ok((Err(ErrorCode::NotDirectory),)),
        };
        match listing {
            Ok(listing) => Ok((Ok(table.push(listing)?),)),
            Err(error) => Ok((Err(ErrorCode::from(error)),)),
        }
    })?;
    interface.func_wrap(next, |mut store, (stream,): (Resource<Listing>,)| {
        Ok((store.data_mut().wasi().table().get_mut(&stream)?.next(),))
    })
}
