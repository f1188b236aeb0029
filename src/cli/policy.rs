//! Policy files: limits and grants, as TOML or as an Extism manifest.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use wrun::escape::{EscapedPath, EscapedText};
use wrun::{Compiler, DirGrant, NetRule, Optimization, RuntimeKind};

use super::args::PolicyArgs;
use super::failure::Failure;
use super::manifest::Manifest;
use super::parse_values;
use super::provenance::{Provenance, WithProvenance};

/// The contents of a policy file. The keys are the names of the flags.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Policy {
    /// The file; `None` if there is no policy.
    #[serde(skip)]
    pub(crate) path: Option<PathBuf>,
    /// Whether flags may only narrow the policy.
    pub(crate) locked: bool,
    #[serde(deserialize_with = "name")]
    pub(crate) runtime: Option<RuntimeKind>,
    #[serde(deserialize_with = "name")]
    pub(crate) compiler: Option<Compiler>,
    #[serde(deserialize_with = "name")]
    pub(crate) opt: Option<Optimization>,
    #[serde(deserialize_with = "count")]
    pub(crate) deterministic: Option<u64>,
    pub(crate) limits: LimitTable,
    pub(crate) grants: GrantTable,
    /// As `--config`.
    pub(crate) config: BTreeMap<String, String>,
    /// The maximum size of a plug-in's variables, if a manifest sets it.
    #[serde(skip)]
    pub(crate) max_variable_bytes: Option<u64>,
    /// The maximum size of a response to an HTTP request of a plug-in, if a manifest sets it.
    #[serde(skip)]
    pub(crate) max_response_bytes: Option<u64>,
    /// The only module that a manifest is for.
    #[serde(skip)]
    module: Option<PathBuf>,
}

/// `[limits]`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct LimitTable {
    #[serde(deserialize_with = "size")]
    pub(crate) memory: Option<u64>,
    #[serde(deserialize_with = "size")]
    pub(crate) stack: Option<u64>,
    #[serde(deserialize_with = "count")]
    pub(crate) table_elements: Option<u64>,
    #[serde(deserialize_with = "fuel")]
    pub(crate) fuel: Option<u64>,
    #[serde(deserialize_with = "duration")]
    pub(crate) timeout: Option<Duration>,
}

/// `[grants]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct GrantTable {
    /// As `--dir`; a relative path starts at the directory of the policy file.
    #[serde(deserialize_with = "dirs")]
    pub(crate) dirs: Vec<DirGrant>,
    /// As `--env`.
    #[serde(deserialize_with = "env")]
    pub(crate) env: Vec<(String, String)>,
    /// As `--net`.
    #[serde(deserialize_with = "net")]
    pub(crate) net: Vec<NetRule>,
}

