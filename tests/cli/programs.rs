//! Programs of several toolchains in pipes, and their standard input.

use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use crate::process::on_each_compiler;
use crate::vocabulary::{WRUN, file, in_shell, on_each_engine, printed, run, run_with};

const WORDS: &str = "fixtures/cpp/words.wasm";
const COLUMNS: &str = "fixtures/zig/columns.wasm";
const MATCHES: &str = "fixtures/assemblyscript/matches.wasm";

/// A module that reads standard input once and adds the number of bytes to its argument.
pub(crate) const READS: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1) (data (i32.const 0) "\10\00\00\00\64\00\00\00")
  (func $count (result i32)
    (if (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)) (then (unreachable)))
    (i32.load (i32.const 8)))
  (func (export "read") (result i32) (call $count))
  (func (export "plus_read") (param i32) (result i32) (i32.add (local.get 0) (call $count)))
  (func (export "_start") (if (call $count) (then (unreachable)))))"#;

#[test]
fn programs_of_several_toolchains_work_in_pipes() {
    let text = "a;n\nthe cat;1\nthe dog;8.75\nno;4\nthe cat;0.25\n";
    on_each_compiler(|options| {
        let wrun = |args: &[&str], stdin: Stdio, stdout: Stdio| {
            let mut command = Command::new(WRUN);
            command.args(options).args(args).env_clear().stdin(stdin).stdout(stdout);
            command.stderr(Stdio::null()).spawn().unwrap()
        };
        let mut matches = wrun(&[MATCHES, "--", "the"], Stdio::piped(), Stdio::piped());
        let words = wrun(&[WORDS, "--", "-n", "2"], matches.stdout.take().unwrap().into(), Stdio::piped());
        matches.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let counted = words.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&counted.stdout), "     3 the\n     2 cat\n", "{options:?}");
        assert_eq!((counted.status.code(), matches.wait().unwrap().code()), (Some(0), Some(0)), "{options:?}");

        let args = [options, &["--env", "SEPARATOR=;", COLUMNS, "--", "-", "n"]].concat();
        run_with(&args, text).prints("n 14 0.25 8.75\n");
    });
}

#[test]
fn a_program_answers_each_line_immediately() {
    on_each_engine(|engine| {
        let mut command = Command::new(WRUN);
        command.env_clear().args(["-r", engine, MATCHES, "--", "a"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let (mut stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut answers = BufReader::new(stdout).lines();
        for (line, answer) in [("a", "1:a"), ("b\nba", "3:ba"), ("ä\0a", "4:ä\0a")] {
            stdin.write_all(format!("{line}\n").as_bytes()).unwrap();
            assert_eq!(answers.next().unwrap().unwrap(), answer);
        }
        drop(stdin);
        assert!(answers.next().is_none());
        assert_eq!(child.wait().unwrap().code(), Some(0));
    });
}

#[test]
fn a_real_program_costs_the_same_fuel_on_every_engine() {
    for (args, stdin) in [
        (&[WORDS, "--", "-n", "1"][..], "one two two"),
        (&[COLUMNS, "--", "-", "a"], "a,b\n1,0.5\n2.25,x\n"),
        (&[MATCHES, "--", "a"], "a\nb\nab\n"),
    ] {
        let used = RefCell::new(Vec::new());
        on_each_compiler(|options| {
            let all = [options, &["--fuel", "1G", "--metrics", "--capture"], args].concat();
            let envelope = run_with(&all, stdin).envelope();
            assert_eq!(envelope["ok"], true, "{envelope}");
            used.borrow_mut().push(envelope["metrics"]["fuel_used"].as_u64().unwrap());
        });
        let used = used.into_inner();
        assert!(used.iter().all(|one| *one == used[0] && *one > 1000), "{args:?}: {used:?}");
    }
}

#[test]
fn after_arguments_from_standard_input_the_guest_sees_end_of_file() {
    let module = file(READS);
    on_each_engine(|engine| {
        let with = |args: &[&str], stdin: &str| run_with(&[&["-r", engine, &module.path], args].concat(), stdin);
        with(&["plus_read", "-"], "[100]").prints("100\n");
        with(&["plus_read"], " 100 \n\n").prints("100\n");
        with(&["read", "-"], "[]").prints("0\n");
        with(&["plus_read", "100"], "seven b").prints("107\n");
        with(&["read"], "seven b").prints("7\n");
    });
}

#[test]
fn after_a_module_from_standard_input_the_guest_sees_end_of_file() {
    on_each_engine(|engine| {
        run_with(&["-r", engine, "-"], READS).prints("");
        run_with(&["-r", engine, "-", "plus_read", "100"], READS).prints("100\n");
        let words = std::fs::read(WORDS).unwrap();
        let output = run_with(&["-r", engine, "-"], words);
        assert_eq!((output.code, &*output.stdout, &*output.stderr), (0, "", "0 words, 0 different\n"));
    });
    run(&["-"]).fails(126, &["the input is empty"]);
}

#[test]
#[cfg(target_os = "linux")]
fn standard_input_has_other_names() {
    let module = file(READS);
    let link = format!("{}.link", module.path);
    std::os::unix::fs::symlink("/dev/fd/0", &link).unwrap();
    on_each_engine(|engine| {
        let shell = |line: &str| printed(&in_shell("true", &format!("-r {engine} {line}")).output().unwrap());
        for name in ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0", "/dev/../proc/self/fd/0", &link] {
            shell(&format!("{name} read <{}", module.path)).prints("0\n");
            run_with(&["-r", engine, name, "read"], READS).prints("0\n");
            let output = run_with(&["-r", engine, name, "plus_read"], READS);
            output.fails(2, &["cannot both come from standard input"]);
        }
        // Another descriptor of the same file.
        shell(&format!("/dev/fd/7 read <{} 7<&0", module.path)).prints("0\n");
        // The path of a file that is also standard input is another matter: the guest reads the file.
        shell(&format!("{0} read <{0}", module.path)).prints("100\n");
        // A policy that comes from there.
        let policy = file("runtime = 'wasmtime'");
        shell(&format!("--policy /dev/stdin {} read <{}", module.path, policy.path)).prints("0\n");
        for name in ["-", "/dev/fd/0"] {
            shell(&format!("--policy /dev/stdin {name} read <{}", policy.path))
                .fails(2, &["the module and the policy cannot both come from standard input"]);
        }
    });
}
