//! The names of engines, compilers and optimization levels.

use std::str::FromStr;

use serde::Serialize;
use strum::{Display, IntoStaticStr, VariantArray};

use crate::error::{Error, ErrorKind};

/// A WebAssembly engine.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, Hash, IntoStaticStr, VariantArray, Serialize)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum RuntimeKind {
    /// Wasmtime, by the Bytecode Alliance.
    Wasmtime,
    /// Wasmer, by Wasmer Inc.
    Wasmer,
}

/// A compiler from WebAssembly to machine code.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, Hash, IntoStaticStr, VariantArray, Serialize)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Compiler {
    /// An optimizing compiler, in both engines.
    Cranelift,
    /// A single-pass compiler: compiles fast, but the code runs slower. Only in Wasmer.
    Singlepass,
}

/// Cranelift's optimization level.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, Hash, IntoStaticStr, VariantArray, Serialize)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Optimization {
    /// No optimization: compiles faster, but the code runs slower.
    None,
    /// Optimizes for speed.
    Speed,
    /// Optimizes for speed and size.
    Size,
}

macro_rules! named {
    ($($name:ident: $what:literal,)*) => { $(
        impl $name {
            /// All values.
            pub const ALL: &'static [Self] = Self::VARIANTS;

            /// Returns the name on the command line and in the envelope.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                self.into()
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or_else(|| {
                    let names: Vec<_> = Self::ALL.iter().map(|value| value.as_str()).collect();
                    let message = format!("unknown {} `{text}` (expected one of: {})", $what, names.join(", "));
                    Error::new(ErrorKind::UnsupportedConfig, message)
                })
            }
        }
    )* };
}

named! { RuntimeKind: "engine", Compiler: "compiler", Optimization: "optimization level", }

impl Compiler {
    /// Returns whether it can make every NaN canonical. Singlepass cannot: its `f64.promote_f32` keeps the sign and payload of a
    /// NaN.
    #[must_use]
    pub const fn has_canonical_nans(self) -> bool {
        matches!(self, Self::Cranelift)
    }
}

impl RuntimeKind {
    /// Returns whether this engine is compiled in.
    #[must_use]
    pub const fn is_available(self) -> bool {
        match self {
            Self::Wasmtime => cfg!(feature = "wasmtime-runtime"),
            Self::Wasmer => cfg!(feature = "wasmer-runtime"),
        }
    }

    /// Returns the engines that are compiled in.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|kind| kind.is_available())
    }

    /// Returns the cargo feature that compiles this engine in.
    #[must_use]
    pub const fn cargo_feature(self) -> &'static str {
        match self {
            Self::Wasmtime => "wasmtime-runtime",
            Self::Wasmer => "wasmer-runtime",
        }
    }

    /// Returns whether modules of this engine have functions for the network, so that it can be granted: on Wasmer, with the feature
    /// `wasix`. Components and Extism plug-ins have other functions, on each engine.
    #[must_use]
    pub const fn modules_have_network(self) -> bool {
        match self {
            Self::Wasmtime => false,
            Self::Wasmer => cfg!(feature = "wasix"),
        }
    }

    /// Returns the version of the engine. A test compares it with Cargo.toml.
    #[must_use]
    pub const fn version(self) -> &'static str {
        match self {
            Self::Wasmtime => "48.0.8",
            Self::Wasmer => "7.3.0",
        }
    }

    /// Returns the compilers of this engine.
    #[must_use]
    pub const fn compilers(self) -> &'static [Compiler] {
        match self {
            Self::Wasmtime => &[Compiler::Cranelift],
            Self::Wasmer => &[Compiler::Cranelift, Compiler::Singlepass],
        }
    }
}

impl Default for RuntimeKind {
    /// Returns Wasmtime if it is compiled in, otherwise Wasmer.
    fn default() -> Self {
        Self::available().next().unwrap_or(Self::Wasmtime)
    }
}
