//! What can be typed. Parsing does no I/O.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use wrun::{Compiler, DirGrant, NetRule, Optimization, RuntimeKind};

/// Run WebAssembly on Wasmtime or Wasmer: the same call, limits and output on both.
///
/// `wrun MODULE FUNCTION ARGS...` calls an export and prints what it returns; `wrun MODULE` runs a program's `_start`.
#[derive(Debug, Parser)]
#[command(
    name = "wrun",
    version,
    arg_required_else_help = true,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true,
    after_help = "Exit codes: 0 success; 2 usage; 124 timeout; 125 wrun itself failed; 126 the module cannot run; \
                  127 no such module or export; 130 SIGINT; 134 trap; 137 a limit; 143 SIGTERM; 152 out of fuel."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

// The options of each are made only where it is asked for: each start would pay for all of them.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    /// Tell what a module is and needs, without running it
    Inspect(InspectArgs),
    /// Tell which engines are compiled in, and what each can do
    Engines(EnginesArgs),
    /// Compile modules into the cache, so that they start at once later
    Compile(CompileArgs),
    /// Look at the cache of compiled code, or tidy it
    Cache(CacheArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
}

#[derive(Args, Debug, Default)]
pub(crate) struct RunArgs {
    /// The module: a file, or `-` for standard input; binary or text, told apart by content
    #[arg(required = true)]
    pub(crate) module: Option<PathBuf>,
    /// The exported function to call; without it, the program's `_start` runs
    pub(crate) function: Option<String>,
    /// Its arguments, such as `5 -1.5e3 -inf 0xff`; `-` reads them from standard input
    pub(crate) args: Vec<String>,
    /// Arguments for the guest itself, as a WASI program reads them
    #[arg(last = true)]
    pub(crate) guest_args: Vec<String>,

    #[command(flatten)]
    pub(crate) engine: EngineArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    #[command(flatten)]
    pub(crate) grants: GrantArgs,
    #[command(flatten)]
    pub(crate) cache: CachingArgs,

