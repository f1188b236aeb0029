//! A module from a seed and a number.

use arbitrary::Unstructured;
use fastrand::Rng;
use wasm_smith::{Config, Module};

use super::{FuzzOptions, names};
use crate::compare::{CompareOptions, Variant};
use crate::engine::features::Feature;

/// Bytes of randomness that a module is made from; its size follows from them.
const RANDOMNESS: std::ops::Range<usize> = 256..4096;
/// Pages of a generated memory.
const MAX_PAGES: u64 = 4;
/// Features that are never generated: a relaxed operator has several correct results.
const LEFT_OUT: [Feature; 1] = [Feature::RelaxedSimd];

/// A generated module.
#[derive(Debug)]
pub(super) struct Generated {
    pub(super) binary: Vec<u8>,
    /// The variants that have its features.
    pub(super) variants: Vec<Variant>,
    /// Whether it may use exceptions.
    pub(super) has_exceptions: bool,
    /// Makes the arguments.
    pub(super) rng: Rng,
}

impl Generated {
    /// Generates a module. `None` if the randomness gives none, which is rare.
    pub(super) fn new(options: &FuzzOptions, number: u64) -> Option<Self> {
        let mut rng = Rng::with_seed(mixed(options.seed, number));
        let (canonical, others): (Vec<_>, Vec<_>) =
            options.variants.iter().partition(|variant| variant.compiler.has_canonical_nans());
        let leaves_out = canonical.len() > 1 && !others.is_empty() && rng.bool();
        let variants = if leaves_out { canonical } else { options.variants.clone() };
        let has = |feature| !options.without.contains(&feature) && has(&variants, feature);
        let has_floats = rng.u8(..3) > 0;
        let avoids_traps = rng.bool();
        let has_exceptions = rng.u8(..4) == 0 && has(Feature::Exceptions);
        let mut randomness = vec![0; rng.usize(RANDOMNESS)];
        rng.fill(&mut randomness);
        let of = |has_threads: bool| {
            let mut config = config(&has);
            config.threads_enabled &= has_threads;
            // Wasmer cannot limit the memory of a module with exceptions, so its memories declare a maximum.
            (config.exceptions_enabled, config.memory_max_size_required) = (has_exceptions, has_exceptions);
            (config.allow_floats, config.disallow_traps) = (has_floats, avoids_traps);
            if !has_floats {
                config.allowed_instructions = config.allowed_instructions.without_floats();
            }
            Module::new(config, &mut Unstructured::new(&randomness)).ok().map(|module| module.to_bytes())
        };
        // On a shared memory, `memory.atomic.wait` could wait forever.
        let binary = of(true)?;
        let binary = if names::has_shared_memory(&binary) { of(false)? } else { binary };
        Some(Self { binary: names::renamed(&binary)?, variants, has_exceptions, rng })
    }

    /// Returns how the module is compared on some variants.
    pub(super) fn compare_options(&self, options: &FuzzOptions, variants: Vec<Variant>) -> CompareOptions {
        let (mut limits, max_stack) = (options.limits, options.max_stack);
        limits.memory = limits.memory.filter(|_| !self.has_exceptions);
        CompareOptions { variants, limits, max_stack, ..CompareOptions::default() }
    }
}

/// Returns the seed of a module: neighbours get unlike ones (the finalizer of `SplitMix64`).
fn mixed(seed: u64, number: u64) -> u64 {
    let mut mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(number).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Returns whether a feature is generated for these variants: all have it.
fn has(variants: &[Variant], feature: Feature) -> bool {
    !LEFT_OUT.contains(&feature)
        && variants.iter().all(|variant| feature.is_supported(variant.runtime, variant.compiler))
}

/// Returns the configuration of the generator, with these features only.
fn config(has: &dyn Fn(Feature) -> bool) -> Config {
    Config {
        bulk_memory_enabled: has(Feature::BulkMemory),
        extended_const_enabled: has(Feature::ExtendedConst),
        custom_descriptors_enabled: has(Feature::CustomDescriptors),
        custom_page_sizes_enabled: has(Feature::CustomPageSizes),
        // References to structures and arrays cannot pass to the host, so most functions could not be called.
        gc_enabled: false,
        memory64_enabled: has(Feature::Memory64),
        multi_value_enabled: has(Feature::MultiValue),
        reference_types_enabled: has(Feature::ReferenceTypes),
        relaxed_simd_enabled: has(Feature::RelaxedSimd),
        saturating_float_to_int_enabled: has(Feature::SaturatingFloatToInt),
        shared_everything_threads_enabled: has(Feature::SharedEverythingThreads),
        sign_extension_ops_enabled: has(Feature::SignExtension),
        simd_enabled: has(Feature::Simd),
        tail_call_enabled: has(Feature::TailCall),
        threads_enabled: has(Feature::Threads),
        wide_arithmetic_enabled: has(Feature::WideArithmetic),
        // Nothing is imported, and everything is exported, to be called and observed.
        max_imports: 0,
        export_everything: true,
        min_funcs: 2,
        max_funcs: 4,
        max_types: 8,
        max_globals: 6,
        max_memories: if has(Feature::MultiMemory) { 2 } else { 1 },
        max_memory32_bytes: MAX_PAGES << 16,
        max_memory64_bytes: u128::from(MAX_PAGES) << 16,
        max_tables: if has(Feature::ReferenceTypes) { 2 } else { 1 },
        max_table_elements: 64,
        max_data_segments: 3,
        max_element_segments: 3,
        max_elements: 8,
        max_tags: 2,
        ..Config::default()
    }
}
