//! The facts of a component, read without an engine.

use std::sync::Arc;

use wrun::component::info::{ComponentExtern, ComponentItem, WasiVersion};
use wrun::component::lookup::{find_function, list_of_functions, short_names};
use wrun::component::types::{TypeDef, TypeKind, WitFunction, WitType};
use wrun::module::source::Binary;
use wrun::runtime::preflight::{self, AdmittedCode};
use wrun::{CodeInfo, ComponentInfo, ErrorKind, RuntimeConfig};

/// An interface with a resource, imported; an interface that uses its types, exported; and a function beside them.
const SHOP: &str = r#"(component
    (import "demo:shop/types@1.2.0" (instance $types
        (type $record (record (field "name" string) (field "price" f64) (field "tags" (list string))))
        (export "item" (type $item (eq $record)))
        (type $cases (variant (case "cash") (case "card" string)))
        (export "payment" (type (eq $cases)))
        (export "basket" (type $basket (sub resource)))
        (type $own (own $basket))
        (type $borrow (borrow $basket))
        (export "[constructor]basket" (func (result $own)))
        (export "[method]basket.add" (func (param "self" $borrow) (param "item" $item)))))
    (alias export $types "item" (type $item))
    (alias export $types "basket" (type $basket))
    (core module $m
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 8)
        (func (export "total") (param i32 i32) (result i32) local.get 1)
        (func (export "take") (param i32) (result i32) local.get 0)
        (func (export "nothing")))
    (core instance $m (instantiate $m))
    (type $items (list $item))
    (func $total (param "items" $items) (result u32)
        (canon lift (core func $m "total") (memory $m "memory") (realloc (func $m "realloc"))))
    (func $take (param "basket" (own $basket)) (result (own $basket)) (canon lift (core func $m "take")))
    (func $nothing (canon lift (core func $m "nothing")))
    (instance $till
        (export "item" (type $item))
        (export "total" (func $total))
        (export "take" (func $take)))
    (export "demo:shop/till@1.2.0" (instance $till))
    (export "nothing" (func $nothing)))"#;

fn info(wat: &str) -> Arc<ComponentInfo> {
    let read = Binary::new(wat.as_bytes()).and_then(|binary| ComponentInfo::read(binary.bytes()));
    Arc::new(read.unwrap_or_else(|error| panic!("{error}: {wat}")))
}

/// A component that exports functions without parameters: `""` is the component itself.
fn exporting(interfaces: &[(&str, &[&str])]) -> Arc<ComponentInfo> {
    let mut wat = String::from(
        r#"(core module $m (func (export "f")))
        (core instance $m (instantiate $m))
        (func $f (canon lift (core func $m "f")))"#,
    );
    for (interface, functions) in interfaces {
        let exports: String = functions.iter().map(|name| format!("(export \"{name}\" (func $f))")).collect();
        wat += &match *interface {
            "" => exports,
            name => format!("(instance $i{} {exports}) (export \"{name}\" (instance $i{}))", wat.len(), wat.len()),
        };
    }
    info(&format!("(component {wat})"))
}

fn item<'i>(externs: &'i [ComponentExtern], name: &str) -> &'i ComponentItem {
    &externs.iter().find(|one| &*one.name == name).unwrap_or_else(|| panic!("no {name} in {externs:?}")).item
}

fn items(item: &ComponentItem) -> &[ComponentExtern] {
    let ComponentItem::Instance(items) = item else { panic!("not an instance: {item:?}") };
    items
}

fn function(item: &ComponentItem) -> &WitFunction {
    let ComponentItem::Func(ty) = item else { panic!("not a function: {item:?}") };
    ty
}

fn def(ty: &WitType) -> &Arc<TypeDef> {
    let WitType::Defined(def) = ty else { panic!("not a defined type: {ty}") };
    def
}

fn found(info: &ComponentInfo, name: &str) -> String {
    find_function(info, name).map_or_else(|error| format!("{:?}: {error}", error.kind()), |path| path.to_string())
}

