//! The facts of a module: imports, exports, memories, tables, sections.

use std::fmt;

use derive_more::Display;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::value::types::{FuncType, ValType};

/// A linear memory's type; sizes are in pages of `page_size` bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MemoryType {
    /// The minimum number of pages.
    pub minimum: u64,
    /// The maximum number of pages, if declared.
    pub maximum: Option<u64>,
    /// Whether threads may share it.
    pub shared: bool,
    /// Whether addresses are 64-bit.
    pub memory64: bool,
    /// Bytes in a page: 65536 except with custom page sizes.
    pub page_size: u64,
}

impl MemoryType {
    /// Creates the type of a 32-bit memory with pages of 64 KiB.
    #[must_use]
    pub const fn new(minimum: u64, maximum: Option<u64>) -> Self {
        Self { minimum, maximum, shared: false, memory64: false, page_size: 65536 }
    }

    /// Returns the bytes that count as used from the start: the minimum, or the maximum of a shared memory.
    #[must_use]
    pub const fn committed_bytes(&self) -> u64 {
        let pages = match self.maximum {
            Some(maximum) if self.shared => maximum,
            _ => self.minimum,
        };
        pages.saturating_mul(self.page_size)
    }
}

/// A table's type; sizes are in elements.
#[derive(Clone, Debug, Display, PartialEq, Eq, Serialize, Deserialize)]
#[display("table {} {element}{}", Range(*minimum, *maximum), if *table64 { " i64" } else { "" })]
#[non_exhaustive]
pub struct TableType {
    /// The type of its elements.
    pub element: ValType,
    /// The minimum number of elements.
    pub minimum: u64,
    /// The maximum number of elements, if declared.
    pub maximum: Option<u64>,
    /// Whether indices are 64-bit.
    pub table64: bool,
}

impl TableType {
    /// Creates the type of a table with 32-bit indices.
    #[must_use]
    pub const fn new(element: ValType, minimum: u64, maximum: Option<u64>) -> Self {
        Self { element, minimum, maximum, table64: false }
    }
}

/// The type of something imported or exported.
#[derive(Clone, Debug, Display, PartialEq, Eq, IntoStaticStr, Serialize, Deserialize)]
#[strum(serialize_all = "snake_case")]
#[non_exhaustive]
pub enum ExternType {
    /// A function.
    #[display("func {_0}")]
    Func(FuncType),
    /// A global's type, and whether it is mutable.
    #[display("global {}{_0}", if *_1 { "mut " } else { "" })]
    Global(ValType, bool),
    /// A linear memory.
    Memory(MemoryType),
    /// A table.
    Table(TableType),
    /// An exception tag, by the type of its payload.
    #[display("tag {_0}")]
    Tag(FuncType),
}

impl ExternType {
    /// Returns `func`, `global`, `memory`, `table` or `tag`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.into()
    }
}

impl fmt::Display for MemoryType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "memory {} pages", Range(self.minimum, self.maximum))?;
        if self.page_size != 65536 {
            write!(f, " of {} bytes", self.page_size)?;
        }
        write!(f, "{}{}", if self.memory64 { " i64" } else { "" }, if self.shared { " shared" } else { "" })
    }
}

#[derive(Display)]
#[display("{_0}..{}", _1.map(|most| most.to_string()).unwrap_or_default())]
struct Range(u64, Option<u64>);

/// One import of a module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Import {
    /// The name of the module it is imported from.
    pub module: String,
    /// The name within that module.
    pub name: String,
    /// The required type.
    pub ty: ExternType,
}

/// One export of a module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Export {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: ExternType,
}

/// A custom section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CustomSection {
    /// Its name.
    pub name: String,
    /// The size of its contents in bytes.
    pub size: usize,
}

/// A field of the producers section, such as `processed-by: clang 18`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Producer {
    /// `language`, `processed-by` or `sdk`.
    pub field: String,
    /// The name of the language or tool.
    pub name: String,
    /// Its version, possibly empty.
    pub version: String,
}

/// The facts of one module, found without an engine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModuleInfo {
    /// The name in the name section.
    pub name: Option<String>,
    /// The size of the binary in bytes.
    pub size: usize,
    /// The number of functions it defines, without imports.
    pub functions: u32,
    /// Its imports, in order.
    pub imports: Vec<Import>,
    /// Its exports, in order.
    pub exports: Vec<Export>,
    /// The memories it defines, without imports.
    pub memories: Vec<MemoryType>,
    /// The tables it defines, without imports.
    pub tables: Vec<TableType>,
    /// The number of exception tags, with imports.
    pub tags: u32,
    /// The index of the start function.
    pub start: Option<u32>,
    /// Whether it waits on a shared memory (`memory.atomic.wait32` or `wait64`). Only another thread can end a wait.
    pub waits: bool,
    /// Its custom sections, in order.
    pub custom_sections: Vec<CustomSection>,
    /// Its producers section, in order.
    pub producers: Vec<Producer>,
}

impl ModuleInfo {
    /// Returns the type of the function exported as `name`.
    #[must_use]
    pub fn function(&self, name: &str) -> Option<&FuncType> {
        self.exports.iter().find_map(|export| match &export.ty {
            ExternType::Func(ty) if export.name == name => Some(ty),
            _ => None,
        })
    }

    /// Returns an export name that the module does not use: `name`, with apostrophes appended if necessary.
    pub(crate) fn unused_export(&self, name: &str) -> String {
        let is_used = |name: &str| self.exports.iter().any(|export| export.name == name);
        let mut name = name.to_owned();
        while is_used(&name) {
            name.push('\'');
        }
        name
    }

    /// Returns the names and types of the exported functions, in order.
    pub fn functions(&self) -> impl Iterator<Item = (&str, &FuncType)> {
        self.exports.iter().filter_map(|export| match &export.ty {
            ExternType::Func(ty) => Some((export.name.as_str(), ty)),
            _ => None,
        })
    }
}
