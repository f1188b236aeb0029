use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::cli::argv;

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Cache")]
pub(crate) struct CacheArgs {
    /// Neither read nor write the cache of compiled code
    #[arg(long, conflicts_with = "cache_dir")]
    pub(crate) no_cache: bool,
    #[command(flatten)]
    pub(crate) dir: CacheDirArgs,
}

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Cache")]
pub(crate) struct CacheDirArgs {
    /// Directory of the cache [default: `WRUN_CACHE_DIR`, or wrun in the XDG cache directory]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, value_parser = argv::path())]
    pub(crate) cache_dir: Option<PathBuf>,
}
