//! The settings of a command: its options, merged with the policy file, the environment and defaults.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use wrun::component;
use wrun::config::DEFAULT_MAX_STACK;
use wrun::escape::Escaped;
use wrun::extism::{self, PluginOptions};
use wrun::limits::{InUnits, TimeLimit};
use wrun::module::requirements::{self, HostCapability};
use wrun::runtime::preflight;
use wrun::{
    Callable, Capabilities, Captured, CodeInfo, Compiler, DirGrant, Limits, NetRule, Optimization, Payload,
    RuntimeConfig, RuntimeKind, TextOptions,
};

use super::args::{CacheArgs, EngineArgs, GrantArgs, GuestArgs, InputFormat, LimitArgs, PluginArgs, ReportArgs, When};
use super::cache_settings::CacheSettings;
use super::failure::Failure;
use super::parse_values::environment;
use super::policy::{GrantTable, LimitTable, Policy};
use super::provenance::{Provenance, WithProvenance};

/// The engine and how it compiles.
#[derive(Debug)]
pub(crate) struct EngineSettings {
    pub(crate) runtime: WithProvenance<RuntimeKind>,
    pub(crate) compiler: WithProvenance<Option<Compiler>>,
    pub(crate) opt: WithProvenance<Option<Optimization>>,
    pub(crate) deterministic: WithProvenance<Option<u64>>,
}

impl EngineSettings {
    /// Merges flags, policy and environment. Fails if `WRUN_RUNTIME` is not an engine or a flag contradicts a locked policy.
    pub(crate) fn resolve(args: &EngineArgs, policy: &Policy) -> Result<Self, Failure> {
        // Another engine or compiler may allow more.
        let runtime =
            match policy.merge("--runtime", args.runtime, policy.runtime, PartialEq::ne, ToString::to_string)? {
                WithProvenance { value: Some(value), from } => WithProvenance::new(value, from),
                WithProvenance { value: None, .. } => match environment("WRUN_RUNTIME")? {
                    Some(name) => {
                        let value = name.parse().map_err(|error| Failure::usage(format!("WRUN_RUNTIME: {error}")))?;
                        WithProvenance::new(value, Provenance::Environment)
                    }
                    None => WithProvenance::new(RuntimeKind::default(), Provenance::Default),
                },
            };
        Ok(Self {
            runtime,
            compiler: policy.merge("--compiler", args.compiler, policy.compiler, PartialEq::ne, ToString::to_string)?,
            opt: policy.merge("--opt", args.opt, policy.opt, |_, _| false, ToString::to_string)?,
            deterministic: policy.merge(
                "--deterministic",
                args.deterministic,
                policy.deterministic,
                u64::ne,
                ToString::to_string,
            )?,
        })
    }

    /// Returns the engine if the command line or the policy names it.
    pub(crate) fn chosen_runtime(&self) -> Option<RuntimeKind> {
        let WithProvenance { value, from } = self.runtime;
        matches!(from, Provenance::Flag | Provenance::Policy).then_some(value)
    }

    /// Returns the configuration that the engine compiles with, so that these limits can be enforced.
    pub(crate) fn config(&self, limits: &LimitSettings) -> RuntimeConfig {
        let mut config = RuntimeConfig::new(self.runtime.value);
        config.compiler = self.compiler.value;
        config.optimization = self.opt.value;
        config.canonical_nans = self.deterministic.value.is_some();
        config.max_stack = limits.stack.value;
        config.metering = limits.fuel.value.is_some();
        config.interruption = limits.timeout.value.is_some();
        config
    }
}

/// The amounts that a guest may use.
#[derive(Debug)]
pub(crate) struct LimitSettings {
    pub(crate) memory: WithProvenance<Option<u64>>,
    pub(crate) stack: WithProvenance<Option<u64>>,
    pub(crate) table_elements: WithProvenance<Option<u64>>,
    pub(crate) fuel: WithProvenance<Option<u64>>,
    pub(crate) timeout: WithProvenance<Option<Duration>>,
}

impl LimitSettings {
    /// Merges flags and policy. Fails if a flag exceeds a locked policy.
    pub(crate) fn resolve(args: &LimitArgs, policy: &Policy) -> Result<Self, Failure> {
        let LimitTable { memory, stack, table_elements, fuel, timeout } = policy.limits;
        let bytes = |bytes: &u64| format!("{bytes}{}", InUnits(*bytes));
        // A locked policy without a stack limit still does not let a flag exceed the default.
        let stack = stack.or(policy.locked.then_some(DEFAULT_MAX_STACK));
        Ok(Self {
            memory: policy.merge("--memory", args.memory, memory, u64::gt, bytes)?,
            stack: policy.merge("--stack", args.stack, stack, u64::gt, bytes)?,
            table_elements: policy.merge(
                "--table-elements",
                args.table_elements,
                table_elements,
                u64::gt,
                ToString::to_string,
            )?,
            fuel: policy.merge("--fuel", args.fuel, fuel, u64::gt, ToString::to_string)?,
            timeout: policy
                .merge("--timeout", args.timeout, timeout, Duration::gt, |time| TimeLimit(*time).to_string())?,
        })
    }

