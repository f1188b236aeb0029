//! Components that are damaged, or larger than any tool makes them: an error, no panic, bounded time and memory.

use wrun::component::{lookup, wit_text};
use wrun::module::source::Binary;
use wrun::runtime::preflight::admit;
use wrun::{ComponentInfo, ErrorKind, RuntimeConfig};

/// A component with everything that the reader looks at.
const WAT: &str = r#"(component $c
    (import "a:b/types@1.0.0" (instance $types
        (type $r (record (field "name" string) (field "tags" (list (tuple u8 (option char))))))
        (export "item" (type (eq $r)))
        (export "thing" (type (sub resource)))))
    (alias export $types "item" (type $item))
    (core module $m
        (memory (export "memory") 1 2)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 8)
        (func (export "f") (param i32 i32 i32 i32) (result i32) local.get 0))
    (core instance $m (instantiate $m))
    (func $f (param "i" $item) (result $item)
        (canon lift (core func $m "f") (memory $m "memory") (realloc (func $m "realloc"))))
    (component $inner (import "g" (func)) (export "g" (func 0)))
    (instance $i (export "f" (func $f)))
    (export "a:b/run@1.0.0" (instance $i)))"#;

fn binary(wat: &str) -> Vec<u8> {
    Binary::new(wat.as_bytes()).unwrap_or_else(|error| panic!("{error}")).bytes().to_vec()
}

/// Reads a component in every way. Only the absence of panics and endless work matters.
fn read(bytes: &[u8]) -> wrun::Result<()> {
    let admitted = admit(&RuntimeConfig::wasmtime(), bytes);
    let info = ComponentInfo::read(bytes)?;
    let _ = (lookup::list_of_functions(&info), lookup::find_function(&info, "run#g"), wit_text(bytes, &info));
    admitted.map(|_| ())
}

#[test]
fn every_truncation_is_an_error() {
    let whole = binary(WAT);
    read(&whole).unwrap();
    for length in 8..whole.len() {
        // A component without its last sections is valid.
        if let Err(error) = read(&whole[..length]) {
            assert_eq!(error.kind(), ErrorKind::InvalidModule, "cut at {length}: {error}");
            assert!(error.to_string().starts_with("invalid component: "), "cut at {length}: {error}");
        }
    }
}

#[test]
fn every_damaged_byte_is_an_error_or_another_component() {
    let whole = binary(WAT);
    for position in 8..whole.len() {
        for change in [1, 0x80, 0xff] {
            let mut damaged = whole.clone();
            damaged[position] ^= change;
            let _ = read(&damaged);
        }
    }
}

#[test]
fn deep_types_are_refused() {
    for (open, close) in [("(list ", ")"), ("(option ", ")"), ("(tuple u8 ", ")"), ("(result ", ")")] {
        let mut wat = "(type $t0 (list u8))".to_owned();
        for level in 1..20_000 {
            wat += &format!("(type $t{level} {open}$t{}{close})", level - 1);
        }
        let error = read(&binary(&format!("(component {wat})"))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidModule);
        assert!(error.to_string().contains("type nesting is too deep"), "{error}");
    }
}

#[test]
fn deep_components_are_refused_or_read() {
    let nested = |levels: usize| format!("{}{}", "(component ".repeat(levels), ")".repeat(levels));
    read(&binary(&nested(50))).unwrap();
    // The binary format allows any depth, and the text parser does not.
    let mut bytes = binary("(component)");
    for _ in 0..2000 {
        let mut length = Vec::new();
        let mut rest = bytes.len();
        while rest > 0x7f {
            length.push(u8::try_from(rest & 0x7f).unwrap() | 0x80);
            rest >>= 7;
        }
        length.push(u8::try_from(rest).unwrap());
        bytes = [&b"\0asm\x0d\0\x01\0\x04"[..], &length, &bytes].concat();
    }
    let _ = read(&bytes);
}

#[test]
fn thousands_of_exports_are_read_and_searched() {
    let mut wat = r#"(core module $m (func (export "f"))) (core instance $m (instantiate $m))
        (func $f (canon lift (core func $m "f")))"#
        .to_owned();
    for number in 0..5000 {
        wat += &format!("(export \"function-n{number}\" (func $f))");
    }
    let bytes = binary(&format!("(component {wat})"));
    read(&bytes).unwrap();
    let info = ComponentInfo::read(&bytes).unwrap();
    assert_eq!(info.functions().count(), 5000);
    assert_eq!(lookup::find_function(&info, "function-n4999").unwrap().to_string(), "function-n4999");
    let error = lookup::find_function(&info, "function-x").unwrap_err();
    assert!(error.hints().iter().any(|hint| hint.ends_with("and 4960 more (`wrun inspect` lists them)")), "{error}");
}

#[test]
fn names_that_would_control_a_terminal_are_escaped() {
    let info = ComponentInfo::read(&binary(r#"(component (import "url=<https://a/\1b[2J>" (component)))"#)).unwrap();
    assert!(info.imports[0].name.contains('\x1b'));
    let error = lookup::find_function(&info, "\x1b[2J").unwrap_err();
    assert!(!error.to_string().contains('\x1b'), "{error}");
}

#[test]
fn what_would_print_as_gigabytes_is_refused() {
    // A name of 60 kB, used 2^17 times.
    let name = "a".repeat(60_000);
    let mut wat = format!(r#"(type $r (record (field "f" u8))) (import "{name}" (type $t0 (eq $r)))"#);
    for level in 1..18 {
        wat += &format!("(type $t{level} (tuple $t{} $t{}))", level - 1, level - 1);
    }
    let bytes = binary(&format!(r#"(component {wat} (import "f" (func (param "p" $t17))))"#));
    let info = ComponentInfo::read(&bytes).unwrap();
    let error = wit_text(&bytes, &info).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedFeature);
    assert!(error.to_string().starts_with("the component's imports and exports are too long to print: "), "{error}");
    assert!(lookup::list_of_functions(&info).len() < 100);
}

#[test]
fn all_threads_validate_a_large_component_like_one() {
    // More than a mebibyte in two nested modules, one of them in a nested component.
    let functions = "(func (drop (i32.add (i32.const 1) (i32.const 2))))".repeat(60_000);
    let with = |more: &str| {
        let module = format!("(core module {functions} {more})");
        binary(&format!("(component (core module {functions}) (component {module}))"))
    };
    let valid = with("");
    assert!(valid.len() > 1 << 20, "{}", valid.len());
    assert_eq!(ComponentInfo::read(&valid).unwrap().modules, 2);
    let error = read(&with("(func (result i32) i64.const 1)")).unwrap_err();
    assert!(error.to_string().starts_with("invalid component: type mismatch"), "{error}");
}
