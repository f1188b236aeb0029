//! Programs of real toolchains behave alike by WASI 0.2 and 0.3.

use std::fs;
use std::path::Path;
use std::time::Duration;

use wrun::{Capabilities, DirGrant, ErrorKind, Input, Limits};

use crate::program::{End, Program, Ran, both};

/// The programs whose arguments are actions and their operands.
fn actions() -> impl Iterator<Item = Program> {
    both("actions.wasm", "actions3.wasm")
}

/// The output of a program that succeeded.
fn printed(stdout: &str) -> Ran {
    Ran { end: End::Code(0), stdout: stdout.to_owned(), stderr: String::new() }
}

fn with_stdin(bytes: &[u8]) -> Capabilities {
    Capabilities::none().with_stdin(Input::Bytes(bytes.into()))
}

fn with_data(folder: &Path) -> DirGrant {
    DirGrant::new(folder, "/data")
}

#[test]
fn a_program_prints_to_both_streams() {
    for program in actions() {
        let ran = program.run(&["say", "one", "warn", "two", "say", "drei ß"], Capabilities::none());
        let expected = Ran { end: End::Code(0), stdout: "one\ndrei ß\n".into(), stderr: "two\n".into() };
        assert_eq!(ran, expected, "{program}");
        assert_eq!(program.run(&[], Capabilities::none()), printed(""), "{program}");
    }
}

#[test]
fn a_program_copies_its_standard_input() {
    let long: String = (0..20_000).map(|line| format!("{line}\n")).collect();
    for program in actions() {
        for text in ["", "a\0b", &long] {
            assert_eq!(program.run(&["echo", "-"], with_stdin(text.as_bytes())), printed(text), "{program}");
        }
    }
}

#[test]
fn a_program_sees_only_the_granted_variables() {
    for program in actions() {
        let granted = Capabilities::none().with_env("NAME", "välue").with_env("EMPTY", "");
        let ran = program.run(&["env", "NAME", "env", "EMPTY"], granted);
        assert_eq!(ran, printed("välue\n\n"), "{program}");
        let denied = program.run(&["env", "PATH"], Capabilities::none());
        assert!(denied.stdout.ends_with("not set\n"), "{program}: {denied:?}");
    }
    let granted = Capabilities::none().with_env("A", "1").with_env("B", "2");
    assert_eq!(Program::new("actions.wasm").run(&["environ", "-"], granted), printed("A=1\nB=2\n"));
}

#[test]
fn a_program_reads_and_writes_a_granted_folder() {
    let long: String = (0..20_000).map(|line| format!("{line}\n")).collect();
    for program in actions() {
        let data = tempfile::tempdir().unwrap();
        let granted = with_stdin(long.as_bytes()).with_dir(with_data(data.path()));
        assert_eq!(program.run(&["write", "/data/new.txt"], granted), printed(""), "{program}");
        assert_eq!(fs::read_to_string(data.path().join("new.txt")).unwrap(), long, "{program}");
        let granted = Capabilities::none().with_dir(with_data(data.path()));
        assert_eq!(program.run(&["read", "/data/new.txt"], granted), printed(&long), "{program}");
    }
}

#[test]
fn a_program_changes_nothing_in_a_read_only_grant() {
    for program in actions() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join("old.txt"), "old").unwrap();
        let granted = || with_stdin(b"new").with_dir(with_data(data.path()).read_only());
        for path in ["/data/old.txt", "/data/new.txt"] {
            assert_eq!(program.run(&["write", path], granted()).end, End::Code(1), "{program}");
        }
        assert_eq!(program.run(&["read", "/data/old.txt"], granted()), printed("old"), "{program}");
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 1, "{program}");
        assert_eq!(fs::read(data.path().join("old.txt")).unwrap(), b"old", "{program}");
    }
}

