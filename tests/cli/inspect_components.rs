//! `wrun inspect` for components.
#![cfg(feature = "components")]

use serde_json::{Value, json};

use crate::vocabulary::{file, run, run_with, wrun};

const SHOP: &str = r#"(component $shop
    (import "demo:shop/types@1.2.0" (instance $types
        (type $record (record (field "name" string) (field "tags" (list string))))
        (export "item" (type (eq $record)))
        (export "basket" (type (sub resource)))))
    (import "wasi:http/outgoing-handler@0.2.3" (instance (export "handle" (func))))
    (import "wasi:cli/environment@0.2.3" (instance (export "get-arguments" (func (result (list string))))))
    (import "wasi:clocks/wall-clock@0.2.3" (instance (type (tuple u8)) (export "duration" (type (eq 0)))))
    (alias export $types "item" (type $item))
    (alias export $types "basket" (type $basket))
    (core module $m
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 8)
        (func (export "total") (param i32 i32) (result i32) local.get 1)
        (func (export "take") (param i32))
        (func (export "run") (result i32) i32.const 0))
    (core instance $m (instantiate $m))
    (func $total (param "items" (list $item)) (result u32)
        (canon lift (core func $m "total") (memory $m "memory") (realloc (func $m "realloc"))))
    (func $take (param "basket" (own $basket)) (canon lift (core func $m "take")))
    (func $run (result (result)) (canon lift (core func $m "run")))
    (component $interface
        (type $record (record (field "name" string) (field "tags" (list string))))
        (import "item" (type $item (eq $record)))
        (import "total" (func $total (param "items" (list $item)) (result u32)))
        (export $exported "item" (type $item))
        (export "total" (func $total) (func (param "items" (list $exported)) (result u32))))
    (instance $till (instantiate $interface (with "item" (type $item)) (with "total" (func $total))))
    (instance $cli (export "run" (func $run)))
    (export "demo:shop/till@1.2.0" (instance $till))
    (export "take" (func $take))
    (export "wasi:cli/run@0.2.3" (instance $cli)))"#;

fn inspect(wat: &str) -> Value {
    serde_json::from_str(&run_with(&["inspect", "-", "-o", "json"], wat).stdout).unwrap()
}

#[test]
fn the_text_is_the_wit_and_what_the_component_needs() {
    let printed = run_with(&["inspect", "-"], SHOP);
    assert_eq!(printed.code, 0, "{printed:?}");
    let text = &printed.stdout;
    assert!(text.starts_with("- (shop): component, ") && text.lines().next().unwrap().ends_with(", 1 core module"));
    for part in [
        "\n\npackage root:component;\n\nworld root {\n",
        "\n  import demo:shop/types@1.2.0;\n",
        "\n  export take: func(basket: basket);\n",
        "\n    record item {\n      name: string,\n      tags: list<string>,\n    }\n",
        "\n    total: func(items: list<item>) -> u32;\n",
        "\n}\n\npackage demo:shop@1.2.0 {\n",
        "\nprogram:\n  wasi:cli/run@0.2.3\n",
        "\nengines:\n  wasmtime cranelift: cannot run it: the component imports the resource `demo:shop/types@1.2.0#basket`, \
         but the host provides only functions\n  wasmer cranelift: lacks component_model",
        "\ncapabilities that its imports need:\n  arguments\n  http\n",
    ] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
}

#[test]
fn a_component_whose_imports_are_unresolved_runs_nowhere() {
    const NEEDS: &str = r#"(component
        (import "demo:shop/prices@1.0.0" (instance (export "price" (func (param "of" string) (result u32))))))"#;
    let report = inspect(NEEDS);
    let engines = report["engines"].as_array().unwrap();
    assert!(engines.iter().all(|engine| engine["runs"] == false), "{report}");
    if wrun::RuntimeKind::Wasmtime.is_available() {
        let reason = engines[0]["reason"].as_str().unwrap();
        assert!(reason.starts_with("1 unresolved import:\n  `demo:shop/prices@1.0.0` `price`: "), "{reason}");
    }
}

#[test]
fn json_has_every_type_in_full() {
    let report = inspect(SHOP);
    assert_eq!(report["kind"], "component");
    assert_eq!([&report["name"], &report["modules"]], [&json!("shop"), &json!(1)]);
    assert_eq!(report["programs"], json!(["wasi:cli/run@0.2.3"]));
    assert_eq!(report["capabilities"], json!(["arguments", "http"]));
    assert!(report["wit"].as_str().unwrap().contains("total: func(items: list<item>) -> u32;"));

    let types = report["types"].as_array().unwrap();
    let type_of = |reference: &Value| &types[usize::try_from(reference.as_u64().unwrap()).unwrap()];
    let [types_import, ..] = &report["imports"].as_array().unwrap()[..] else { panic!("{report}") };
    assert_eq!([&types_import["name"], &types_import["kind"]], ["demo:shop/types@1.2.0", "instance"]);
    let item = type_of(&types_import["items"][0]["type"]);
    assert_eq!([&item["name"], &item["kind"]], ["item", "record"]);
    assert_eq!(item["fields"][0], json!({"name": "name", "type": "string"}));
    let tags = type_of(&item["fields"][1]["type"]);
    assert_eq!(tags, &json!({"name": null, "kind": "list", "element": "string", "length": null}));
    assert_eq!(types_import["items"][1], json!({"name": "basket", "kind": "resource", "resource": 0}));

    let total = &report["exports"][0]["items"][1];
    assert_eq!([&total["name"], &total["kind"]], ["total", "func"]);
    assert_eq!([&total["type"]["async"], &total["type"]["result"]], [&json!(false), &json!("u32")]);
    let items = type_of(&total["type"]["params"][0]["type"]);
    assert_eq!([&items["kind"], &type_of(&items["element"])["name"]], ["list", "item"]);
    let basket = type_of(&report["exports"][1]["type"]["params"][0]["type"]);
    assert_eq!(basket, &json!({"name": null, "kind": "own", "resource": 0, "resource_name": "basket"}));
}

