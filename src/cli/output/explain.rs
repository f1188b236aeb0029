//! The settings in force and where each comes from, for `--explain`.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use wrun::escape::{Escaped, EscapedPath};
use wrun::limits::TimeLimit;
use wrun::session::nanoseconds;
use wrun::{Access, Compiler, DirGrant, NetRule, Optimization, RuntimeKind};

use super::machine;
use crate::cli::batch_settings::BatchSettings;
use crate::cli::provenance::{Provenance, WithProvenance};
use crate::cli::settings::GuestSettings;

/// The report; docs/policy.md describes its shape.
#[derive(Debug, Serialize)]
pub(crate) struct Explanation<'s> {
    module: String,
    function: Option<&'s str>,
    policy: Option<String>,
    locked: bool,
    runtime: WithProvenance<RuntimeKind>,
    compiler: WithProvenance<Compiler>,
    opt: WithProvenance<Optimization>,
    deterministic: WithProvenance<Option<u64>>,
    /// The cache directory; null if caching is disabled.
    cache: WithProvenance<Option<String>>,
    limits: Limits,
    grants: Grants<'s>,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<Batch>,
}

/// The options of a batch.
#[derive(Debug, Serialize)]
struct Batch {
    input: WithProvenance<String>,
    output: WithProvenance<String>,
    on_error: WithProvenance<String>,
    jobs: WithProvenance<NonZeroUsize>,
    instance: WithProvenance<String>,
    ordered: WithProvenance<bool>,
    /// In bytes.
    max_record: WithProvenance<u64>,
}

/// Amounts: bytes, elements, units of fuel, nanoseconds; null is unlimited.
#[derive(Debug, Serialize)]
struct Limits {
    memory: WithProvenance<Option<u64>>,
    stack: WithProvenance<u64>,
    table_elements: WithProvenance<Option<u64>>,
    fuel: WithProvenance<Option<u64>>,
    timeout_ns: WithProvenance<Option<u64>>,
}

#[derive(Debug, Serialize)]
struct Grants<'s> {
    dirs: Vec<Dir<'s>>,
    env: Vec<Variable<'s>>,
    net: Vec<Network<'s>>,
    config: Vec<Variable<'s>>,
    args: &'s [String],
}

#[derive(Debug, Serialize)]
struct Dir<'s> {
    #[serde(serialize_with = "machine::path")]
    host: &'s Path,
    guest: &'s str,
    read_only: bool,
    from: Provenance,
}

/// A granted variable, without its value, which may be a secret.
#[derive(Debug, Serialize)]
struct Variable<'s> {
    name: &'s str,
    from: Provenance,
}

#[derive(Debug, Serialize)]
struct Network<'s> {
    rule: &'s NetRule,
    from: Provenance,
}

