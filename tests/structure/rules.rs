//! The rules, and a message for each violation.

use std::collections::{BTreeMap, BTreeSet};

use crate::Sources;
use crate::tree::{Target, Tree};

const MAX_LINES: usize = 400;

/// The parts of the crate, from the bottom up. A file imports from its own floor and from lower ones.
const FLOORS: [&[&str]; 7] = [
    &["error", "escape", "limits", "config", "capabilities", "network", "engine", "stdio", "sync"],
    &["module", "value", "component"],
    &["runtime"],
    &["backends", "wasi", "http_client"],
    &["cache", "session", "extism"],
    &["batch", "bench", "compare"],
    &["cli", "main"],
];

/// Engine crates, by the start of their names, and the folders that may name them. The first match counts.
const ENGINE_CRATES: [(&str, &[&str]); 5] = [
    ("wasmtime_wasi", &["src/backends/wasmtime/", "src/wasi/"]),
    ("wiggle", &["src/backends/wasmtime/", "src/wasi/"]),
    ("wasmtime", &["src/backends/wasmtime/", "src/wasi/component/"]),
    ("wasmer", &["src/backends/wasmer/"]),
    ("virtual_", &["src/backends/wasmer/"]),
];

/// An import that may be part of a cycle: the importing file, the imported one, and the reason.
pub(crate) type Allowed = (&'static str, &'static str, &'static str);

pub(crate) const ALLOWED_IMPORTS: &[Allowed] = &[
    ("src/runtime/sealed.rs", "src/runtime/traits.rs", "the public traits have sealed supertraits, which return them"),
    ("src/runtime/sealed.rs", "src/runtime/component.rs", "the same for components"),
];

/// The imports of each file: the imported file and the first line that imports it.
type Graph<'a> = BTreeMap<&'a str, BTreeMap<String, usize>>;

/// Lists all violations.
pub(crate) fn violations(sources: &Sources, allowed: &[Allowed]) -> Vec<String> {
    let tree = Tree::new(sources);
    let mut found = Vec::new();
    for (path, source) in sources {
        let lines = source.lines().count();
        if lines > MAX_LINES {
            found.push(format!("{path}: {lines} lines, more than {MAX_LINES}"));
        }
        if !tree.reached.contains(path) {
            found.push(format!("{path}: no `mod` leads to this file"));
        }
    }
    let mut graph = Graph::new();
    for file in tree.files.iter().filter(|file| file.path != "src/lib.rs") {
        let path = &file.path;
        if let Some(line) = file.scan.first_code.filter(|_| path.ends_with("/mod.rs")) {
            found.push(format!("{path}:{line}: code in a mod.rs"));
        }
        let Some(floor) = floor(path) else {
            found.push(format!("{path}: this part of the crate has no floor in FLOORS"));
            continue;
        };
        if file.module[0] == "main" && floor + 1 < FLOORS.len() {
            found.push(format!("{path}: part of the binary, which uses the library only through `wrun::`"));
        }
        let upward = |targets: BTreeSet<String>, line: usize| {
            let above = targets.into_iter().filter(move |target| self::floor(target).is_some_and(|one| one > floor));
            above.map(move |target| format!("{path}:{line}: upward import of {target}"))
        };
        for reference in &file.scan.references {
            let line = reference.line;
            match tree.resolve(file, reference) {
                Target::Crate(name) => {
                    let engine = ENGINE_CRATES.iter().find(|(start, _)| name.starts_with(start));
                    if engine.is_some_and(|(_, homes)| !homes.iter().any(|home| path.starts_with(home))) {
                        found.push(format!("{path}:{line}: names the engine crate `{name}`"));
                    }
                }
                Target::Module(targets) => found.extend(upward(targets, line)),
                Target::Item(targets) => {
                    for target in targets.iter().filter(|target| *target != path) {
                        graph.entry(path).or_default().entry(target.clone()).or_insert(line);
                    }
                    found.extend(upward(targets, line));
                }
            }
        }
    }
    cycles(graph, allowed, &mut found);
    found.sort();
    found.dedup();
    found
}

/// Returns the floor of a file. `src/lib.rs` has none.
fn floor(path: &str) -> Option<usize> {
    let name = path.strip_prefix("src/")?.split(['/', '.']).next()?;
    FLOORS.iter().position(|floor| floor.contains(&name))
}

/// Reports each group of files that import each other in a circle, and each allowed import that is not part of one.
fn cycles(mut graph: Graph, allowed: &[Allowed], found: &mut Vec<String>) {
    for (from, to, _) in allowed {
        let imports = graph.get(from).is_some_and(|imports| imports.contains_key(*to));
        if !imports || !reachable(&graph, to).contains(*from) {
            found.push(format!("{from}: no cycle needs the allowed import of {to}"));
        }
    }
    for (from, to, _) in allowed {
        if let Some(imports) = graph.get_mut(from) {
            imports.remove(*to);
        }
    }
    let reach: BTreeMap<&str, BTreeSet<&str>> = graph.keys().map(|file| (*file, reachable(&graph, file))).collect();
    let meets = |from: &str, to: &str| reach.get(from).is_some_and(|files| files.contains(to));
    for file in graph.keys().copied() {
        let group: Vec<_> = graph.keys().copied().filter(|other| meets(file, other) && meets(other, file)).collect();
        // A file is on a cycle if it reaches itself. Each group is reported once, at its first file.
        if group.first() != Some(&file) {
            continue;
        }
        let mut message = format!("{file}: import cycle of {} files", group.len());
        for from in &group {
            for (to, line) in graph[from].iter().filter(|(to, _)| group.contains(&to.as_str())) {
                message += &format!("\n    {from}:{line} imports {to}");
            }
        }
        found.push(message);
    }
}

/// Returns the files that a file imports, directly or not.
fn reachable<'a>(graph: &'a Graph, file: &'a str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![file];
    while let Some(file) = open.pop() {
        let targets = graph.get(file).into_iter().flat_map(BTreeMap::keys);
        open.extend(targets.map(String::as_str).filter(|target| reached.insert(*target)));
    }
    reached
}
