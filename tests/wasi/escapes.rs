//! Runs the programs in `fixtures/wasi/escapes`, which try to escape from their grants, on every engine. See the README there.

use std::fs;
use std::time::Duration;

use wrun::Capabilities;

use crate::guest::{End, Program, Ran, fixtures, on_each};
use crate::layout::Layout;

/// Runs a program in a fresh layout, and checks that it neither changed nor read anything outside its grants.
fn attempt(program: &Program, args: &[String], layout: &Layout, time: Option<Duration>) -> Ran {
    let ran = program.run(layout.grant(Capabilities::none().with_args(args)), time);
    layout.check(&format!("{program} {args:?}"));
    assert!(!ran.stdout.contains("SECRET"), "{program} {args:?} read a secret:\n{}", ran.stdout);
    ran
}

/// Asserts that the output is the expected one, or lists the lines that differ.
fn compare(name: &str, program: &Program, got: &str, expected: &str) {
    let differing: Vec<_> = got.lines().zip(expected.lines()).filter(|(got, expected)| got != expected).collect();
    assert!(differing.is_empty(), "{name} on {program}: {} lines differ: {differing:#?}", differing.len());
    assert_eq!(got.lines().count(), expected.lines().count(), "{name} on {program}");
}

fn expected(name: &str) -> String {
    fs::read_to_string(fixtures().join(format!("escapes/{name}.expected"))).unwrap()
}

/// Runs a program that makes all its attempts in one run.
fn all_at_once(wasm: &str) {
    let expected = expected(wasm.trim_end_matches("_unstable"));
    assert!(expected.lines().count() > 60, "{wasm} expects too few lines");
    for program in on_each(&fixtures().join(format!("escapes/{wasm}.wasm")), None) {
        let layout = Layout::create();
        let args = layout.json["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap().to_owned());
        let args: Vec<_> = std::iter::once(format!("{wasm}.wasm")).chain(args).collect();
        let ran = attempt(&program, &args, &layout, None);
        assert_eq!(ran.end, End::Code(0), "{wasm} on {program}");
        compare(wasm, &program, &ran.stdout, &expected);
    }
}

/// Runs a program once for each attempt, since an attempt can end it.
fn one_by_one(wasm: &str, time: Option<Duration>) {
    let expected = expected(wasm);
    for program in on_each(&fixtures().join(format!("escapes/{wasm}.wasm")), time) {
        let one = |line: &str| {
            let (attack, _) = line.split_once('=').unwrap();
            let args = [format!("{wasm}.wasm"), attack.to_owned()];
            let ran = attempt(&program, &args, &Layout::create(), time);
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
