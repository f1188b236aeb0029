//! The modules of the crate, and which files a path leads to.

use std::collections::{BTreeMap, BTreeSet};

use crate::Sources;
use crate::scan::{Names, Reference, Scan, scan};

/// A module. Alternatives for other platforms and features are files of the same module.
#[derive(Default)]
struct Module {
    files: BTreeSet<String>,
    /// The names that its imports and exports make known, each with its path.
    names: BTreeMap<String, Names>,
    globs: Vec<Names>,
}

/// A file that belongs to the crate and is not a test.
pub(crate) struct File {
    pub(crate) path: String,
    /// The path of its module.
    pub(crate) module: Names,
    pub(crate) scan: Scan,
}

/// A path as it was resolved.
pub(crate) enum Target {
    /// An item in these files of this crate.
    Item(BTreeSet<String>),
    /// A module of this crate, as a prefix for other paths.
    Module(BTreeSet<String>),
    /// Another crate.
    Crate(String),
}

/// The modules of the library and the binary, whose paths start with `wrun` and `main`.
pub(crate) struct Tree {
    modules: BTreeMap<Names, Module>,
    pub(crate) files: Vec<File>,
    /// Every file that a module declaration leads to, tests included.
    pub(crate) reached: BTreeSet<String>,
}

impl Tree {
    pub(crate) fn new(sources: &Sources) -> Self {
        let mut tree = Self { modules: BTreeMap::new(), files: Vec::new(), reached: BTreeSet::new() };
        for (root, path) in [("wrun", "src/lib.rs"), ("main", "src/main.rs")] {
            tree.add(sources, path, vec![root.to_owned()], false);
        }
        tree
    }

    /// Adds a file and the files of the modules that it declares.
    fn add(&mut self, sources: &Sources, path: &str, module: Names, is_test: bool) {
        let Some(source) = sources.get(path) else { return };
        self.reached.insert(path.to_owned());
        let scan = scan(source);
        let (folder, file) = path.rsplit_once('/').unwrap();
        let stem = file.strip_suffix(".rs").unwrap();
        let below = if ["lib", "main", "mod"].contains(&stem) { folder.to_owned() } else { format!("{folder}/{stem}") };
        if !is_test {
            self.modules.entry(module.clone()).or_default().files.insert(path.to_owned());
        }
        for declared in &scan.declarations {
            let inner = [&module[..], &declared.scope, std::slice::from_ref(&declared.name)].concat();
            let is_test = is_test || declared.is_test;
            if declared.is_inline && !is_test {
                self.modules.entry(inner).or_default().files.insert(path.to_owned());
                continue;
            }
            let name = &declared.name;
            let other = declared.path.as_ref().map(|other| format!("{folder}/{other}"));
            for path in [format!("{below}/{name}.rs"), format!("{below}/{name}/mod.rs")].into_iter().chain(other) {
                self.add(sources, &path, inner.clone(), is_test);
            }
        }
        if is_test {
            return;
        }
        for Reference { scope, names, alias, .. } in &scan.references {
            let scope = self.modules.entry([&module[..], scope].concat()).or_default();
            match alias.as_deref() {
                Some("*") => scope.globs.push(names[..names.len() - 1].to_vec()),
                Some(alias) => {
                    scope.names.insert(alias.to_owned(), names.clone());
                }
                None => {}
            }
        }
        self.files.push(File { path: path.to_owned(), module, scan });
    }

    /// Resolves a path that is written in `file`.
    pub(crate) fn resolve(&self, file: &File, reference: &Reference) -> Target {
        let scope = [&file.module[..], &reference.scope].concat();
        self.find(&scope, &reference.names, 0).unwrap_or_else(|| Target::Crate(reference.names[0].clone()))
    }

    /// Returns what `names` means in the module `scope`, or `None` if it is not of this crate.
    fn find(&self, scope: &[String], names: &[String], steps: usize) -> Option<Target> {
        let (first, rest) = names.split_first()?;
        match first.as_str() {
            "crate" => Some(self.item(&scope[..1], rest, steps)),
            "wrun" if scope[0] == "main" => Some(self.item(&["wrun".to_owned()], rest, steps)),
            "self" => Some(self.item(scope, rest, steps)),
            "super" => Some(self.item(&scope[..scope.len() - 1], rest, steps)),
            name => {
                let inner = [scope, &[name.to_owned()]].concat();
                if self.modules.contains_key(&inner) {
                    return Some(self.item(&inner, rest, steps));
                }
                // `use serde;` makes a name known that stands for itself.
                let path = self.modules.get(scope)?.names.get(name).filter(|_| steps < 20)?;
                self.find(scope, &[path, rest].concat(), steps + 1)
            }
        }
    }

    /// Returns an item of a module, or the module if `names` is empty.
    fn item(&self, module: &[String], names: &[String], steps: usize) -> Target {
        let Some(found) = self.modules.get(module) else { return Target::Item(BTreeSet::new()) };
        let Some(name) = names.first() else { return Target::Module(found.files.clone()) };
        if let Some(target) = self.find(module, names, steps) {
            return target;
        }
        if found.names.contains_key(name) {
            return Target::Item(BTreeSet::new()); // exported from another crate
        }
        let globs = found.globs.iter().filter(|_| steps < 20 && name != "*");
        let globs = globs.filter_map(|glob| self.find(module, &[glob, names].concat(), steps + 1));
        let globs = globs.flat_map(|target| if let Target::Item(files) = target { files } else { BTreeSet::new() });
        Target::Item(found.files.iter().cloned().chain(globs).collect())
    }
}
