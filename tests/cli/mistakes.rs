//! First mistakes, above all those of users of other runtimes, and names that look like options.

use crate::vocabulary::{CALC, Printed, file, in_shell, on_each_engine, printed, run, run_with, wrun};

#[test]
fn arguments_of_a_program_go_after_two_dashes() {
    on_each_engine(|engine| {
        let output = run(&["-r", engine, "fixtures/c/greet.wasm", "/data/hello.txt"]);
        output.fails(
            127,
            &[
                "exports no function `/data/hello.txt`",
                "hint: arguments of a program go after `--`: `wrun fixtures/c/greet.wasm -- /data/hello.txt`",
            ],
        );
    });
    let no_program = run(&["fixtures/add.wasm", "/data/hello.txt"]);
    assert!(!no_program.stderr.contains("after `--`"), "{no_program:?}");
}

#[test]
fn subcommands_of_other_runtimes_are_explained() {
    run(&["run", "fixtures/add.wasm"])
        .fails(127, &["no such module file: run", "there is no `wrun run`: use `wrun fixtures/add.wasm`"]);
    for (line, hint) in [
        ("run", "`wrun MODULE` runs a program"),
        ("call --dir . x.wasm f", "there is no `wrun call`: use `wrun x.wasm`"),
        ("help", "`wrun --help`"),
        ("version", "`wrun --version`"),
        ("validate x.wasm", "`wrun inspect MODULE`"),
        ("validate fixtures/add.wasm", "`wrun inspect MODULE`"),
        ("create-exe x.wasm", "`wrun compile MODULE`"),
        ("config new", "`--policy FILE`"),
        ("wast x.wast", "not test scripts"),
        ("serve x.wasm", "not a server"),
        ("add fixtures/add.wasm 5 3", "the module comes first: `wrun fixtures/add.wasm add`"),
    ] {
        let output = run(&line.split(' ').collect::<Vec<_>>());
        output.fails(127, &["no such module file", hint]);
    }
}

#[test]
fn a_module_may_be_named_like_a_subcommand_of_another_runtime() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("run"), CALC).unwrap();
    printed(&wrun().current_dir(folder.path()).args(["run", "add", "5", "3"]).output().unwrap()).prints("8\n");
}

