//! How a comparison runs.

use super::Variant;
use crate::capabilities::Capabilities;
use crate::extism::PluginOptions;
use crate::limits::Limits;
use crate::runtime::text_abi::TextOptions;

/// How a comparison runs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CompareOptions {
    /// What to run on. The others are compared with the first.
    pub variants: Vec<Variant>,
    /// The limits of each run.
    pub limits: Limits,
    /// The limit of the guest's stack in bytes.
    pub max_stack: Option<u64>,
    /// The capabilities of each run, except that standard output and error are always captured.
    pub capabilities: Capabilities,
    /// The maximum number of bytes of standard output, and of standard error, that are compared. More is inconclusive.
    pub max_output: usize,
    /// The configuration of an Extism plug-in.
    pub plugin: PluginOptions,
    /// How text or bytes pass through the module.
    pub text: TextOptions,
}

impl CompareOptions {
    /// The default of [`CompareOptions::max_output`]: 16 MiB. A comparison keeps the output of all runs.
    pub const MAX_OUTPUT: usize = 16 << 20;
}

impl Default for CompareOptions {
    /// All variants, no limits, no capabilities, random bytes from seed 0.
    fn default() -> Self {
        Self {
            variants: Variant::all(),
            limits: Limits::none(),
            max_stack: None,
            capabilities: Capabilities::none().with_seed(0),
            max_output: Self::MAX_OUTPUT,
            plugin: PluginOptions::default(),
            text: TextOptions::default(),
        }
    }
}
