//! What is in force, and where it comes from: flags over the policy file, over the environment, over defaults.

use std::env::VarError;
use std::fmt::Debug;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use wrun::config::DEFAULT_MAX_STACK;
use wrun::{Capabilities, Compiler, DirGrant, Limits, NetRule, Optimization, RuntimeConfig, RuntimeKind};

use super::args::RunArgs;
use super::failure::Failure;
use super::policy::{self, Policy};

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Provenance {
    Default,
    Environment,
    Policy,
    Flag,
}

/// A value, and where it comes from.
#[derive(Clone, Debug)]
pub(crate) struct Sourced<T> {
    pub(crate) value: T,
    pub(crate) from: Provenance,
}

/// Everything in force that a flag or a policy can say.
#[derive(Debug)]
pub(crate) struct Effective {
    pub(crate) policy: Option<PathBuf>,
    pub(crate) locked: bool,
    pub(crate) runtime: Sourced<RuntimeKind>,
    pub(crate) compiler: Sourced<Option<Compiler>>,
    pub(crate) opt: Sourced<Option<Optimization>>,
    pub(crate) deterministic: Sourced<Option<u64>>,
    pub(crate) memory: Sourced<Option<u64>>,
    pub(crate) stack: Sourced<Option<u64>>,
    pub(crate) table_elements: Sourced<Option<u64>>,
    pub(crate) fuel: Sourced<Option<u64>>,
    pub(crate) timeout: Sourced<Option<Duration>>,
    pub(crate) dirs: Vec<Sourced<DirGrant>>,
    pub(crate) env: Vec<Sourced<(String, String)>>,
    pub(crate) net: Vec<Sourced<NetRule>>,
}

impl Effective {
    /// Puts flags, policy file and environment together.
    ///
    /// # Errors
    /// A usage failure where one of them is no good, or a flag would widen a policy that is locked.
    pub(crate) fn resolve(run: &RunArgs) -> Result<Self, Failure> {
        let policy = run.grants.policy.as_deref().map(policy::read).transpose()?.unwrap_or_default();
        let Policy { locked, ref limits, ref grants, .. } = policy;
        let lock = Lock { locked };
        let flags = &run.limits;
        let runtime = match lock.choice("--runtime", run.engine.runtime.map(RuntimeKind::from), policy.runtime)? {
            Sourced { value: Some(value), from } => Sourced { value, from },
            Sourced { value: None, .. } => engine_of_environment()?,
        };
        Ok(Self {
            policy: run.grants.policy.clone(),
            locked,
            runtime,
            compiler: lock.choice("--compiler", run.engine.compiler.map(Compiler::from), policy.compiler)?,
            opt: pick(run.engine.opt.map(Optimization::from), policy.opt),
            deterministic: lock.choice("--deterministic", run.engine.deterministic, policy.deterministic)?,
            memory: lock.amount("--memory", flags.memory, limits.memory)?,
            // Without a bound of the policy's own, the default is what a flag would widen.
            stack: lock.amount("--stack", flags.stack, limits.stack.or(locked.then_some(DEFAULT_MAX_STACK)))?,
            table_elements: lock.amount("--table-elements", flags.table_elements, limits.table_elements)?,
            fuel: lock.amount("--fuel", flags.fuel, limits.fuel)?,
            timeout: lock.amount("--timeout", flags.timeout, limits.timeout)?,
            dirs: lock.grants(
                "--dir",
                &run.grants.dir,
                &grants.dirs,
                |one, other| one.guest == other.guest,
                is_part,
            )?,
            env: lock.grants("--env", &run.grants.env, &grants.env, |one, other| one.0 == other.0, PartialEq::eq)?,
            net: lock.grants("--net", &run.grants.net, &grants.net, PartialEq::eq, PartialEq::eq)?,
        })
    }

    /// What has to be known before compiling.
    pub(crate) fn config(&self) -> RuntimeConfig {
        let mut config = RuntimeConfig::new(self.runtime.value);
        config.compiler = self.compiler.value;
        config.optimization = self.opt.value;
        config.max_stack = self.stack.value;
        config.metering = self.fuel.value.is_some();
        config.interruption = self.timeout.value.is_some();
        config.canonical_nans = self.deterministic.value.is_some();
        config
    }

