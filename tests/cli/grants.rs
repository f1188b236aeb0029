//! Grants to programs, by flags and by a policy file, and their display by `--explain`.

use std::fs;

use serde_json::{Value, json};

use crate::vocabulary::{file, on_each_engine, run, wrun};

const GREET: &str = "fixtures/c/greet.wasm";

/// A folder with a file `note.txt` and a policy file.
struct TestFolder {
    folder: tempfile::TempDir,
}

impl TestFolder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("note.txt"), "some text\n").unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        Self { folder }
    }

    fn path(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    fn policy(&self, text: &str) -> String {
        let path = self.folder.path().join("policy.toml");
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

#[test]
fn nothing_is_granted_by_default() {
    let folder = TestFolder::new();
    on_each_engine(|engine| {
        let output = wrun().args(["-r", engine, GREET, "--", folder.path()]).env("NAME", "you").output().unwrap();
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!((output.status.code(), &*stdout), (Some(66), "hello, whoever you are\n"), "{stderr}");
        assert!(stderr.contains("No such file"), "{stderr}");
    });
}

#[test]
fn folders_variables_arguments_and_standard_input_are_granted() {
    let folder = TestFolder::new();
    let dir = format!("{}::/data::ro", folder.path());
    on_each_engine(|engine| {
        run(&["-r", engine, "--dir", &dir, "--env", "NAME=you", GREET, "--", "/data/note.txt"])
            .prints("hello, you\nsome text\n");
        let copied = wrun()
            .args(["-r", engine, "--env", "NAME", GREET, "--", "-"])
            .env("NAME", "me")
            .write_stdin("in\n")
            .output();
        assert_eq!(copied.unwrap().stdout, b"hello, me\nin\n");
        let own = format!("{}/note.txt", folder.path());
        run(&["-r", engine, "--dir", folder.path(), GREET, "--", &own]).prints("hello, whoever you are\nsome text\n");
    });
}

#[test]
fn guest_exit_codes_up_to_123_become_the_exit_code() {
    on_each_engine(|engine| {
        for (code, expected) in [(0, 0), (1, 1), (123, 123)] {
            let output = run(&["-r", engine, GREET, "--", "-", &code.to_string()]);
            assert_eq!((output.code, &*output.stderr), (expected, ""), "{code}");
        }
        for code in [124, 125, 126, 127, 128, 255, 256, 379, i32::MAX, -1, i32::MIN] {
            let output = run(&["-r", engine, GREET, "--", "-", &code.to_string()]);
            let note = format!("note: the guest exited with {code}\n");
            assert_eq!((output.code, output.stderr), (125, note));
            let envelope =
                run(&["-r", engine, "--metrics", "--capture", GREET, "--", "-", &code.to_string()]).envelope();
            assert_eq!((&envelope["exit_code"], &envelope["guest_exit_code"]), (&json!(125), &json!(code)));
        }
        let envelope = run(&["-r", engine, "--metrics", "--capture", GREET, "--", "-", "200"]).envelope();
        assert_eq!(envelope["ok"], json!(false));
        assert_eq!((&envelope["exit_code"], &envelope["guest_exit_code"]), (&json!(125), &json!(200)));
        assert_eq!(envelope["stdout"], json!("hello, whoever you are\n"));
        assert!(envelope["metrics"]["call_ns"].is_u64(), "{envelope}");
    });
}

#[test]
fn captured_output_may_be_binary() {
    on_each_engine(|engine| {
        let run = |format: &str| {
            let mut command = wrun();
            command.args(["-r", engine, "--metrics", "--capture", "-o", format, GREET, "--", "-"]);
            command.write_stdin([0xff, 0xfe].as_slice()).output().unwrap().stdout
        };
        let envelope: Value = serde_json::from_slice(&run("json")).unwrap();
        assert_eq!(envelope["stdout"], json!({"base64": "aGVsbG8sIHdob2V2ZXIgeW91IGFyZQr//g=="}));
        let written = b"hello, whoever you are\n\xff\xfe";
        assert!(run("msgpack").windows(written.len()).any(|window| window == written));
    });
    run(&["--capture", GREET]).fails(2, &["--metrics"]);
}

#[test]
fn guest_arguments_need_a_wasi_module() {
    run(&["fixtures/add.wasm", "add", "1", "2", "--", "3"]).fails(2, &["does not import WASI"]);
}

#[test]
fn invalid_grants_are_refused_before_anything_runs() {
    let folder = TestFolder::new();
    let note = format!("{}/note.txt", folder.path());
    let twice = format!("{}::/a", folder.path());
    on_each_engine(|engine| {
        run(&["-r", engine, "--dir", "/no/such/folder", GREET]).fails(126, &["/no/such/folder", "No such file"]);
        run(&["-r", engine, "--dir", &note, GREET]).fails(126, &["note.txt", "not a directory"]);
        run(&["-r", engine, "--dir", &twice, "--dir", &format!("{twice}/."), GREET])
            .fails(2, &["two directories", "/a"]);
        for empty in ["=1", "", "="] {
            run(&["-r", engine, "--env", empty, GREET]).fails(2, &["the name is empty: expected NAME or NAME=VALUE"]);
        }
        run(&["-r", engine, "--env", "A=1", "--env", "A=2", GREET])
            .fails(2, &["the environment variable `A` is granted twice"]);
        let dirs = ["--dir", "src::/x", "--dir", "docs::/x/"];
        run(&[&["-r", engine], &dirs[..], &[GREET]].concat()).fails(2, &["two directories are granted as `/x/`"]);
    });
    run(&["--env", "NO_SUCH_VARIABLE_HERE", GREET]).fails(2, &["NO_SUCH_VARIABLE_HERE", "not set"]);
    run(&["--dir", "a::b::c::ro", GREET]).fails(2, &["too many parts"]);
    run(&["--dir", "::ro", GREET]).fails(2, &["empty"]);
}

#[test]
fn deterministic_programs_print_the_same_on_every_engine() {
    let module = file(
        r#"(module
        (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "random") (result i64) (drop (call $random (i32.const 0) (i32.const 8))) (i64.load (i32.const 0)))
        (func (export "clock") (param i32) (result i64)
          (drop (call $clock (local.get 0) (i64.const 0) (i32.const 0)))
          (drop (call $clock (local.get 0) (i64.const 0) (i32.const 0))) (i64.load (i32.const 0))))"#,
    );
    let path = module.path.as_str();
    on_each_engine(|engine| {
        let random = |seed: &str| run(&["-r", engine, seed, path, "random"]).stdout;
        assert_eq!(random("--deterministic"), random("--deterministic=0"));
        assert_ne!(random("--deterministic=1"), random("--deterministic=2"));
        run(&["-r", engine, "--deterministic", path, "clock", "0"]).prints("946684800001000000\n");
        run(&["-r", engine, "--deterministic", path, "clock", "1"]).prints("1000000\n");
        assert_ne!(run(&["-r", engine, path, "random"]).stdout, run(&["-r", engine, path, "random"]).stdout);
    });
    let seven = |kind: &wrun::RuntimeKind| run(&["-r", kind.as_str(), "--deterministic=7", path, "random"]).stdout;
    let available: Vec<_> = wrun::RuntimeKind::available().collect();
    assert!(available.windows(2).all(|two| seven(&two[0]) == seven(&two[1])));
}