#[test]
fn options_of_other_runtimes_are_explained() {
    for (line, hint) in [
        ("--mapdir /data::. x.wasm", "`--dir HOST::GUEST`"),
        ("--volume .:/data x.wasm", "`--dir HOST::GUEST`"),
        ("x.wasm -mount=.:/data", "`--dir HOST::GUEST`"),
        ("--map-dir=/data::. x.wasm", "`--dir HOST::GUEST`"),
        ("--invoke add x.wasm 5 3", "`wrun MODULE FUNCTION ARGS...`"),
        ("x.wasm --entrypoint=add", "`wrun MODULE FUNCTION ARGS...`"),
        ("-e add x.wasm", "`wrun MODULE FUNCTION ARGS...`"),
        ("--allow-net x.wasm", "`--net RULE`"),
        ("--net x.wasm", "`--net RULE`"),
        ("--net fixtures/add.wasm x.wasm", "`--net RULE`"),
        ("--env-inherit x.wasm", "`--env NAME`"),
        ("-S inherit-env=y x.wasm", "WASI is always available"),
        ("--wasi x.wasm", "WASI is always available"),
        ("-W max-memory-size=1000 x.wasm", "`--memory`"),
        ("-Wfuel=1 x.wasm", "`--fuel`"),
        ("--wasm gc x.wasm", "`wrun engines`"),
        ("--enable-simd x.wasm", "`wrun engines`"),
        ("--disable-threads x.wasm", "`wrun engines`"),
        ("-C cache=n x.wasm", "`--compiler cranelift|singlepass`"),
        ("--singlepass x.wasm", "`--compiler cranelift|singlepass`"),
        ("-O opt-level=2 x.wasm", "`--opt none|speed|size`"),
        ("--gas-limit 5 x.wasm", "`--fuel N`"),
        ("--time-limit 5 x.wasm", "`--timeout DURATION`"),
        ("--stack-size=65536 x.wasm", "`--stack SIZE`"),
        ("--cachedir=/tmp x.wasm", "`--cache-dir DIR`"),
        ("compile fixtures/add.wasm -o add.cwasm", "`wrun compile` writes to the cache"),
        ("-x.wasm", "`./-x.wasm`"),
    ] {
        let output = run(&line.split(' ').collect::<Vec<_>>());
        output.fails(2, &[hint, "For more information, try '--help'"]);
        assert!(!output.stderr.contains("a similar argument"), "{line}: {}", output.stderr);
        assert!(!output.stderr.contains("Usage: wrun --"), "{line}: {}", output.stderr);
    }
    run(&["--", "-x.wasm"]).fails(2, &["MODULE comes before `--`", "`./-x.wasm`"]);
    run(&["x.wasm", "--bogus=1"]).fails(2, &["`-- --bogus=1` passes it to a program", "`--function=--bogus=1` calls"]);
    let [known, similar] = ["--volume=.:/data", "--metrisc"].map(|word| run(&["x.wasm", word]));
    known.fails(2, &["`--dir HOST::GUEST`", "`-- --volume=.:/data` passes it to a program"]);
    similar.fails(2, &["a similar argument exists: '--metrics'", "`-- --metrisc` passes it to a program"]);
    for other in [run(&["--volume=.:/data", "x.wasm"]), run(&["--metrisc", "x.wasm"])] {
        assert!(!other.stderr.contains("passes it to a program"), "{other:?}");
    }
    let envelope = run(&["--metrics", "--capture", "7MiB", "x.wasm", "add"]).envelope();
    let hint = "the size for `--capture` follows `=`: `--capture=SIZE`";
    assert_eq!((&envelope["exit_code"], &envelope["error"]["hints"]), (&127.into(), &[hint][..].into()));
    run(&["fixtures/add.wasm", "add", "--function", "add", "3"])
        .fails(2, &["hint: with `--function`, all words after MODULE are ARGS"]);
    let value = run(&["x.wasm", "f", "-info"]);
    assert!(!value.stderr.contains("after the module"), "{value:?}");
    run(&["--metrisc", "x.wasm"]).fails(2, &["a similar argument exists: '--metrics'"]);
    run(&["--dir", ".:/data", "x.wasm", "--explain"]).fails(126, &["No such file", "hint: `::` separates"]);
    run(&["--dir", ".:/data", "fixtures/c/greet.wasm"]).fails(126, &["No such file", "hint: `::` separates"]);
    // `.` is granted under its own name.
    run(&["--dir=.", "--fuel=10", "fixtures/add.wasm", "add", "5", "3"]).prints("8\n");
}

