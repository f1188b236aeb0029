//! Nothing, in the place of the snapshot-testing crate `insta`.
//!
//! `wasmer-package` names insta among its ordinary dependencies, but uses it in its own tests alone. The real one brings the
//! regular expressions of the crate `regex` along, whose Unicode tables were relocated at each start of wrun
//! (ARCHITECTURE.md, "What does a start cost?"), and five crates to build.