    /// Returns the limits of an instance. The stack limit is part of [`EngineSettings::config`].
    pub(crate) fn limits(&self) -> Limits {
        let mut limits = Limits::none();
        limits.memory = self.memory.value;
        limits.table_elements = self.table_elements.value;
        limits.fuel = self.fuel.value;
        limits.time = self.timeout.value;
        limits
    }
}

/// The capabilities granted to a guest.
#[derive(Debug)]
pub(crate) struct GrantSettings {
    pub(crate) dirs: Vec<WithProvenance<DirGrant>>,
    pub(crate) env: Vec<WithProvenance<(String, String)>>,
    pub(crate) net: Vec<WithProvenance<NetRule>>,
}

impl GrantSettings {
    /// Merges flags and policy. Fails if a flag exceeds a locked policy.
    pub(crate) fn resolve(args: &GrantArgs, policy: &Policy) -> Result<Self, Failure> {
        let GrantTable { dirs, env, net } = &policy.grants;
        let has_same_guest = |one: &DirGrant, other: &DirGrant| one.guest == other.guest;
        let is_part = |flag: &DirGrant, granted: &DirGrant| flag == granted || *flag == granted.clone().read_only();
        let dirs = policy.merge_grants("--dir", &args.dir, dirs, has_same_guest, is_part)?;
        let env = policy.merge_grants("--env", &args.env, env, |one, other| one.0 == other.0, PartialEq::eq)?;
        if let Some(dir) = repeated(&dirs, |dir| Path::new(&dir.guest).components().collect::<PathBuf>()) {
            let message = format!("two directories are granted as `{}`", Escaped(&dir.guest));
            return Err(Failure::usage(message).hint("use another guest path for one of them"));
        }
        if let Some((name, _)) = repeated(&env, |(name, _)| name) {
            return Err(Failure::usage(format!("the environment variable `{}` is granted twice", Escaped(name))));
        }
        Ok(Self { dirs, env, net: policy.merge_grants("--net", &args.net, net, PartialEq::eq, PartialEq::eq)? })
    }

    /// Adds the grants to these capabilities.
    pub(crate) fn add_to(&self, capabilities: &mut Capabilities) {
        capabilities.dirs = self.dirs.iter().map(|dir| dir.value.clone()).collect();
        capabilities.env = self.env.iter().map(|variable| variable.value.clone()).collect();
        capabilities.net = self.net.iter().map(|rule| rule.value.clone()).collect();
    }
}

