//! The engines and their compilers, by name.

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
            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name on the command line and in the envelope.
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
                Self::ALL.iter().copied().find(|one| one.as_str() == text).ok_or_else(|| {
                    let names: Vec<_> = Self::ALL.iter().map(|one| one.as_str()).collect();
                    let message = format!(concat!("`{}` is no ", $what, " (one of: {})"), text, names.join(", "));
                    Error::new(ErrorKind::UnsupportedConfig, message)
                })
            }
        }
    };
}

named! {
    /// An engine.
    RuntimeKind, "engine" {
        /// Wasmtime, of the Bytecode Alliance.
        Wasmtime = "wasmtime",
        /// Wasmer, of Wasmer Inc.
        Wasmer = "wasmer",
    }
}

named! {
    /// What turns WebAssembly into machine code.
    Compiler, "compiler" {
        /// Optimising; on both engines.
        Cranelift = "cranelift",
        /// One pass, quick to compile and slower to run; on Wasmer.
        Singlepass = "singlepass",
    }
}

named! {
    /// What a compiler takes time for.
    Optimization, "optimization" {
        /// Nothing: code is there sooner, and runs slower.
        None = "none",
        /// Code that runs fast.
        Speed = "speed",
        /// Code that runs fast, and is small.
        Size = "size",
    }
}

impl RuntimeKind {
    /// Whether this engine is compiled in.
    #[must_use]
    pub const fn is_available(self) -> bool {
        match self {
            Self::Wasmtime => cfg!(feature = "wasmtime-runtime"),
            Self::Wasmer => cfg!(feature = "wasmer-runtime"),
        }
    }

    /// The engines compiled in.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|kind| kind.is_available())
    }

    /// The cargo feature that compiles this engine in.
    #[must_use]
    pub const fn cargo_feature(self) -> &'static str {
        match self {
            Self::Wasmtime => "wasmtime-runtime",
            Self::Wasmer => "wasmer-runtime",
        }
    }

    /// Whether guests of this engine can be granted a network: those that import WASIX, on Wasmer, with the feature `wasix`.
    #[must_use]
    pub const fn has_network(self) -> bool {
        match self {
            Self::Wasmtime => false,
            Self::Wasmer => cfg!(feature = "wasix"),
        }
    }

    /// The engine's version, as pinned in Cargo.toml (a test compares them).
    #[must_use]
    pub const fn version(self) -> &'static str {
        match self {
            Self::Wasmtime => "48.0.8",
            Self::Wasmer => "7.3.0",
        }
    }

    /// The compilers this engine has.
    #[must_use]
    pub const fn compilers(self) -> &'static [Compiler] {
        match self {
            Self::Wasmtime => &[Compiler::Cranelift],
            Self::Wasmer => &[Compiler::Cranelift, Compiler::Singlepass],
        }
    }
}

impl Default for RuntimeKind {
    /// Wasmtime where it is compiled in, else Wasmer.
    fn default() -> Self {
        Self::available().next().unwrap_or(Self::Wasmtime)
    }
}
