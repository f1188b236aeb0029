//! The directories of `fixtures/wasi/escapes/layout.json`: the grants `rw` and `ro`, and secrets outside of them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;
use wrun::{Capabilities, DirGrant};

use crate::dir_tree;

const LAYOUT: &str = include_str!("../../fixtures/wasi/escapes/layout.json");

/// A fresh copy of the layout.
pub(crate) struct Layout {
    pub(crate) json: Value,
    root: PathBuf,
    before: BTreeMap<PathBuf, String>,
    _dir: TempDir,
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("{value} has no {key}"))
}

impl Layout {
    pub(crate) fn create() -> Self {
        let json: Value = serde_json::from_str(LAYOUT).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("root");
        fs::create_dir(&root).unwrap();
        build(&root, &json);
        let before = outside(&root);
        Self { json, root, before, _dir: dir }
    }

    /// Adds the granted directories and variables.
    pub(crate) fn grant(&self, mut capabilities: Capabilities) -> Capabilities {
        for grant in self.json["grants"].as_array().unwrap() {
            let dir = DirGrant::new(self.root.join(text(grant, "host")), text(grant, "guest"));
            capabilities = capabilities.with_dir(if grant["read_only"] == true { dir.read_only() } else { dir });
        }
        let variables = self.json["env"].as_object().unwrap().iter();
        variables.fold(capabilities, |granted, (name, value)| granted.with_env(name, value.as_str().unwrap()))
    }

    /// The paths of the symbolic links in `rw`, relative to it.
    pub(crate) fn links(&self) -> Vec<String> {
        let entries = self.json["entries"].as_array().unwrap().iter();
        entries.filter_map(|entry| Some(entry["symlink"].as_str()?.strip_prefix("rw/")?.to_owned())).collect()
    }

    /// Asserts that nothing outside `rw` has changed, and that no secret is inside.
    #[track_caller]
    pub(crate) fn check(&self, attempt: &str) {
        assert_eq!(outside(&self.root), self.before, "{attempt} changed something outside the grant");
        let inside = dir_tree::snapshot(&self.root.join("rw"), Path::new(""));
        let secret = inside.iter().find(|(_, description)| description.contains("SECRET"));
        assert_eq!(secret, None, "{attempt} moved a secret into the grant");
    }
}

fn outside(root: &Path) -> BTreeMap<PathBuf, String> {
    dir_tree::snapshot(root, &root.join("rw"))
}

fn build(root: &Path, layout: &Value) {
    for entry in layout["entries"].as_array().unwrap() {
        let path = |key: &str| root.join(text(entry, key));
        if entry["dir"].is_string() {
            fs::create_dir(path("dir")).unwrap();
        } else if entry["file"].is_string() {
            fs::write(path("file"), text(entry, "contents")).unwrap();
        } else {
            let target = text(entry, "target").replace("{ROOT}", root.to_str().unwrap());
            symlink(target, path("symlink")).unwrap();
        }
    }
}
