//! The facts of a component in a cache entry: names and types as tables, so that each shared one is written once.

use std::collections::HashMap;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::component::failure::MAX_DEPTH;
use crate::component::info::{ComponentExtern, ComponentInfo, ComponentItem};
use crate::component::types::{Name, Resource, TypeDef, TypeKind, WitFunction, WitType};
use crate::module::info::{CustomSection, Producer};

/// The number of types in a type with all its parts, each as often as it appears: the validator allows 1,000,000.
const MAX_SIZE: u64 = 1 << 24;

/// The index of a text in [`Encoded::names`].
type NameIndex = u32;

/// The index of a type: of a primitive type in [`PRIMITIVES`], or after these in [`Encoded::types`].
type TypeIndex = u32;

/// A [`ComponentInfo`] as it is written.
#[derive(Debug, Serialize, Deserialize)]
struct Encoded {
    names: Vec<Box<str>>,
    /// Types refer to earlier ones only.
    types: Vec<EncodedType>,
    name: Option<String>,
    size: usize,
    modules: u32,
    imports: Vec<EncodedExtern>,
    exports: Vec<EncodedExtern>,
    shares_memory: bool,
    waits: bool,
    is_concurrent: bool,
    custom_sections: Vec<CustomSection>,
    producers: Vec<Producer>,
}

#[derive(Debug, Serialize, Deserialize)]
struct EncodedType(Option<NameIndex>, Kind);

#[derive(Debug, Serialize, Deserialize)]
enum Kind {
    Record(Vec<(NameIndex, TypeIndex)>),
    Variant(Vec<(NameIndex, Option<TypeIndex>)>),
    Enum(Vec<NameIndex>),
    Flags(Vec<NameIndex>),
    Tuple(Vec<TypeIndex>),
    List(TypeIndex),
    FixedLengthList(TypeIndex, u32),
    Map(TypeIndex, TypeIndex),
    Option(TypeIndex),
    Result(Option<TypeIndex>, Option<TypeIndex>),
    Own(Option<NameIndex>, u32),
    Borrow(Option<NameIndex>, u32),
    Stream(Option<TypeIndex>),
    Future(Option<TypeIndex>),
}

#[derive(Debug, Serialize, Deserialize)]
struct EncodedExtern(NameIndex, Item);

#[derive(Debug, Serialize, Deserialize)]
enum Item {
    Func(Vec<(NameIndex, TypeIndex)>, Option<TypeIndex>, bool),
    Instance(Vec<EncodedExtern>),
    Type(TypeIndex),
    Resource(Option<NameIndex>, u32),
    OtherType,
    Module,
    Component,
    Value(TypeIndex),
}

/// The types without parts, in the order of their indices.
const PRIMITIVES: [WitType; 14] = [
    WitType::Bool,
    WitType::S8,
    WitType::U8,
    WitType::S16,
    WitType::U16,
    WitType::S32,
    WitType::U32,
    WitType::S64,
    WitType::U64,
    WitType::F32,
    WitType::F64,
    WitType::Char,
    WitType::String,
    WitType::ErrorContext,
];

impl Serialize for ComponentInfo {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut encoder = Encoder::default();
        let (imports, exports) = (encoder.externs(&self.imports), encoder.externs(&self.exports));
        let Encoder { names, types, .. } = encoder;
        let Self { size, modules, shares_memory, waits, is_concurrent, .. } = *self;
        let (name, custom_sections, producers) =
            (self.name.clone(), self.custom_sections.clone(), self.producers.clone());
        Encoded {
            names,
            types,
            name,
            size,
            modules,
            imports,
            exports,
            shares_memory,
            waits,
            is_concurrent,
            custom_sections,
            producers,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ComponentInfo {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let encoded = Encoded::deserialize(deserializer)?;
        let Encoded { name, size, modules, shares_memory, waits, is_concurrent, custom_sections, producers, .. } =
            encoded;
        let decoder = Decoder::new(encoded.names, encoded.types).map_err(D::Error::custom)?;
        let imports = decoder.externs(encoded.imports).map_err(D::Error::custom)?;
        let exports = decoder.externs(encoded.exports).map_err(D::Error::custom)?;
        Ok(Self {
            name,
            size,
            modules,
            imports,
            exports,
            shares_memory,
            waits,
            is_concurrent,
            custom_sections,
            producers,
        })
    }
}

#[derive(Default)]
struct Encoder {
    names: Vec<Box<str>>,
    name_indices: HashMap<Name, NameIndex>,
    types: Vec<EncodedType>,
    type_indices: HashMap<*const TypeDef, TypeIndex>,
}

impl Encoder {
    fn externs(&mut self, externs: &[ComponentExtern]) -> Vec<EncodedExtern> {
        let one = |ComponentExtern { name, item }: &_| EncodedExtern(self.name(name), self.item(item));
        externs.iter().map(one).collect()
    }

