//! Refuses functions with types whose values the host cannot pass.

use crate::component::check::is_too_long;
use crate::component::types::{Name, TypeKind, WitFunction, WitType};
use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;

/// Checks that the host can pass all values of a function that it provides.
///
/// # Errors
/// [`ErrorKind::UnsupportedFeature`] if a type contains a resource, a stream, a future or an error context.
pub(super) fn check_host_function(name: &Name, ty: &WitFunction) -> Result<()> {
    match ty.params().iter().map(|(_, ty)| ty).chain(ty.result()).find_map(opaque) {
        None => Ok(()),
        Some(part) => {
            let message = format!("the host cannot provide `{}: {ty}`: unsupported type {part}", Escaped(name));
            Err(Error::new(ErrorKind::UnsupportedFeature, message))
        }
    }
}

/// Returns the first part of a type whose values only the engine understands.
fn opaque(ty: &WitType) -> Option<String> {
    match ty {
        WitType::ErrorContext => Some(ty.to_string()),
        WitType::Defined(def) => match &def.kind {
            TypeKind::Record(fields) => fields.iter().find_map(|(_, ty)| opaque(ty)),
            TypeKind::Variant(cases) => cases.iter().find_map(|(_, ty)| opaque(ty.as_ref()?)),
            TypeKind::Tuple(types) => types.iter().find_map(opaque),
            TypeKind::FixedLengthList(..) if is_too_long(ty) => Some(ty.to_string()),
            TypeKind::List(ty) | TypeKind::FixedLengthList(ty, _) | TypeKind::Option(ty) => opaque(ty),
            TypeKind::Map(key, value) => opaque(key).or_else(|| opaque(value)),
            TypeKind::Result { ok, err } => [ok, err].into_iter().flatten().find_map(opaque),
            TypeKind::Own(_) | TypeKind::Borrow(_) | TypeKind::Stream(_) | TypeKind::Future(_) => {
                Some(def.kind.to_string())
            }
            TypeKind::Enum(_) | TypeKind::Flags(_) => None,
        },
        _ => None,
    }
}
