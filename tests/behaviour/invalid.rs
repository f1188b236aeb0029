//! Invalid modules are refused without a panic, and in the same way on every engine.

use wrun::{Error, ErrorKind, WasmModule};

use crate::vocabulary::{Engine, assert_contains, engines, hints, on_each, refused};

/// A module with a type, a function and an export, and the end of each section.
const ADD: &[u8] = &[
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, // header: 8
    0x01, 0x07, 0x01, 0x60, 0x02, 0x7f, 0x7f, 0x01, 0x7f, // types: 17
    0x03, 0x02, 0x01, 0x00, // functions: 21
    0x07, 0x07, 0x01, 0x03, b'a', b'd', b'd', 0x00, 0x00, // exports: 30
    0x0a, 0x09, 0x01, 0x07, 0x00, 0x20, 0x00, 0x20, 0x01, 0x6a, 0x0b, // code: 41
];

fn load(engine: &Engine, bytes: &[u8]) -> Result<Box<dyn WasmModule>, Error> {
    engine.runtime.load_module(bytes)
}

#[test]
fn the_complete_small_module_loads() {
    on_each(|engine| {
        let module = load(engine, ADD).unwrap();
        let guest = engine.instance_of(module.as_ref());
        assert_eq!(guest.unwrap().call_simple_function("add", &[5, 3]).unwrap(), 8);
    });
}

/// Two prefixes are valid modules: the header, and the header with the types.
#[test]
fn a_truncated_module_is_invalid() {
    on_each(|engine| {
        for length in (0..ADD.len()).filter(|length| ![8, 17].contains(length)) {
            refused(load(engine, &ADD[..length]), ErrorKind::InvalidModule);
        }
        for length in [8, 17] {
            assert_eq!(load(engine, &ADD[..length]).unwrap().info().exports, []);
        }
    });
}

#[test]
fn every_engine_agrees_on_modules_with_one_wrong_bit() {
    let engines: Vec<Engine> = engines().collect();
    for position in 0..ADD.len() * 8 {
        let mut bytes = ADD.to_vec();
        bytes[position / 8] ^= 1 << (position % 8);
        let verdicts: Vec<_> = engines.iter().map(|engine| verdict(engine, &bytes)).collect();
        assert!(verdicts.iter().all(|one| *one == verdicts[0]), "bit {position}: {verdicts:?}");
    }
}

/// Loads a module. Returns the part of the result on which the engines must agree.
fn verdict(engine: &Engine, bytes: &[u8]) -> Option<ErrorKind> {
    let kind = load(engine, bytes).err().map(|error| error.kind());
    assert!(!matches!(kind, Some(ErrorKind::Internal)), "{engine} broke on {bytes:02x?}");
    kind
}

#[test]
fn empty_input_is_not_a_module() {
    on_each(|engine| {
        assert_contains(refused(load(engine, b""), ErrorKind::InvalidModule).message(), &["the input is empty"]);
    });
}

#[test]
fn the_error_for_garbage_shows_its_first_bytes() {
    on_each(|engine| {
        let garbage: [&[u8]; 6] = [b"\x7fELF\x02\x01\x01", b"hello", b"\0", b"\0as", b"\xff\xfe(\0", b" \n\t "];
        for bytes in garbage {
            let error = refused(load(engine, bytes), ErrorKind::InvalidModule);
            let first: Vec<_> = bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
            assert_contains(error.message(), &["not a WebAssembly module", &first.join(" ")]);
        }
    });
}

#[test]
fn a_header_of_another_version_is_invalid() {
    on_each(|engine| {
        for version in [0, 2, 0xff] {
            refused(load(engine, &[0, b'a', b's', b'm', version, 0, 0, 0]), ErrorKind::InvalidModule);
        }
    });
}

#[test]
fn components_and_modules_are_distinguished() {
    on_each(|engine| {
        for component in [&b"\0asm\x0d\0\x01\0"[..], b"(component)"] {
            let error = refused(load(engine, component), ErrorKind::UnsupportedFeature);
            assert_contains(error.message(), &["component"]);
            assert_contains(&hints(&error), &["core module"]);
        }
    });
}

#[test]
fn a_binary_that_does_not_validate_is_invalid_and_says_where() {
    on_each(|engine| {
        let mut bytes = ADD.to_vec();
        bytes[39] = 0x7c; // i64.add on two i32s
        let error = refused(load(engine, &bytes), ErrorKind::InvalidModule);
        assert_contains(error.message(), &["type mismatch", "at offset 0x27"]);
    });
}

#[test]
fn bytes_after_the_last_section_are_invalid() {
    on_each(|engine| {
        let mut bytes = ADD.to_vec();
        bytes.push(0);
        refused(load(engine, &bytes), ErrorKind::InvalidModule);
    });
}

#[test]
fn text_that_does_not_assemble_is_invalid_and_shows_the_place() {
    on_each(|engine| {
        let error = refused(load(engine, b"(module\n  (func (i32.cnost 1)))"), ErrorKind::InvalidModule);
        assert_contains(error.message(), &["invalid WebAssembly text", "i32.cnost", "2:"]);
        for text in ["(", "(module", "(module))", "(modul)", "(module (func (call $nowhere)))", ";; nothing"] {
            match load(engine, text.as_bytes()) {
                Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidModule, "{text}"),
                Ok(module) => assert_eq!((text, module.info().size), (";; nothing", 8)),
            }
        }
    });
}

#[test]
fn text_that_assembles_and_does_not_validate_is_invalid() {
    on_each(|engine| {
        for text in ["(module (func (result i32)))", "(module (func (drop)))", "(module (export \"f\" (func 0)))"] {
            refused(load(engine, text.as_bytes()), ErrorKind::InvalidModule);
        }
    });
}

#[test]
fn text_can_start_with_space_and_comments() {
    on_each(|engine| {
        for text in [" \n(module)", ";; a comment\n(module)", "(; another ;) (module)", "(func)"] {
            load(engine, text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"));
        }
    });
}

#[test]
fn text_that_is_not_utf8_is_not_a_module() {
    on_each(|engine| {
        refused(load(engine, b"(module (func (export \"\xff\")))"), ErrorKind::InvalidModule);
    });
}

#[test]
fn two_exports_of_one_name_are_invalid() {
    on_each(|engine| {
        let wat = r#"(module (func (export "f")) (memory (export "f") 1))"#;
        refused(load(engine, wat.as_bytes()), ErrorKind::InvalidModule);
    });
}

#[test]
fn every_engine_refuses_or_runs_deep_nesting() {
    on_each(|engine| {
        let (open, close) = ("(block ".repeat(300), ")".repeat(300));
        load(engine, format!("(module (func {open}{close}))").as_bytes()).unwrap();
    });
}
