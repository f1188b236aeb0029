//! `--net`: the syntax of rules, their refusal, and their display. The tests of WASIX check what rules allow.

use std::fs;

use serde_json::{Value, json};
use wrun::RuntimeKind;

use crate::vocabulary::{on_each_engine, run, wrun};

const ADD: [&str; 4] = ["fixtures/add.wasm", "add", "5", "3"];

/// Returns the report of `--explain` if the engine has a network, for components, plug-ins or modules. Otherwise, asserts that the rules are refused.
fn explain(engine: &str, options: &[&str]) -> Option<Value> {
    let output = run(&[&["-r", engine, "--explain", "-o", "json"], options, &["x.wasm"]].concat());
    let runs_components = engine == "wasmtime" && cfg!(feature = "components");
    if engine.parse::<RuntimeKind>().unwrap().modules_have_network() || runs_components || cfg!(feature = "http") {
        assert_eq!((output.code, output.stderr.as_str()), (0, ""));
        return Some(serde_json::from_str(&output.stdout).unwrap());
    }
    output.fails(126, &["has no network for modules"]);
    None
}

/// Creates a policy file with this text. Returns its folder and its path.
fn policy(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

#[test]
fn an_engine_without_a_network_refuses_rules_before_anything_runs() {
    let wasix = cfg!(feature = "wasix");
    on_each_engine(|engine| {
        let output = run(&[&["-r", engine, "--net", "localhost:80"], &ADD[..]].concat());
        if engine == "wasmer" && wasix {
            return output.prints("8\n");
        }
        let hint = if wasix { "use `--runtime wasmer`" } else { "build with `--features wasix`" };
        let message = format!("cannot grant `out:localhost:80`: {engine} has no network for modules");
        output.fails(126, &[&message, hint]);
        let envelope = run(&[&["-r", engine, "--metrics", "--net", "dns"], &ADD[..]].concat()).envelope();
        assert_eq!((&envelope["error"]["kind"], &envelope["exit_code"]), (&json!("grant"), &json!(126)));
        assert_eq!(envelope["metrics"]["compile_ns"], Value::Null, "it was not compiled");
        let (_folder, path) = policy("[grants]\nnet = [\"dns\"]\n");
        run(&[&["-r", engine, "--policy", &path], &ADD[..]].concat()).fails(126, &["has no network", hint]);
    });
}

#[test]
fn the_error_for_an_invalid_rule_shows_the_syntax() {
    on_each_engine(|engine| {
        for (rule, why) in [
            ("localhost", "has no port"),
            ("10.0.0.1/8:80", "10.0.0.0/8"),
            ("in:localhost:80", "is a name"),
            ("127.1:80", "neither an address nor a host name"),
            ("localhost:http", "invalid port `http`"),
            ("", "has no port"),
        ] {
            let output = run(&[&["-r", engine, "--net", rule], &ADD[..]].concat());
            output.fails(2, &[&format!("'{rule}'"), "--net", why, "HOST:PORTS", "dns[:NAME]"]);
        }
    });
}

#[test]
fn explain_shows_rules_in_canonical_form_with_their_sources() {
    let (_folder, path) = policy("[grants]\nnet = [\"tcp:10.0.0.0/8:*\", \"dns\"]\n");
    on_each_engine(|engine| {
        let options = ["--policy", &path, "--net", "[::ffff:127.0.0.1]:80", "--net", "dns:*"];
        let Some(report) = explain(engine, &options) else { return };
        let expected = json!([
            {"rule": "out:tcp:10.0.0.0/8:*", "from": "policy"},
            {"rule": "out:127.0.0.1:80", "from": "flag"},
            {"rule": "dns", "from": "flag"},
        ]);
        assert_eq!(report["grants"]["net"], expected);
        let text = run(&[&["-r", engine, "--explain"], &options[..], &["x.wasm"]].concat()).stdout;
        let lines: Vec<_> = text.lines().filter(|line| line.starts_with("net ")).collect();
        let from_policy = format!("net             out:tcp:10.0.0.0/8:*           (policy {path})");
        let from_flag = "net             out:127.0.0.1:80               (command line)";
        assert_eq!(lines, [&*from_policy, from_flag, "net             dns                            (command line)"]);
        let packed = wrun().args(["-r", engine, "--explain", "-o", "msgpack"]).args(options).arg("x.wasm").output();
        assert_eq!(rmp_serde::from_slice::<Value>(&packed.unwrap().stdout).unwrap(), report);
    });
    on_each_engine(|engine| {
        let none = run(&["-r", engine, "--explain", "x.wasm"]).stdout;
        assert!(none.contains("net             none                           (default)\n"), "{none}");
    });
}

#[test]
fn a_locked_policy_allows_no_other_rules() {
    let (_folder, path) = policy("locked = true\n[grants]\nnet = [\"tcp:127.0.0.1:80\"]\n");
    let (_empty_folder, empty) = policy("locked = true\n");
    on_each_engine(|engine| {
        let locked = |path: &str, rule: &str| {
            run(&["-r", engine, "--policy", path, "--net", rule, "--explain", "x.wasm"]).fails(2, &["locked", "--net"]);
        };
        locked(&path, "127.0.0.1:80");
        locked(&path, "tcp:127.0.0.1:81");
        locked(&path, "dns");
        locked(&empty, "dns");
        if let Some(report) = explain(engine, &["--policy", &path, "--net", "out:tcp:127.0.0.1:80-80"]) {
            assert_eq!(report["grants"]["net"], json!([{"rule": "out:tcp:127.0.0.1:80", "from": "flag"}]));
        }
    });
}

#[test]
fn an_invalid_rule_in_a_policy_is_refused_with_the_line() {
    let (_folder, path) = policy("[grants]\nnet = [\"dns\", \"127.0.0.1\"]\n");
    run(&["--policy", &path, "--explain", "x.wasm"]).fails(2, &["line 2", "`127.0.0.1`", "has no port", "HOST:PORTS"]);
    let (_folder, path) = policy("[grants]\nnet = \"dns\"\n");
    run(&["--policy", &path, "--explain", "x.wasm"]).fails(2, &["line 2"]);
}

#[test]
fn a_network_is_not_deterministic() {
    on_each_engine(|engine| {
        let message = if engine.parse::<RuntimeKind>().unwrap().modules_have_network() {
            "not deterministic"
        } else {
            "has no network for modules"
        };
        run(&[&["-r", engine, "--deterministic", "--net", "dns"], &ADD[..]].concat()).fails(126, &[message]);
    });
}