#[test]
fn types_have_their_parts_and_names() {
    let info = info(SHOP);
    let types = items(item(&info.imports, "demo:shop/types@1.2.0"));
    let ComponentItem::Type(record) = item(types, "item") else { panic!("{types:?}") };
    assert_eq!(def(record).name.as_deref(), Some("item"));
    assert_eq!(def(record).kind.to_string(), "record { name: string, price: f64, tags: list<string> }");
    let ComponentItem::Type(variant) = item(types, "payment") else { panic!("{types:?}") };
    assert_eq!(def(variant).kind.to_string(), "variant { cash, card(string) }");
    assert_eq!(function(item(types, "[method]basket.add")).to_string(), "func(self: borrow<basket>, item: item)");

    let till = items(item(&info.exports, "demo:shop/till@1.2.0"));
    let total = function(item(till, "total"));
    assert_eq!(total.to_string(), "func(items: list<item>) -> u32");
    let WitType::Defined(list) = &total.params()[0].1 else { panic!("{total}") };
    assert_eq!(list.kind, TypeKind::List(record.clone()), "the exported function uses the imported type");
}

#[test]
fn equal_resources_have_equal_numbers() {
    let info = info(SHOP);
    let ComponentItem::Resource(basket) = item(items(&info.imports[0].item), "basket") else { panic!("{info:?}") };
    assert_eq!(basket.name.as_deref(), Some("basket"));
    let take = function(item(items(&info.exports[0].item), "take"));
    assert_eq!(def(&take.params()[0].1).kind, TypeKind::Own(basket.clone()));
    assert_eq!(def(take.result().unwrap()).kind, TypeKind::Own(basket.clone()));

    let two = info_of_two_resources();
    let number = |name| match item(&two.imports, name) {
        ComponentItem::Resource(resource) => resource.number,
        other => panic!("{other:?}"),
    };
    assert_ne!(number("a"), number("b"));
}

fn info_of_two_resources() -> Arc<ComponentInfo> {
    info(r#"(component (import "a" (type (sub resource))) (import "b" (type (sub resource))))"#)
}

#[test]
fn a_type_that_appears_often_is_kept_once() {
    // 18 levels of pairs are 262,144 strings; the validator allows 1,000,000 types.
    let mut wat = "(type $t0 (tuple string string))".to_owned();
    for level in 1..18 {
        wat += &format!("(type $t{level} (tuple $t{} $t{}))", level - 1, level - 1);
    }
    let wat = format!(r#"(component {wat} (import "f" (func (param "p" $t17))))"#);
    let info = info(&wat);
    let mut ty = &function(&info.imports[0].item).params()[0].1;
    while let Some(TypeKind::Tuple(parts)) = ty.kind() {
        if let [WitType::Defined(left), WitType::Defined(right)] = &**parts {
            assert!(Arc::ptr_eq(left, right));
        }
        ty = &parts[0];
    }
    let encoded = rmp_serde::to_vec(&*info).unwrap();
    assert!(encoded.len() < 1000, "{} bytes", encoded.len());
}

#[test]
fn lists_show_the_start_of_a_long_signature() {
    let mut info = exporting_type(WitType::String);
    let mut ty = WitType::String;
    for level in 0..20 {
        ty = TypeKind::Tuple([ty.clone(), ty].into()).into();
        let function = WitFunction::new([("p".into(), ty.clone())], None, false);
        let item = ComponentItem::Func(function);
        info.exports.push(ComponentExtern { name: format!("f{level}").into(), item });
    }
    let list = list_of_functions(&info);
    assert!(list.contains("f0: func(p: tuple<string, string>)\n") && list.contains("f19: func(p: tuple<"), "{list}");
    assert!(list.lines().all(|line| line.len() < 300), "{list}");
}

#[test]
fn facts_of_the_whole_component() {
    let info = info(
        r#"(component $shop
            (core module (memory 1 1 shared) (func (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))))
            (component (core module))
            (import "wasi:clocks/wall-clock@0.2.0" (instance))
            (import "demo:shop/prices" (instance)))"#,
    );
    assert_eq!((info.name.as_deref(), info.modules), (Some("shop"), 2));
    assert!(info.shares_memory && info.waits);
    assert!(!exporting(&[]).shares_memory && !exporting(&[]).waits);
    assert_eq!(info.wasi_imports().collect::<Vec<_>>(), ["wasi:clocks/wall-clock@0.2.0"]);
    assert!(info.size > 0 && info.custom_sections.iter().any(|section| section.name == "component-name"));
}

#[test]
fn a_component_that_exports_run_is_a_program() {
    let programs = |interfaces: &[(&str, &[&str])]| {
        let info = exporting(interfaces);
        assert_eq!(info.is_program(), !info.programs().is_empty());
        info.programs().iter().map(|(version, interface)| (*version, (*interface).to_owned())).collect::<Vec<_>>()
    };
    let (p2, p3) = ("wasi:cli/run@0.2.3", "wasi:cli/run@0.3.0");
    assert_eq!(
        programs(&[(p2, &["run"]), (p3, &["run"])]),
        [(WasiVersion::P3, p3.to_owned()), (WasiVersion::P2, p2.to_owned())]
    );
    assert_eq!(programs(&[("", &["run"]), ("wasi:cli/run@0.4.0", &["run"]), ("wasi:cli/run@0.2.0", &["start"])]), []);
}