    fn item(&mut self, item: &ComponentItem) -> Item {
        match item {
            ComponentItem::Func(ty) => Item::Func(self.fields(ty.params()), self.payload(ty.result()), ty.is_async()),
            ComponentItem::Instance(items) => Item::Instance(self.externs(items)),
            ComponentItem::Type(ty) => Item::Type(self.ty(ty)),
            ComponentItem::Resource(Resource { name, number }) => {
                Item::Resource(self.optional_name(name.as_ref()), *number)
            }
            ComponentItem::OtherType => Item::OtherType,
            ComponentItem::Module => Item::Module,
            ComponentItem::Component => Item::Component,
            ComponentItem::Value(ty) => Item::Value(self.ty(ty)),
        }
    }

    fn ty(&mut self, ty: &WitType) -> TypeIndex {
        let WitType::Defined(def) = ty else {
            return index(PRIMITIVES.iter().position(|primitive| primitive == ty).unwrap_or(PRIMITIVES.len()));
        };
        let key = Arc::as_ptr(def);
        if let Some(found) = self.type_indices.get(&key) {
            return *found;
        }
        let encoded = EncodedType(self.optional_name(def.name.as_ref()), self.kind(&def.kind));
        let added = index(PRIMITIVES.len() + self.types.len());
        self.types.push(encoded);
        self.type_indices.insert(key, added);
        added
    }

    fn kind(&mut self, kind: &TypeKind) -> Kind {
        match kind {
            TypeKind::Record(fields) => Kind::Record(self.fields(fields)),
            TypeKind::Variant(cases) => {
                Kind::Variant(cases.iter().map(|(name, ty)| (self.name(name), self.payload(ty.as_ref()))).collect())
            }
            TypeKind::Enum(names) => Kind::Enum(names.iter().map(|name| self.name(name)).collect()),
            TypeKind::Flags(names) => Kind::Flags(names.iter().map(|name| self.name(name)).collect()),
            TypeKind::Tuple(types) => Kind::Tuple(types.iter().map(|ty| self.ty(ty)).collect()),
            TypeKind::List(ty) => Kind::List(self.ty(ty)),
            TypeKind::FixedLengthList(ty, length) => Kind::FixedLengthList(self.ty(ty), *length),
            TypeKind::Map(key, value) => Kind::Map(self.ty(key), self.ty(value)),
            TypeKind::Option(ty) => Kind::Option(self.ty(ty)),
            TypeKind::Result { ok, err } => Kind::Result(self.payload(ok.as_ref()), self.payload(err.as_ref())),
            TypeKind::Own(Resource { name, number }) => Kind::Own(self.optional_name(name.as_ref()), *number),
            TypeKind::Borrow(Resource { name, number }) => Kind::Borrow(self.optional_name(name.as_ref()), *number),
            TypeKind::Stream(ty) => Kind::Stream(self.payload(ty.as_ref())),
            TypeKind::Future(ty) => Kind::Future(self.payload(ty.as_ref())),
        }
    }

    fn fields(&mut self, fields: &[(Name, WitType)]) -> Vec<(NameIndex, TypeIndex)> {
        fields.iter().map(|(name, ty)| (self.name(name), self.ty(ty))).collect()
    }

    fn payload(&mut self, ty: Option<&WitType>) -> Option<TypeIndex> {
        ty.map(|ty| self.ty(ty))
    }

    fn optional_name(&mut self, name: Option<&Name>) -> Option<NameIndex> {
        name.map(|name| self.name(name))
    }

