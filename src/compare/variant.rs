//! The variants of a comparison: engine, compiler and optimization level.

use derive_more::Display;
use serde::Serialize;

use crate::config::RuntimeConfig;
use crate::engine::features::Feature;
use crate::engine::kind::{Compiler, Optimization, RuntimeKind};

/// An engine, a compiler and an optimization level.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, Hash, Serialize)]
#[display("{runtime} {compiler}{}", level.map(|level| format!(" {level}")).unwrap_or_default())]
#[non_exhaustive]
pub struct Variant {
    /// The engine.
    pub runtime: RuntimeKind,
    /// The compiler.
    pub compiler: Compiler,
    /// The optimization level. `None` for Singlepass, which does not optimize.
    #[serde(rename = "opt")]
    pub level: Option<Optimization>,
}

impl Variant {
    /// Returns all variants of the engines that are compiled in. The first is the default engine with its default settings.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let levels = [Optimization::Speed, Optimization::Size, Optimization::None];
        let of = |runtime: RuntimeKind, compiler: Compiler| {
            let levels: Vec<_> = match compiler {
                Compiler::Cranelift => levels.into_iter().map(Some).collect(),
                Compiler::Singlepass => vec![None],
            };
            levels.into_iter().map(move |level| Self { runtime, compiler, level })
        };
        let kinds = RuntimeKind::available();
        kinds.flat_map(|kind| kind.compilers().iter().flat_map(move |compiler| of(kind, *compiler))).collect()
    }

    /// Returns whether the variant has this engine, compiler and level, where given. Singlepass fits any level.
    #[must_use]
    pub fn fits(&self, runtime: Option<RuntimeKind>, compiler: Option<Compiler>, level: Option<Optimization>) -> bool {
        runtime.is_none_or(|runtime| runtime == self.runtime)
            && compiler.is_none_or(|compiler| compiler == self.compiler)
            && level.is_none_or(|level| self.level.is_none_or(|own| own == level))
    }

    /// Returns whether the engine has components.
    #[must_use]
    pub fn has_components(&self) -> bool {
        Feature::supported(self.runtime, self.compiler).any(Feature::is_of_components)
    }

    /// Returns the configuration of this variant: fuel is counted, and NaNs are canonical if the compiler can make them so.
    #[must_use]
    pub fn config(&self) -> RuntimeConfig {
        let mut config = RuntimeConfig::new(self.runtime).with_compiler(self.compiler).with_metering();
        config.canonical_nans = self.compiler.has_canonical_nans();
        config.optimization = self.level;
        config
    }
}
