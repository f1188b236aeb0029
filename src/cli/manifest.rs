//! Manifests of Extism plug-ins, as JSON: limits, grants and configuration.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use wrun::{DirGrant, NetRule};

/// The bytes of a page of linear memory.
const PAGE: u64 = 65536;

/// The start of a path that is granted for reading only.
const READ_ONLY: &str = "ro:";

/// A manifest. An unknown key is an error.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Manifest {
    wasm: Vec<Source>,
    #[serde(deserialize_with = "or_default")]
    memory: Memory,
    #[serde(deserialize_with = "entries")]
    pub(crate) config: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default")]
    allowed_hosts: Vec<String>,
    #[serde(deserialize_with = "entries")]
    allowed_paths: BTreeMap<String, String>,
    timeout_ms: Option<u64>,
}

/// A module of the plug-in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    path: Option<PathBuf>,
    data: Option<Value>,
    url: Option<Value>,
    headers: Option<Value>,
    method: Option<Value>,
    hash: Option<Value>,
    /// Names the module for the others of a plug-in, and has no meaning for a single one.
    #[serde(rename = "name")]
    _name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Memory {
    #[serde(rename = "max_pages")]
    pages: Option<u32>,
    #[serde(rename = "max_http_response_bytes")]
    http_response_bytes: Option<u64>,
    #[serde(rename = "max_var_bytes")]
    var_bytes: Option<u64>,
}

fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Deserializes an object of strings, or null. Refuses a name that is given twice.
fn entries<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    Ok(or_default::<D, Entries>(deserializer)?.0)
}

#[derive(Debug, Default)]
struct Entries(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
        let mut entries = BTreeMap::new();
        while let Some((name, value)) = map.next_entry::<String, String>()? {
            if entries.contains_key(&name) {
                return Err(A::Error::custom(format!("`{name}` is given twice")));
            }
            entries.insert(name, value);
        }
        Ok(Entries(entries))
    }
}

impl Manifest {
    /// Returns whether the text of a policy file is a manifest, not TOML.
    pub(crate) fn is_text(text: &str) -> bool {
        text.trim_start().starts_with('{')
    }