    fn name(&mut self, name: &Name) -> NameIndex {
        *self.name_indices.entry(Arc::clone(name)).or_insert_with(|| {
            self.names.push((**name).into());
            index(self.names.len() - 1)
        })
    }
}

fn index(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

/// The decoded tables.
struct Decoder {
    names: Vec<Name>,
    types: Vec<Measured>,
}

/// A type and its extent.
struct Measured {
    ty: WitType,
    extent: Extent,
}

/// How deep a type is nested, and the number of types in it.
#[derive(Clone, Copy, Default)]
struct Extent {
    depth: usize,
    size: u64,
}

type Decoded<T> = Result<T, &'static str>;

impl Decoder {
    fn new(names: Vec<Box<str>>, types: Vec<EncodedType>) -> Decoded<Self> {
        let names = names.into_iter().map(Name::from).collect();
        let measured = |ty| Measured { ty, extent: Extent { depth: 1, size: 1 } };
        let mut decoder = Self { names, types: PRIMITIVES.into_iter().map(measured).collect() };
        for EncodedType(name, kind) in types {
            let mut extent = Extent { depth: 0, size: 1 };
            let kind = decoder.kind(kind, &mut extent)?;
            // A primitive type has depth 1.
            extent.depth += 1;
            if extent.depth > MAX_DEPTH + 1 || extent.size > MAX_SIZE {
                return Err("a type is too large");
            }
            let def = TypeDef { name: decoder.optional_name(name)?, kind };
            decoder.types.push(Measured { ty: WitType::Defined(Arc::new(def)), extent });
        }
        Ok(decoder)
    }

    fn externs(&self, externs: Vec<EncodedExtern>) -> Decoded<Vec<ComponentExtern>> {
        let one = |EncodedExtern(name, item)| Ok(ComponentExtern { name: self.name(name)?, item: self.item(item)? });
        externs.into_iter().map(one).collect()
    }

    fn item(&self, item: Item) -> Decoded<ComponentItem> {
        let unmeasured = &mut Extent::default();
        Ok(match item {
            Item::Func(params, result, is_async) => {
                let (params, result) = (self.fields(params, unmeasured)?, self.payload(result, unmeasured)?);
                ComponentItem::Func(WitFunction::new(params, result, is_async))
            }
            Item::Instance(items) => ComponentItem::Instance(self.externs(items)?.into()),
            Item::Type(ty) => ComponentItem::Type(self.ty(ty, unmeasured)?),
            Item::Resource(name, number) => ComponentItem::Resource(self.resource(name, number)?),
            Item::OtherType => ComponentItem::OtherType,
            Item::Module => ComponentItem::Module,
            Item::Component => ComponentItem::Component,
            Item::Value(ty) => ComponentItem::Value(self.ty(ty, unmeasured)?),
        })
    }

    fn kind(&self, kind: Kind, extent: &mut Extent) -> Decoded<TypeKind> {
        Ok(match kind {
            Kind::Record(fields) => TypeKind::Record(self.fields(fields, extent)?),
            Kind::Variant(cases) => {
                let case = |(name, ty)| Ok((self.name(name)?, self.payload(ty, extent)?));
                TypeKind::Variant(cases.into_iter().map(case).collect::<Decoded<_>>()?)
            }
            Kind::Enum(names) => TypeKind::Enum(self.labels(names)?),
            Kind::Flags(names) => TypeKind::Flags(self.labels(names)?),
            Kind::Tuple(types) => {
                TypeKind::Tuple(types.into_iter().map(|ty| self.ty(ty, extent)).collect::<Decoded<_>>()?)
            }
            Kind::List(ty) => TypeKind::List(self.ty(ty, extent)?),
            Kind::FixedLengthList(ty, length) => TypeKind::FixedLengthList(self.ty(ty, extent)?, length),
            Kind::Map(key, value) => TypeKind::Map(self.ty(key, extent)?, self.ty(value, extent)?),
            Kind::Option(ty) => TypeKind::Option(self.ty(ty, extent)?),
            Kind::Result(ok, err) => {
                TypeKind::Result { ok: self.payload(ok, extent)?, err: self.payload(err, extent)? }
            }
            Kind::Own(name, number) => TypeKind::Own(self.resource(name, number)?),
            Kind::Borrow(name, number) => TypeKind::Borrow(self.resource(name, number)?),
            Kind::Stream(ty) => TypeKind::Stream(self.payload(ty, extent)?),
            Kind::Future(ty) => TypeKind::Future(self.payload(ty, extent)?),
        })
    }

    /// Returns a type that was decoded before, and adds its extent to that of the type it is part of.
    fn ty(&self, index: TypeIndex, whole: &mut Extent) -> Decoded<WitType> {
        let Measured { ty, extent } = self.types.get(index as usize).ok_or("a type refers to a later one")?;
        whole.depth = whole.depth.max(extent.depth);
        whole.size = whole.size.saturating_add(extent.size);
        Ok(ty.clone())
    }

    fn fields(&self, fields: Vec<(NameIndex, TypeIndex)>, extent: &mut Extent) -> Decoded<Box<[(Name, WitType)]>> {
        fields.into_iter().map(|(name, ty)| Ok((self.name(name)?, self.ty(ty, extent)?))).collect()
    }

    fn payload(&self, ty: Option<TypeIndex>, extent: &mut Extent) -> Decoded<Option<WitType>> {
        ty.map(|ty| self.ty(ty, extent)).transpose()
    }

    fn resource(&self, name: Option<NameIndex>, number: u32) -> Decoded<Resource> {
        Ok(Resource { name: self.optional_name(name)?, number })
    }

    fn labels(&self, names: Vec<NameIndex>) -> Decoded<Box<[Name]>> {
        names.into_iter().map(|name| self.name(name)).collect()
    }

    fn optional_name(&self, name: Option<NameIndex>) -> Decoded<Option<Name>> {
        name.map(|name| self.name(name)).transpose()
    }

    fn name(&self, index: NameIndex) -> Decoded<Name> {
        self.names.get(index as usize).cloned().ok_or("there is no name of this number")
    }
}