impl<'s> Explanation<'s> {
    pub(crate) fn new(settings: &'s GuestSettings, cache_dir: WithProvenance<Option<PathBuf>>) -> Self {
        let GuestSettings { policy, engine, limits, grants, plugin, config, .. } = settings;
        let dir = |dir: &'s WithProvenance<DirGrant>| Dir {
            host: &dir.value.host,
            guest: &dir.value.guest,
            read_only: dir.value.access == Access::ReadOnly,
            from: dir.from,
        };
        let variable =
            |variable: &'s WithProvenance<(String, String)>| Variable { name: &variable.value.0, from: variable.from };
        Self {
            module: settings.module.display().to_string(),
            function: settings.function.as_deref(),
            policy: policy.path.as_ref().map(|path| path.display().to_string()),
            locked: policy.locked,
            runtime: engine.runtime,
            compiler: engine.compiler.map(|_| config.effective_compiler()),
            opt: engine.opt.map(|_| config.effective_optimization()),
            deterministic: engine.deterministic,
            cache: cache_dir.map(|dir| dir.map(|path| path.display().to_string())),
            limits: Limits {
                memory: limits.memory,
                stack: limits.stack.map(|_| config.effective_max_stack()),
                table_elements: limits.table_elements,
                fuel: limits.fuel,
                timeout_ns: limits.timeout.map(|time| time.map(nanoseconds)),
            },
            grants: Grants {
                dirs: grants.dirs.iter().map(dir).collect(),
                env: grants.env.iter().map(variable).collect(),
                config: plugin.config.iter().map(variable).collect(),
                net: grants.net.iter().map(|rule| Network { rule: &rule.value, from: rule.from }).collect(),
                args: &settings.capabilities.args,
            },
            batch: None,
        }
    }

    /// Creates the report of a batch.
    pub(crate) fn of_batch(settings: &'s BatchSettings, cache_dir: WithProvenance<Option<PathBuf>>) -> Self {
        let BatchSettings { input, output, on_error, jobs, instance, ordered, max_record, .. } = settings;
        let batch = Batch {
            input: input.map(|format| format.to_string()),
            output: output.map(|format| format.to_string()),
            on_error: on_error.map(|action| action.to_string()),
            jobs: *jobs,
            instance: instance.map(|mode| mode.to_string()),
            ordered: *ordered,
            max_record: *max_record,
        };
        Self { batch: Some(batch), ..Self::new(&settings.guest, cache_dir) }
    }

    /// Formats the report as text, one setting per line.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("module          {}\n", EscapedPath(Path::new(&self.module)));
        let no_function = if self.batch.is_some() { "none" } else { "_start or wasi:cli/run" };
        text += &format!("function        {}\n", Escaped(self.function.unwrap_or(no_function)));
        let mut line = |name: &str, value: &str, from: Provenance| {
            let from = match (from, &self.policy) {
                (Provenance::Default, _) => "default".to_owned(),
                (Provenance::Environment, _) if name == "cache" => "WRUN_CACHE_DIR".to_owned(),
                (Provenance::Environment, _) => "WRUN_RUNTIME".to_owned(),
                (Provenance::Policy, Some(policy)) => format!("policy {}", EscapedPath(Path::new(policy))),
                (Provenance::Policy, None) | (Provenance::Flag, _) => "command line".to_owned(),
            };
            let _ = writeln!(text, "{name:<15} {value:<30} ({from})");
        };
        let no_limit = || "no limit".to_owned();
        let amount = |amount: Option<u64>, unit| amount.map_or_else(no_limit, |amount| format!("{amount}{unit}"));
        line("runtime", self.runtime.value.as_str(), self.runtime.from);
        line("compiler", self.compiler.value.as_str(), self.compiler.from);
        line("opt", self.opt.value.as_str(), self.opt.from);
        let seed = self.deterministic.value.map_or_else(|| "no".to_owned(), |seed| format!("yes, seed {seed}"));
        line("deterministic", &seed, self.deterministic.from);
        let cache = EscapedPath(Path::new(self.cache.value.as_deref().unwrap_or("no"))).to_string();
        line("cache", &cache, self.cache.from);
        let Limits { memory, stack, table_elements, fuel, timeout_ns } = &self.limits;
        line("memory", &amount(memory.value, " bytes"), memory.from);
        line("stack", &amount(Some(stack.value), " bytes"), stack.from);
        line("table-elements", &amount(table_elements.value, ""), table_elements.from);
        line("fuel", &amount(fuel.value, ""), fuel.from);
        let timeout = timeout_ns.value.map(Duration::from_nanos);
        line("timeout", &timeout.map_or_else(no_limit, |time| TimeLimit(time).to_string()), timeout_ns.from);
        let Grants { dirs, env, net, config, .. } = &self.grants;
        for Dir { host, guest, read_only, from } in dirs {
            let access = if *read_only { "read-only" } else { "read and write" };
            line("dir", &format!("{} as {}, {access}", EscapedPath(host), Escaped(guest)), *from);
        }
        if dirs.is_empty() {
            line("dir", "none", Provenance::Default);
        }
        for Variable { name, from } in env {
            line("env", &Escaped(name).to_string(), *from);
        }
        if env.is_empty() {
            line("env", "none", Provenance::Default);
        }
        for Network { rule, from } in net {
            line("net", &rule.to_string(), *from);
        }
        if net.is_empty() {
            line("net", "none", Provenance::Default);
        }
        for Variable { name, from } in config {
            line("config", &Escaped(name).to_string(), *from);
        }
        if let Some(Batch { input, output, on_error, jobs, instance, ordered, max_record }) = &self.batch {
            line("input", &input.value, input.from);
            line("output", &output.value, output.from);
            line("on-error", &on_error.value, on_error.from);
            line("jobs", &jobs.value.to_string(), jobs.from);
            line("instance", &instance.value, instance.from);
            line("order", if ordered.value { "that of the records" } else { "any" }, ordered.from);
            line("max-record", &amount(Some(max_record.value), " bytes"), max_record.from);
        }
        if self.locked {
            text += "locked          flags may only narrow the policy\n";
        }
        text
    }
}
