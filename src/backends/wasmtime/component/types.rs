//! Refuses functions with types whose values the host cannot pass.

use crate::component::lookup::FunctionPath;
use crate::component::types::{Name, TypeKind, WitFunction, WitType};
use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;

/// Checks that the host can pass all values of an exported function.
///
/// # Errors
/// [`ErrorKind::UnsupportedFeature`] if a type contains a stream, a future or an error context.
pub(super) fn check_callable(path: &FunctionPath) -> Result<()> {
    match opaque_part(&path.ty, true) {
        None => Ok(()),
        Some(part) => {
            let message = format!("cannot call `{path}: {}`: unsupported type {part}", path.ty);
            Err(Error::new(ErrorKind::UnsupportedFeature, message))
        }
    }
}

/// Checks that the host can pass all values of a function that it provides.
///
/// # Errors
/// [`ErrorKind::UnsupportedFeature`] if a type contains a resource, or one that [`check_callable`] refuses.
pub(super) fn check_host_function(name: &Name, ty: &WitFunction) -> Result<()> {
    match opaque_part(ty, false) {
        None => Ok(()),
        Some(part) => {
            let message = format!("the host cannot provide `{}: {ty}`: unsupported type {part}", Escaped(name));
            Err(Error::new(ErrorKind::UnsupportedFeature, message))
        }
    }
}

/// Returns the first type in a signature whose values only the engine understands.
fn opaque_part(ty: &WitFunction, passes_resources: bool) -> Option<String> {
    ty.params().iter().map(|(_, ty)| ty).chain(ty.result()).find_map(|ty| opaque(ty, passes_resources))
}

fn opaque(ty: &WitType, passes_resources: bool) -> Option<String> {
    let opaque = |ty: &WitType| opaque(ty, passes_resources);
    match ty {
        WitType::ErrorContext => Some(ty.to_string()),
        WitType::Defined(def) => match &def.kind {
            TypeKind::Record(fields) => fields.iter().find_map(|(_, ty)| opaque(ty)),
            TypeKind::Variant(cases) => cases.iter().find_map(|(_, ty)| opaque(ty.as_ref()?)),
            TypeKind::Tuple(types) => types.iter().find_map(opaque),
            TypeKind::List(ty) | TypeKind::FixedLengthList(ty, _) | TypeKind::Option(ty) => opaque(ty),
            TypeKind::Map(key, value) => opaque(key).or_else(|| opaque(value)),
            TypeKind::Result { ok, err } => [ok, err].into_iter().flatten().find_map(opaque),
            TypeKind::Own(_) | TypeKind::Borrow(_) => (!passes_resources).then(|| def.kind.to_string()),
            TypeKind::Stream(_) | TypeKind::Future(_) => Some(def.kind.to_string()),
            TypeKind::Enum(_) | TypeKind::Flags(_) => None,
        },
        _ => None,
    }
}
