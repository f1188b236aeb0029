//! Validation against the specification, restricted to the features that an engine supports.

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use wasmparser::types::Types;
use wasmparser::{
    FuncToValidate, FuncValidatorAllocations, FunctionBody, Parser, ValidPayload, Validator, WasmFeatures,
};

use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;
use crate::module::threads;

/// Validates a binary that may use `features` only, and returns its types.
///
/// # Errors
/// Returns [`ErrorKind::InvalidModule`] with the first error in the binary.
pub(crate) fn validate(binary: &[u8], features: WasmFeatures) -> Result<Types> {
    let in_parallel = || validate_on_threads(binary, features);
    if let Some(types) = (binary.len() >= PARALLEL_MIN && threads::has_threads()).then(in_parallel).flatten() {
        return Ok(types);
    }
    // Sequentially, so that the reported error is the first one.
    Validator::new_with_features(features).validate_all(binary).map_err(|error| invalid(&error, binary))
}

/// The size in bytes from which functions are validated on all threads (69 MB: 0.4 s on one).
const PARALLEL_MIN: usize = 1 << 20;

/// Validates a binary like [`Validator::validate_all`], but its functions on all threads after the rest of it. Returns `None`
/// if it is invalid.
fn validate_on_threads(binary: &[u8], features: WasmFeatures) -> Option<Types> {
    let mut validator = Validator::new_with_features(features);
    // Some features change the binary format, which the parser has to know.
    let mut parser = Parser::new(0);
    parser.set_features(features);
    let (mut functions, mut types) = (Vec::new(), None);
    for payload in parser.parse_all(binary) {
        match validator.payload(&payload.ok()?).ok()? {
            ValidPayload::Func(function, body) => functions.push((function, body)),
            // The modules and components in a component end before the component does.
            ValidPayload::End(found) => types = Some(found),
            ValidPayload::Ok | ValidPayload::Parser(_) => {}
        }
    }
    let is_valid = |allocations: &mut FuncValidatorAllocations,
                    (function, body): (FuncToValidate<_>, FunctionBody<'_>)| {
        let mut validator = function.into_validator(std::mem::take(allocations));
        let validated = validator.validate(&body);
        *allocations = validator.into_allocations();
        validated.is_ok()
    };
    let all_valid = functions.into_par_iter().map_init(FuncValidatorAllocations::default, is_valid).all(|valid| valid);
    types.filter(|_| all_valid)
}

/// Converts an error of the parser or validator about this binary.
pub(crate) fn invalid(error: &wasmparser::BinaryReaderError, binary: &[u8]) -> Error {
    let what = if Parser::is_component(binary) { "component" } else { "module" };
    let message = format!("invalid {what}: {} (at offset {:#x})", Escaped(error.message()), error.offset());
    Error::new(ErrorKind::InvalidModule, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_and_all_threads_agree() {
        let padding = "(func (drop (i32.const 1)))".repeat(1000);
        let cases = [
            ("valid", String::new()),
            ("type mismatch", "(func (result i32) i64.const 1)".to_owned()),
            ("disabled feature", "(func (drop (v128.const i64x2 0 0)))".to_owned()),
            (
                "invalid outside functions",
                "(start 0) (func $f (param i32)) (export \"a\" (func 0)) (export \"a\" (func 0))".to_owned(),
            ),
        ];
        let modules =
            cases.map(|(what, more)| (what, wat::parse_str(format!("(module {padding} {more} {padding})")).unwrap()));
        for (what, binary) in modules.into_iter().chain([("disabled binary format", compact())]) {
            let features = WasmFeatures::default() - WasmFeatures::SIMD - WasmFeatures::COMPACT_IMPORTS;
            let on_one = Validator::new_with_features(features).validate_all(&binary);
            let on_all = validate_on_threads(&binary, features);
            assert_eq!((on_one.is_ok(), on_all.is_some()), (what == "valid", what == "valid"), "{what}");
        }
    }

    /// A module with two imports from one module, whose name is written once (the compact imports proposal).
    fn compact() -> Vec<u8> {
        let imports = [1, 1, b'm', 0, 0x7f, 2, 1, b'a', 0, 0, 1, b'b', 0, 0];
        let binary = [&b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x0e"[..], &imports].concat();
        let with_all = Validator::new_with_features(WasmFeatures::all()).validate_all(&binary);
        assert!(with_all.is_ok(), "{:?}", with_all.err());
        binary
    }
}
