//! Imports that the embedder provides.
