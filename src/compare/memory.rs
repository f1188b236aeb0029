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

/// The start of the memories of the first variant, by name, to find where those of the others differ.
#[derive(Debug, Default)]
pub(super) struct Reference(BTreeMap<String, Vec<u8>>);

impl Reference {
    /// Reads the exported memories of an instance whose run says something about the others. The first call keeps their contents;
    /// later calls compare with them.
    pub(super) fn read(&mut self, instance: &mut dyn WasmInstance) -> BTreeMap<String, MemoryState> {
        let info = instance.info().clone();
        let names = info.exports.iter().filter(|export| is_readable(&export.ty)).map(|export| &export.name);
        let is_first = self.0.is_empty();
        let mut states = BTreeMap::new();
        for name in names {
            let room = MAX_KEPT - self.0.values().map(Vec::len).sum::<usize>();
            let mut kept = is_first.then(Vec::new);
            let reference = self.0.get(name).map(Vec::as_slice);
            if let Some(state) = read(instance, name, reference, kept.as_mut().map(|kept| (kept, room))) {
                states.insert(name.clone(), state);
            }
            self.0.extend(kept.map(|kept| (name.clone(), kept)));
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
    reference: Option<&[u8]>,
    mut kept: Option<(&mut Vec<u8>, usize)>,
) -> Option<MemoryState> {
    let bytes = instance.memory_size(name).ok()?;
    let (mut hasher, mut first_difference) = (Hasher::new(), None);
    let mut block = vec![0; BLOCK.min(usize::try_from(bytes).unwrap_or(BLOCK))];
    let mut offset = 0;
    while offset < bytes {
        let length = usize::try_from(bytes - offset).map_or(block.len(), |left| left.min(block.len()));
        let block = &mut block[..length];
        instance.read_memory(name, offset, block).ok()?;
        hasher.update(block);
        let other = reference.and_then(|reference| reference.get(usize::try_from(offset).ok()?..));
        if let (None, Some(other)) = (first_difference, other) {
            let at = block.iter().zip(other).position(|(one, other)| one != other);
            first_difference = at.map(|at| offset + at as u64);
        }
        if let Some((kept, max)) = &mut kept {
            let room = *max - kept.len();
            kept.extend_from_slice(&block[..room.min(length)]);
        }
        offset += length as u64;
    }
    Some(MemoryState { bytes, hash: hasher.finalize().to_string(), first_difference })
}
