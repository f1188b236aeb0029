//! Extism plug-ins: single calls, batches, configuration, log and manifests.

use std::fs;

use serde_json::{Value, json};

use crate::vocabulary::{file, on_each_engine, run, run_with, wrun};

const PLUGIN: &str = "fixtures/extism/plugin.wasm";

/// Writes a manifest and returns its path.
fn manifest(folder: &tempfile::TempDir, manifest: &Value) -> String {
    let path = folder.path().join("manifest.json");
    fs::write(&path, manifest.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_plug_in_is_called_with_text_json_and_bytes() {
    on_each_engine(|engine| {
        run(&["-r", engine, "-o", "text", PLUGIN, "count_vowels", "aeiou xyz"]).prints("{\"count\": 5}\n");
        run(&["-r", engine, "--payload", "json", PLUGIN, "count_vowels", "[\"a\"]"]).prints("{\"count\":1}\n");
        let bytes = r#"{"base64":"/wA="}"#;
        run(&["-r", engine, "--payload", "bytes", PLUGIN, "echo", bytes]).prints(&format!("{bytes}\n"));
        run_with(&["-r", engine, PLUGIN, "echo"], r#"["from stdin"]"#).prints("\"from stdin\"\n");
    });
}

#[test]
fn an_error_of_the_plug_in_exits_with_1() {
    on_each_engine(|engine| {
        let failed = run(&["-r", engine, PLUGIN, "fail", "not today"]);
        assert_eq!((failed.code, &*failed.stdout, &*failed.stderr), (1, "", "error: not today\n"));
        let failed = run(&["-r", engine, "--metrics", PLUGIN, "fail", "not today"]);
        let envelope: Value = serde_json::from_str(&failed.stdout).unwrap();
        assert_eq!((failed.code, &envelope["exit_code"]), (1, &json!(1)));
        assert_eq!(
            (&envelope["error"]["kind"], &envelope["error"]["message"]),
            (&json!("plugin"), &json!("not today"))
        );
    });
}

#[test]
fn configuration_comes_from_options_and_policies() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.toml");
    fs::write(&policy, "locked = true\n[config]\na = \"policy\"\n").unwrap();
    let policy = policy.to_str().unwrap();
    on_each_engine(|engine| {
        run(&["-r", engine, "--config", "a=1=2", "--config", "b=", PLUGIN, "config", "a"]).prints("\"1=2\"\n");
        run(&["-r", engine, "--policy", policy, PLUGIN, "config", "a"]).prints("\"policy\"\n");
    });
    let refused = run(&["--policy", policy, "--config", "a=mine", PLUGIN, "config", "a"]);
    assert!(refused.code == 2 && refused.stderr.contains("--config cannot add"), "{refused:?}");
    let explained = run(&["--explain", "--config", "secret=hidden", PLUGIN, "config", "a"]);
    assert!(explained.stdout.contains("secret") && !explained.stdout.contains("hidden"), "{explained:?}");
}

#[test]
fn configuration_that_nothing_can_read_is_a_usage_error() {
    for (args, part) in [
        (&["--config", "a=1", "fixtures/add.wasm", "add", "1", "2"][..], "--config needs an Extism plug-in"),
        (&["--config", "a", PLUGIN, "config", "a"], "NAME=VALUE"),
        (&["--config", "=a", PLUGIN, "config", "a"], "NAME=VALUE"),
        (&["--config", "a=1", "--config", "a=2", PLUGIN, "config", "a"], "`a` is given twice"),
    ] {
        let refused = run(args);
        assert!(refused.code == 2 && refused.stderr.contains(part), "{refused:?}");
    }
}

#[test]
fn a_plug_in_logs_at_the_enabled_levels() {
    on_each_engine(|engine| {
        for (flags, filter, level, lines) in [
            (&[][..], None, "-", &[][..]),
            (&["-v"], None, "2", &["INFO", "WARN", "ERROR"]),
            (&["-vv"], None, "1", &["DEBUG", "INFO", "WARN", "ERROR"]),
            (&[], Some("extism=error"), "4", &["ERROR"]),
            (&[], Some("extism=trace"), "0", &["TRACE", "DEBUG", "INFO", "WARN", "ERROR"]),
        ] {
            let mut command = wrun();
            command.args(["-r", engine, "-o", "text"]).args(flags).args([PLUGIN, "log", "my \x1bmessage"]);
            let output = command.envs(filter.map(|filter| ("WRUN_LOG", filter))).output().unwrap();
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), level, "{flags:?} {filter:?}");
            let logged: Vec<_> = stderr.lines().filter(|line| line.contains("extism: my \\u{1b}message")).collect();
            assert_eq!(logged.len(), lines.len(), "{stderr}");
            assert!(logged.iter().zip(lines).all(|(line, level)| line.contains(level)), "{stderr}");
        }
    });
}