#[test]
fn flags_win_over_a_policy_file() {
    let folder = TestFolder::new();
    let policy = folder.policy(
        "[limits]\nfuel = \"1K\"\nmemory = \"64MiB\"\n[grants]\ndirs = [\"sub::/s\", \".::/data::ro\"]\nenv = [\"NAME=policy\"]\n",
    );
    on_each_engine(|engine| {
        run(&["-r", engine, "--policy", &policy, GREET, "--", "/data/note.txt"]).fails(152, &["1000 units"]);
        run(&["-r", engine, "--policy", &policy, "--fuel", "100M", GREET, "--", "/data/note.txt"])
            .prints("hello, policy\nsome text\n");
        run(&["-r", engine, "--policy", &policy, "--fuel", "1G", "--env", "NAME=flag", GREET, "--", "/data/note.txt"])
            .prints("hello, flag\nsome text\n");
    });
}

#[test]
fn a_locked_policy_can_only_be_narrowed() {
    let folder = TestFolder::new();
    let policy =
        folder.policy("locked = true\n[limits]\nmemory = \"64MiB\"\ntimeout = \"10s\"\n[grants]\nenv = [\"A=1\"]\n");
    let with = |flags: &[&str]| run(&[&["--policy", &policy, "--explain"], flags, &["x.wasm"]].concat());
    assert_eq!(with(&["--memory", "32MiB", "--fuel", "5", "--timeout", "10s", "--env", "A=1"]).code, 0);
    with(&["--memory", "65MiB"]).fails(2, &["locked", "--memory"]);
    with(&["--stack", "2MiB"]).fails(2, &["locked", "--stack"]);
    with(&["--timeout", "11s"]).fails(2, &["locked", "--timeout"]);
    with(&["--env", "A=2"]).fails(2, &["locked", "--env"]);
    with(&["--dir", "."]).fails(2, &["locked", "--dir"]);
}

