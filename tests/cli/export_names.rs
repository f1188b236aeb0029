//! Completion of the exports of the module being typed, in the shells that are installed: `source <(COMPLETE=bash wrun)`.

use std::fs;
use std::path::Path;

use crate::vocabulary::{CALC, Command, WRUN, skipped, wrun};

/// A folder with modules to complete.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let hostile =
        r#"(module (func (export "ok")) (func (export "$(touch pwned)")) (func (export "-x")) (func (export "a b")))"#;
    for (name, text) in [
        ("calc.wat", CALC),
        ("my calc.wat", CALC),
        ("shop.wat", include_str!("shop.wat")),
        ("hostile.wat", hostile),
        ("bad", "no"),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    fs::create_dir(folder.path().join("data")).unwrap();
    folder
}

/// Asks as fish does: it passes the words before the cursor and then the word at the cursor. Returns each candidate with its description.
fn candidates(folder: &Path, words: &[&str]) -> Vec<String> {
    let mut command = wrun();
    let output = command.env("COMPLETE", "fish").args(["--"]).args(words).current_dir(folder).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words:?}");
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn functions_are_offered_with_their_signatures() {
    let folder = folder();
    let offered = |words: &[&str]| candidates(folder.path(), words);
    let all = [
        "add\t(i32, i32) -> i32",
        "div\t(i32, i32) -> i32",
        "neg\t(f64) -> f64",
        "pair\t(i64) -> (i64, i32)",
        "zero\t() -> i32",
        "nothing\t() -> ()",
    ];
    assert_eq!(offered(&["wrun", "calc.wat", ""]), all);
    assert_eq!(offered(&["wrun", "calc.wat", "n"]), [all[2], all[5]]);
    for words in [
        &["wrun", "-r", "wasmer", "calc.wat", "ne"][..],
        &["wrun", "--metrics", "calc.wat", "--fuel", "9", "ne"],
        &["wrun", "calc.wat", "--function", "ne"],
        &["wrun", "batch", "calc.wat", "ne"],
        &["wrun", "batch", "--jobs", "2", "calc.wat", "ne"],
        &["wrun", "diff", "calc.wat", "ne"],
        &["wrun", "diff", "--opt", "speed", "./calc.wat", "ne"],
        &["wrun", "my\\ calc.wat", "ne"],
        &["wrun", "'my calc.wat'", "ne"],
    ] {
        assert_eq!(offered(words), [all[2]], "{words:?}");
    }
}

#[cfg(feature = "components")]
#[test]
fn functions_of_components_are_offered_by_their_short_names() {
    let folder = folder();
    let offered = candidates(folder.path(), &["wrun", "shop.wat", ""]);
    assert!(!offered.is_empty() && offered.iter().all(|line| line.contains("\tfunc(")), "{offered:?}");
}

#[test]
fn only_names_that_are_safe_in_a_shell_are_offered() {
    assert_eq!(candidates(folder().path(), &["wrun", "hostile.wat", ""]), ["ok\t() -> ()"]);
}

#[test]
fn other_words_are_completed_as_before() {
    let folder = folder();
    let offered = |words: &[&str]| -> Vec<String> {
        let lines = candidates(folder.path(), words).into_iter();
        lines.map(|line| line.split('\t').next().unwrap().to_owned()).collect()
    };
    let first = offered(&["wrun", ""]);
    for word in ["inspect", "batch", "schema", "calc.wat", "data/"] {
        assert!(first.iter().any(|offered| offered == word), "{word}: {first:?}");
    }
    assert!(!first.iter().any(|word| word.starts_with('-') || word == "man"), "{first:?}");
    assert_eq!(offered(&["wrun", "--metr"]), ["--metrics"]);
    assert_eq!(offered(&["wrun", "calc.wat", "--runtime", ""]), ["wasmtime", "wasmer"]);
    assert_eq!(offered(&["wrun", "cache", "ve"]), ["verify"]);
    assert_eq!(offered(&["wrun", "inspect", "ca"]), ["calc.wat"]);
    // A file that is not a module, no file, standard input, and a folder.
    for module in ["bad", "no-such.wasm", "-", "data"] {
        let offered = offered(&["wrun", module, "a"]);
        assert_eq!(offered, Vec::<String>::new(), "{module}");
    }
}

#[test]
fn a_fifo_or_a_huge_file_is_not_read() {
    let folder = folder();
    let large = fs::File::create(folder.path().join("huge.wasm")).unwrap();
    large.set_len(1 << 40).unwrap();
    assert_eq!(candidates(folder.path(), &["wrun", "huge.wasm", "a"]), Vec::<String>::new());
    let made = Command::new("mkfifo").arg("fifo").current_dir(folder.path()).output();
    assert!(made.unwrap().status.success());
    assert_eq!(candidates(folder.path(), &["wrun", "fifo", "a"]), Vec::<String>::new());
}

