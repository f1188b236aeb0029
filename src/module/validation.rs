//! Validation by the specification, of just the features that an engine has.

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use wasmparser::types::Types;
use wasmparser::{
    FuncToValidate, FuncValidatorAllocations, FunctionBody, Parser, ValidPayload, Validator, WasmFeatures,
};

use crate::error::{Error, ErrorKind, Result};
use crate::module::pool;

/// The types of a binary that uses no more than `features`.
pub(crate) fn validate(binary: &[u8], features: WasmFeatures) -> Result<Types> {
    let at_once = || validate_on_threads(binary, features);
    if let Some(types) = (binary.len() >= LARGE && pool::has_threads()).then(at_once).flatten() {
        return Ok(types);
    }
    // In order, so that it is the first error that is told.
    Validator::new_with_features(features).validate_all(binary).map_err(|error| invalid(&error))
}

/// From this many bytes on, functions are validated on all threads (69 MB: 0.4 s on one).
const LARGE: usize = 1 << 20;

/// Validates a module as [`Validator::validate_all`] does, but its functions on all threads, once all else of it is found to
/// be valid; `None` where anything is not.
fn validate_on_threads(binary: &[u8], features: WasmFeatures) -> Option<Types> {
    let mut validator = Validator::new_with_features(features);
    // Some features are ways to write a module, which only its reader knows of.
    let mut parser = Parser::new(0);
    parser.set_features(features);
    let (mut functions, mut types) = (Vec::new(), None);
    for payload in parser.parse_all(binary) {
        match validator.payload(&payload.ok()?).ok()? {
            ValidPayload::Func(function, body) => functions.push((function, body)),
            ValidPayload::End(found) => types = Some(found),
            ValidPayload::Ok | ValidPayload::Parser(_) => {}
        }
    }
    let is_valid = |kept: &mut FuncValidatorAllocations, (function, body): (FuncToValidate<_>, FunctionBody<'_>)| {
        let mut validator = function.into_validator(std::mem::take(kept));
        let validated = validator.validate(&body);
        *kept = validator.into_allocations();
        validated.is_ok()
    };
    let all_valid = functions.into_par_iter().map_init(FuncValidatorAllocations::default, is_valid).all(|valid| valid);
    types.filter(|_| all_valid)
}

/// What a malformed or invalid module fails with.
pub(crate) fn invalid(error: &wasmparser::BinaryReaderError) -> Error {
    let message = format!("invalid module: {} (at offset {:#x})", error.message(), error.offset());
    Error::new(ErrorKind::InvalidModule, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_validated_alike_on_one_thread_and_on_all() {
        let padding = "(func (drop (i32.const 1)))".repeat(1000);
        let cases = [
            ("valid", String::new()),
            ("of a wrong type", "(func (result i32) i64.const 1)".to_owned()),
            ("of a feature that is not there", "(func (drop (v128.const i64x2 0 0)))".to_owned()),
            (
                "outside of functions",
                "(start 0) (func $f (param i32)) (export \"a\" (func 0)) (export \"a\" (func 0))".to_owned(),
            ),
        ];
        let modules =
            cases.map(|(what, more)| (what, wat::parse_str(format!("(module {padding} {more} {padding})")).unwrap()));
        for (what, binary) in modules.into_iter().chain([("written as a feature has it that is not there", compact())])
        {
            let features = WasmFeatures::default() - WasmFeatures::SIMD - WasmFeatures::COMPACT_IMPORTS;
            let on_one = Validator::new_with_features(features).validate_all(&binary);
            let on_all = validate_on_threads(&binary, features);
            assert_eq!((on_one.is_ok(), on_all.is_some()), (what == "valid", what == "valid"), "{what}");
        }
    }

    /// A module with two imports of one module, whose name is written once (the proposal of compact imports).
    fn compact() -> Vec<u8> {
        let imports = [1, 1, b'm', 0, 0x7f, 2, 1, b'a', 0, 0, 1, b'b', 0, 0];
        let binary = [&b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x0e"[..], &imports].concat();
        let with_all = Validator::new_with_features(WasmFeatures::all()).validate_all(&binary);
        assert!(with_all.is_ok(), "{:?}", with_all.err());
        binary
    }
}
