//! The options of a run.

use std::num::NonZeroUsize;
use std::thread;

use crate::compare::Variant;
use crate::engine::features::Feature;
use crate::limits::Limits;

/// Which modules are generated, and how they are compared.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FuzzOptions {
    /// The seed of the modules and arguments.
    pub seed: u64,
    /// The number of the first module.
    pub first: u64,
    /// The number of modules.
    pub modules: u64,
    /// The number of threads.
    pub threads: NonZeroUsize,
    /// The variants to compare. Modules with features that only Cranelift has, such as SIMD, leave out the other compilers.
    pub variants: Vec<Variant>,
    /// Features that no module uses.
    pub without: Vec<Feature>,
    /// The limits of each call. Wasmer cannot limit the memory of modules with exceptions: those have memories that declare a
    /// maximum, together at most 512 KiB.
    pub limits: Limits,
    /// The limit of the guest's stack in bytes.
    pub max_stack: Option<u64>,
    /// How many differences of one [`Signature`](super::Signature) are shrunk and reported. The others are only counted.
    pub findings_of_a_kind: usize,
    /// How often a difference is compared while it is shrunk, at most.
    pub shrink_attempts: u32,
}

impl FuzzOptions {
    /// The default limit of fuel.
    pub const FUEL: u64 = 20_000;
    /// The default limit of memory in bytes: a generated module can ask for twice as much.
    pub const MEMORY: u64 = 256 << 10;
    /// The default limit of table elements.
    pub const TABLE_ELEMENTS: u64 = 128;

    /// Creates options for a number of modules on all variants and on all cores.
    #[must_use]
    pub fn new(seed: u64, modules: u64) -> Self {
        let mut limits = Limits::none();
        (limits.fuel, limits.memory) = (Some(Self::FUEL), Some(Self::MEMORY));
        limits.table_elements = Some(Self::TABLE_ELEMENTS);
        Self {
            seed,
            first: 0,
            modules,
            threads: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            variants: Variant::all(),
            without: Vec::new(),
            limits,
            max_stack: None,
            findings_of_a_kind: 1,
            shrink_attempts: 2000,
        }
    }
}
