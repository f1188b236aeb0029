//! Converts the types of a validated component.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use wasmparser::PrimitiveValType;
use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentDefinedType, ComponentDefinedTypeId, ComponentEntityType, ComponentFuncTypeId,
    ComponentInstanceTypeId, ComponentItem as Item, ComponentValType, ResourceId,
};
use wasmparser::names::KebabString;
use wasmparser::types::Types;

use crate::component::info::{ComponentExtern, ComponentItem};
use crate::component::types::{Name, Resource, TypeDef, TypeKind, WitFunction, WitType};

/// A named item of a component.
pub(super) type NamedItem<'t> = (&'t str, &'t Item);

/// Converts types, each once: equal ids share one definition. Validation limits how deep types are nested (100) and how large
/// all imports and exports together are (1,000,000 types).
pub(super) struct TypeReader<'t> {
    types: &'t Types,
    texts: HashMap<&'t str, Name>,
    names: HashMap<ComponentDefinedTypeId, Name>,
    resources: HashMap<ResourceId, Resource>,
    converted: HashMap<ComponentDefinedTypeId, WitType>,
    instances: HashMap<ComponentInstanceTypeId, Arc<[ComponentExtern]>>,
}

impl<'t> TypeReader<'t> {
    /// Finds the names of all types: those under which the items, or the instances among them, export or import them.
    pub(super) fn new(types: &'t Types, items: impl Iterator<Item = NamedItem<'t>>) -> Self {
        let mut reader = Self {
            types,
            texts: HashMap::new(),
            names: HashMap::new(),
            resources: HashMap::new(),
            converted: HashMap::new(),
            instances: HashMap::new(),
        };
        let mut visited = HashSet::new();
        items.for_each(|item| reader.find_names(item, &mut visited));
        reader
    }

    fn find_names(&mut self, (name, item): NamedItem<'t>, visited: &mut HashSet<ComponentInstanceTypeId>) {
        match item.ty {
            ComponentEntityType::Type { created: ComponentAnyTypeId::Defined(id), .. } => {
                let name = self.text(name);
                self.names.entry(id).or_insert(name);
            }
            ComponentEntityType::Type { created: ComponentAnyTypeId::Resource(id), .. } => {
                let name = Some(self.text(name));
                let resource = self.resource(id.resource());
                if resource.name.is_none() {
                    resource.name = name;
                }
            }
            ComponentEntityType::Instance(id) if visited.insert(id) => {
                let types = self.types;
                for (name, item) in &types[id].exports {
                    self.find_names((name, item), visited);
                }
            }
            _ => {}
        }
    }

    /// Converts imports or exports.
    pub(super) fn externs(&mut self, items: impl Iterator<Item = NamedItem<'t>>) -> Vec<ComponentExtern> {
        items.map(|(name, item)| ComponentExtern { name: self.text(name), item: self.item(&item.ty) }).collect()
    }

    fn item(&mut self, ty: &ComponentEntityType) -> ComponentItem {
        match *ty {
            ComponentEntityType::Func(id) => ComponentItem::Func(self.function(id)),
            ComponentEntityType::Instance(id) => ComponentItem::Instance(self.instance(id)),
            ComponentEntityType::Value(ty) => ComponentItem::Value(self.value_type(ty)),
            ComponentEntityType::Module(_) => ComponentItem::Module,
            ComponentEntityType::Component(_) => ComponentItem::Component,
            ComponentEntityType::Type { created, .. } => match created {
                ComponentAnyTypeId::Defined(id) => ComponentItem::Type(self.defined(id)),
                ComponentAnyTypeId::Resource(id) => ComponentItem::Resource(self.resource(id.resource()).clone()),
                ComponentAnyTypeId::Func(_) | ComponentAnyTypeId::Instance(_) | ComponentAnyTypeId::Component(_) => {
                    ComponentItem::OtherType
                }
            },
        }
    }

    fn instance(&mut self, id: ComponentInstanceTypeId) -> Arc<[ComponentExtern]> {
        if let Some(items) = self.instances.get(&id) {
            return Arc::clone(items);
        }
        let types = self.types;
        let items: Arc<[_]> = self.externs(types[id].exports.iter().map(|(name, item)| (name.as_str(), item))).into();
        self.instances.insert(id, Arc::clone(&items));
        items
    }

    fn function(&mut self, id: ComponentFuncTypeId) -> WitFunction {
        let types = self.types;
        let ty = &types[id];
        let params: Vec<_> = ty.params.iter().map(|(name, ty)| (self.text(name), self.value_type(*ty))).collect();
        let result = ty.result.map(|ty| self.value_type(ty));
        WitFunction::new(params, result, ty.async_)
    }

