//! Components of real toolchains.