#[test]
fn a_long_message_is_logged_in_part() {
    on_each_engine(|engine| {
        let input = json!(["x".repeat(200_000)]).to_string();
        let logged = run_with(&["-r", engine, "-v", "-o", "text", PLUGIN, "log"], input);
        let longest = logged.stderr.lines().map(str::len).max().unwrap();
        assert!(longest < 70_000 && logged.stderr.contains("… (200000 bytes)"), "{longest}");
    });
}

#[test]
fn a_time_limit_ends_a_plug_in_that_logs_without_end() {
    let chatty = file(
        r#"(module
          (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
          (import "extism:host/env" "store_u8" (func $store (param i64 i32)))
          (import "extism:host/env" "log_warn" (func $log (param i64)))
          (func (export "talk") (result i32) (local $line i64)
            (loop $again
              (local.set $line (call $alloc (i64.const 3)))
              (call $store (local.get $line) (i32.const 27))
              (call $log (local.get $line))
              (br $again))
            (unreachable)))"#,
    );
    on_each_engine(|engine| {
        let batch = ["batch", "-r", engine, "-v", "--timeout", "50ms", &chatty.path, "talk"];
        let ended = run_with(&batch, "\"\"\n");
        assert!(ended.code == 123 && ended.stdout.contains("\"kind\":\"timeout\""), "{}", ended.stdout);
        assert!(ended.stderr.contains("\\u{1b}") && !ended.stderr.contains('\u{1b}'));
    });
}

