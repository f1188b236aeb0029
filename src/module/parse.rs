//! Reads the facts of a module out of its binary.

use wasmparser::types::{CoreTypeId, Types};
use wasmparser::{FunctionBody, KnownCustom, Operator, Parser, Payload, ProducersSectionReader, TypeRef, WasmFeatures};

use super::info::{CustomSection, Export, ExternType, Import, MemoryType, ModuleInfo, Producer, TableType};
use super::validation::{invalid, validate};
use crate::error::Result;
use crate::value::types::{FuncType, ValType};

impl ModuleInfo {
    /// Reads a binary module with any features.
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidModule`](crate::ErrorKind::InvalidModule) if it is malformed or invalid.
    pub fn read(binary: &[u8]) -> Result<Self> {
        let types = validate(binary, WasmFeatures::all() - WasmFeatures::COMPONENT_MODEL)?;
        Self::read_valid(binary, &types).map_err(|error| invalid(&error, binary))
    }

    /// Reads a binary that validation found to have these `types`.
    pub(crate) fn read_valid(binary: &[u8], types: &Types) -> wasmparser::Result<Self> {
        let mut info = Self { size: binary.len(), ..Self::default() };
        let reader = TypeReader(types);
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
                        info.imports.push(Import { module, name, ty: reader.import(&import.ty) });
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        let ty = reader.export(export.kind, export.index);
                        info.exports.push(Export { name: export.name.to_owned(), ty });
                    }
                }
                Payload::MemorySection(section) => {
                    for memory in section {
                        shared |= memory?.shared;
                    }
                }
                Payload::CodeSectionEntry(body) if shared && !info.waits => info.waits = has_wait(&body)?,
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

    /// Reads names and producers. A malformed custom section does not make a module invalid, so entries that cannot be read
    /// are left out.
    fn read_custom(&mut self, section: KnownCustom<'_>) {
        match section {
            KnownCustom::Name(names) => {
                for name in names.into_iter().flatten() {
                    if let wasmparser::Name::Module { name, .. } = name {
                        self.name = Some(name.to_owned());
                    }
                }
            }
            KnownCustom::Producers(fields) => self.producers.extend(producers(fields)),
            _ => {}
        }
    }
}

/// Reads a producers section, without entries that cannot be read.
pub(crate) fn producers(fields: ProducersSectionReader<'_>) -> Vec<Producer> {
    let mut producers = Vec::new();
    for field in fields.into_iter().flatten() {
        for value in field.values.into_iter().flatten() {
            let (name, version) = (value.name.to_owned(), value.version.to_owned());
            producers.push(Producer { field: field.name.to_owned(), name, version });
        }
    }
    producers
}

/// Whether a function has an instruction that waits for another thread to notify it.
pub(crate) fn has_wait(body: &FunctionBody<'_>) -> wasmparser::Result<bool> {
    for operator in body.get_operators_reader()? {
        if matches!(operator?, Operator::MemoryAtomicWait32 { .. } | Operator::MemoryAtomicWait64 { .. }) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Converts types of the validated module.
struct TypeReader<'t>(&'t Types);

impl TypeReader<'_> {
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
