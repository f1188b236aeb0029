//! Imports and exports of components with their types, for reports in JSON and MessagePack.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;
use wrun::component::info::{ComponentExtern, ComponentItem};
use wrun::component::types::{Name, Resource, TypeDef, TypeKind};
use wrun::{WitFunction, WitType};

/// An import or an export, or an item of an interface.
#[derive(Debug, Serialize)]
pub(super) struct ItemReport {
    name: String,
    #[serde(flatten)]
    item: ItemDetail,
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum ItemDetail {
    Func {
        #[serde(rename = "type")]
        ty: FunctionReport,
    },
    Instance {
        items: Vec<ItemReport>,
    },
    Type {
        /// `null` for the type of a function, an instance or a component.
        #[serde(rename = "type")]
        ty: Option<TypeRef>,
    },
    Resource {
        resource: u32,
    },
    Value {
        #[serde(rename = "type")]
        ty: TypeRef,
    },
    Module,
    Component,
}

#[derive(Debug, Serialize)]
struct FunctionReport {
    #[serde(rename = "async")]
    is_async: bool,
    params: Vec<Field>,
    result: Option<TypeRef>,
}

/// A primitive type by its name, another type by its index in the table.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum TypeRef {
    Primitive(String),
    Index(usize),
}

/// A field with its type, or a case with its payload.
#[derive(Debug, Serialize)]
struct Field {
    name: String,
    #[serde(rename = "type")]
    ty: Option<TypeRef>,
}

/// A type with parts.
#[derive(Debug, Serialize)]
pub(super) struct TypeReport {
    name: Option<String>,
    #[serde(flatten)]
    detail: TypeDetail,
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum TypeDetail {
    Record {
        fields: Vec<Field>,
    },
    Variant {
        cases: Vec<Field>,
    },
    Enum {
        cases: Vec<String>,
    },
    Flags {
        flags: Vec<String>,
    },
    Tuple {
        types: Vec<TypeRef>,
    },
    List {
        element: TypeRef,
        /// `null` unless it is fixed.
        length: Option<u32>,
    },
    Map {
        key: TypeRef,
        value: TypeRef,
    },
    Option {
        some: TypeRef,
    },
    Result {
        ok: Option<TypeRef>,
        err: Option<TypeRef>,
    },
    Own(ResourceReport),
    Borrow(ResourceReport),
    Stream {
        element: Option<TypeRef>,
    },
    Future {
        value: Option<TypeRef>,
    },
    Other,
}

#[derive(Debug, Serialize)]
struct ResourceReport {
    resource: u32,
    resource_name: Option<String>,
}

/// Each type once, after the types that it refers to.
#[derive(Debug, Default)]
pub(super) struct TypeTable {
    types: Vec<TypeReport>,
    indices: HashMap<*const TypeDef, usize>,
}

impl TypeTable {
    pub(super) fn into_reports(self) -> Vec<TypeReport> {
        self.types
    }

    /// Describes imports or exports, and adds their types to the table.
    pub(super) fn items(&mut self, items: &[ComponentExtern]) -> Vec<ItemReport> {
        let one = |ComponentExtern { name, item }: &_| ItemReport { name: owned(name), item: self.item(item) };
        items.iter().map(one).collect()
    }

    fn item(&mut self, item: &ComponentItem) -> ItemDetail {
        match item {
            ComponentItem::Func(ty) => ItemDetail::Func { ty: self.function(ty) },
            ComponentItem::Instance(items) => ItemDetail::Instance { items: self.items(items) },
            ComponentItem::Type(ty) => ItemDetail::Type { ty: Some(self.ty(ty)) },
            ComponentItem::Resource(resource) => ItemDetail::Resource { resource: resource.number },
            ComponentItem::Value(ty) => ItemDetail::Value { ty: self.ty(ty) },
            ComponentItem::Module => ItemDetail::Module,
            ComponentItem::Component => ItemDetail::Component,
            _ => ItemDetail::Type { ty: None },
        }
    }

    fn function(&mut self, ty: &WitFunction) -> FunctionReport {
        let params = self.fields(ty.params());
        FunctionReport { is_async: ty.is_async(), params, result: self.payload(ty.result()) }
    }

    fn ty(&mut self, ty: &WitType) -> TypeRef {
        let WitType::Defined(def) = ty else { return TypeRef::Primitive(ty.to_string()) };
        if let Some(index) = self.indices.get(&Arc::as_ptr(def)) {
            return TypeRef::Index(*index);
        }
        let report = TypeReport { name: def.name.as_ref().map(owned), detail: self.detail(&def.kind) };
        let index = self.types.len();
        self.types.push(report);
        self.indices.insert(Arc::as_ptr(def), index);
        TypeRef::Index(index)
    }

    fn detail(&mut self, kind: &TypeKind) -> TypeDetail {
        match kind {
            TypeKind::Record(fields) => TypeDetail::Record { fields: self.fields(fields) },
            TypeKind::Variant(cases) => {
                let case = |(name, ty): &(Name, Option<_>)| Field { name: owned(name), ty: self.payload(ty.as_ref()) };
                TypeDetail::Variant { cases: cases.iter().map(case).collect() }
            }
            TypeKind::Enum(cases) => TypeDetail::Enum { cases: cases.iter().map(owned).collect() },
            TypeKind::Flags(flags) => TypeDetail::Flags { flags: flags.iter().map(owned).collect() },
            TypeKind::Tuple(types) => TypeDetail::Tuple { types: types.iter().map(|ty| self.ty(ty)).collect() },
            TypeKind::List(ty) => TypeDetail::List { element: self.ty(ty), length: None },
            TypeKind::FixedLengthList(ty, length) => TypeDetail::List { element: self.ty(ty), length: Some(*length) },
            TypeKind::Map(key, value) => TypeDetail::Map { key: self.ty(key), value: self.ty(value) },
            TypeKind::Option(ty) => TypeDetail::Option { some: self.ty(ty) },
            TypeKind::Result { ok, err } => {
                TypeDetail::Result { ok: self.payload(ok.as_ref()), err: self.payload(err.as_ref()) }
            }
            TypeKind::Own(resource) => TypeDetail::Own(resource_report(resource)),
            TypeKind::Borrow(resource) => TypeDetail::Borrow(resource_report(resource)),
            TypeKind::Stream(ty) => TypeDetail::Stream { element: self.payload(ty.as_ref()) },
            TypeKind::Future(ty) => TypeDetail::Future { value: self.payload(ty.as_ref()) },
            _ => TypeDetail::Other,
        }
    }

    fn fields(&mut self, fields: &[(Name, WitType)]) -> Vec<Field> {
        fields.iter().map(|(name, ty)| Field { name: owned(name), ty: Some(self.ty(ty)) }).collect()
    }

    fn payload(&mut self, ty: Option<&WitType>) -> Option<TypeRef> {
        ty.map(|ty| self.ty(ty))
    }
}

fn resource_report(resource: &Resource) -> ResourceReport {
    ResourceReport { resource: resource.number, resource_name: resource.name.as_ref().map(owned) }
}

fn owned(name: &Name) -> String {
    name.to_string()
}
