//! Names of files with control and formatting characters, which must not control a terminal or imitate output.

use std::fs;

use crate::vocabulary::{CALC, Command, Printed, WRUN, printed};

/// Turns red, moves to another line, and reverses the order.
const ODD: &str = "\x1b[31mred\nerror: x\u{202e}";
const SHOWN: &str = r"\u{1b}[31mred\u{a}error: x\u{202e}";

/// Runs `wrun` in a folder in which the module has an odd name.
fn run_there(args: &[&str]) -> Printed {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(ODD), CALC).unwrap();
    let mut command = Command::new(WRUN);
    command.args(args).env("HOME", folder.path()).current_dir(folder.path());
    command.env_remove("NO_COLOR");
    printed(&command.output().unwrap())
}

#[test]
fn a_module_has_its_name_escaped() {
    let missing = format!("{ODD}2");
    for args in [
        &["--color", "always", &missing][..],
        &["inspect", ODD],
        &["inspect", &missing],
        &["compile", ODD],
        &["compile", &missing],
        &["--explain", ODD],
        &["batch", "--explain", ODD],
        &["bench", "--time=1ms", ODD, "zero"],
        &["batch", &missing, "f"],
        &["--policy", &missing, ODD],
        &[ODD, "--dir", &missing, "zero"],
        &["bench", "--baseline", &missing, ODD, "zero"],
        &["batch", "--errors", ODD, ODD, "add"],
    ] {
        let printed = run_there(args);
        let text = printed.stdout.clone() + &printed.stderr;
        assert!(text.contains(SHOWN), "{args:?}: {printed:?}");
        assert!(!text.contains("\x1b[31mred") && !text.contains("\u{202e}"), "{args:?}: {printed:?}");
        assert!(!text.contains("\nerror: x"), "{args:?}: {printed:?}");
    }
}
