//! Handles to resources.
