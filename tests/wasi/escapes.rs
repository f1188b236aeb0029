//! The programs in `fixtures/wasi/escapes`, which try to get out of what they were granted, on every engine. See the
//! README there.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use wrun::{Capabilities, DirGrant};

use crate::folder;
use crate::guest::{End, Program, Ran, fixtures, on_each};

fn layout() -> Value {
    serde_json::from_slice(&fs::read(fixtures().join("escapes/layout.json")).unwrap()).unwrap()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("{value} has no {key}"))
}

/// Builds the folders, inside of the grants and outside.
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

/// Runs a program in a layout of its own, and checks that nothing outside of what it may change was changed.
fn attempt(program: &Program, args: &[String], layout: &Value, time: Option<Duration>) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap().join("root");
    fs::create_dir(&root).unwrap();
    build(&root, layout);
    let before = folder::snapshot(&root, &root.join("rw"));
    let mut granted = Capabilities::none().with_args(args);
    for grant in layout["grants"].as_array().unwrap() {
        let dir = DirGrant::new(root.join(text(grant, "host")), text(grant, "guest"));
        granted = granted.with_dir(if grant["read_only"] == true { dir.read_only() } else { dir });
    }
    for (name, value) in layout["env"].as_object().unwrap() {
        granted = granted.with_env(name, value.as_str().unwrap());
    }
    let ran = program.run(granted, time);
    assert_eq!(folder::snapshot(&root, &root.join("rw")), before, "{program} {args:?} changed what it may not");
    assert!(!ran.stdout.contains("SECRET"), "{program} {args:?} read what it may not:\n{}", ran.stdout);
    ran
}

/// The lines that differ.
fn compare(name: &str, program: &Program, got: &str, expected: &str) {
    let differing: Vec<_> = got.lines().zip(expected.lines()).filter(|(got, expected)| got != expected).collect();
    assert!(differing.is_empty(), "{name} on {program}: {} lines differ: {differing:#?}", differing.len());
    assert_eq!(got.lines().count(), expected.lines().count(), "{name} on {program}");
}

fn expected(name: &str) -> String {
    fs::read_to_string(fixtures().join(format!("escapes/{name}.expected"))).unwrap()
}

/// Runs a program that makes all its attempts at once.
fn all_at_once(wasm: &str) {
    let (layout, expected) = (layout(), expected(wasm.trim_end_matches("_unstable")));
    assert!(expected.lines().count() > 60, "{wasm} expects too little");
    for program in on_each(&fixtures().join(format!("escapes/{wasm}.wasm")), None) {
        let given = layout["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap().to_owned());
        let args: Vec<_> = std::iter::once(format!("{wasm}.wasm")).chain(given).collect();
        let ran = attempt(&program, &args, &layout, None);
        assert_eq!(ran.end, End::Code(0), "{wasm} on {program}");
        compare(wasm, &program, &ran.stdout, &expected);
    }
}

/// Runs a program once for each attempt, since the attempt may end it.
fn one_by_one(wasm: &str, time: Option<Duration>) {
    let (layout, expected) = (layout(), expected(wasm));
    for program in on_each(&fixtures().join(format!("escapes/{wasm}.wasm")), time) {
        let one = |line: &str| {
            let (attack, _) = line.split_once('=').unwrap();
            let ran = attempt(&program, &[format!("{wasm}.wasm"), attack.to_owned()], &layout, time);
            let end = match ran.end {
                End::Code(0) => "",
                End::Trap => "trap\n",
                End::Timeout => "timeout\n",
                End::Code(code) => panic!("{attack} on {program} exits with {code}"),
            };
            ran.stdout + end
        };
        let got: String = expected.lines().map(one).collect();
        compare(wasm, &program, &got, &expected);
    }
}

macro_rules! attacks {
    ($attack:expr; $($name:ident)*) => { $(
        #[test]
        fn $name() {
            let attack: fn(&str) = $attack;
            attack(stringify!($name));
        }
    )* };
}

attacks! { all_at_once; dotdot planted_links made_links rename read_only odd_names fds stdio leaks }
attacks! { all_at_once; dotdot_unstable planted_links_unstable read_only_unstable }
attacks! { |wasm| one_by_one(wasm, None); pointers_fd pointers_path pointers_misc values }
attacks! { |wasm| one_by_one(wasm, Some(Duration::from_millis(300))); stall }