#[test]
fn functions_are_found_by_every_form_of_their_name() {
    let info = exporting(&[("", &["greet"]), ("demo:shop/till@1.2.0", &["total"]), ("plain", &["f"])]);
    for name in ["till#total", "demo:shop/till#total", "demo:shop/till@1.2.0#total"] {
        assert_eq!(found(&info, name), "demo:shop/till@1.2.0#total");
        assert_eq!(found(&info, &name.replace('#', ".")), "demo:shop/till@1.2.0#total");
    }
    assert_eq!([found(&info, "greet"), found(&info, "plain#f")], ["greet", "plain#f"]);
    let path = find_function(&info, "till#total").unwrap();
    assert_eq!((path.interface.as_deref(), &*path.function), (Some("demo:shop/till@1.2.0"), "total"));
    let short: Vec<_> = short_names(&info).map(|(name, _)| name).collect();
    assert_eq!(short, ["greet", "till#total", "plain#f"]);
}

#[test]
fn methods_are_found_with_and_without_what_they_are() {
    let info = info(
        r#"(component
            (type $t (resource (rep i32)))
            (core module $m (func (export "f") (param i32)) (func (export "new") (param i32) (result i32) local.get 0))
            (core func $new (canon resource.new $t))
            (core instance $m (instantiate $m))
            (component $i
                (import "t" (type $t (sub resource)))
                (import "add" (func $add (param "self" (borrow $t))))
                (export $b "basket" (type $t))
                (export "[method]basket.add" (func $add) (func (param "self" (borrow $b)))))
            (func $add (param "self" (borrow $t)) (canon lift (core func $m "f")))
            (instance $i (instantiate $i (with "t" (type $t)) (with "add" (func $add))))
            (export "demo:shop/till" (instance $i)))"#,
    );
    for name in ["till#basket.add", "till.basket.add", "till#[method]basket.add", "demo:shop/till#basket.add"] {
        assert_eq!(found(&info, name), "demo:shop/till#[method]basket.add");
    }
    let short: Vec<_> = short_names(&info).map(|(name, _)| name).collect();
    assert_eq!(short, ["till#basket.add"]);
    for name in ["till#basket.ad", "till.basket.ad", "basket.ad", "demo:shop/tlil.basket.add"] {
        let error = find_function(&info, name).unwrap_err();
        assert_eq!(error.hints()[0], "did you mean `till#basket.add`?", "{name}");
    }
}

#[test]
fn a_name_that_fits_several_functions_is_an_error_that_lists_them() {
    let info = exporting(&[
        ("demo:shop/till@1.2.0", &["total"]),
        ("demo:shop/till@2.0.0", &["total"]),
        ("other:shop/till@2.0.0", &["total"]),
    ]);
    for (name, count) in [("till#total", 3), ("demo:shop/till#total", 2)] {
        let error = find_function(&info, name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownExport);
        assert!(error.to_string().starts_with(&format!("`{name}` fits {count} functions:")), "{error}");
        assert_eq!(error.to_string().matches("\n  ").count(), count);
    }
    assert_eq!(found(&info, "demo:shop/till@2.0.0#total"), "demo:shop/till@2.0.0#total");
    assert_eq!(found(&info, "other:shop/till#total"), "other:shop/till@2.0.0#total");
    let short: Vec<_> = short_names(&info).map(|(name, _)| name).collect();
    assert_eq!(short, ["demo:shop/till@1.2.0#total", "demo:shop/till@2.0.0#total", "other:shop/till#total"]);
}

