//! The settings of a command: its options, merged with the policy file, the environment and defaults.

use std::env::VarError;
use std::path::PathBuf;
use std::time::Duration;

use wrun::config::DEFAULT_MAX_STACK;
use wrun::{Capabilities, Captured, Compiler, DirGrant, Limits, NetRule, Optimization, RuntimeConfig, RuntimeKind};

use super::args::{EngineArgs, GrantArgs, InputFormat, LimitArgs, OutputFormat, When};
use super::cache_settings::CacheSettings;
use super::failure::Failure;
use super::policy::Policy;
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
    /// # Errors
    /// Returns a usage failure if `WRUN_RUNTIME` is not an engine, or if a flag contradicts a locked policy.
    pub(crate) fn resolve(args: &EngineArgs, policy: &Policy) -> Result<Self, Failure> {
        let lock = policy.lock();
        let runtime = match lock.choice("--runtime", args.runtime, policy.runtime)? {
            WithProvenance { value: Some(value), from } => WithProvenance::new(value, from),
            WithProvenance { value: None, .. } => runtime_from_environment()?,
        };
        Ok(Self {
            runtime,
            compiler: lock.choice("--compiler", args.compiler, policy.compiler)?,
            opt: WithProvenance::choose(args.opt, policy.opt),
            deterministic: lock.choice("--deterministic", args.deterministic, policy.deterministic)?,
        })
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

/// Returns the engine that `WRUN_RUNTIME` names, or the default if it is unset or empty.
fn runtime_from_environment() -> Result<WithProvenance<RuntimeKind>, Failure> {
    match std::env::var("WRUN_RUNTIME") {
        Ok(name) if !name.is_empty() => {
            let value = name.parse().map_err(|error| Failure::usage(format!("WRUN_RUNTIME: {error}")))?;
            Ok(WithProvenance::new(value, Provenance::Environment))
        }
        Ok(_) | Err(VarError::NotPresent) => Ok(WithProvenance::new(RuntimeKind::default(), Provenance::Default)),
        Err(VarError::NotUnicode(_)) => Err(Failure::usage("WRUN_RUNTIME is not UTF-8")),
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
    /// # Errors
    /// Returns a usage failure if a flag exceeds a locked policy.
    pub(crate) fn resolve(args: &LimitArgs, policy: &Policy) -> Result<Self, Failure> {
        let lock = policy.lock();
        // A locked policy without a stack limit still does not let a flag exceed the default.
        let stack = policy.limits.stack.or(policy.locked.then_some(DEFAULT_MAX_STACK));
        Ok(Self {
            memory: lock.amount("--memory", args.memory, policy.limits.memory)?,
            stack: lock.amount("--stack", args.stack, stack)?,
            table_elements: lock.amount("--table-elements", args.table_elements, policy.limits.table_elements)?,
            fuel: lock.amount("--fuel", args.fuel, policy.limits.fuel)?,
            timeout: lock.amount("--timeout", args.timeout, policy.limits.timeout)?,
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
    /// # Errors
    /// Returns a usage failure if a flag exceeds a locked policy.
    pub(crate) fn resolve(args: &GrantArgs, policy: &Policy) -> Result<Self, Failure> {
        let (lock, grants) = (policy.lock(), &policy.grants);
        let has_same_guest = |one: &DirGrant, other: &DirGrant| one.guest == other.guest;
        let is_part = |flag: &DirGrant, granted: &DirGrant| flag == granted || *flag == granted.clone().read_only();
        Ok(Self {
            dirs: lock.grants("--dir", &args.dir, &grants.dirs, has_same_guest, is_part)?,
            env: lock.grants("--env", &args.env, &grants.env, |one, other| one.0 == other.0, PartialEq::eq)?,
            net: lock.grants("--net", &args.net, &grants.net, PartialEq::eq, PartialEq::eq)?,
        })
    }

    /// Adds the grants to these capabilities.
    pub(crate) fn add_to(&self, capabilities: &mut Capabilities) {
        capabilities.dirs = self.dirs.iter().map(|dir| dir.value.clone()).collect();
        capabilities.env = self.env.iter().map(|variable| variable.value.clone()).collect();
        capabilities.net = self.net.iter().map(|rule| rule.value.clone()).collect();
    }
}

/// The settings of a run.
#[derive(Debug)]
pub(crate) struct RunSettings {
    pub(crate) module: PathBuf,
    pub(crate) function: Option<String>,
    pub(crate) args: Arguments,
    pub(crate) policy: Policy,
    pub(crate) engine: EngineSettings,
    pub(crate) limits: LimitSettings,
    pub(crate) grants: GrantSettings,
    pub(crate) cache: CacheSettings,
    /// The configuration that follows from `engine` and `limits`.
    pub(crate) config: RuntimeConfig,
    /// `grants`, the guest's arguments and its standard streams.
    pub(crate) capabilities: Capabilities,
    /// The guest's standard output and error, if they are captured.
    pub(crate) captured: Option<[Captured; 2]>,
    pub(crate) output: OutputFormat,
    pub(crate) pretty: bool,
    pub(crate) metrics: bool,
    pub(crate) progress: When,
    pub(crate) quiet: bool,
}

impl RunSettings {
    /// Whether there are arguments for the guest besides its name.
    pub(crate) fn has_guest_args(&self) -> bool {
        self.capabilities.args.len() > 1
    }
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