/// Returns the first value whose key an earlier one has.
fn repeated<'v, T, K: Ord>(values: &'v [WithProvenance<T>], key: impl Fn(&'v T) -> K) -> Option<&'v T> {
    let mut seen = BTreeSet::new();
    values.iter().map(|value| &value.value).find(|value| !seen.insert(key(value)))
}

/// The settings of an Extism plug-in.
#[derive(Debug)]
pub(crate) struct PluginSettings {
    pub(crate) config: Vec<WithProvenance<(String, String)>>,
    max_variable_bytes: Option<u64>,
    max_response_bytes: Option<u64>,
}

impl PluginSettings {
    /// Merges flags and policy. Fails if a name is given twice, or a flag exceeds a locked policy.
    pub(crate) fn resolve(args: &PluginArgs, policy: &Policy) -> Result<Self, Failure> {
        let mut names = BTreeSet::new();
        if let Some((name, _)) = args.config.iter().find(|(name, _)| !names.insert(name)) {
            return Err(Failure::usage(format!("--config: `{}` is given twice", Escaped(name))));
        }
        let of_policy: Vec<_> = policy.config.clone().into_iter().collect();
        let is_same = |one: &(String, String), other: &(String, String)| one.0 == other.0;
        let config = policy.merge_grants("--config", &args.config, &of_policy, is_same, PartialEq::eq)?;
        let Policy { max_variable_bytes, max_response_bytes, .. } = *policy;
        Ok(Self { config, max_variable_bytes, max_response_bytes })
    }

    /// Returns the options of an instance.
    pub(crate) fn options(&self) -> PluginOptions {
        let mut options = PluginOptions::default();
        options.config = self.config.iter().map(|value| value.value.clone()).collect();
        options.max_variable_bytes = self.max_variable_bytes.unwrap_or(options.max_variable_bytes);
        options.max_response_bytes = self.max_response_bytes.unwrap_or(options.max_response_bytes);
        options
    }

    /// Refuses a configuration on the command line for a module that cannot read it.
    pub(crate) fn check(&self, info: &CodeInfo) -> Result<(), Failure> {
        let is_plugin = info.module().is_ok_and(|info| extism::is_plugin(info));
        if is_plugin || !self.config.iter().any(|value| value.from == Provenance::Flag) {
            return Ok(());
        }
        Err(Failure::usage("--config needs an Extism plug-in, but the module is not one")
            .hint("the environment of other modules and of components is set by --env"))
    }
}

/// The settings of a command that runs a guest.
#[derive(Debug)]
pub(crate) struct GuestSettings {
    pub(crate) module: PathBuf,
    pub(crate) function: Option<String>,
    /// Whether the function was given by `--function`, so that all words after the module are its arguments.
    pub(crate) function_is_option: bool,
    pub(crate) policy: Policy,
    pub(crate) engine: EngineSettings,
    pub(crate) limits: LimitSettings,
    pub(crate) grants: GrantSettings,
    pub(crate) plugin: PluginSettings,
    pub(crate) cache: CacheSettings,
    /// The configuration that follows from `engine` and `limits`.
    pub(crate) config: RuntimeConfig,
    /// `grants`, the guest's arguments and its standard streams, which are closed until the command connects them.
    pub(crate) capabilities: Capabilities,
    pub(crate) quiet: bool,
}

impl GuestSettings {
    /// Merges options, policy and environment. Fails if they contradict each other. `args` are the guest's, without its name.
    pub(crate) fn resolve(
        module: PathBuf,
        function: Option<String>,
        args: Vec<String>,
        policy: Policy,
        options: &GuestArgs,
        cache: &CacheArgs,
        quiet: bool,
    ) -> Result<Self, Failure> {
        policy.check_module(&module)?;
        let engine = EngineSettings::resolve(&options.engine, &policy)?;
        let limits = LimitSettings::resolve(&options.limits, &policy)?;
        let grants = GrantSettings::resolve(&options.grants, &policy)?;
        let plugin = PluginSettings::resolve(&options.plugin, &policy)?;
        let cache = CacheSettings::resolve(cache)?;
        let name = module.file_name().unwrap_or(module.as_os_str()).to_string_lossy().into_owned();
        let mut capabilities = Capabilities::none().with_args(std::iter::once(name).chain(args));
        capabilities.seed = engine.deterministic.value;
        grants.add_to(&mut capabilities);
        let config = engine.config(&limits);
        Ok(Self {
            module,
            function,
            function_is_option: false,
            policy,
            engine,
            limits,
            grants,
            plugin,
            cache,
            config,
            capabilities,
            quiet,
        })
    }

    /// Checks, without the module, that the engine can enforce limits and grants.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        preflight::check_config(&self.config)?;
        preflight::check_amounts(&self.config, self.limits.limits())?;
        preflight::check_possible_grants(&self.config, &self.capabilities)?;
        self.cache.check_grants(&self.capabilities, self.quiet)
    }

    /// Refuses arguments after `--` if the guest could not read them.
    pub(crate) fn check_args(&self, info: &CodeInfo) -> Result<(), Failure> {
        let (reads_them, refusal) = match info {
            CodeInfo::Module(info) => {
                (requirements::imports_wasi(info), "the module takes no arguments after `--`: it does not import WASI")
            }
            CodeInfo::Component(info) => (
                component::host_capabilities(info).contains(&HostCapability::Arguments),
                "the component takes no arguments after `--`: it does not import `get-arguments` of \
                 `wasi:cli/environment`",
            ),
        };
        // The first argument is the program's name.
        if reads_them || self.capabilities.args.len() <= 1 { Ok(()) } else { Err(Failure::usage(refusal)) }
    }
}

/// Refuses a payload for a function that is not called by a convention for text.
pub(crate) fn check_payload(options: &TextOptions, callable: &Callable) -> Result<(), Failure> {
    if options.payload == Payload::default() || callable.text().is_some() {
        return Ok(());
    }
    Err(Failure::usage("`--payload` needs `--abi`"))
}

/// The settings of a run.
#[derive(Debug)]
pub(crate) struct RunSettings {
    pub(crate) guest: GuestSettings,
    /// Whether the module comes from standard input.
    pub(crate) module_is_stdin: bool,
    pub(crate) args: Arguments,
    /// The guest's standard output and error, if they are captured.
    pub(crate) captured: Option<[Captured; 2]>,
    pub(crate) format: ReportArgs,
    /// Whether the bytes of the result are printed as they are, not in `format`.
    pub(crate) raw: bool,
    /// How text or bytes pass through the module.
    pub(crate) text: TextOptions,
    pub(crate) metrics: bool,
    pub(crate) progress: When,
}

/// Where the arguments of the function come from.
#[derive(Debug)]
pub(crate) enum Arguments {
    /// From the command line.
    Typed(Vec<String>),
    /// From standard input, because the only argument is `-`.
    Stdin(InputFormat),
    /// There are none on the command line: from standard input if the function has parameters and it is not a terminal.
    Omitted(InputFormat),
}