#[test]
fn http_requests_are_denied_without_a_rule() {
    on_each_engine(|engine| {
        let denied = run(&["-r", engine, "--payload", "json", PLUGIN, "request", r#"{"url": "http://127.0.0.1:1/"}"#]);
        assert_eq!(denied.code, 134, "{denied:?}");
        let hint = if cfg!(feature = "http") { "use `--net 127.0.0.1:1`" } else { "build with `--features http`" };
        assert!(denied.stderr.contains("`http://127.0.0.1:1/` is denied"), "{denied:?}");
        assert!(denied.stderr.contains(hint), "{denied:?}");
    });
}

#[test]
fn a_manifest_sets_limits_grants_and_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = fs::canonicalize(PLUGIN).unwrap();
    let policy = manifest(
        &folder,
        &json!({
            "wasm": [{"path": plugin, "name": "main"}],
            "memory": {"max_pages": 20, "max_var_bytes": 60},
            "config": {"a": "b"},
            "allowed_paths": {"ro:.": "/here"},
            "allowed_hosts": null,
            "timeout_ms": 60_000,
        }),
    );
    on_each_engine(|engine| {
        let with = |args: &[&str]| run(&[&["-r", engine, "--policy", &policy, PLUGIN], args].concat());
        with(&["config", "a"]).prints("\"b\"\n");
        let full = with(&["remember", &"x".repeat(100)]);
        assert!(full.code == 134 && full.stderr.contains("more than 60 bytes"), "{full:?}");
        let large =
            run_with(&["-r", engine, "--policy", &policy, PLUGIN, "echo"], json!(["x".repeat(20 * 65536)]).to_string());
        assert_eq!(large.code, 137, "{large:?}");
    });
    let explained = run(&["--explain", "-o", "json", "--policy", &policy, PLUGIN, "config", "a"]);
    let explained: Value = serde_json::from_str(&explained.stdout).unwrap();
    assert_eq!(explained["limits"]["memory"], json!({"value": 20 * 65536, "from": "policy"}));
    assert_eq!(explained["limits"]["timeout_ns"]["value"], json!(60_000_000_000_u64));
    let [dir] = explained["grants"]["dirs"].as_array().unwrap().as_slice() else { panic!("{explained}") };
    assert_eq!((&dir["guest"], &dir["read_only"]), (&json!("/here"), &json!(true)));
    assert_eq!(explained["grants"]["config"], json!([{"name": "a", "from": "policy"}]));
}

#[test]
fn a_manifest_that_cannot_be_enforced_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (content, part) in [
        (json!({"allowed_hosts": ["api-*.example.com"]}), "`allowed_hosts`"),
        (json!({"wasm": [{"path": "plugin.wasm", "hash": "00"}]}), "`hash`"),
        (json!({"wasm": [{"url": "https://example.com/plugin.wasm"}]}), "`path`"),
        (json!({"memory": {"max_page": 1}}), "unknown field `max_page`"),
        (json!({"wasm": [{"path": fs::canonicalize("fixtures/add.wasm").unwrap()}]}), "is for the module"),
    ] {
        let policy = manifest(&folder, &content);
        let refused = run(&["--policy", &policy, PLUGIN, "echo", "a"]);
        assert!(refused.code == 2 && refused.stderr.contains(part), "{refused:?}");
        let refused = run(&["batch", "--policy", &policy, PLUGIN, "echo"]);
        assert!(refused.code == 2 && refused.stderr.contains(part), "{refused:?}");
    }
    // The module of a pipe is not the one of the manifest.
    let policy = manifest(&folder, &json!({"wasm": [{"path": fs::canonicalize(PLUGIN).unwrap()}]}));
    let refused = run_with(&["--policy", &policy, "/dev/stdin", "echo", "a"], fs::read(PLUGIN).unwrap());
    assert!(refused.code == 2 && refused.stderr.contains("is for the module"), "{refused:?}");
}

#[test]
fn a_batch_resets_memory_and_keeps_variables_of_a_shared_instance() {
    let records = "\"a\"\n\"b\"\n\"c\"\n";
    on_each_engine(|engine| {
        let batch = |mode: &str, function: &str, records: &str| {
            let args = ["batch", "-r", engine, "--jobs", "1", "--instance", mode, PLUGIN, function];
            run_with(&args, records)
        };
        batch("shared", "remember", records).prints("\"a\"\n\"ab\"\n\"abc\"\n");
        batch("per-call", "remember", records).prints("\"a\"\n\"b\"\n\"c\"\n");
        batch("shared", "echo", records).prints(records);
        let many: String = (0..2000).map(|n| format!("\"{n}\"\n")).collect();
        batch("shared", "echo", &many).prints(&many);
    });
}

#[test]
fn an_error_of_the_plug_in_fails_its_record_and_keeps_the_variables() {
    on_each_engine(|engine| {
        let args = ["batch", "-r", engine, "--jobs", "1", "--memory", "2MiB", PLUGIN, "fail"];
        let failed = run_with(&args, "\"one\"\n\"\"\n\"three\"\n");
        let lines: Vec<Value> = failed.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(failed.code, 123, "{failed:?}");
        assert_eq!((&lines[0]["error"]["kind"], &lines[0]["error"]["message"]), (&json!("plugin"), &json!("one")));
        assert_eq!((&lines[1], &lines[2]["error"]["message"]), (&json!(""), &json!("three")));
    });
}

#[test]
fn inspect_tells_what_a_plug_in_offers_and_needs() {
    let report = run(&["inspect", "-o", "json", PLUGIN]);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    let functions = report["plugin_functions"].as_array().unwrap();
    assert!(functions.contains(&json!("count_vowels")) && functions.contains(&json!("log")), "{functions:?}");
    assert_eq!(report["capabilities"], json!(["http", "plugin"]));
    let report = run(&["inspect", "-o", "json", "fixtures/add.wasm"]);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    assert_eq!(report["plugin_functions"], Value::Null);
}
