//! A limit on `br_table` that Cranelift does not check on aarch64.

use wasmparser::{Operator, Parser, Payload};

use crate::engine::kind::Compiler;
use crate::error::{Error, ErrorKind, Result};

/// The most targets of a `br_table` that Cranelift may compile for aarch64. Version 0.134 places the table's 4-byte entries
/// between a conditional branch, which reaches 1 MiB, and the code that the branch jumps to. It compiles a table that is too
/// large without an error, and the code then jumps to a wrong address.
const AARCH64_CRANELIFT_TARGETS: usize = 200_000;

/// Checks that `compiler` compiles every `br_table` of a valid module correctly for `arch`.
///
/// # Errors
/// [`ErrorKind::UnsupportedFeature`] if a `br_table` has too many targets.
pub(super) fn check(arch: &str, compiler: Compiler, binary: &[u8]) -> Result<()> {
    if arch != "aarch64" || compiler != Compiler::Cranelift {
        return Ok(());
    }
    let largest = largest(binary, AARCH64_CRANELIFT_TARGETS)
        .map_err(|error| Error::new(ErrorKind::Internal, "cannot read a valid module").with_source(error))?;
    match largest {
        Some(targets) => {
            let message = format!(
                "wasmer cannot compile the module: a br_table has {targets} targets, \
                 the limit of {compiler} on {arch} is {AARCH64_CRANELIFT_TARGETS}"
            );
            Err(Error::new(ErrorKind::UnsupportedFeature, message).with_hint("use `--compiler singlepass`"))
        }
        None => Ok(()),
    }
}

/// Returns the number of targets of the largest `br_table` with more than `limit`, not counting the default target. Skips
/// functions of up to `limit` bytes, since each target takes at least one byte.
fn largest(binary: &[u8], limit: usize) -> wasmparser::Result<Option<u32>> {
    let mut largest = None;
    for payload in Parser::new(0).parse_all(binary) {
        let Payload::CodeSectionEntry(body) = payload? else { continue };
        if body.range().len() <= limit {
            continue;
        }
        for operator in body.get_operators_reader()? {
            if let Operator::BrTable { targets } = operator? {
                largest = largest.max(Some(targets.len()).filter(|targets| *targets as usize > limit));
            }
        }
    }
    Ok(largest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(targets: usize) -> Vec<u8> {
        let targets = "0 ".repeat(targets);
        wat::parse_str(format!("(module (func) (func (br_table {targets} 0 (i32.const 0))) (func))")).unwrap()
    }

    #[test]
    fn only_cranelift_on_aarch64_refuses_a_large_br_table() {
        let (largest_allowed, too_large) = (module(200_000), module(200_001));
        check("aarch64", Compiler::Cranelift, &largest_allowed).unwrap();
        check("aarch64", Compiler::Singlepass, &too_large).unwrap();
        check("x86_64", Compiler::Cranelift, &too_large).unwrap();
        let error = check("aarch64", Compiler::Cranelift, &too_large).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnsupportedFeature);
        assert!(error.message().contains("a br_table has 200001 targets"), "{error}");
    }

    #[test]
    fn the_largest_br_table_above_the_limit_is_found() {
        assert_eq!(largest(&module(30), 20).unwrap(), Some(30));
        assert_eq!(largest(&module(30), 30).unwrap(), None);
    }
}
