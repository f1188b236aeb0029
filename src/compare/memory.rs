//! The contents of exported memories.

use std::collections::BTreeMap;

use blake3::Hasher;

use super::MemoryState;
use crate::module::info::ExternType;
use crate::runtime::traits::WasmInstance;

/// Bytes that are read at a time.
const BLOCK: usize = 1 << 20;

/// The maximum number of bytes that a [`Reference`] keeps. Beyond, only sizes and hashes are compared.
const MAX_KEPT: usize = 64 << 20;

/// The memories of the first variant, by name, to find where those of the others differ.
#[derive(Debug, Default)]
pub(super) struct Reference(BTreeMap<String, Kept>);

/// A memory of the first variant.
#[derive(Debug)]
struct Kept {
    /// The start of the memory.
    contents: Vec<u8>,
    state: MemoryState,
}

impl Reference {
    /// Reads the exported memories of an instance whose run says something about the others. The first call keeps their contents;
    /// later calls compare with them.
    pub(super) fn read(&mut self, instance: &mut dyn WasmInstance) -> BTreeMap<String, MemoryState> {
        let info = instance.info().clone();
        let names = info.exports.iter().filter(|export| is_readable(&export.ty)).map(|export| &export.name);
        let is_first = self.0.is_empty();
        let mut states = BTreeMap::new();
        for name in names {
            let room = MAX_KEPT - self.0.values().map(|kept| kept.contents.len()).sum::<usize>();
            let mut contents = Vec::new();
            let kept = is_first.then_some((&mut contents, room));
            if let Some(state) = read(instance, name, self.0.get(name), kept) {
                if is_first {
                    self.0.insert(name.clone(), Kept { contents, state: state.clone() });
                }
                states.insert(name.clone(), state);
            }
        }
        states
    }
}

/// Threads can change a shared memory while it is read.
fn is_readable(ty: &ExternType) -> bool {
    matches!(ty, ExternType::Memory(memory) if !memory.shared)
}

fn read(
    instance: &mut dyn WasmInstance,
    name: &str,
    reference: Option<&Kept>,
    mut kept: Option<(&mut Vec<u8>, usize)>,
) -> Option<MemoryState> {
    let bytes = instance.memory_size(name).ok()?;
    // As long as the contents are those of the reference, so is the hash.
    let complete = reference.filter(|reference| reference.contents.len() as u64 == bytes);
    let (mut hasher, mut first_difference) = (complete.is_none().then(Hasher::new), None);
    let mut block = vec![0; BLOCK.min(usize::try_from(bytes).unwrap_or(BLOCK))];
    let mut offset = 0;
    while offset < bytes {
        let length = usize::try_from(bytes - offset).map_or(block.len(), |left| left.min(block.len()));
        let block = &mut block[..length];
        instance.read_memory(name, offset, block).ok()?;
        let start = usize::try_from(offset).ok()?;
        let other = reference.and_then(|reference| reference.contents.get(start..));
        if let (None, Some(other)) = (first_difference, other)
            // Much faster than the search, and mostly true.
            && *block != other[..block.len().min(other.len())]
        {
            let at = block.iter().zip(other).position(|(one, other)| one != other);
            first_difference = at.map(|at| offset + at as u64);
        }
        if let (None, Some(complete), Some(_)) = (&hasher, complete, first_difference) {
            hasher.insert(Hasher::new()).update(&complete.contents[..start]);
        }
        if let Some(hasher) = &mut hasher {
            hasher.update(block);
        }
        if let Some((kept, max)) = &mut kept {
            let room = *max - kept.len();
            kept.extend_from_slice(&block[..room.min(length)]);
        }
        offset += length as u64;
    }
    let same = complete.map(|complete| complete.state.hash.clone());
    let hash = hasher.map(|hasher| hasher.finalize().to_string()).or(same)?;
    Some(MemoryState { bytes, hash, first_difference })
}