    fn value_type(&mut self, ty: ComponentValType) -> WitType {
        match ty {
            ComponentValType::Primitive(ty) => primitive(ty),
            ComponentValType::Type(id) => self.defined(id),
        }
    }

    fn defined(&mut self, id: ComponentDefinedTypeId) -> WitType {
        if let Some(ty) = self.converted.get(&id) {
            return ty.clone();
        }
        let name = self.names.get(&id).cloned();
        let ty = match self.types.as_ref().peel_alias(id) {
            Some(original) if name.is_none() => self.defined(original),
            _ => match self.kind(id) {
                Ok(kind) => WitType::Defined(Arc::new(TypeDef { name, kind })),
                Err(primitive) => primitive,
            },
        };
        self.converted.insert(id, ty.clone());
        ty
    }

    /// Returns the parts of a type, or the primitive type for which it is another name.
    fn kind(&mut self, id: ComponentDefinedTypeId) -> Result<TypeKind, WitType> {
        let types = self.types;
        Ok(match &types[id] {
            ComponentDefinedType::Primitive(ty) => return Err(primitive(*ty)),
            ComponentDefinedType::Record(record) => {
                let fields = record.fields.iter().map(|(name, ty)| (self.text(name), self.value_type(*ty)));
                TypeKind::Record(fields.collect())
            }
            ComponentDefinedType::Variant(variant) => {
                let cases = variant.cases.iter().map(|(name, case)| (self.text(name), self.payload(case.ty)));
                TypeKind::Variant(cases.collect())
            }
            ComponentDefinedType::Enum(names) => TypeKind::Enum(self.labels(names)),
            ComponentDefinedType::Flags(names) => TypeKind::Flags(self.labels(names)),
            ComponentDefinedType::Tuple(tuple) => {
                TypeKind::Tuple(tuple.types.iter().map(|ty| self.value_type(*ty)).collect())
            }
            ComponentDefinedType::List { element, .. } => TypeKind::List(self.value_type(*element)),
            ComponentDefinedType::FixedLengthList { element, length, .. } => {
                TypeKind::FixedLengthList(self.value_type(*element), *length)
            }
            ComponentDefinedType::Map { key, value, .. } => {
                TypeKind::Map(self.value_type(*key), self.value_type(*value))
            }
            ComponentDefinedType::Option { ty, .. } => TypeKind::Option(self.value_type(*ty)),
            ComponentDefinedType::Result { ok, err, .. } => {
                TypeKind::Result { ok: self.payload(*ok), err: self.payload(*err) }
            }
            ComponentDefinedType::Own(id) => TypeKind::Own(self.resource(id.resource()).clone()),
            ComponentDefinedType::Borrow(id) => TypeKind::Borrow(self.resource(id.resource()).clone()),
            ComponentDefinedType::Future { ty, .. } => TypeKind::Future(self.payload(*ty)),
            ComponentDefinedType::Stream { ty, .. } => TypeKind::Stream(self.payload(*ty)),
        })
    }

    fn payload(&mut self, ty: Option<ComponentValType>) -> Option<WitType> {
        ty.map(|ty| self.value_type(ty))
    }

    fn labels(&mut self, names: impl IntoIterator<Item = &'t KebabString>) -> Box<[Name]> {
        names.into_iter().map(|name| self.text(name)).collect()
    }

    fn resource(&mut self, id: ResourceId) -> &mut Resource {
        let number = u32::try_from(self.resources.len()).unwrap_or(u32::MAX);
        self.resources.entry(id).or_insert(Resource { name: None, number })
    }

    /// Shares texts: a name that a thousand instances export is kept once.
    fn text(&mut self, text: &'t str) -> Name {
        Arc::clone(self.texts.entry(text).or_insert_with(|| text.into()))
    }
}

fn primitive(ty: PrimitiveValType) -> WitType {
    match ty {
        PrimitiveValType::Bool => WitType::Bool,
        PrimitiveValType::S8 => WitType::S8,
        PrimitiveValType::U8 => WitType::U8,
        PrimitiveValType::S16 => WitType::S16,
        PrimitiveValType::U16 => WitType::U16,
        PrimitiveValType::S32 => WitType::S32,
        PrimitiveValType::U32 => WitType::U32,
        PrimitiveValType::S64 => WitType::S64,
        PrimitiveValType::U64 => WitType::U64,
        PrimitiveValType::F32 => WitType::F32,
        PrimitiveValType::F64 => WitType::F64,
        PrimitiveValType::Char => WitType::Char,
        PrimitiveValType::String => WitType::String,
        PrimitiveValType::ErrorContext => WitType::ErrorContext,
    }
}