    /// How arguments on standard input are written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t, help_heading = "Input and output")]
    pub(crate) input: InputFormat,
    /// How results are written [default: json; of --explain: text]
    #[arg(short, long, value_enum, value_name = "FORMAT", help_heading = "Input and output")]
    pub(crate) output: Option<OutputFormat>,
    /// Indent JSON
    #[arg(long, help_heading = "Input and output")]
    pub(crate) pretty: bool,
    /// Print the envelope (result or error, exit code, times, memory) instead of the bare result
    #[arg(long, help_heading = "Input and output")]
    pub(crate) metrics: bool,
    /// Put the guest's standard output and error into the envelope
    #[arg(long, requires = "metrics", help_heading = "Input and output")]
    pub(crate) capture: bool,
    /// When to show progress on standard error: auto is on a terminal, after 300 ms
    #[arg(long, value_enum, value_name = "WHEN", default_value_t, help_heading = "Input and output")]
    pub(crate) progress: When,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

#[derive(Args, Debug, Default)]
pub(crate) struct EngineArgs {
    /// The engine [default: `WRUN_RUNTIME`, else wasmtime, or wasmer where that is the only one compiled in]
    #[arg(short, long, value_enum, value_name = "ENGINE", help_heading = "Engine")]
    pub(crate) runtime: Option<Engine>,
    /// The engine's compiler; singlepass is on wasmer
    #[arg(long, value_enum, value_name = "COMPILER", help_heading = "Engine")]
    pub(crate) compiler: Option<CompilerName>,
    /// What the compiler takes time for [default: speed]; singlepass optimises nothing
    #[arg(long, value_enum, value_name = "WHAT", help_heading = "Engine")]
    pub(crate) opt: Option<OptName>,
    /// Compute the same on every engine and machine: canonical NaNs, clocks from a fixed start in fixed steps, random
    /// bytes that follow from the seed [default seed: 0]
    #[arg(long, value_name = "SEED", num_args = 0..=1, require_equals = true, default_missing_value = "0", value_parser = super::parse_values::parse_count, help_heading = "Engine")]
    pub(crate) deterministic: Option<u64>,
}

#[derive(Args, Debug, Default)]
pub(crate) struct GrantArgs {
    /// Grant a folder, by its own path or as GUEST; `::ro` makes it read-only
    #[arg(long, value_name = "HOST[::GUEST][::ro]", value_parser = super::parse_values::parse_dir, help_heading = "Grants")]
    pub(crate) dir: Vec<DirGrant>,
    /// Grant an environment variable; without a value, a copy of wrun's own
    #[arg(long, value_name = "NAME[=VALUE]", value_parser = super::parse_values::parse_variable, help_heading = "Grants")]
    pub(crate) env: Vec<(String, String)>,
    /// Grant network to a WASIX program on wasmer: reach 127.0.0.1:80, tcp:10.0.0.0/8:*, example.org:443; listen at
    /// in:tcp:127.0.0.1:8080; look up dns:example.org
    #[arg(long, value_name = "RULE", value_parser = super::parse_values::parse_rule, help_heading = "Grants")]
    pub(crate) net: Vec<NetRule>,
    /// Limits and grants from a TOML file; flags win over it
    #[arg(long, value_name = "FILE", help_heading = "Grants")]
    pub(crate) policy: Option<PathBuf>,
    /// Tell what would be in force and where it comes from, and run nothing
    #[arg(long, help_heading = "Grants")]
    pub(crate) explain: bool,
}

#[derive(Args, Debug, Default)]
pub(crate) struct LimitArgs {
    /// The most linear memory, all memories together, with a unit: 64MiB, 1GB
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true, value_parser = super::parse_values::parse_size, help_heading = "Limits")]
    pub(crate) memory: Option<u64>,
    /// The most guest stack, with a unit, 64KiB to 1GiB [default: 1MiB]
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true, value_parser = super::parse_values::parse_size, help_heading = "Limits")]
    pub(crate) stack: Option<u64>,
    /// The most elements in each table
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = super::parse_values::parse_count, help_heading = "Limits")]
    pub(crate) table_elements: Option<u64>,
    /// The most wall clock, from reading the module to the result, with a unit: 500ms, 1.5s, 2m
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = super::parse_values::parse_duration, help_heading = "Limits")]
    pub(crate) timeout: Option<Duration>,
    /// The most portable fuel, about one unit an operator: 500000, 10M, 2G
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = super::parse_values::parse_fuel, help_heading = "Limits")]
    pub(crate) fuel: Option<u64>,
}

#[derive(Args, Debug, Default)]
pub(crate) struct CachingArgs {
    /// Neither use compiled code that was kept nor keep any
    #[arg(long, conflicts_with = "cache_dir", help_heading = "Cache")]
    pub(crate) no_cache: bool,
    #[command(flatten)]
    pub(crate) folder: FolderArgs,
}

#[derive(Args, Debug, Default)]
pub(crate) struct FolderArgs {
    /// Where compiled code is kept [default: `WRUN_CACHE_DIR`, else wrun in the XDG cache folder]
    #[arg(long, value_name = "DIR", help_heading = "Cache")]
    pub(crate) cache_dir: Option<PathBuf>,
}

// How much is said on standard error, and how. (Written as documentation, this would be said of each subcommand in its help.)
#[derive(Args, Debug, Default)]
pub(crate) struct LogArgs {
    /// Say more on standard error (-vv: the engines too); `WRUN_LOG` takes a filter
    #[arg(short, long, action = clap::ArgAction::Count, conflicts_with = "quiet", help_heading = "Messages")]
    pub(crate) verbose: u8,
    /// Say only what failed, without hints
    #[arg(short, long, help_heading = "Messages")]
    pub(crate) quiet: bool,
    /// How log lines are written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t, help_heading = "Messages")]
    pub(crate) log_format: LogFormat,
    /// When to colour messages; auto honours `NO_COLOR`
    #[arg(long, value_enum, value_name = "WHEN", default_value_t, help_heading = "Messages")]
    pub(crate) color: When,
}