    /// Parses a manifest. Refuses what wrun cannot do.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let manifest: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let refused = |why: &str| Err(why.to_owned());
        if manifest.wasm.len() > 1 {
            return refused("`wasm` has several modules, and wrun cannot link modules");
        }
        if let Some(Source { path, data, url, headers, method, hash, .. }) = manifest.wasm.first() {
            if hash.is_some() {
                return refused("wrun does not check `hash`: remove it, and check the file before");
            }
            if [data, url, headers, method].into_iter().any(Option::is_some) || path.is_none() {
                return refused("`wasm` must name a file by `path`, without `data`, `url`, `headers` and `method`");
            }
        }
        if !cfg!(feature = "http") && !manifest.allowed_hosts.is_empty() {
            return refused("`allowed_hosts` cannot be granted: this build of wrun makes no HTTP requests");
        }
        Ok(manifest)
    }

    /// Returns the plug-in's module, if the manifest names it. A relative path starts at `directory`.
    pub(crate) fn module(&self, directory: &Path) -> Option<PathBuf> {
        Some(directory.join(self.wasm.first()?.path.as_ref()?))
    }

    /// Returns the granted directories. A relative path starts at `directory`.
    pub(crate) fn dirs(&self, directory: &Path) -> Vec<DirGrant> {
        let grant = |(host, guest): (&String, &String)| match host.strip_prefix(READ_ONLY) {
            Some(host) => DirGrant::new(directory.join(host), guest).read_only(),
            None => DirGrant::new(directory.join(host), guest),
        };
        self.allowed_paths.iter().map(grant).collect()
    }

    /// Returns the rules for the allowed hosts: each may be reached at all ports by TCP.
    pub(crate) fn net(&self) -> Result<Vec<NetRule>, String> {
        let rule = |host: &String| {
            let is_ipv6 = host.parse::<Ipv6Addr>().is_ok();
            let rule = if is_ipv6 { format!("tcp:[{host}]:*") } else { format!("tcp:{host}:*") };
            // An address of a network is a pattern of wrun, not of Extism.
            let rule = rule.parse::<NetRule>().ok().filter(|_| !host.contains([':', '/']) || is_ipv6);
            rule.ok_or_else(|| {
                format!("`allowed_hosts`: `{host}` is not a host name, an address, `*`, or `*.` and a host name")
            })
        };
        self.allowed_hosts.iter().map(rule).collect()
    }

    /// Returns the memory limit in bytes.
    pub(crate) fn memory(&self) -> Option<u64> {
        self.memory.pages.map(|pages| u64::from(pages) * PAGE)
    }

    /// Returns the maximum size of the plug-in's variables in bytes.
    pub(crate) fn max_variable_bytes(&self) -> Option<u64> {
        self.memory.var_bytes
    }

    /// Returns the maximum size of the response to an HTTP request in bytes.
    pub(crate) fn max_response_bytes(&self) -> Option<u64> {
        self.memory.http_response_bytes
    }

    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.timeout_ms.map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_gives_limits_grants_and_configuration() {
        let manifest = Manifest::parse(
            r#"{"wasm": [{"path": "a.wasm", "name": "main"}], "memory": {"max_pages": 2, "max_var_bytes": 0},
                "config": {"a": "b"}, "allowed_paths": {"ro:in": "/in", "/out": "/out"}, "allowed_hosts": [], "timeout_ms": 50}"#,
        )
        .unwrap();
        let directory = Path::new("/m");
        assert_eq!(manifest.module(directory), Some(PathBuf::from("/m/a.wasm")));
        assert_eq!(manifest.memory(), Some(2 * PAGE));
        assert_eq!((manifest.max_variable_bytes(), manifest.timeout()), (Some(0), Some(Duration::from_millis(50))));
        let dirs = [DirGrant::new("/out", "/out"), DirGrant::new("/m/in", "/in").read_only()];
        assert_eq!(manifest.dirs(directory), dirs);
        assert_eq!(manifest.config["a"], "b");
    }

    #[test]
    fn what_has_no_meaning_here_is_refused() {
        for (text, part) in [
            (r#"{"wasm": [{"url": "https://example.com/a.wasm"}]}"#, "`path`"),
            (r#"{"wasm": [{"data": "AGFzbQ=="}]}"#, "`path`"),
            (r#"{"wasm": [{"name": "main"}]}"#, "`path`"),
            (r#"{"wasm": [{"path": "a.wasm", "hash": "00"}]}"#, "`hash`"),
            (r#"{"wasm": [{"path": "a.wasm"}, {"path": "b.wasm"}]}"#, "link"),
            (r#"{"allowed_hosts": ["api-?.example.org"]}"#, "`allowed_hosts`"),
            (r#"{"allowed_hosts": ["a*.example.org"]}"#, "`allowed_hosts`"),
            (r#"{"allowed_hosts": ["example.org:80"]}"#, "`allowed_hosts`"),
            (r#"{"allowed_hosts": ["10.0.0.0/8"]}"#, "`allowed_hosts`"),
            (r#"{"allowed_hosts": ["https://example.org"]}"#, "`allowed_hosts`"),
            (r#"{"allowed_hosts": [""]}"#, "`allowed_hosts`"),
            (r#"{"memory": {"max_pages": 18446744073709551615}}"#, "invalid value"),
            (r#"{"memory": {"max_page": 1}}"#, "unknown field"),
            (r#"{"config": {"a": "1", "a": "2"}}"#, "`a` is given twice"),
            (r#"{"allowed_paths": {"/a": "/1", "/a": "/2"}}"#, "`/a` is given twice"),
            (r#"{"memory": {"max_pages": 1, "max_pages": 2}}"#, "duplicate field"),
            (r#"{"memories": {}}"#, "unknown field"),
            (r#"{"timeout_ms": -1}"#, "-1"),
            ("{", "EOF"),
        ] {
            let error = Manifest::parse(text).and_then(|manifest| manifest.net()).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[cfg(feature = "http")]
    #[test]
    fn allowed_hosts_are_rules_for_all_ports() {
        let text = r#"{"memory": {"max_http_response_bytes": 9},
            "allowed_hosts": ["example.org", "*.example.org", "127.0.0.1", "::1", "*"]}"#;
        let manifest = Manifest::parse(text).unwrap();
        let rules: Vec<_> = manifest.net().unwrap().iter().map(NetRule::to_string).collect();
        let expected = [
            "out:tcp:example.org:*",
            "out:tcp:*.example.org:*",
            "out:tcp:127.0.0.1:*",
            "out:tcp:[::1]:*",
            "out:tcp:*:*",
        ];
        assert_eq!((rules, manifest.max_response_bytes()), (expected.map(str::to_owned).to_vec(), Some(9)));
    }

    #[cfg(not(feature = "http"))]
    #[test]
    fn hosts_need_an_http_client() {
        assert!(Manifest::parse(r#"{"allowed_hosts": ["example.org"]}"#).unwrap_err().contains("this build"));
    }

    #[test]
    fn null_stands_for_nothing() {
        let manifest =
            Manifest::parse(r#"{"allowed_hosts": null, "allowed_paths": null, "timeout_ms": null}"#).unwrap();
        assert_eq!((manifest.dirs(Path::new("")), manifest.timeout(), manifest.memory()), (Vec::new(), None, None));
    }
}