/// A module with functions whose names clap takes for options.
const NAMES: &str = r#"(module
  (func (export "-x") (result i32) (i32.const 1))
  (func (export "--help") (result i32) (i32.const 2))
  (func (export "--") (result i32) (i32.const 3))
  (func (export "") (result i32) (i32.const 4))
  (func (export "-") (result i32) (i32.const 5))
  (func (export "--function=-x") (result i32) (i32.const 6))
  (func (export "-inf") (result i32) (i32.const 7))
  (func (export "--add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))"#;

#[test]
fn a_function_with_any_name_can_be_called() {
    let module = file(NAMES);
    on_each_engine(|engine| {
        let call = |args: &[&str]| run(&[&["-r", engine], args].concat());
        let names = ["-x", "--help", "--", "", "-", "--function=-x", "-inf"];
        for (name, result) in names.iter().zip(1..) {
            call(&[&format!("--function={name}"), &module.path]).prints(&format!("{result}\n"));
            call(&[&module.path, "--function", name]).prints(&format!("{result}\n"));
        }
        for name in ["", "-", "-inf"] {
            assert_eq!(call(&[&module.path, name]).code, 0, "{name}");
        }
        // All words after MODULE are then arguments.
        call(&["--function=--add", &module.path, "5", "-3"]).prints("2\n");
        call(&[&module.path, "5", "--function", "--add", "-3"]).prints("2\n");
        call(&["--function=--add", &module.path, "5"]).fails(2, &["too few arguments: 1 given", "--add(i32, i32)"]);
        let envelope = call(&["--metrics", "--function=-x", &module.path]).envelope();
        assert_eq!((&envelope["function"], &envelope["result"]), (&"-x".into(), &1.into()));
    });
    let from_stdin = |args: &[&str]| run_with(&[&["--function=--add", &*module.path], args].concat(), "[5,3]");
    from_stdin(&[]).prints("8\n");
    from_stdin(&["-"]).prints("8\n");
}

#[test]
fn messages_show_how_to_call_a_function_that_looks_like_an_option() {
    let module = file(NAMES);
    let hint = "hint: `--function=-x` calls the function with the name `-x`";
    run(&[&module.path]).fails(127, &[hint]);
    run(&[&module.path, "nonesuch"]).fails(127, &[hint]);
    run(&[&module.path, "-x"]).fails(2, &["unexpected argument '-x'", "`--function=-x` calls an exported function"]);
    let plain = |output: Printed| assert!(!output.stderr.contains("--function"), "{output:?}");
    plain(run(&["fixtures/add.wasm", "nonesuch"]));
    plain(run(&["-x"]));
}

#[test]
fn an_export_with_an_empty_name_is_visible_and_runs_without_start() {
    const PROGRAM: &str = r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1) (func (export "") (call $exit (i32.const 7))) START)"#;
    let start = r#"(func (export "_start") (call $exit (i32.const 8)))"#;
    let [unnamed, both] = ["", start].map(|start| file(PROGRAM.replace("START", start)));
    let typed = file(r#"(module (func (export "") (param i32) (result i32) (local.get 0)))"#);
    on_each_engine(|engine| {
        let envelope = run(&["-r", engine, "--metrics", &unnamed.path, "--", "a"]).envelope();
        assert_eq!((&envelope["function"], &envelope["guest_exit_code"]), (&"".into(), &7.into()));
        assert_eq!(run(&["-r", engine, &both.path]).code, 8);
        assert_eq!(run(&["-r", engine, "--function=", &both.path]).code, 7);
        let listed = "hint: exported functions:\n  \"\"(i32) -> i32\nhint: `--function=` calls the function with the empty name\n";
        run(&["-r", engine, &typed.path]).fails(127, &[listed]);
        run(&["-r", engine, &typed.path, "x"]).fails(127, &[listed]);
        run(&["-r", engine, &typed.path, "", "x"]).fails(2, &["hint: signature: \"\"(i32) -> i32"]);
        run(&["-r", engine, "--function=", &typed.path, "5"]).prints("5\n");
        run(&["-r", engine, "fixtures/add.wasm", ""]).fails(127, &["the module exports no function `\"\"`"]);
    });
    assert!(run(&["inspect", &typed.path]).stdout.contains("exports:\n  \"\": func (i32) -> i32\n"));
}

#[test]
fn the_last_of_repeated_options_wins() {
    run(&["-r", "nonesuch", "-r", "wasmtime", "fixtures/add.wasm"]).fails(2, &["nonesuch"]);
    on_each_engine(|engine| {
        let line = ["-r", "wasmtime", "--fuel", "1", "--timeout", "1h", "--pretty", "--metrics"];
        let again = ["fixtures/add.wasm", "-r", engine, "--fuel", "100", "add", "--timeout=2h", "--pretty", "5", "3"];
        let envelope = run(&[&line[..], &again].concat()).envelope();
        assert_eq!((&envelope["runtime"], &envelope["result"]), (&engine.into(), &8.into()));
        run(&["inspect", "-o", "json", "--color", "never", "-o", engine, "x.wasm"]).fails(2, &[engine]);
    });
    let explained = run(&["--explain", "--env", "A=1", "--dir", ".::/a", "--env", "B=2", "--dir", ".::/b", "x.wasm"]);
    for part in ["/a", "/b", "A ", "B "] {
        assert!(explained.stdout.contains(part), "lists add up: {explained:?}");
    }
}

#[test]
fn wrong_arguments_have_the_same_hints_in_each_command() {
    let module = file(CALC);
    for command in [&[][..], &["diff"], &["bench"]] {
        let call = |words: &[&str]| run_with(&[command, words].concat(), "[1]");
        call(&[&module.path, "add", "5", "x"]).fails(2, &["argument 2 (i32)", "hint: signature: add(i32, i32) -> i32"]);
        call(&[&module.path, "add", "-"]).fails(2, &["too few arguments", "hint: signature: add(i32, i32) -> i32"]);
        call(&["--function", "add", &module.path, "add", "5", "3"])
            .fails(2, &["too many arguments", "hint: with `--function`, all words after MODULE are ARGS"]);
        call(&["fixtures/text/strings.wasm", "upper", "hello"]).fails(2, &["hint: `--abi "]);
    }
}

#[test]
fn misspelled_subcommands_are_suggested() {
    for (line, code, hint) in [
        ("compil fixtures/add.wasm", 127, "did you mean `wrun compile`?"),
        ("inspct", 127, "did you mean `wrun inspect`?"),
        ("-v bnech x.wasm f 1", 127, "did you mean `wrun bench`?"),
        ("batc --jobs 2 x.wasm f", 2, "did you mean `wrun batch`?"),
        ("completion bash", 127, "`wrun completions SHELL`"),
    ] {
        run(&line.split(' ').collect::<Vec<_>>()).fails(code, &[hint]);
    }
    for line in
        ["diff.wasm", "./dif", "nonesuch", "add fixtures/add.wasm 5 3", "bench bnech", "batch dif", "diff dif x"]
    {
        let output = run(&line.split(' ').collect::<Vec<_>>());
        assert!(output.stderr.contains("no such module file") && !output.stderr.contains("did you mean"), "{output:?}");
    }
    run(&["bench", "add", "fixtures/add.wasm"])
        .fails(127, &["the module comes first: `wrun bench fixtures/add.wasm add`"]);
    let other = run(&["bench", "run", "x.wasm"]);
    assert!(!other.stderr.contains("there is no `wrun run`"), "{other:?}");
}

#[test]
fn a_module_may_be_named_like_a_misspelled_subcommand() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("dif"), CALC).unwrap();
    let call = |args: &[&str]| printed(&wrun().current_dir(folder.path()).args(args).output().unwrap());
    call(&["dif", "add", "5", "3"]).prints("8\n");
    let mistake = call(&["dif", "add", "--bogus"]);
    assert!(mistake.code == 2 && !mistake.stderr.contains("did you mean"), "{mistake:?}");
}

