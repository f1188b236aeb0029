//! Access to guest memory with its bounds checked.

use std::ops::Range;

use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;
use crate::module::info::{ExternType, ModuleInfo};

/// The range of `length` bytes from `offset`, where it lies inside a memory of `size` bytes.
///
/// # Errors
/// [`ErrorKind::MemoryAccess`] where it does not.
pub fn range(offset: u64, length: usize, size: usize) -> Result<Range<usize>> {
    let start = usize::try_from(offset).ok();
    let range = start.and_then(|start| Some(start..start.checked_add(length)?));
    range.filter(|range| range.end <= size).ok_or_else(|| {
        let message = format!("{length} bytes at offset {offset} are not inside a memory of {size} bytes");
        Error::new(ErrorKind::MemoryAccess, message)
    })
}

/// Copies from `memory` at `offset`.
///
/// # Errors
/// [`ErrorKind::MemoryAccess`] where the range is not inside it.
pub fn read(memory: &[u8], offset: u64, buffer: &mut [u8]) -> Result<()> {
    buffer.copy_from_slice(&memory[range(offset, buffer.len(), memory.len())?]);
    Ok(())
}

/// Copies into `memory` at `offset`.
///
/// # Errors
/// [`ErrorKind::MemoryAccess`] where the range is not inside it; nothing is written then.
pub fn write(memory: &mut [u8], offset: u64, bytes: &[u8]) -> Result<()> {
    let range = range(offset, bytes.len(), memory.len())?;
    memory[range].copy_from_slice(bytes);
    Ok(())
}

/// There is no exported `kind` called `name`; says what there is of that name.
#[must_use]
pub fn no_such_export(info: &ModuleInfo, kind: &str, name: &str) -> Error {
    let other = info.exports.iter().find(|export| export.name == name);
    let message = match other {
        Some(export) => format!("the export `{}` is a {}, not a {kind}", Escaped(name), export.ty.kind()),
        None => format!("the module exports no {kind} `{}`", Escaped(name)),
    };
    let of_kind = info.exports.iter().filter(|export| export.ty.kind() == kind);
    let names: Vec<_> = of_kind.take(20).map(|export| format!("`{}`", Escaped(&export.name))).collect();
    let error = Error::new(ErrorKind::UnknownExport, message);
    if names.is_empty() { error } else { error.with_hint(format!("exported: {}", names.join(", "))) }
}

/// Refuses a global that is not there, or whose type does not pass between host and guest.
///
/// # Errors
/// [`ErrorKind::UnknownExport`], [`ErrorKind::UnsupportedFeature`].
pub fn check_global(info: &ModuleInfo, name: &str) -> Result<()> {
    match info.exports.iter().find(|export| export.name == name).map(|export| &export.ty) {
        Some(ExternType::Global(ty, _)) if ty.is_passable() => Ok(()),
        Some(ExternType::Global(ty, _)) => {
            let message = format!("the global `{name}` cannot be read: wrun passes no values of type {ty}");
            Err(Error::new(ErrorKind::UnsupportedFeature, message))
        }
        _ => Err(no_such_export(info, "global", name)),
    }
}