#[test]
fn json_and_messagepack_are_the_same_report() {
    let output = wrun().args(["inspect", "-", "-o", "msgpack"]).write_stdin(SHOP).output().unwrap();
    let report: Value = rmp_serde::from_slice(&output.stdout).unwrap();
    assert_eq!(report, inspect(SHOP));
}

#[test]
fn every_kind_of_type_is_described() {
    let detail = |ty: &str| {
        let report = inspect(&format!(
            r#"(component (import "r" (type $r (sub resource))) (type $t {ty}) (import "t" (type (eq $t))))"#
        ));
        let types = report["types"].as_array().unwrap();
        types.last().cloned().unwrap_or_else(|| panic!("{report}"))
    };
    for (ty, expected) in [
        (
            "(variant (case \"a\") (case \"b\" u8))",
            json!({"kind": "variant", "cases": [{"name": "a", "type": null}, {"name": "b", "type": "u8"}]}),
        ),
        ("(enum \"a\" \"b\")", json!({"kind": "enum", "cases": ["a", "b"]})),
        ("(flags \"a\" \"b\")", json!({"kind": "flags", "flags": ["a", "b"]})),
        ("(tuple s8 char)", json!({"kind": "tuple", "types": ["s8", "char"]})),
        ("(list f32 4)", json!({"kind": "list", "element": "f32", "length": 4})),
        ("(map string u64)", json!({"kind": "map", "key": "string", "value": "u64"})),
        ("(option bool)", json!({"kind": "option", "some": "bool"})),
        ("(result u16 (error string))", json!({"kind": "result", "ok": "u16", "err": "string"})),
        ("(result)", json!({"kind": "result", "ok": null, "err": null})),
        ("(own $r)", json!({"kind": "own", "resource": 0, "resource_name": "r"})),
        ("(borrow $r)", json!({"kind": "borrow", "resource": 0, "resource_name": "r"})),
        ("(stream u8)", json!({"kind": "stream", "element": "u8"})),
        ("(future)", json!({"kind": "future", "value": null})),
    ] {
        let mut expected = expected;
        expected["name"] = json!("t");
        assert_eq!(detail(ty), expected, "{ty}");
    }
}

#[test]
fn a_component_that_wit_cannot_express_is_listed() {
    let wat = r#"(component (import "m" (core module)) (import "f" (func (param "a" (list u8)) (result string))))"#;
    assert_eq!(inspect(wat)["wit"], Value::Null);
    let printed = run_with(&["inspect", "-"], wat);
    assert_eq!((printed.code, &*printed.stderr), (0, ""), "{printed:?}");
    let listed = "\n\nthe component cannot be written as WIT: it imports or exports a core module\nimports:\n  m: a core module\n  f: func(a: list<u8>) -> string\n";
    assert!(printed.stdout.contains(listed), "{printed:?}");
    assert!(printed.stdout.ends_with("capabilities that its imports need:\n  host\n"), "{printed:?}");
}

#[test]
fn imports_of_types_need_nothing() {
    let printed = run(&["inspect", "fixtures/component/shop/shop.wasm"]);
    assert!(printed.stdout.contains("\nengines:\n"), "{printed:?}");
}

#[test]
fn a_component_with_a_shared_memory_cannot_run() {
    let wat = "(component (core module $m (memory 1 2 shared)) (core instance (instantiate $m)))";
    let printed = run_with(&["inspect", "-"], wat);
    assert!(printed.stdout.contains("\n  wasmtime cranelift: cannot run it"), "{printed:?}");
}

#[test]
fn a_binary_component_is_told_apart_by_its_content() {
    let empty = file(b"\0asm\x0d\0\x01\0");
    let printed = run(&["inspect", &empty.path]);
    assert_eq!(printed.code, 0, "{printed:?}");
    assert!(printed.stdout.contains(": component, 8 bytes, 0 core modules\n"), "{printed:?}");
    let damaged = file(b"\0asm\x0d\0\x01\0\x01\x05");
    run(&["inspect", &damaged.path]).fails(126, &["invalid component", "unexpected end"]);
}