#[test]
fn other_ways_to_write_a_call_are_explained() {
    for (line, code, hint) in [
        ("fixtures/add.wasm -- add 5 -3", 127, "need no `--`: `wrun fixtures/add.wasm add 5 -3`"),
        ("fixtures/add.wasm add 5,3", 2, "arguments are separate words: `add 5 3`"),
        ("fixtures/add.wasm add [5,3]", 2, "arguments are separate words: `add 5 3`"),
        ("diff fixtures/add.wasm add 5,x", 2, "arguments are separate words: `add ARGS...`"),
        ("batch fixtures/add.wasm add 5 3", 2, "the arguments of each call are a record on standard input"),
    ] {
        run(&line.split(' ').collect::<Vec<_>>()).fails(code, &[hint]);
    }
    let other = run(&["fixtures/add.wasm", "--", "nonesuch"]);
    assert!(other.code == 127 && !other.stderr.contains("need no `--`"), "{other:?}");
    let second = run(&["inspect", "fixtures/add.wasm", "fixtures/add.wat"]);
    assert!(second.code == 2 && !second.stderr.contains("./fixtures"), "{second:?}");
}

#[test]
fn an_unreadable_standard_input_has_no_signature() {
    let output = printed(&in_shell("exec <fixtures", "fixtures/add.wasm add -").output().unwrap());
    output.fails(125, &["cannot read standard input: Is a directory"]);
    assert!(!output.stderr.contains("hint"), "{output:?}");
}
