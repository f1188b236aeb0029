//! Refuses to print components whose description would be too long.

use std::collections::HashMap;
use std::sync::Arc;

use crate::component::info::{ComponentExtern, ComponentInfo, ComponentItem};
use crate::component::types::{Name, TypeDef, TypeKind, WitType};
use crate::error::{Error, ErrorKind, Result};

/// The most bytes of a component's imports and exports as text. Those that all of WASI needs are 70 KB.
const MAX_TEXT: u64 = 16 << 20;

impl ComponentInfo {
    /// Checks that the imports and exports can be printed. Some hundred kilobytes can describe gigabytes: parts and names that
    /// are used a million times are stored once.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedFeature`] if they are longer than 16 MiB.
    pub fn check_printable(&self) -> Result<()> {
        let mut measure = Measure::default();
        let length = measure.externs(&self.imports).saturating_add(measure.externs(&self.exports));
        if length <= MAX_TEXT {
            return Ok(());
        }
        let message = format!("the component's imports and exports are too long to print: {length} bytes");
        Err(Error::new(ErrorKind::UnsupportedFeature, message))
    }
}

/// Measures texts, each type once.
#[derive(Default)]
struct Measure(HashMap<*const TypeDef, u64>);

/// Bytes around a name, such as indentation and punctuation.
const AROUND: u64 = 8;

fn sum(lengths: impl Iterator<Item = u64>) -> u64 {
    lengths.fold(0, u64::saturating_add)
}

fn name(name: &Name) -> u64 {
    name.len() as u64 + AROUND
}

impl Measure {
    fn externs(&mut self, externs: &[ComponentExtern]) -> u64 {
        sum(externs.iter().map(|one| name(&one.name).saturating_add(self.item(&one.item))))
    }

    fn item(&mut self, item: &ComponentItem) -> u64 {
        match item {
            ComponentItem::Func(ty) => self.fields(ty.params()).saturating_add(self.payload(ty.result())),
            ComponentItem::Instance(items) => self.externs(items),
            ComponentItem::Type(WitType::Defined(def)) => self.kind(&def.kind),
            ComponentItem::Value(ty) => self.ty(ty),
            _ => AROUND,
        }
    }

    /// The length of a type where it is used: of its name, if it has one.
    fn ty(&mut self, ty: &WitType) -> u64 {
        let WitType::Defined(def) = ty else { return AROUND };
        if let Some(text) = &def.name {
            return name(text);
        }
        if let Some(length) = self.0.get(&Arc::as_ptr(def)) {
            return *length;
        }
        let length = self.kind(&def.kind);
        self.0.insert(Arc::as_ptr(def), length);
        length
    }

    fn kind(&mut self, kind: &TypeKind) -> u64 {
        let parts = match kind {
            TypeKind::Record(fields) => self.fields(fields),
            TypeKind::Variant(cases) => {
                sum(cases.iter().map(|(case, ty)| name(case).saturating_add(self.payload(ty.as_ref()))))
            }
            TypeKind::Enum(names) | TypeKind::Flags(names) => sum(names.iter().map(name)),
            TypeKind::Tuple(types) => sum(types.iter().map(|ty| self.ty(ty))),
            TypeKind::List(ty) | TypeKind::FixedLengthList(ty, _) | TypeKind::Option(ty) => self.ty(ty),
            TypeKind::Map(key, value) => self.ty(key).saturating_add(self.ty(value)),
            TypeKind::Result { ok, err } => self.payload(ok.as_ref()).saturating_add(self.payload(err.as_ref())),
            TypeKind::Own(resource) | TypeKind::Borrow(resource) => resource.name.as_ref().map_or(AROUND, name),
            TypeKind::Stream(ty) | TypeKind::Future(ty) => self.payload(ty.as_ref()),
        };
        parts.saturating_add(AROUND)
    }

    fn fields(&mut self, fields: &[(Name, WitType)]) -> u64 {
        sum(fields.iter().map(|(field, ty)| name(field).saturating_add(self.ty(ty))))
    }

    fn payload(&mut self, ty: Option<&WitType>) -> u64 {
        ty.map_or(0, |ty| self.ty(ty))
    }
}
