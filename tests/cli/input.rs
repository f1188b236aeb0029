//! Invalid input: a clear error, the right exit code, no panic, and an empty standard output.

use crate::vocabulary::{CALC, file, on_each_engine, printed, run, run_with, skipped, wrun};

#[test]
fn the_error_for_an_invalid_module_says_why() {
    on_each_engine(|engine| {
        let refused = |bytes: &[u8], parts: &[&str]| {
            let module = file(bytes);
            run(&["-r", engine, &module.path, "f"]).fails(126, parts);
            run(&["inspect", &module.path]).fails(126, parts);
        };
        refused(b"", &["not a WebAssembly module: the input is empty"]);
        refused(b"\x7fELF\x02\x01", &["not a WebAssembly module", "7f 45 4c 46"]);
        refused(b"hello", &["not a WebAssembly module"]);
        refused(b"\0asm", &["invalid module", "unexpected end"]);
        refused(b"\0asm\x02\0\0\0", &["invalid module", "version"]);
        refused(b"(module (func (export \"f\") i32.ad))", &["invalid WebAssembly text", "i32.ad"]);
        refused(b"(module (func (export \"f\") (result i32)))", &["invalid module", "type mismatch"]);
    });
}

#[test]
fn a_truncated_module_is_refused() {
    let whole = std::fs::read("fixtures/c/checksums.wasm").unwrap();
    for length in (1..whole.len()).step_by(97) {
        let cut = file(&whole[..length]);
        let output = run(&[&cut.path, "sieve", "10"]);
        assert!(matches!(output.code, 126 | 127), "cut at {length}: {output:?}");
        assert_eq!(output.stdout, "", "cut at {length}");
    }
}

#[test]
fn an_invalid_large_module_is_refused() {
    let mut large = std::fs::read("fixtures/add.wasm").unwrap();
    large.extend([0, 0xff, 0xff, 0xff, 0x2f, 3, b'p', b'a', b'd']);
    large.resize(large.len() + (100 << 20) - 5, 0);
    let cut = file(&large);
    run(&[&cut.path, "add", "1", "2"]).fails(126, &["invalid module"]);

    let noise = file(vec![b'x'; 100 << 20]);
    run(&[&noise.path, "add", "1", "2"]).fails(126, &["not a WebAssembly module"]);
}

#[test]
fn a_module_with_a_large_custom_section_runs() {
    let mut module = std::fs::read("fixtures/add.wasm").unwrap();
    let contents = vec![0; 100 << 20];
    module.push(0);
    let mut size = contents.len() + 4;
    while size >= 0x80 {
        module.push(u8::try_from(size & 0x7f).unwrap() | 0x80);
        size >>= 7;
    }
    module.push(u8::try_from(size).unwrap());
    module.extend([3, b'p', b'a', b'd']);
    module.extend(contents);
    let module = file(module);
    on_each_engine(|engine| run(&["-r", engine, &module.path, "add", "5", "3"]).prints("8\n"));
}

#[test]
fn an_unreadable_file_is_an_error() {
    use std::os::unix::fs::PermissionsExt as _;
    let module = file(CALC);
    std::fs::set_permissions(&module.path, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read(&module.path).is_ok() {
        return skipped("this user can read every file");
    }
    run(&[&module.path, "zero"]).fails(125, &["Permission denied"]);
}

#[test]
fn invalid_arguments_on_standard_input_are_refused() {
    let module = file(CALC);
    let add = |stdin: &[u8], parts: &[&str]| run_with(&[&module.path, "add"], stdin).fails(2, parts);
    add(b"", &["standard input is empty", "add(i32, i32) -> i32"]);
    add(b"  \n", &["standard input is empty"]);
    add(b"hello", &["not valid JSON"]);
    add(b"[1,2] 3", &["not valid JSON", "trailing"]);
    add(b"[1,2", &["not valid JSON"]);
    add(b"[1]", &["too few", "argument 2 (i32)"]);
    add(b"[1,2,3]", &["too many"]);
    add(b"[1,[2]]", &["argument 2 (i32)"]);
    add(b"[1,null]", &["argument 2 (i32)"]);
    add(b"[1,2.0]", &["argument 2 (i32)", "invalid i32 `2.0`"]);
    add(b"[1,4294967296]", &["argument 2 (i32)", "out of range"]);
    add(b"7", &["JSON array of 2 values"]);
    add(b"{\"a\":1}", &["JSON array of 2 values"]);
    add(b"[1,\"\xff\"]", &["not valid JSON"]);

    let msgpack = |stdin: &[u8], parts: &[&str]| {
        run_with(&[&module.path, "add", "--input", "msgpack"], stdin).fails(2, parts);
    };
    msgpack(b"", &["standard input is empty"]);
    msgpack(&[0x92, 1], &["argument 2 (i32)"]);
    msgpack(&[0x92, 1, 2, 3], &["1 unexpected byte"]);
    msgpack(&[0x93, 1, 2, 3], &["too many"]);
    msgpack(&[0x92, 1, 0xa1, b'x'], &["argument 2 (i32)"]);
    msgpack(&[0xc1], &["MessagePack"]);
}

#[test]
fn module_and_arguments_cannot_both_come_from_standard_input() {
    run_with(&["-", "add"], CALC).fails(2, &["cannot both come from standard input"]);
    run_with(&["-", "add", "-"], CALC).fails(2, &["cannot both come from standard input"]);
}

#[test]
fn arguments_that_are_not_utf8_are_refused() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    for (before, odd, parts) in [
        ("fixtures/add.wasm add 5", &b"\xff"[..], ["'[ARGS]...'", r"`\xff` is not UTF-8"]),
        ("fixtures/add.wasm", b"f\xff", ["'[FUNCTION]'", r"`f\xff` is not UTF-8"]),
        ("fixtures/c/greet.wasm -- a", b"caf\xe9\x1b[2J", ["'[GUEST_ARGS]...'", r"`caf\xe9\x1b[2J` is not UTF-8"]),
        ("fixtures/c/greet.wasm --env", b"A=\xe9", ["'--env <NAME[=VALUE]>'", r"`A=\xe9` is not UTF-8"]),
        ("fixtures/c/greet.wasm --dir", b"\xe9::/a", ["'--dir <HOST[::GUEST][::ro]>'", r"`\xe9::/a` is not UTF-8"]),
        ("fixtures/c/greet.wasm --memory", b"1MiB\xe9", ["'--memory <SIZE>'", r"`1MiB\xe9` is not UTF-8"]),
    ] {
        let output = printed(&wrun().args(before.split(' ')).arg(OsStr::from_bytes(odd)).output().unwrap());
        output.fails(2, &parts);
        assert!(!output.stderr.contains('\x1b'), "{output:?}");
    }
    let copied = wrun().env("ODD", OsStr::from_bytes(b"\xff")).args(["--env", "ODD", "x.wasm"]).output().unwrap();
    printed(&copied).fails(2, &["the value of `ODD` is not UTF-8"]);
    let output = wrun().arg(OsStr::from_bytes(b"no\xff.wasm")).arg("add").output().unwrap();
    printed(&output).fails(127, &["no such module file"]);
}

#[test]
fn only_null_references_are_accepted() {
    on_each_engine(|engine| {
        run(&["-r", engine, "fixtures/wat/identity.wat", "id_externref", "null"]).prints("null\n");
        let output = run(&["-r", engine, "fixtures/wat/identity.wat", "id_externref", "7"]);
        output.fails(2, &["argument 1 (externref)", "only null"]);
    });
}