#[test]
fn hostile_modules_are_silent_and_do_not_take_long() {
    let folder = folder();
    let many: String = (0..200_000).map(|n| format!("(export \"f{n}\" (func 0))")).collect();
    let long_type = format!("(module (func (export \"f\") (param {})))", "i32 ".repeat(1000));
    let header = b"\0asm\x01\0\0\0".to_vec();
    for (name, contents) in [
        ("deep.wat", format!("(module {}", "(func (block ".repeat(200_000)).into_bytes()),
        ("deep-component.wat", "(component ".repeat(200_000).into_bytes()),
        // A section whose length is larger than the file, and one with four billion exports.
        ("long.wasm", [header.clone(), b"\x07\xff\xff\xff\xff\x0f".to_vec()].concat()),
        ("many.wasm", [header, b"\x07\x05\xff\xff\xff\xff\x0f".to_vec()].concat()),
    ] {
        fs::write(folder.path().join(name), contents).unwrap();
        assert_eq!(candidates(folder.path(), &["wrun", name, "f"]), Vec::<String>::new(), "{name}");
    }
    fs::write(folder.path().join("many.wat"), format!("(module (func) {many})")).unwrap();
    // Parsing the text may take longer than a shell waits.
    let offered = candidates(folder.path(), &["wrun", "many.wat", "f"]).len();
    assert!(offered == 0 || offered == 1000, "{offered}");
    fs::write(folder.path().join("long-type.wat"), long_type).unwrap();
    let offered = candidates(folder.path(), &["wrun", "long-type.wat", "f"]);
    assert!(offered[0].starts_with("f\t(i32, i32") && offered[0].chars().count() < 110, "{offered:?}");
}

#[test]
fn another_programs_variable_does_not_matter() {
    for value in ["", "0", "1", "yes", "/usr/bin"] {
        let output = wrun().env("COMPLETE", value).args(["fixtures/add.wasm", "add", "5", "3"]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "8\n", "{value}");
    }
}

/// Runs a script in a shell with the completions of this build. Returns its output, or `None` if the shell is not installed.
fn in_shell(shell: &str, script: &str) -> Option<String> {
    let folder = folder();
    let search = format!("{}:{}", Path::new(WRUN).parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(shell);
    let Ok(output) = command.args(["-c", script]).env("PATH", search).current_dir(folder.path()).output() else {
        skipped(&format!("{shell} is not installed"));
        return None;
    };
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{shell}");
    assert!(!folder.path().join("pwned").exists());
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn bash_completes_functions() {
    let script = "source <(COMPLETE=bash wrun)
        compopt() { :; }  # which works only while bash completes
        COMP_WORDS=(wrun batch calc.wat n) COMP_CWORD=3
        _clap_complete_wrun wrun n calc.wat
        printf '%s\\n' \"${COMPREPLY[@]}\"";
    if let Some(printed) = in_shell("bash", script) {
        assert_eq!(printed, "neg\nnothing\n");
    }
}

#[test]
fn bash_completes_values_after_an_equal_sign_and_adds_one_slash_to_directories() {
    // bash divides the words like this, and adds the slash to what `-o filenames` says is a file.
    let script = "source <(COMPLETE=bash wrun)
        compopt() { :; }  # which works only while bash completes
        mkdir data2
        complete() { COMP_WORDS=(wrun \"${@:2}\") COMP_CWORD=$1; _clap_complete_wrun wrun \"${!#}\"; printf '%s ' \"${COMPREPLY[@]}\"; }
        complete 3 --runtime = was
        complete 2 --runtime =
        complete 4 --runtime = wasmer ca
        complete 5 --runtime = wasmer calc.wat ne
        complete 1 da";
    if let Some(printed) = in_shell("bash", script) {
        assert_eq!(printed, "wasmtime wasmer wasmtime wasmer calc.wat neg data data2 ");
    }
}

#[test]
fn fish_completes_functions() {
    let script = "COMPLETE=fish wrun | source; complete -C 'wrun -r wasmer calc.wat n'";
    if let Some(printed) = in_shell("fish", script) {
        assert_eq!(printed, "neg\t(f64) -> f64\nnothing\t() -> ()\n");
    }
}

#[test]
fn zsh_completes_functions() {
    // zsh completes only at a terminal, so the function that adds the candidates prints them instead.
    let script = "compdef() { : }; _describe() { print -l ${(P)3-$=(P)2} }; source <(COMPLETE=zsh wrun)
        words=(wrun diff calc.wat n) CURRENT=4; _clap_dynamic_completer_wrun";
    if let Some(printed) = in_shell("zsh", script) {
        assert!(printed.contains("neg:(f64) -> f64") && printed.contains("nothing:"), "{printed}");
    }
}