    pub(crate) fn limits(&self) -> Limits {
        let mut limits = Limits::none();
        limits.memory = self.memory.value;
        limits.table_elements = self.table_elements.value;
        limits.fuel = self.fuel.value;
        limits.time = self.timeout.value;
        limits
    }

    /// Adds what is granted.
    pub(crate) fn grant(&self, capabilities: &mut Capabilities) {
        capabilities.dirs = self.dirs.iter().map(|dir| dir.value.clone()).collect();
        capabilities.env = self.env.iter().map(|variable| variable.value.clone()).collect();
        capabilities.net = self.net.iter().map(|rule| rule.value.clone()).collect();
        capabilities.seed = self.deterministic.value;
    }
}

/// The flag's value, else the policy's, else none.
fn pick<T>(flag: Option<T>, policy: Option<T>) -> Sourced<Option<T>> {
    let from = match (&flag, &policy) {
        (Some(_), _) => Provenance::Flag,
        (None, Some(_)) => Provenance::Policy,
        (None, None) => Provenance::Default,
    };
    Sourced { value: flag.or(policy), from }
}

/// Whether flags may widen what the policy says.
struct Lock {
    locked: bool,
}

impl Lock {
    /// An amount, of which a locked policy refuses more than it has.
    fn amount<T>(&self, name: &str, flag: Option<T>, policy: Option<T>) -> Result<Sourced<Option<T>>, Failure>
    where
        T: PartialOrd + Debug,
    {
        self.held(name, flag, policy, PartialOrd::gt)
    }

    /// A choice, which is what a locked policy says, since another engine may allow more.
    fn choice<T>(&self, name: &str, flag: Option<T>, policy: Option<T>) -> Result<Sourced<Option<T>>, Failure>
    where
        T: PartialEq + Debug,
    {
        self.held(name, flag, policy, PartialEq::ne)
    }

    fn held<T: Debug>(
        &self,
        name: &str,
        flag: Option<T>,
        policy: Option<T>,
        widens: impl Fn(&T, &T) -> bool,
    ) -> Result<Sourced<Option<T>>, Failure> {
        match (&flag, &policy) {
            (Some(wanted), Some(set)) if self.locked && widens(wanted, set) => {
                Err(Failure::usage(format!("the policy is locked: {name} {wanted:?} is not within its {set:?}")))
            }
            _ => Ok(pick(flag, policy)),
        }
    }

    /// The policy's grants and the flags'; a flag's stands for one of the policy's that is the same thing. A policy that is locked
    /// has each flag be part of a grant of its own.
    fn grants<T: Clone + PartialEq>(
        &self,
        name: &str,
        flags: &[T],
        policy: &[T],
        same: impl Fn(&T, &T) -> bool,
        is_part: impl Fn(&T, &T) -> bool,
    ) -> Result<Vec<Sourced<T>>, Failure> {
        if self.locked && !flags.iter().all(|flag| policy.iter().any(|granted| is_part(flag, granted))) {
            return Err(Failure::usage(format!("the policy is locked: {name} grants what is no part of its grants")));
        }
        let kept = policy.iter().filter(|granted| !flags.iter().any(|flag| same(flag, granted)));
        let sourced = |from| move |value: &T| Sourced { value: value.clone(), from };
        Ok(kept.map(sourced(Provenance::Policy)).chain(flags.iter().map(sourced(Provenance::Flag))).collect())
    }
}

/// Whether a grant of a folder is another, or that for reading only.
fn is_part(one: &DirGrant, other: &DirGrant) -> bool {
    one == other || *one == other.clone().read_only()
}

/// The engine that `WRUN_RUNTIME` names; unset or empty, the default.
fn engine_of_environment() -> Result<Sourced<RuntimeKind>, Failure> {
    match std::env::var("WRUN_RUNTIME") {
        Ok(name) if !name.is_empty() => {
            let value = name.parse().map_err(|error| Failure::usage(format!("WRUN_RUNTIME: {error}")))?;
            Ok(Sourced { value, from: Provenance::Environment })
        }
        Ok(_) | Err(VarError::NotPresent) => Ok(Sourced { value: RuntimeKind::default(), from: Provenance::Default }),
        Err(VarError::NotUnicode(_)) => Err(Failure::usage("WRUN_RUNTIME is not UTF-8")),
    }
}
