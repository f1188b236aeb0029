//! Helpers for the cases.
