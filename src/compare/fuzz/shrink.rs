//! A smaller module with the same kind of difference.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc;

use wasm_shrink::WasmShrink;

/// Attempts without success after which a module is considered as small as it gets.
const ATTEMPTS: u32 = 400;

/// Returns the smallest module found that still differs. `differs` returns whether a module differs; `None` ends the search.
pub(super) fn shrunk(binary: &[u8], mut differs: impl FnMut(&[u8]) -> Option<bool>) -> Vec<u8> {
    let (found, smaller) = mpsc::channel();
    let shrink = WasmShrink::default().attempts(ATTEMPTS).allow_empty(true).on_new_smallest(Some(Box::new(
        move |module: &[u8]| {
            // The receiver lives until the end of this function.
            let _ = found.send(module.to_vec());
            Ok(())
        },
    )));
    // The modules found so far are in the channel, even if the search ended early or the shrinker panicked.
    let _ = panic::catch_unwind(AssertUnwindSafe(|| {
        let differs = |module: &[u8]| Ok(differs(module).ok_or_else(|| io::Error::other("no attempts left"))?);
        shrink.run(binary.to_vec(), differs).is_ok()
    }));
    smaller.try_iter().last().unwrap_or_else(|| binary.to_vec())
}

#[cfg(test)]
mod tests {
    use wasmparser::{Operator, Parser, Payload};

    use super::*;
    use crate::compare::fuzz::FuzzOptions;
    use crate::compare::fuzz::generate::Generated;

    /// Stands for a difference: the module divides.
    fn divides(binary: &[u8]) -> bool {
        let bodies = Parser::new(0).parse_all(binary).filter_map(|payload| match payload {
            Ok(Payload::CodeSectionEntry(body)) => body.get_operators_reader().ok(),
            _ => None,
        });
        bodies.flatten().flatten().any(|operator| matches!(operator, Operator::I32DivS | Operator::I32DivU))
    }

    #[test]
    fn a_planted_difference_is_found_and_shrunk() {
        let options = FuzzOptions::new(1, 1000);
        let modules = (0..options.modules).filter_map(|number| Generated::new(&options, number));
        let planted = modules.filter(|module| !module.has_exceptions && divides(&module.binary)).take(3);
        let mut sizes = Vec::new();
        for module in planted {
            let mut attempts = 0;
            let smallest = shrunk(&module.binary, |module| {
                attempts += 1;
                (attempts <= 2000).then(|| divides(module))
            });
            assert!(divides(&smallest));
            sizes.push((module.binary.len(), smallest.len()));
        }
        assert_eq!(sizes.len(), 3);
        assert!(sizes.iter().all(|(before, after)| after < before), "{sizes:?}");
        assert!(sizes.iter().any(|(before, after)| after * 4 < *before), "{sizes:?}");
    }

    #[test]
    fn a_module_stays_as_it_is_if_the_search_ends_at_once() {
        let options = FuzzOptions::new(1, 1);
        let module = Generated::new(&options, 0).unwrap();
        assert_eq!(shrunk(&module.binary, |_| None), module.binary);
    }
}
