//! What a module says of itself: imports, exports, memories, tables, sections.

use std::fmt;

use serde::{Deserialize, Serialize};
use wasmparser::types::{CoreTypeId, Types};
use wasmparser::{KnownCustom, Parser, Payload, TypeRef, WasmFeatures};

use crate::error::Result;
use crate::module::requirements;
use crate::module::validation::{invalid, validate};
use crate::value::types::{FuncType, ValType};

/// A linear memory's type; sizes are in pages of `page_size` bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MemoryType {
    /// The least number of pages.
    pub minimum: u64,
    /// The most, where declared.
    pub maximum: Option<u64>,
    /// Whether threads may share it.
    pub shared: bool,
    /// Whether addresses are 64-bit.
    pub memory64: bool,
    /// Bytes in a page: 65536 but for custom page sizes.
    pub page_size: u64,
}

impl MemoryType {
    /// A 32-bit memory of 64 KiB pages.
    #[must_use]
    pub const fn new(minimum: u64, maximum: Option<u64>) -> Self {
        Self { minimum, maximum, shared: false, memory64: false, page_size: 65536 }
    }

    /// The bytes it is sure to take: its minimum, or its maximum where it is shared.
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TableType {
    /// What it holds.
    pub element: ValType,
    /// The least number of elements.
    pub minimum: u64,
    /// The most, where declared.
    pub maximum: Option<u64>,
    /// Whether indices are 64-bit.
    pub table64: bool,
}

impl TableType {
    /// A table with 32-bit indices.
    #[must_use]
    pub const fn new(element: ValType, minimum: u64, maximum: Option<u64>) -> Self {
        Self { element, minimum, maximum, table64: false }
    }
}

/// The type of something imported or exported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ExternType {
    /// A function.
    Func(FuncType),
    /// A global, and whether it can change.
    Global(ValType, bool),
    /// A linear memory.
    Memory(MemoryType),
    /// A table.
    Table(TableType),
    /// An exception tag, by what it carries.
    Tag(FuncType),
}

impl ExternType {
    /// `func`, `global`, `memory`, `table` or `tag`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Func(_) => "func",
            Self::Global(..) => "global",
            Self::Memory(_) => "memory",
            Self::Table(_) => "table",
            Self::Tag(_) => "tag",
        }
    }
}

impl fmt::Display for ExternType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Func(ty) => write!(f, "func {ty}"),
            Self::Global(ty, true) => write!(f, "global mut {ty}"),
            Self::Global(ty, false) => write!(f, "global {ty}"),
            Self::Memory(ty) => write!(f, "{ty}"),
            Self::Table(ty) => write!(f, "{ty}"),
            Self::Tag(ty) => write!(f, "tag {ty}"),
        }
    }
}

impl fmt::Display for MemoryType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "memory {}", Range(self.minimum, self.maximum))?;
        write!(f, " pages")?;
        if self.page_size != 65536 {
            write!(f, " of {} bytes", self.page_size)?;
        }
        write!(f, "{}{}", if self.memory64 { " i64" } else { "" }, if self.shared { " shared" } else { "" })
    }
}

impl fmt::Display for TableType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "table {} {}", Range(self.minimum, self.maximum), self.element)?;
        f.write_str(if self.table64 { " i64" } else { "" })
    }
}

struct Range(u64, Option<u64>);

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            Some(most) => write!(f, "{}..{most}", self.0),
            None => write!(f, "{}..", self.0),
        }
    }
}

/// Something a module needs from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Import {
    /// The module it asks for.
    pub module: String,
    /// The name within that module.
    pub name: String,
    /// What it must be.
    pub ty: ExternType,
}

/// Something a module offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Export {
    /// Its name.
    pub name: String,
    /// What it is.
    pub ty: ExternType,
}

/// A custom section, by name and size of its contents in bytes.
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

/// The facts of one module, known without an engine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModuleInfo {
    /// The name in the name section.
    pub name: Option<String>,
    /// The size of the binary in bytes.
    pub size: usize,
    /// How many functions it defines, imports not counted.
    pub functions: u32,
    /// What it imports, in order.
    pub imports: Vec<Import>,
    /// What it exports, in order.
    pub exports: Vec<Export>,
    /// The memories it defines, imports not counted.
    pub memories: Vec<MemoryType>,
    /// The tables it defines, imports not counted.
    pub tables: Vec<TableType>,
    /// How many exception tags it has, imports counted.
    pub tags: u32,
    /// The index of the function run at instantiation.
    pub start: Option<u32>,
    /// Whether it waits on a shared memory (`memory.atomic.wait32` and its like), which nothing but another thread ends.
    pub waits: bool,
    /// Its custom sections, in order.
    pub custom_sections: Vec<CustomSection>,
    /// Its producers section, in order.
    pub producers: Vec<Producer>,
}

impl ModuleInfo {
    /// Reads a binary module, whatever feature it uses.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidModule`](crate::ErrorKind::InvalidModule) where it is malformed or invalid.
    pub fn read(binary: &[u8]) -> Result<Self> {
        let types = validate(binary, WasmFeatures::all() - WasmFeatures::COMPONENT_MODEL)?;
        Self::of(binary, &types).map_err(|error| invalid(&error))
    }

    /// The function exported as `name`.
    #[must_use]
    pub fn function(&self, name: &str) -> Option<&FuncType> {
        self.exports.iter().find_map(|export| match &export.ty {
            ExternType::Func(ty) if export.name == name => Some(ty),
            _ => None,
        })
    }

    /// The exported functions with their types, in order.
    pub fn functions(&self) -> impl Iterator<Item = (&str, &FuncType)> {
        self.exports.iter().filter_map(|export| match &export.ty {
            ExternType::Func(ty) => Some((export.name.as_str(), ty)),
            _ => None,
        })
    }