#[test]
fn a_program_reaches_no_file_outside_its_grant() {
    for program in actions() {
        let outer = tempfile::tempdir().unwrap();
        let data = outer.path().join("data");
        fs::create_dir(&data).unwrap();
        fs::write(outer.path().join("secret.txt"), "secret").unwrap();
        let absolute = outer.path().join("secret.txt");
        let outside = ["/data/../secret.txt", "/data/../new.txt", absolute.to_str().unwrap()];
        for path in outside.into_iter().chain(["/data/none.txt", "/etc/passwd"]) {
            let ran = program.run(&["read", path], Capabilities::none().with_dir(with_data(&data)));
            assert_eq!((ran.end, &*ran.stdout), (End::Code(1), ""), "{program}: {path}: {}", ran.stderr);
        }
        for path in outside {
            let ran = program.run(&["write", path], with_stdin(b"x").with_dir(with_data(&data)));
            assert_eq!(ran.end, End::Code(1), "{program}: {path}");
        }
        assert_eq!(fs::read(&absolute).unwrap(), b"secret", "{program}");
        assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 2, "{program}: only `data` and `secret.txt`");
        assert_eq!(fs::read_dir(&data).unwrap().count(), 0, "{program}");
    }
}

#[test]
fn a_program_lists_makes_and_removes_folders() {
    let (program, data) = (Program::new("actions.wasm"), tempfile::tempdir().unwrap());
    let granted = || Capabilities::none().with_dir(with_data(data.path()));
    let args = ["mkdir", "/data/new", "list", "/data", "remove", "/data/new", "list", "/data"];
    assert_eq!(program.run(&args, granted()), printed("../\n./\nnew/\n../\n./\n"));
    assert_eq!(program.run(&["remove", "/data/new"], granted()).end, End::Code(1));
}

#[test]
fn a_program_fails_with_an_exit_code() {
    for program in actions() {
        let ran = program.run(&["say", "first", "exit", "0", "say", "never"], Capabilities::none());
        assert_eq!(ran, printed("first\n"), "{program}");
        assert_eq!(program.run(&["nothing", "-"], Capabilities::none()).end, End::Code(1), "{program}");
        let ran = program.run(&["trap", "-"], Capabilities::none());
        assert_eq!(ran.end, End::Failed(ErrorKind::Trap), "{program}");
    }
    assert_eq!(Program::new("actions.wasm").run(&["exit", "3"], Capabilities::none()).end, End::Code(1));
}

#[test]
fn a_program_sleeps() {
    for program in actions() {
        assert_eq!(program.run(&["sleep", "20"], Capabilities::none()), printed("slept\n"), "{program}");
    }
}

#[test]
fn a_time_limit_stops_a_program() {
    for program in actions() {
        for args in [["loop", "-"], ["sleep", "3600000"]] {
            let ran =
                program.run_within(Limits::none().with_time(Duration::from_millis(50)), &args, Capabilities::none());
            assert_eq!(ran.end, End::Failed(ErrorKind::Timeout), "{program}: {args:?}");
        }
    }
}

#[test]
fn a_fuel_limit_stops_a_program() {
    for program in actions() {
        let ran = program.run_within(Limits::none().with_fuel(1_000_000), &["loop", "-"], Capabilities::none());
        assert_eq!(ran.end, End::Failed(ErrorKind::OutOfFuel), "{program}");
    }
}

#[test]
fn a_memory_limit_makes_allocation_fail() {
    let program = Program::new("actions.wasm");
    assert_eq!(program.run(&["allocate", "8"], Capabilities::none()), printed("allocated\n"));
    let limits = Limits::none().with_memory(4 << 20);
    let ran = program.run_within(limits, &["allocate", "8"], Capabilities::none());
    assert_eq!((ran.end, &*ran.stderr), (End::Code(1), "malloc: Out of memory\n"));
}

#[test]
fn random_numbers_and_clocks_are_fixed_by_a_seed() {
    let args = ["random", "8", "time", "real", "time", "monotonic", "random", "8"];
    for program in actions() {
        let fixed = || program.run(&args, Capabilities::none().with_seed(7));
        assert_eq!(fixed(), fixed(), "{program}");
        assert_ne!(fixed(), program.run(&args, Capabilities::none().with_seed(8)), "{program}");
        let free = || program.run(&args, Capabilities::none());
        assert_ne!(free(), free(), "{program}");
    }
}

#[test]
fn a_program_that_only_might_use_http_runs_and_its_requests_are_denied() {
    let program = Program::new("http.wasm");
    assert_eq!(program.run(&["a", "b"], Capabilities::none()), printed("a\nb\n"));
    let ran = program.run(&["send", "GET", "http", "127.0.0.1:9", "/"], Capabilities::none());
    assert_eq!((ran.end, &*ran.stderr), (End::Code(1), "HTTP-request-denied\n"), "{}", ran.stdout);
}
