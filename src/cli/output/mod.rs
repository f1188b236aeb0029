//! Output: reports as text, JSON and MessagePack, and progress.

pub(crate) mod backtrace;
pub(crate) mod batch_envelope;
pub(crate) mod bench;
pub(crate) mod bench_html;
mod bench_plots;
pub(crate) mod cache;
pub(crate) mod comparison;
pub(crate) mod compiled;
pub(crate) mod draw_target;
pub(crate) mod engines;
pub(crate) mod envelope;
pub(crate) mod explain;
pub(crate) mod inspect;
mod inspect_component;
mod inspect_module;
mod inspect_sections;
pub(crate) mod machine;
pub(crate) mod printer;
pub(crate) mod progress;
pub(crate) mod records;
pub(crate) mod schema;
mod wit_types;