#[test]
fn errors_in_a_policy_file_name_the_line() {
    let folder = TestFolder::new();
    for (text, parts) in [
        ("[limits]\nfeul = 1\n", &["line 2", "feul"][..]),
        ("\n\n[limits]\nmemory = \"64\"\n", &["line 4", "a unit is required"]),
        ("[limits]\ntimeout = 5\n", &["line 2"]),
        ("[grants]\ndirs = [\"a::b::c::d\"]\n", &["line 2", "too many parts"]),
        ("runtime = \"wasmedge\"\n", &["line 1", "wasmtime"]),
        ("lokced = true\n", &["line 1", "lokced"]),
        ("= 1\n", &["line 1"]),
    ] {
        let output = run(&["--policy", &folder.policy(text), "--explain", "x.wasm"]);
        output.fails(2, parts);
        assert!(!output.stderr.ends_with("\n\n"), "{output:?}");
    }
    let controls = run(&["--policy", &folder.policy("= \u{202e}\n"), "x.wasm"]);
    controls.fails(2, &["line 1", "\\u{202e}"]);
    assert!(!controls.stderr.contains('\u{202e}'), "{controls:?}");
    run(&["--policy", "/no/such/policy.toml", "x.wasm"]).fails(2, &["/no/such/policy.toml"]);
}

#[test]
fn explain_shows_values_and_their_sources() {
    let folder = TestFolder::new();
    let policy = folder.policy("[limits]\nfuel = 500\n[grants]\ndirs = [\"sub::/s::ro\"]\n");
    let args = ["--policy", &policy, "--timeout", "2s", "--explain", "x.wasm", "f"];
    let output = run(&args);
    assert_eq!(output.code, 0);
    for line in ["fuel            500", "timeout         2s", "(command line)", "as /s, read-only", "(default)"] {
        assert!(output.stdout.contains(line), "`{line}` is not in:\n{}", output.stdout);
    }
    let report: Value = serde_json::from_str(&run(&[&args[..], &["-o", "json"]].concat()).stdout).unwrap();
    assert_eq!(report["limits"]["fuel"], json!({"value": 500, "from": "policy"}));
    assert_eq!(report["limits"]["timeout_ns"], json!({"value": 2_000_000_000_u64, "from": "flag"}));
    assert_eq!(report["limits"]["memory"], json!({"value": null, "from": "default"}));
    assert_eq!(report["grants"]["dirs"][0]["read_only"], json!(true));
    let packed = wrun().args(args).args(["-o", "msgpack"]).output().unwrap().stdout;
    assert_eq!(rmp_serde::from_slice::<Value>(&packed).unwrap(), report);
    let chosen = wrun().args(["--explain", "-o", "json", "x.wasm"]).env("WRUN_RUNTIME", "nonsense").output().unwrap();
    assert_eq!(chosen.status.code(), Some(2));
    let opt = |args: &[&str]| run(&[args, &["--explain", "x.wasm"]].concat()).stdout;
    assert!(opt(&["--opt", "size"]).contains("opt             size                           (command line)"));
    assert!(opt(&["--policy", &folder.policy("opt = \"none\"\n")]).contains("opt             none "));
    assert!(opt(&[]).contains("opt             speed                          (default)"));
    run(&["--explain", "--dir", "/no/such/folder", "x.wasm"]).fails(126, &["/no/such/folder"]);
}

