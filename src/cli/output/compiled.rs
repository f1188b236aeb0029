//! The report of `wrun compile`.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use wrun::escape::EscapedPath;
use wrun::session::{CacheFill, CacheUse};
use wrun::{Compiler, RuntimeConfig, RuntimeKind};

use crate::cli::failure::Failure;

/// The result for one module.
#[derive(Debug, Serialize)]
pub(crate) struct ModuleReport {
    ok: bool,
    module: String,
    runtime: RuntimeKind,
    compiler: Compiler,
    /// `hit` if the cache already had the code.
    cache: Option<CacheUse>,
    key: Option<String>,
    compile_ns: Option<u64>,
    compiled_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Failure>,
}

impl ModuleReport {
    pub(crate) fn new(module: &Path, config: &RuntimeConfig, filled: Result<CacheFill, Failure>) -> Self {
        let (done, error) = match filled {
            Ok(filled) => (Some(filled), None),
            Err(failure) => (None, Some(failure)),
        };
        let done = done.as_ref();
        Self {
            ok: done.is_some(),
            module: module.display().to_string(),
            runtime: config.kind,
            compiler: config.effective_compiler(),
            cache: done.map(|filled| filled.cache),
            key: done.map(|filled| filled.key.clone()),
            // On a hit, this is the time to load the code.
            compile_ns: done.filter(|filled| filled.cache == CacheUse::Miss).map(|done| done.compile_ns),
            compiled_bytes: done.and_then(|filled| filled.compiled_bytes),
            error,
        }
    }
}

/// Formats one line.
pub(crate) fn text(module: &Path, filled: &CacheFill) -> String {
    let size = filled.compiled_bytes.map(bytesize::ByteSize::b);
    let size = size.map_or_else(String::new, |size| format!(", {size} of code"));
    let what = match filled.cache {
        CacheUse::Hit => "was in the cache already".to_owned(),
        _ => format!("compiled in {:.1?}", Duration::from_nanos(filled.compile_ns)),
    };
    format!("{}: {what}{size}\n", EscapedPath(module))
}