impl Policy {
    /// Reads the policy file, or returns the empty policy if there is none. A usage failure names the line.
    pub(crate) fn read(args: &PolicyArgs) -> Result<Self, Failure> {
        let Some(path) = &args.policy else { return Ok(Self::default()) };
        let shown = EscapedPath(path);
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::usage(format!("cannot read policy {shown}: {error}")))?;
        let directory = path.parent().unwrap_or(Path::new(""));
        if Manifest::is_text(&text) {
            let policy = Manifest::parse(&text).and_then(|manifest| Self::of_manifest(&manifest, directory));
            let policy = policy.map_err(|error| Failure::usage(format!("invalid Extism manifest {shown}: {error}")))?;
            return Ok(Self { path: Some(path.clone()), ..policy });
        }
        let mut policy: Self = toml::from_str(&text).map_err(|error: toml::de::Error| {
            // It quotes a line of the file.
            let error = error.to_string();
            Failure::usage(format!("invalid policy {shown}: {}", EscapedText(error.trim_end())))
        })?;
        for dir in &mut policy.grants.dirs {
            dir.host = directory.join(&dir.host);
        }
        policy.path = Some(path.clone());
        Ok(policy)
    }

    fn of_manifest(manifest: &Manifest, directory: &Path) -> Result<Self, String> {
        let limits = LimitTable { memory: manifest.memory(), timeout: manifest.timeout(), ..LimitTable::default() };
        Ok(Self {
            limits,
            grants: GrantTable { dirs: manifest.dirs(directory), net: manifest.net()?, ..GrantTable::default() },
            config: manifest.config.clone(),
            max_variable_bytes: manifest.max_variable_bytes(),
            max_response_bytes: manifest.max_response_bytes(),
            module: manifest.module(directory),
            ..Self::default()
        })
    }

    /// Refuses a module that the manifest is not for. A module that cannot be found is reported where it is read.
    pub(crate) fn check_module(&self, module: &Path) -> Result<(), Failure> {
        let Some(expected) = &self.module else { return Ok(()) };
        let is_missing = std::fs::metadata(module).is_err();
        // A pipe has no canonical path.
        let found = std::fs::canonicalize(module).and_then(|module| Ok(module == std::fs::canonicalize(expected)?));
        if (is_missing && module.as_os_str() != "-") || found.is_ok_and(|is_same| is_same) {
            return Ok(());
        }
        let (expected, module) = (EscapedPath(expected), EscapedPath(module));
        Err(Failure::usage(format!("the Extism manifest is for the module {expected}, not for {module}")))
    }

    /// Merges a setting with its flag, which takes precedence. A locked policy refuses a flag whose value `widens` its own.
    pub(crate) fn merge<T>(
        &self,
        name: &str,
        flag: Option<T>,
        policy: Option<T>,
        widens: impl Fn(&T, &T) -> bool,
        show: impl Fn(&T) -> String,
    ) -> Result<WithProvenance<Option<T>>, Failure> {
        let from = match (&flag, &policy) {
            (Some(flag), Some(policy)) if self.locked && widens(flag, policy) => {
                let message = format!("the policy is locked: {name} cannot change {} to {}", show(policy), show(flag));
                return Err(Failure::usage(message));
            }
            (Some(_), _) => Provenance::Flag,
            (None, Some(_)) => Provenance::Policy,
            (None, None) => Provenance::Default,
        };
        Ok(WithProvenance::new(flag.or(policy), from))
    }

    /// Merges grants. A flag replaces the policy's grant of the same thing; a locked policy refuses a flag that is not part of
    /// one of its grants.
    pub(crate) fn merge_grants<T: Clone>(
        &self,
        name: &str,
        flags: &[T],
        policy: &[T],
        is_same: impl Fn(&T, &T) -> bool,
        is_part: impl Fn(&T, &T) -> bool,
    ) -> Result<Vec<WithProvenance<T>>, Failure> {
        if self.locked && !flags.iter().all(|flag| policy.iter().any(|granted| is_part(flag, granted))) {
            return Err(Failure::usage(format!("the policy is locked: {name} cannot add grants")));
        }
        let kept = policy.iter().filter(|granted| !flags.iter().any(|flag| is_same(flag, granted)));
        let with = |from| move |value: &T| WithProvenance::new(value.clone(), from);
        Ok(kept.map(with(Provenance::Policy)).chain(flags.iter().map(with(Provenance::Flag))).collect())
    }
}

fn text<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, D::Error> {
    let text = match toml::Value::deserialize(deserializer)? {
        toml::Value::String(text) => text,
        // A number has no unit, and the error says so.
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        other => return Err(D::Error::custom(format!("expected a string, found {}", other.type_str()))),
    };
    parse(&text).map(Some).map_err(D::Error::custom)
}

fn list<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| parse(text).map_err(|error| D::Error::custom(format!("`{text}`: {error}")))).collect()
}

fn name<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr<Err = wrun::Error>,
{
    text(deserializer, |text| text.parse().map_err(|error: wrun::Error| error.to_string()))
}

/// Deserializes a number, or a string in the syntax of the flag, such as `10M`.
fn number<'de, D: Deserializer<'de>>(
    deserializer: D,
    parse: impl Fn(&str) -> Result<u64, String>,
) -> Result<Option<u64>, D::Error> {
    let text = match toml::Value::deserialize(deserializer)? {
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::String(text) => text,
        other => return Err(D::Error::custom(format!("expected a number, not a {}", other.type_str()))),
    };
    parse(&text).map(Some).map_err(D::Error::custom)
}

/// Defines functions for `deserialize_with`: each reads a text, a list or a number, and parses it as the flag is parsed.
macro_rules! deserializers {
    ($($name:ident: $type:ty = $read:ident($parse:ident);)*) => {$(
        fn $name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
            $read(deserializer, parse_values::$parse)
        }
    )*};
}

deserializers! {
    size: Option<u64> = text(parse_size);
    duration: Option<Duration> = text(parse_duration);
    fuel: Option<u64> = number(parse_fuel);
    count: Option<u64> = number(parse_count);
    dirs: Vec<DirGrant> = list(parse_dir);
    env: Vec<(String, String)> = list(parse_variable);
    net: Vec<NetRule> = list(parse_rule);
}
