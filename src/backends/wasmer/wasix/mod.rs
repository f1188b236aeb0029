//! WASIX: what Wasmer's guests have besides preview 1.

mod network;
