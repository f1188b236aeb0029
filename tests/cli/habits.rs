//! The conventions of Unix tools.

use std::io::Read as _;
use std::process::{Command, Stdio};

use crate::vocabulary::{
    CALC, WRUN, endless, file, in_shell, on_each_engine, piped_to_head, printed, run, run_with, wrun,
};

#[test]
fn a_closed_pipe_is_not_an_error() {
    let mut command = Command::new(WRUN);
    command.args(["inspect", "fixtures/c/checksums.wasm"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn an_empty_environment_is_enough() {
    let output = wrun().env_clear().args(["fixtures/add.wasm", "add", "5", "3"]).output().unwrap();
    assert_eq!((output.stdout.as_slice(), output.status.code()), (b"8\n".as_slice(), Some(0)));
}

#[test]
fn the_runtime_flag_wins_over_the_environment() {
    let kinds: Vec<_> = wrun::RuntimeKind::available().collect();
    for from_environment in &kinds {
        let run = |args: &[&str]| {
            let output = wrun().env("WRUN_RUNTIME", from_environment.as_str()).args(args).output().unwrap();
            serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()["runtime"].clone()
        };
        let plain = run(&["--metrics", "fixtures/add.wasm", "add", "5", "3"]);
        assert_eq!(plain, from_environment.as_str());
        let flag = kinds[0].as_str();
        assert_eq!(run(&["--metrics", "-r", flag, "fixtures/add.wasm", "add", "5", "3"]), flag);
    }
    let output = wrun().env("WRUN_RUNTIME", "nonesuch").args(["fixtures/add.wasm", "add", "5", "3"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn an_empty_runtime_variable_is_ignored_and_a_wrong_one_is_named() {
    let with = |value: &str, args: &[&str]| printed(&wrun().env("WRUN_RUNTIME", value).args(args).output().unwrap());
    with("", &["fixtures/add.wasm", "add", "5", "3"]).prints("8\n");
    with("nonesuch", &["fixtures/add.wasm", "add", "5", "3"]).fails(2, &["WRUN_RUNTIME", "nonesuch"]);
    assert_eq!(with("nonesuch", &["engines"]).code, 0);
}

#[test]
fn control_characters_in_export_names_are_escaped() {
    let module = file(r#"(module (func (export "a\1b[2J\0ahint: b")))"#);
    let listed = run(&[&module.path, "no"]);
    listed.fails(127, &["a\\u{1b}[2J\\u{a}hint: b() -> ()"]);
    let inspected = run(&["inspect", &module.path]);
    assert!(inspected.stdout.contains("a\\u{1b}[2J\\u{a}hint: b: func () -> ()"), "{inspected:?}");
    assert!(!inspected.stdout.contains('\x1b'), "{inspected:?}");
}

#[test]
fn a_function_can_be_named_like_a_negative_number() {
    let module = file(
        r#"(module (func (export "-5") (result i32) (i32.const 8)) (func (export " -5") (result i32) (i32.const 7)))"#,
    );
    run(&[&module.path, "-5"]).prints("8\n");
    run(&["-5"]).fails(127, &["no such module file: -5"]);
}

#[test]
fn help_and_version_go_to_standard_output() {
    let output = run(&["--help"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    assert!(output.stdout.contains("Usage: wrun"), "{}", output.stdout);
    run(&["--version"]).prints(&format!("wrun {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_file_named_like_a_subcommand_needs_a_path() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("inspect"), CALC).unwrap();
    let output = wrun().current_dir(folder.path()).args(["./inspect", "add", "5", "3"]).output().unwrap();
    assert_eq!(output.stdout, b"8\n");
}

#[test]
fn a_function_named_like_a_subcommand_is_called() {
    let module = file("(module (func (export \"inspect\") (result i32) (i32.const 7)))");
    run(&[&module.path, "inspect"]).prints("7\n");
}

#[test]
fn a_subcommand_comes_first() {
    run(&["-o", "json", "engines"]).fails(2, &["a subcommand comes first", "`wrun engines [OPTIONS]`", "`./engines`"]);
    run(&["-v", "inspect", "fixtures/add.wasm"]).fails(2, &["a subcommand comes first", "`wrun inspect [OPTIONS]`"]);
    assert_eq!(run(&["engines", "-o", "json"]).code, 0);
}

#[test]
fn quiet_leaves_out_hints_and_verbose_logs() {
    let module = file(CALC);
    let output = run(&["-q", &module.path, "ad"]);
    assert_eq!((output.code, output.stderr.as_str()), (127, "error: the module exports no function `ad`\n"));
    let output = run(&["-v", &module.path, "zero"]);
    assert_eq!((output.code, output.stdout.as_str()), (0, "0\n"));
    assert!(output.stderr.contains("compile_ns"), "{}", output.stderr);
    let output = run(&["-v", "--log-format", "json", &module.path, "zero"]);
    for line in output.stderr.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["level"], "INFO");
    }
    assert!(output.stderr.lines().count() >= 3, "{}", output.stderr);
    let output = wrun().env("WRUN_LOG", "!!not=a=filter").args([&module.path, "zero"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn debug_lines_need_verbose_twice() {
    let once = run(&["-v", "fixtures/add.wasm", "add", "5", "3"]);
    assert!(!once.stderr.contains("DEBUG"), "{}", once.stderr);
    let twice = run(&["-vv", "fixtures/add.wasm", "add", "5", "3"]);
    assert!(twice.stderr.contains("DEBUG wrun::cli::supervisor: running the guest"), "{}", twice.stderr);
}

#[test]
fn colour_is_off_unless_requested() {
    let coloured = wrun().env_remove("NO_COLOR").args(["--color", "always", "no/such.wasm"]).output().unwrap();
    assert!(coloured.stderr.starts_with(b"\x1b["), "{coloured:?}");
    let plain = wrun().env_remove("NO_COLOR").args(["no/such.wasm"]).output().unwrap();
    assert!(plain.stderr.starts_with(b"error:"), "{plain:?}");
}

#[test]
fn progress_without_a_terminal_must_be_requested() {
    let output = run(&["--progress", "always", "fixtures/add.wasm", "add", "5", "3"]);
    assert_eq!(output.stdout, "8\n");
    assert!(output.stderr.contains("compiling 41 B") && output.stderr.contains("compiled in"), "{}", output.stderr);
    run(&["--progress", "never", "fixtures/add.wasm", "add", "5", "3"]).prints("8\n");
}

#[test]
fn a_guest_that_writes_to_a_closed_pipe_ends_without_an_error() {
    let module = file(endless("wasi_snapshot_preview1"));
    on_each_engine(|engine| {
        for flags in ["", "--timeout 1h", "--fuel 1G --memory 1MiB"] {
            let (stdout, stderr) = piped_to_head(&format!("-r {engine} {flags} {}", module.path));
            assert_eq!((&*stdout, &*stderr), ("y\ny\n", "code 0\n"), "{engine} {flags}");
        }
    });
}

#[test]
fn output_to_a_closed_stream_is_discarded() {
    on_each_engine(|engine| {
        for line in ["fixtures/add.wasm add 5 3", "--env NAME=you fixtures/c/greet.wasm -- - 0"] {
            printed(&in_shell("exec >&-", &format!("-r {engine} {line}")).output().unwrap()).prints("");
        }
        let output = printed(&in_shell("exec 2>&-", &format!("-r {engine} fixtures/add.wasm ad")).output().unwrap());
        assert_eq!((output.code, &*output.stderr), (127, ""));
    });
}

#[test]
fn help_that_cannot_be_written_is_a_failure() {
    for flag in ["--help", "--version"] {
        let line = format!("{WRUN} {flag} >/dev/full; echo $?");
        let output = Command::new("sh").args(["-c", &line]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "125\n");
        assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write to standard output"));
    }
}

#[test]
fn paths_that_are_not_utf8_work() {
    use std::os::unix::ffi::OsStrExt;
    let odd = std::ffi::OsStr::from_bytes(b"/tmp/wrun-\xff");
    let json = |command: &mut crate::vocabulary::Command| {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let path = json(wrun().env("WRUN_CACHE_DIR", odd).args(["cache", "path", "-o", "json"]));
    assert_eq!(path["path"], "/tmp/wrun-\u{fffd}");
    let explained = json(wrun().arg("--cache-dir").arg(odd).args(["--explain", "-o", "json", "x.wasm"]));
    assert_eq!(explained["cache"]["value"], "/tmp/wrun-\u{fffd}");
    let mut flag = std::ffi::OsString::from("--cache-dir=");
    flag.push(odd);
    assert_eq!(json(wrun().args(["cache", "path", "-o", "json"]).arg(flag))["from"], "flag");
    let log = wrun().env("WRUN_LOG", odd).args(["engines"]).output().unwrap();
    printed(&log).fails(2, &["WRUN_LOG is not UTF-8"]);
}

#[test]
fn a_path_below_a_file_does_not_exist() {
    run(&["fixtures/add.wasm/x", "add"]).fails(127, &["no such module file"]);
}

#[test]
fn usage_errors_honour_the_colour_flag() {
    let coloured = |args: &[&str]| {
        let output = wrun().env_remove("NO_COLOR").args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        output.stderr.contains(&0x1b)
    };
    assert!(coloured(&["--color", "always", "--bogus"]) && coloured(&["--color=always", "--bogus"]));
    assert!(!coloured(&["--color", "always", "--color=never", "--bogus"]) && !coloured(&["--bogus"]));
}

#[test]
fn a_batch_without_a_function_says_what_its_records_are() {
    on_each_engine(|engine| {
        let printed = run_with(&["batch", "-r", engine, "fixtures/add.wasm"], "[1,2]\n");
        assert!(printed.stdout.contains("expected an operation such as {\\\"call\\\":"), "{printed:?}");
        assert_eq!(printed.code, 123);
    });
}

#[test]
fn one_unit_of_fuel_is_singular() {
    on_each_engine(|engine| {
        run(&["-r", engine, "--fuel", "1", "fixtures/add.wasm", "add", "1", "2"])
            .fails(152, &["used more than its 1 unit of fuel"]);
    });
}

#[test]
fn options_are_grouped_in_the_same_order_in_each_help() {
    let groups = |command: &[&str]| {
        let help = run(&[command, &["--help"]].concat()).stdout;
        let is_group = |line: &&str| line.ends_with(':') && !line.starts_with(' ');
        help.lines().filter(is_group).map(|line| line.trim_end_matches(':').to_owned()).collect::<Vec<_>>()
    };
    let of_guest = ["Engine", "Limits", "Grants"];
    let of_format = ["Input and output", "Text and bytes"];
    for (command, expected) in [
        (&[][..], [&["Commands", "Arguments", "Options"][..], &of_guest, &of_format, &["Cache", "Messages"]].concat()),
        (
            &["diff"],
            [&["Arguments", "Options"][..], &of_guest, &of_format, &["Generated modules", "Messages"]].concat(),
        ),
        (
            &["batch"],
            [&["Arguments", "Options", "Records"][..], &of_format, &of_guest, &["Cache", "Messages"]].concat(),
        ),
        (&["bench"], [&["Arguments", "Options", "Measurement"][..], &of_guest, &of_format, &["Messages"]].concat()),
        (&["compile"], [&["Arguments", "Options"][..], &of_guest, &["Cache", "Messages"]].concat()),
        (&["cache"], vec!["Arguments", "Options", "Cache", "Messages"]),
        (&["inspect"], vec!["Arguments", "Options", "Messages"]),
    ] {
        assert_eq!(groups(command), expected, "{command:?}");
    }
}
