//! A smaller module with the same kind of difference.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use wasm_shrink::WasmShrink;

use super::generate::Generated;
use super::{FuzzOptions, Signature};
use crate::compare::{Comparer, Comparison, Variant};
use crate::error::Result;
use crate::runtime::callable::CallArgs;
use crate::value::types::Value;

/// Attempts without success after which a module is considered as small as it gets.
const ATTEMPTS: u32 = 400;

/// A call that differs, before its module is shrunk.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) signature: Signature,
    pub(super) function: String,
    pub(super) args: Vec<Value>,
}

/// Returns the smallest module found that differs in the same way. Ends soon if `stop` is set.
pub(super) fn shrunk(
    options: &FuzzOptions,
    generated: &Generated,
    candidate: &Candidate,
    stop: &AtomicBool,
) -> Vec<u8> {
    // The first variant, with which the others are compared, and the one that differs.
    let mut variants: Vec<_> = generated.variants.iter().copied().take(1).collect();
    variants.push(candidate.signature.variant);
    let (found, smaller) = mpsc::channel();
    let shrink = WasmShrink::default().attempts(ATTEMPTS).allow_empty(true).on_new_smallest(Some(Box::new(
        move |module: &[u8]| {
            // The receiver lives until the end of this function.
            let _ = found.send(module.to_vec());
            Ok(())
        },
    )));
    let mut left = options.shrink_attempts;
    // What was found is in the channel, also if the attempts ran out, or the shrinker panicked on an unusual module.
    let _ = panic::catch_unwind(AssertUnwindSafe(|| {
        let shrunk = shrink.run(generated.binary.clone(), |module: &[u8]| {
            if stop.load(Ordering::SeqCst) {
                left = 0;
            }
            left = left.checked_sub(1).ok_or_else(|| io::Error::other("no attempts left"))?;
            let comparison = compare(options, &variants, generated, module, candidate);
            Ok(comparison.is_ok_and(|comparison| Signature::of(&comparison).as_ref() == Some(&candidate.signature)))
        });
        shrunk.is_ok()
    }));
    smaller.try_iter().last().unwrap_or_else(|| generated.binary.clone())
}

fn compare(
    options: &FuzzOptions,
    variants: &[Variant],
    generated: &Generated,
    module: &[u8],
    candidate: &Candidate,
) -> Result<Comparison> {
    let options = options.compare_on(variants.to_vec(), generated);
    let comparer = Comparer::new(module, Some(&candidate.function), options)?;
    comparer.compare(&CallArgs::Core(candidate.args.clone()))
}
