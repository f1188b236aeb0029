//! The completion scripts, in the shells that are installed.

use std::fs;
use std::process::{Command, Stdio};

use crate::vocabulary::{run, skipped};

/// Runs a script in a folder with `add.wasm`, `in put.wasm` and the folder `data`, and returns its output.
/// Returns `None` and reports a skipped check if the shell is not installed.
fn in_shell(shell: &str, script: &str) -> Option<String> {
    if Command::new(shell).arg("--version").stdout(Stdio::null()).status().is_err() {
        skipped(&format!("{shell} is not installed"));
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    for name in ["add.wasm", "in put.wasm"] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(folder.path().join(".completions"), run(&["completions", shell]).stdout).unwrap();
    let output = Command::new("timeout").args(["60", shell, "-c", script]).current_dir(folder.path()).output().unwrap();
    assert!(output.stderr.is_empty(), "{shell}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Completes the last of these words in bash. Returns the candidates, or `None` without bash.
fn bash(words: &[&str]) -> Option<Vec<String>> {
    let last = words.len() - 1;
    let quoted: String = words.iter().map(|word| format!("'{word}' ")).collect();
    let previous = words[last - 1];
    let script = format!(
        "source ./.completions
         compopt() {{ :; }}  # which works only while bash completes
         read -ra registered <<<\"$(complete -p wrun)\"
         COMP_WORDS=({quoted}) COMP_CWORD={last}
         for word in \"${{!registered[@]}}\"; do
             [[ ${{registered[word]}} == -F ]] && \"${{registered[word + 1]}}\" wrun '{}' '{previous}'
         done
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words[last]
    );
    let printed = in_shell("bash", &script)?;
    Some(printed.lines().map(str::to_owned).collect())
}

#[test]
fn bash_completes_files_where_a_module_or_an_argument_stands() {
    let files = ["add.wasm", "data", "in put.wasm"];
    for words in [
        &["wrun", "inspect", ""][..],
        &["wrun", "compile", ""],
        &["wrun", "--metrics", ""],
        &["wrun", "-r", "wasmer", ""],
        &["wrun", "add.wasm", "--", ""],
        &["wrun", "inspect", "-o", "json", ""],
    ] {
        let Some(mut offered) = bash(words) else { return };
        offered.retain(|name| name != ".completions");
        offered.sort();
        assert_eq!(offered, files, "{words:?}");
    }
    let offered = bash(&["wrun", ""]).unwrap();
    for word in files.iter().chain(&["inspect", "engines", "compile", "cache", "completions"]) {
        assert!(offered.iter().any(|one| one == word), "{word}: {offered:?}");
    }
    assert!(!offered.iter().any(|one| one.starts_with('-')), "{offered:?}");
    let mut both = bash(&["wrun", "in"]).unwrap();
    both.sort();
    assert_eq!(both, ["in put.wasm", "inspect"]);
}

#[test]
fn bash_completes_options_and_their_values() {
    let Some(offered) = bash(&["wrun", "--m"]) else { return };
    assert_eq!(offered, ["--memory", "--metrics"]);
    assert_eq!(bash(&["wrun", "add.wasm", "--runtime", "wasm"]).unwrap(), ["wasmtime", "wasmer"]);
    assert_eq!(bash(&["wrun", "cache", "ve"]).unwrap(), ["verify"]);
    assert_eq!(bash(&["wrun", "inspect", "--output", ""]).unwrap(), ["json", "msgpack", "text"]);
    assert_eq!(bash(&["wrun", "--policy", "ad"]).unwrap(), ["add.wasm"]);
    for subcommand in ["engines", "cache", "completions", "schema"] {
        assert!(!bash(&["wrun", subcommand, ""]).unwrap().contains(&"add.wasm".to_owned()), "{subcommand}");
    }
}

#[test]
fn bash_completes_values_after_an_equal_sign() {
    // bash divides the words like this.
    for last in [&["=", "wasm"][..], &["="], &["=", ""]] {
        let Some(mut offered) = bash(&[&["wrun", "--runtime"], last].concat()) else { return };
        offered.sort();
        assert_eq!(offered, ["wasmer", "wasmtime"], "{last:?}");
    }
    assert_eq!(bash(&["wrun", "--policy", "=", "ad"]).unwrap(), ["add.wasm"]);
    assert_eq!(bash(&["wrun", "inspect", "--output", "=", "js"]).unwrap(), ["json"]);
}

#[test]
fn fish_completes_files_where_a_module_stands() {
    for (line, expected) in [
        ("wrun ", &["add.wasm", "in put.wasm", "data/", "inspect"][..]),
        ("wrun inspect ", &["add.wasm", "in put.wasm", "data/"]),
        ("wrun ad", &["add.wasm"]),
        ("wrun --policy a", &["add.wasm"]),
        ("wrun --runtime ", &["wasmtime", "wasmer"]),
        ("wrun add.wasm --met", &["--metrics"]),
    ] {
        let Some(offered) = in_shell("fish", &format!("source ./.completions; complete -C '{line}'")) else { return };
        // A candidate may be followed by a tab and its description.
        let offered: Vec<&str> = offered.lines().map(|line| line.split('\t').next().unwrap()).collect();
        for word in expected {
            assert!(offered.contains(word), "{line}: {word} is not in {offered:?}");
        }
        assert_eq!(offered.contains(&"inspect"), line == "wrun ", "{line}: a subcommand comes first: {offered:?}");
    }
}

#[test]
fn zsh_completes_a_run_or_a_subcommand() {
    // zsh completes only at a terminal, so the functions that it would call print their names instead.
    let stubs = "compdef() { print registered $* }; source ./.completions
        _files() { print files }; _describe() { print subcommands }
        for name in run inspect cache; do functions[_wrun-$name]=\"print $name: \\$words[1,-2], word \\$CURRENT\"; done";
    for (words, completed) in [
        (&["wrun", ""][..], "subcommands\nrun: wrun, word 2\n"),
        (&["wrun", "-"], "run: wrun, word 2\n"),
        (&["wrun", "add.wasm", ""], "run: wrun add.wasm, word 3\n"),
        (&["wrun", "-r", "wasmer", ""], "run: wrun -r wasmer, word 4\n"),
        (&["wrun", "add.wasm", "inspect", ""], "run: wrun add.wasm inspect, word 4\n"),
        (&["wrun", "inspect", ""], "inspect: inspect, word 2\n"),
        (&["wrun", "cache", "-o", ""], "cache: cache -o, word 3\n"),
        (&["wrun", "add.wasm", "--", ""], "files\n"),
    ] {
        let quoted: String = words.iter().map(|word| format!("'{word}' ")).collect();
        let script = format!("{stubs}\nwords=({quoted}) CURRENT={}\n_wrun", words.len());
        let Some(shown) = in_shell("zsh", &script) else { return };
        assert_eq!(shown, format!("registered _wrun wrun\n{completed}"), "{words:?}");
    }
}
