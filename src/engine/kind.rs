//! The names of engines, compilers and optimization levels.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::error::{Error, ErrorKind};

macro_rules! named {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// All values.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Returns the name on the command line and in the envelope.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or_else(|| {
                    let names: Vec<_> = Self::ALL.iter().map(|value| value.as_str()).collect();
                    let message = format!(concat!("unknown ", $what, " `{}` (expected one of: {})"), text, names.join(", "));
                    Error::new(ErrorKind::UnsupportedConfig, message)
                })
            }
        }
    };
}

named! {
    /// A WebAssembly engine.
    RuntimeKind, "engine" {
        /// Wasmtime, by the Bytecode Alliance.
        Wasmtime = "wasmtime",
        /// Wasmer, by Wasmer Inc.
        Wasmer = "wasmer",
    }
}

named! {
    /// A compiler from WebAssembly to machine code.
    Compiler, "compiler" {
        /// An optimizing compiler, in both engines.
        Cranelift = "cranelift",
        /// A single-pass compiler: compiles fast, but the code runs slower. Only in Wasmer.
        Singlepass = "singlepass",
    }
}

named! {
    /// Cranelift's optimization level.
    Optimization, "optimization level" {
        /// No optimization: compiles faster, but the code runs slower.
        None = "none",
        /// Optimizes for speed.
        Speed = "speed",
        /// Optimizes for speed and size.
        Size = "size",
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

    /// Returns whether guests of this engine can be granted network access: WASIX programs on Wasmer, with the feature `wasix`.
    #[must_use]
    pub const fn has_network(self) -> bool {
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
