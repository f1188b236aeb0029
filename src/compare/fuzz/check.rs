//! One generated module on all variants.

use std::sync::atomic::{AtomicBool, Ordering};

use super::arguments::arguments;
use super::generate::Generated;
use super::shrink::shrunk;
use super::{FuzzCounters, FuzzOptions, Signature};
use crate::compare::{CompareOptions, CompareSessions, Comparer, Comparison, Verdict};
use crate::component::info::CodeInfo;
use crate::error::Result;
use crate::runtime::callable::{CallArgs, Callable};
use crate::value::types::{FuncType, ValType, Value};

/// The calls of a function with parameters. Others are called once.
const CALLS: usize = 2;

/// A difference on a generated module.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finding {
    /// The number of the module.
    pub number: u64,
    /// The kind of the difference.
    pub signature: Signature,
    /// The module, shrunk.
    pub module: Vec<u8>,
    /// Its size before, in bytes.
    pub bytes_before: usize,
    /// The function.
    pub function: String,
    /// The arguments.
    pub args: Vec<Value>,
    /// How it is compared.
    pub options: CompareOptions,
}

/// A call that differs, before its module is shrunk.
struct Candidate {
    signature: Signature,
    function: String,
    args: Vec<Value>,
}

/// Calls the exports of a module on all variants. `is_new` decides which differences are shrunk and returned.
pub(super) fn check(
    options: &FuzzOptions,
    number: u64,
    counters: &FuzzCounters,
    stop: &AtomicBool,
    is_new: impl Fn(&Signature) -> bool,
) -> Vec<Finding> {
    let Some(mut generated) = Generated::new(options, number) else { return Vec::new() };
    let mut candidates = Vec::new();
    let calls = call_all(options, &mut generated, |comparison, args| {
        counters.count(comparison);
        if comparison.verdict == Verdict::Differ
            && let Some(signature) = Signature::of(comparison)
            && is_new(&signature)
        {
            candidates.push(Candidate { signature, function: comparison.function.clone(), args: args.to_vec() });
        }
    });
    if let Err(error) = calls {
        counters.count_inconclusive(&format!("no variant can run it: {}", error.kind().as_str().replace('_', " ")));
    }
    counters.count_module();
    let found = |candidate: Candidate| {
        let mut left = options.shrink_attempts;
        let module = shrunk(&generated.binary, |module| {
            left = left.checked_sub(1).filter(|_| !stop.load(Ordering::SeqCst))?;
            Some(differs_alike(options, &generated, &candidate, module))
        });
        let Candidate { signature, function, args } = candidate;
        let compared = generated.compare_options(options, generated.variants.clone());
        Finding { number, signature, module, bytes_before: generated.binary.len(), function, args, options: compared }
    };
    candidates.into_iter().map(found).collect()
}

/// Returns whether a call differs in the same way on a smaller module.
fn differs_alike(options: &FuzzOptions, generated: &Generated, candidate: &Candidate, module: &[u8]) -> bool {
    // The first variant, with which the others are compared, and the one that differs.
    let mut variants: Vec<_> = generated.variants.iter().copied().take(1).collect();
    variants.push(candidate.signature.variant);
    let comparer = Comparer::new(module, Some(&candidate.function), generated.compare_options(options, variants));
    let outcome = comparer.and_then(|comparer| comparer.compare(&CallArgs::Core(candidate.args.clone())));
    outcome.is_ok_and(|comparison| Signature::of(&comparison).as_ref() == Some(&candidate.signature))
}

/// Compares calls of each exported function.
fn call_all(
    options: &FuzzOptions,
    generated: &mut Generated,
    mut observe: impl FnMut(&Comparison, &[Value]),
) -> Result<()> {
    let compare_options = generated.compare_options(options, generated.variants.clone());
    let find = |_: &CodeInfo| Ok(Callable::none());
    let comparer = CompareSessions::open_for(&generated.binary, compare_options, &find)?.compile(&|_| {});
    let functions = comparer.info().module()?.functions();
    for (name, ty) in functions.filter(|(_, ty)| is_callable(ty)) {
        let callable = Callable::find(comparer.info(), name)?;
        for _ in 0..if ty.params().is_empty() { 1 } else { CALLS } {
            let Some(args) = arguments(ty, &mut generated.rng) else { break };
            observe(&comparer.compare_calls(&callable, &CallArgs::Core(args.clone()), &|_| {})?, &args);
        }
    }
    Ok(())
}

fn is_callable(ty: &FuncType) -> bool {
    ty.params().iter().chain(ty.results()).all(ValType::is_passable)
}