// How a report is written.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct ReportArgs {
    /// How it is written
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: OutputFormat,
    /// Indent JSON
    #[arg(long)]
    pub(crate) pretty: bool,
}

#[derive(Args, Debug)]
pub(crate) struct InspectArgs {
    /// The module: a file, or `-` for standard input
    pub(crate) module: PathBuf,
    #[command(flatten)]
    pub(crate) report: ReportArgs,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

#[derive(Args, Debug)]
pub(crate) struct EnginesArgs {
    /// How it is written
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub(crate) output: TableFormat,
    /// Indent JSON
    #[arg(long)]
    pub(crate) pretty: bool,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

#[derive(Args, Debug)]
pub(crate) struct CompileArgs {
    /// The modules: files, or `-` for standard input
    #[arg(required = true)]
    pub(crate) modules: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
    /// For runs with --fuel: what they are given plays no part
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = super::parse_values::parse_fuel, help_heading = "Limits")]
    pub(crate) fuel: Option<u64>,
    /// For runs with --timeout: how long they may take plays no part
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = super::parse_values::parse_duration, help_heading = "Limits")]
    pub(crate) timeout: Option<Duration>,
    /// For runs with this policy file
    #[arg(long, value_name = "FILE", help_heading = "Grants")]
    pub(crate) policy: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) folder: FolderArgs,
    #[command(flatten)]
    pub(crate) report: ReportArgs,
    /// When to show progress on standard error: auto is on a terminal, after 300 ms
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub(crate) progress: When,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

#[derive(Args, Debug)]
pub(crate) struct CacheArgs {
    /// What to do
    #[arg(value_enum)]
    pub(crate) action: CacheAction,
    /// What to prune to [default: `WRUN_CACHE_SIZE`, else 1GiB]
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true, value_parser = super::parse_values::parse_size)]
    pub(crate) max_size: Option<u64>,
    /// Remove what verify finds to be bad
    #[arg(long)]
    pub(crate) remove: bool,
    #[command(flatten)]
    pub(crate) folder: FolderArgs,
    #[command(flatten)]
    pub(crate) report: ReportArgs,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CacheAction {
    /// Print the folder
    Path,
    /// List the entries, what was used last first
    List,
    /// Remove what was not used for longest, and what interrupted processes left
    Prune,
    /// Remove every entry
    Clear,
    /// Read every entry, and tell which are not as they were written
    Verify,
}

#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: Shell,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Engine {
    Wasmtime,
    Wasmer,
}

impl From<Engine> for RuntimeKind {
    fn from(engine: Engine) -> Self {
        match engine {
            Engine::Wasmtime => Self::Wasmtime,
            Engine::Wasmer => Self::Wasmer,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum CompilerName {
    Cranelift,
    Singlepass,
}

impl From<CompilerName> for Compiler {
    fn from(name: CompilerName) -> Self {
        match name {
            CompilerName::Cranelift => Self::Cranelift,
            CompilerName::Singlepass => Self::Singlepass,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum OptName {
    None,
    Speed,
    Size,
}

impl From<OptName> for Optimization {
    fn from(name: OptName) -> Self {
        match name {
            OptName::None => Self::None,
            OptName::Speed => Self::Speed,
            OptName::Size => Self::Size,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum InputFormat {
    #[default]
    Json,
    Msgpack,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    #[default]
    Json,
    Msgpack,
    Text,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormat {
    #[default]
    Text,
    Json,
    Msgpack,
    Markdown,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    #[default]
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    #[default]
    Auto,
    Always,
    Never,
}