#[test]
fn explain_names_variables_without_their_values() {
    let folder = TestFolder::new();
    let policy = folder.policy("[grants]\nenv = [\"TOKEN=hidden-1\", \"OTHER=hidden-2\"]\n");
    for format in ["text", "json", "msgpack"] {
        let output = wrun()
            .args(["--explain", "-o", format, "--policy", &policy])
            .args(["--env", "OTHER=hidden-3", "--env", "COPIED", "x.wasm"])
            .env("COPIED", "hidden-4")
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        for name in ["TOKEN", "OTHER", "COPIED"] {
            assert!(printed.contains(name), "{name} is not in:\n{printed}");
        }
        assert!(!printed.contains("hidden"), "{printed}");
        if format == "json" {
            let report: Value = serde_json::from_slice(&output.stdout).unwrap();
            let env = ["TOKEN", "OTHER", "COPIED"].map(|name| match name {
                "TOKEN" => json!({"name": name, "from": "policy"}),
                _ => json!({"name": name, "from": "flag"}),
            });
            assert_eq!(report["grants"]["env"], json!(env));
        }
    }
    run(&["--policy", &folder.policy("locked = true\n"), "--env", "TOKEN=hidden", "--explain", "x.wasm"])
        .fails(2, &["locked", "--env"]);
}

#[test]
fn a_locked_policy_fixes_the_engine_and_allows_narrower_grants() {
    let folder = TestFolder::new();
    let kinds: Vec<_> = wrun::RuntimeKind::available().collect();
    let text = format!(
        "locked = true\nruntime = \"{}\"\ncompiler = \"cranelift\"\ndeterministic = \"7\"\n[grants]\ndirs = [\".::/data\"]\n",
        kinds[0]
    );
    let policy = folder.policy(&text);
    let with = |flags: &[&str]| run(&[&["--policy", &policy, "--explain"], flags, &["x.wasm"]].concat());
    assert_eq!(with(&["-r", kinds[0].as_str(), "--compiler", "cranelift", "--deterministic=7"]).code, 0);
    with(&["--compiler", "singlepass"]).fails(2, &["locked", "--compiler"]);
    with(&["--deterministic=8"]).fails(2, &["locked", "--deterministic"]);
    for other in &kinds[1..] {
        with(&["-r", other.as_str()]).fails(2, &["locked", "--runtime"]);
    }
    let folder = std::path::Path::new(&policy).parent().unwrap().join(".");
    let dir = |end: &str| format!("{}::/data{end}", folder.display());
    let narrowed = with(&["--dir", &dir("::ro")]);
    assert!(narrowed.stdout.contains("as /data, read-only") && narrowed.code == 0, "{narrowed:?}");
    with(&["--dir", &format!("{}::/other::ro", folder.display())]).fails(2, &["locked", "--dir"]);
}

#[test]
fn numbers_in_a_policy_are_written_as_in_flags() {
    let folder = TestFolder::new();
    let policy = folder.policy("deterministic = 3\n[limits]\ntable-elements = \"1_000\"\nfuel = \"1_000\"\n");
    let output = run(&["--policy", &policy, "--explain", "x.wasm"]).stdout;
    assert!(output.contains("table-elements  1000 ") && output.contains("yes, seed 3"), "{output}");
    run(&["--policy", &folder.policy("[limits]\nfuel = -1\n"), "--explain", "x.wasm"]).fails(2, &["line 2", "-1"]);
    run(&["--policy", &folder.policy("deterministic = true\n"), "--explain", "x.wasm"])
        .fails(2, &["expected a number"]);
}