#[test]
fn an_unknown_name_gets_a_similar_one_and_a_list() {
    let info = exporting(&[("", &["greet"]), ("demo:shop/till@1.2.0", &["total"])]);
    for (name, similar) in [("gret", "greet"), ("till#totl", "till#total"), ("total", "till#total")] {
        let error = find_function(&info, name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownExport);
        let hints = error.hints();
        assert_eq!(hints[0], format!("did you mean `{similar}`?"), "{name}");
        assert!(hints[1].ends_with("exported functions:\n  greet: func()\n  till#total: func()"), "{hints:?}");
    }
    for name in ["demo:shop/til#total", "demo:shop/till@1.3.0#total", "demo:shop/till@1.2.0.totl", "tlil#total"] {
        let error = find_function(&info, name).unwrap_err();
        assert_eq!(error.hints()[0], "did you mean `till#total`?", "{name}");
    }
    for name in ["till#zzz", "zzz#total"] {
        let error = find_function(&info, name).unwrap_err();
        assert_eq!(error.hints().len(), 1, "{name}: {:?}", error.hints());
    }
    let error = find_function(&info, "till").unwrap_err();
    assert_eq!(error.to_string(), "the export `demo:shop/till@1.2.0` is an interface, not a function");
    assert_eq!(error.hints(), ["exported functions:\n  till#total: func()"]);
    let tills = ["a:shop/till", "b:shop/till", "c:shop/till"].map(|name| (name, &["total"][..]));
    let error = find_function(&exporting(&tills), "till#totl").unwrap_err();
    assert_eq!(error.hints()[0], "did you mean `a:shop/till#total`?");
    assert_eq!(found(&exporting(&[]), "f"), "UnknownExport: the component exports no function `f`");
}

#[test]
fn facts_pass_through_a_cache_entry() {
    for wat in [SHOP, "(component)", r#"(component (import "m" (core module)) (import "t" (type (sub resource))))"#] {
        let info = info(wat);
        let encoded = rmp_serde::to_vec(&CodeInfo::Component(Arc::clone(&info))).unwrap();
        let decoded: CodeInfo = rmp_serde::from_slice(&encoded).unwrap();
        assert_eq!(decoded.component().unwrap(), &info);
    }
}

#[test]
fn shared_types_stay_shared_in_a_cache_entry() {
    let mut ty = WitType::String;
    for _ in 0..20 {
        ty = TypeKind::Tuple([ty.clone(), ty].into()).into();
    }
    let info = exporting_type(ty);
    let encoded = rmp_serde::to_vec(&info).unwrap();
    assert!(encoded.len() < 1000, "{} bytes", encoded.len());
    let decoded: ComponentInfo = rmp_serde::from_slice(&encoded).unwrap();
    let ComponentItem::Type(ty) = &decoded.exports[0].item else { panic!("{decoded:?}") };
    let Some(TypeKind::Tuple(parts)) = ty.kind() else { panic!("{ty:?}") };
    assert!(Arc::ptr_eq(def(&parts[0]), def(&parts[1])));
}

fn exporting_type(ty: WitType) -> ComponentInfo {
    let mut info = ComponentInfo::default();
    info.exports.push(ComponentExtern { name: "t".into(), item: ComponentItem::Type(ty) });
    info
}

#[test]
fn a_cache_entry_with_endless_types_is_refused() {
    let mut deep = WitType::String;
    for _ in 0..1000 {
        deep = TypeKind::List(deep).into();
    }
    let mut wide = WitType::String;
    for _ in 0..100 {
        wide = TypeKind::Tuple([wide.clone(), wide].into()).into();
    }
    for ty in [deep, wide] {
        let encoded = rmp_serde::to_vec(&exporting_type(ty)).unwrap();
        let error = rmp_serde::from_slice::<ComponentInfo>(&encoded).unwrap_err();
        assert!(error.to_string().contains("a type is too large"), "{error}");
    }
}

#[test]
fn a_damaged_cache_entry_is_refused_or_other_facts() {
    let encoded = rmp_serde::to_vec(&*info(SHOP)).unwrap();
    let mut refused = 0;
    for position in 0..encoded.len() {
        for bit in 0..8 {
            let mut damaged = encoded.clone();
            damaged[position] ^= 1 << bit;
            refused += usize::from(rmp_serde::from_slice::<ComponentInfo>(&damaged).is_err());
        }
        assert!(rmp_serde::from_slice::<ComponentInfo>(&encoded[..position]).is_err());
    }
    assert!(refused > encoded.len(), "{refused}");
}

#[test]
fn one_entry_admits_modules_and_components() {
    let config = RuntimeConfig::wasmtime();
    assert!(matches!(preflight::admit(&config, b"(module)").unwrap(), AdmittedCode::Module(_)));
    let component = preflight::admit(&config, b"(component)").unwrap();
    assert!(component.info().component().is_ok() && component.info().module().is_err());
    let error = preflight::admit_component(&config, b"(module)").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let error = preflight::admit_module(&config, b"(component)").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedFeature);
}
