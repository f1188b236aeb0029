//! The report of `wrun compile`.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;
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
    error: Option<CompileError>,
}

#[derive(Debug, Serialize)]
struct CompileError {
    kind: &'static str,
    message: String,
    hints: Vec<String>,
}

impl ModuleReport {
    pub(crate) fn new(module: &Path, config: &RuntimeConfig, filled: &Result<CacheFill, Failure>) -> Self {
        let done = filled.as_ref().ok();
        let error = |failure: &Failure| CompileError {
            kind: failure.kind,
            message: failure.message.clone(),
            hints: failure.hints.clone(),
        };
        Self {
            ok: done.is_some(),
            module: module.display().to_string(),
            runtime: config.kind,
            compiler: config.effective_compiler(),
            cache: done.map(|filled| filled.cache),
            key: done.map(|filled| filled.key.clone()),
            // On a hit, this is the time to load the code.
            compile_ns: done.filter(|filled| filled.cache == CacheUse::Miss).and_then(|done| done.compile_ns),
            compiled_bytes: done.and_then(|filled| filled.compiled_bytes),
            error: filled.as_ref().err().map(error),
        }
    }
}

/// Formats one line.
pub(crate) fn text(module: &Path, filled: &CacheFill) -> String {
    let size = filled.compiled_bytes.map(bytesize::ByteSize::b);
    let size = size.map_or_else(String::new, |size| format!(", {size} of code"));
    let what = match (filled.cache, filled.compile_ns) {
        (CacheUse::Hit, _) => "was in the cache already".to_owned(),
        (_, Some(time)) => format!("compiled in {:.1?}", Duration::from_nanos(time)),
        _ => "compiled".to_owned(),
    };
    format!("{}: {what}{size}\n", module.display())
}
