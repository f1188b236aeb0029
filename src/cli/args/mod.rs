//! Groups of options that commands share.

mod batch;
mod cache;
mod engine;
mod fuzz;
mod grants;
mod guest;
mod limits;
mod log;
mod output;
mod plugin;
mod text;

pub(crate) use batch::{CallArgs, RecordArgs};
pub(crate) use cache::{CacheArgs, CacheDirArgs};
pub(crate) use engine::{EngineArgs, variant};
pub(crate) use fuzz::FuzzArgs;
pub(crate) use grants::{GrantArgs, PolicyArgs};
pub(crate) use guest::{GuestArgs, choose_variants, limit_each};
pub(crate) use limits::LimitArgs;
pub(crate) use log::{LogArgs, LogFormat, ProgressArgs, When};
pub(crate) use output::{FORMAT_HEADING, FormatArgs, InputFormat, OutputFormat, ReportArgs, ResultFormat};
pub(crate) use plugin::PluginArgs;
pub(crate) use text::TextArgs;
