//! What a guest may do to the world outside it.

/// What one instance is granted. The default grants nothing: a guest computes, and reaches the outside only through
/// the [`HostImports`](crate::HostImports) it is handed.
///
/// Folders, environment, arguments and network become grants here together with WASI; until then there is nothing to
/// grant, and a module that imports WASI is refused as unlinkable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {}

impl Capabilities {
    /// Nothing granted.
    #[must_use]
    pub const fn none() -> Self {
        Self {}
    }
}
