//! Whether a module and a function of it fit a convention.

use crate::component::info::CodeInfo;
use crate::component::types::{Name, WitFunction, WitType};
use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;
use crate::module::info::ModuleInfo;
use crate::module::requirements::{self, EXTISM_ENV, is_plugin_type};
use crate::runtime::lookup;
use crate::runtime::text_abi::buffers::Buffers;
use crate::runtime::text_abi::{Abi, Payload, TextOptions, payload};
use crate::value::types::{FuncType, ValType};

/// Returns the name of the exported memory and the type of pointers into it.
///
/// # Errors
/// [`ErrorKind::UnsupportedFeature`] if none is exported, or several and none of them is named `memory`.
pub(super) fn memory(info: &ModuleInfo) -> Result<(&str, ValType)> {
    let memories = lookup::memories(info);
    match lookup::default_memory(&memories) {
        Some((name, ty)) => Ok((name, if ty.memory64 { ValType::I64 } else { ValType::I32 })),
        None if memories.is_empty() => Err(refused("the module exports no memory, so text cannot be written to it")),
        None => Err(refused("the module exports several memories, and none of them as `memory`")),
    }
}

fn refused(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::UnsupportedFeature, message)
}

/// Finds a function of a plug-in.
///
/// # Errors
/// [`ErrorKind::UnknownExport`] if there is no such function; [`ErrorKind::UnsupportedFeature`] if it has another type, or is not a
/// function of a plug-in.
pub(super) fn plugin<'n>(info: &CodeInfo, name: Option<&'n str>) -> Result<&'n str> {
    let info = match info {
        CodeInfo::Module(info) if requirements::imports_extism(info) => info,
        _ => return Err(refused(format!("this is not an Extism plug-in: it does not import `{EXTISM_ENV}`"))),
    };
    let Some(name) = name else {
        let error = Error::new(ErrorKind::UnknownExport, "no function given: a call of an Extism plug-in needs one");
        return Err(error.with_hint(lookup::list_of_functions(info)));
    };
    let ty = lookup::find_callable(info, name)?;
    if !is_plugin_type(ty) {
        let name = Escaped(name);
        return Err(refused(format!(
            "`{name}{ty}` is not a function of an Extism plug-in: it needs the type () -> i32 or () -> ()"
        )));
    }
    Ok(name)
}

/// Returns the conventions for text that a function of a module fits by its type. Whether it follows one is not known.
#[must_use]
pub fn fitting(info: &ModuleInfo, ty: &FuncType) -> Vec<Abi> {
    let Ok((name, pointer)) = memory(info) else { return Vec::new() };
    let has_allocator = Buffers::find(info, (name, pointer.clone()), &TextOptions::default())
        .is_ok_and(|buffers| buffers.alloc.is_some());
    let mut conventions = Vec::new();
    if has_allocator && fits_packed(ty, &pointer) {
        conventions.push(Abi::Packed);
    }
    if has_allocator && fits_cstr(ty, &pointer) {
        conventions.push(Abi::Cstr);
    }
    conventions
}

/// Returns the type of a function that fits [`Abi::Packed`].
///
/// # Errors
/// [`ErrorKind::UnsupportedFeature`] if it does not fit.
pub(super) fn packed(name: &str, ty: &FuncType, pointer: &ValType, payload: Payload) -> Result<WitFunction> {
    if fits_packed(ty, pointer) {
        return Ok(payload::function(payload));
    }
    let packed = if *pointer == ValType::I32 { "i64 or " } else { "" };
    let needed = format!("({pointer}, {pointer}) -> {packed}({pointer}, {pointer})");
    let error = misfit(Abi::Packed, name, ty, &format!("it needs the type {needed}"));
    Err(if fits_cstr(ty, pointer) { error.with_hint("it fits `--abi cstr`") } else { error })
}

/// Returns whether a function fits [`Abi::Packed`].
pub(super) fn fits_packed(ty: &FuncType, pointer: &ValType) -> bool {
    let is_pair = |types: &[ValType]| matches!(types, [a, b] if a == pointer && b == pointer);
    let is_packed = |types: &[ValType]| *pointer == ValType::I32 && *types == [ValType::I64];
    is_pair(ty.params()) && (is_pair(ty.results()) || is_packed(ty.results()))
}

/// Returns whether a function fits [`Abi::Cstr`] and takes or returns a pointer.
pub(super) fn fits_cstr(ty: &FuncType, pointer: &ValType) -> bool {
    let is_number = |ty: &ValType| matches!(ty, ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64);
    let values = || ty.params().iter().chain(ty.results());
    ty.results().len() <= 1 && values().all(is_number) && values().any(|ty| ty == pointer)
}

/// Returns the type of a function that fits [`Abi::Cstr`].
///
/// # Errors
/// [`ErrorKind::UnsupportedFeature`] if it does not fit.
pub(super) fn cstr(name: &str, ty: &FuncType, pointer: &ValType, payload: Payload) -> Result<WitFunction> {
    if !fits_cstr(ty, pointer) {
        let needed = format!("it needs numbers, at least one {pointer}, and at most one result");
        return Err(misfit(Abi::Cstr, name, ty, &needed));
    }
    let number = |ty: &ValType| match ty {
        ValType::I32 => WitType::S32,
        ValType::I64 => WitType::S64,
        ValType::F32 => WitType::F32,
        _ => WitType::F64,
    };
    let pointers = ty.params().iter().filter(|ty| *ty == pointer).count();
    let argument = match payload {
        Payload::Text => WitType::StringOrInteger,
        Payload::Json | Payload::Bytes if pointers <= 1 => payload::ty(payload),
        Payload::Json | Payload::Bytes => {
            let needed = format!("with `--payload {payload}`, it needs one parameter of type {pointer}");
            return Err(misfit(Abi::Cstr, name, ty, &needed));
        }
    };
    let params = ty.params().iter().enumerate().map(|(index, ty)| {
        let ty = if ty == pointer { argument.clone() } else { number(ty) };
        (Name::from(format!("arg{}", index + 1)), ty)
    });
    let result = ty.results().first().map(|ty| if ty == pointer { payload::ty(payload) } else { number(ty) });
    Ok(WitFunction::new(params.collect::<Vec<_>>(), result, false))
}

fn misfit(abi: Abi, name: &str, ty: &FuncType, needed: &str) -> Error {
    refused(format!("`{}{ty}` does not fit the convention `{abi}`: {needed}", Escaped(name)))
}