    /// The facts of a binary already validated.
    pub(crate) fn of(binary: &[u8], types: &Types) -> wasmparser::Result<Self> {
        let mut info = Self { size: binary.len(), ..Self::default() };
        let facts = Facts(types);
        let (mut memories, mut tables, mut functions, mut shared) = (0, 0, 0, false);
        for payload in Parser::new(0).parse_all(binary) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        match import.ty {
                            TypeRef::Memory(ty) => (memories, shared) = (memories + 1, shared | ty.shared),
                            TypeRef::Table(_) => tables += 1,
                            TypeRef::Func(_) | TypeRef::FuncExact(_) => functions += 1,
                            TypeRef::Global(_) | TypeRef::Tag(_) => {}
                        }
                        let (module, name) = (import.module.to_owned(), import.name.to_owned());
                        info.imports.push(Import { module, name, ty: facts.import(&import.ty) });
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        let ty = facts.export(export.kind, export.index);
                        info.exports.push(Export { name: export.name.to_owned(), ty });
                    }
                }
                Payload::MemorySection(section) => {
                    for memory in section {
                        shared |= memory?.shared;
                    }
                }
                Payload::CodeSectionEntry(body) if shared && !info.waits => info.waits = requirements::waits(&body)?,
                Payload::StartSection { func, .. } => info.start = Some(func),
                Payload::CustomSection(section) => {
                    let (name, size) = (section.name().to_owned(), section.data().len());
                    info.custom_sections.push(CustomSection { name, size });
                    info.read_custom(section.as_known());
                }
                _ => {}
            }
        }
        let types = types.as_ref();
        info.functions = types.function_count() - functions;
        info.tags = types.tag_count();
        info.memories = (memories..types.memory_count()).map(|index| memory(types.memory_at(index))).collect();
        info.tables = (tables..types.table_count()).map(|index| table(&types.table_at(index))).collect();
        Ok(info)
    }

    /// Names and producers; a malformed custom section is no fault of the module, so what cannot be read is left out.
    fn read_custom(&mut self, section: KnownCustom<'_>) {
        match section {
            KnownCustom::Name(names) => {
                for name in names.into_iter().flatten() {
                    if let wasmparser::Name::Module { name, .. } = name {
                        self.name = Some(name.to_owned());
                    }
                }
            }
            KnownCustom::Producers(fields) => {
                for field in fields.into_iter().flatten() {
                    for value in field.values.into_iter().flatten() {
                        let (name, version) = (value.name.to_owned(), value.version.to_owned());
                        self.producers.push(Producer { field: field.name.to_owned(), name, version });
                    }
                }
            }
            _ => {}
        }
    }
}

struct Facts<'t>(&'t Types);

impl Facts<'_> {
    fn import(&self, ty: &TypeRef) -> ExternType {
        let types = self.0.as_ref();
        match ty {
            TypeRef::Func(index) | TypeRef::FuncExact(index) => {
                ExternType::Func(self.func(types.core_type_at_in_module(*index)))
            }
            TypeRef::Tag(tag) => ExternType::Tag(self.func(types.core_type_at_in_module(tag.func_type_idx))),
            TypeRef::Table(ty) => ExternType::Table(table(ty)),
            TypeRef::Memory(ty) => ExternType::Memory(memory(*ty)),
            TypeRef::Global(ty) => ExternType::Global(val_type(ty.content_type), ty.mutable),
        }
    }

    fn export(&self, kind: wasmparser::ExternalKind, index: u32) -> ExternType {
        use wasmparser::ExternalKind as Kind;
        let types = self.0.as_ref();
        match kind {
            Kind::Func | Kind::FuncExact => ExternType::Func(self.func(types.core_function_at(index))),
            Kind::Table => ExternType::Table(table(&types.table_at(index))),
            Kind::Memory => ExternType::Memory(memory(types.memory_at(index))),
            Kind::Global => {
                let ty = types.global_at(index);
                ExternType::Global(val_type(ty.content_type), ty.mutable)
            }
            Kind::Tag => ExternType::Tag(self.func(types.tag_at(index))),
        }
    }

    fn func(&self, id: CoreTypeId) -> FuncType {
        let ty = self.0[id].unwrap_func();
        let list = |types: &[wasmparser::ValType]| types.iter().map(|ty| val_type(*ty)).collect::<Vec<_>>();
        FuncType::new(list(ty.params()), list(ty.results()))
    }
}

fn val_type(ty: wasmparser::ValType) -> ValType {
    match ty {
        wasmparser::ValType::I32 => ValType::I32,
        wasmparser::ValType::I64 => ValType::I64,
        wasmparser::ValType::F32 => ValType::F32,
        wasmparser::ValType::F64 => ValType::F64,
        wasmparser::ValType::V128 => ValType::V128,
        wasmparser::ValType::Ref(ty) => ref_type(ty),
    }
}

fn ref_type(ty: wasmparser::RefType) -> ValType {
    match ty {
        wasmparser::RefType::FUNCREF => ValType::FuncRef,
        wasmparser::RefType::EXTERNREF => ValType::ExternRef,
        other => ValType::Ref(other.to_string().into()),
    }
}

fn memory(ty: wasmparser::MemoryType) -> MemoryType {
    let page_size = 1 << ty.page_size_log2.unwrap_or(16);
    let wasmparser::MemoryType { initial: minimum, maximum, shared, memory64, .. } = ty;
    MemoryType { minimum, maximum, shared, memory64, page_size }
}

fn table(ty: &wasmparser::TableType) -> TableType {
    let element = ref_type(ty.element_type);
    TableType { element, minimum: ty.initial, maximum: ty.maximum, table64: ty.table64 }
}
