//! Module information: imports, exports and the rest, with complete types.

use wrun::{ExternType, Feature, FuncType, MemoryType, ModuleInfo, TableType, ValType, WasmModule};

use crate::vocabulary::{Engine, on_each};
use ValType::{ExternRef, F32, F64, FuncRef, I32, I64, V128};

const FULL: &str = r#"
(module $full
  (import "host" "f" (func $f (param i32 i64 f32 f64) (result f64)))
  (import "host" "counter" (global (mut i64)))
  (import "other" "memory" (memory 1 4))
  (import "other" "table" (table 2 8 externref))
  (table $own (export "table") 3 funcref)
  (global (export "pi") f64 (f64.const 3.25))
  (global (export "state") (mut i32) (i32.const 0))
  (func $start)
  (func (export "nothing"))
  (func (export "refs") (param funcref externref) (result externref)
    local.get 1)
  (start $start)
  (export "f again" (func $f))
  (func (export "pair") (result f64 f32) (f64.const 0) (f32.const 0))
  (export "memory" (memory 0))
  (export "host table" (table 0)))"#;

fn func(params: &[ValType], results: &[ValType]) -> ExternType {
    ExternType::Func(FuncType::new(params, results))
}

fn imports(info: &ModuleInfo) -> Vec<(&str, &str, ExternType)> {
    info.imports.iter().map(|import| (&*import.module, &*import.name, import.ty.clone())).collect()
}

fn exports(info: &ModuleInfo) -> Vec<(&str, ExternType)> {
    info.exports.iter().map(|export| (&*export.name, export.ty.clone())).collect()
}

fn export_of(module: &dyn WasmModule, name: &str) -> ExternType {
    let export = module.info().exports.iter().find(|export| export.name == name);
    export.unwrap_or_else(|| panic!("no export {name}")).ty.clone()
}

#[test]
fn imports_are_listed_in_order_with_full_types() {
    on_each(|engine| {
        let expected = vec![
            ("host", "f", func(&[I32, I64, F32, F64], &[F64])),
            ("host", "counter", ExternType::Global(I64, true)),
            ("other", "memory", ExternType::Memory(MemoryType::new(1, Some(4)))),
            ("other", "table", ExternType::Table(TableType::new(ExternRef, 2, Some(8)))),
        ];
        assert_eq!(imports(engine.load(FULL).info()), expected);
    });
}

#[test]
fn exports_are_listed_in_order_with_full_types() {
    on_each(|engine| {
        let expected = vec![
            ("table", ExternType::Table(TableType::new(FuncRef, 3, None))),
            ("pi", ExternType::Global(F64, false)),
            ("state", ExternType::Global(I32, true)),
            ("nothing", func(&[], &[])),
            ("refs", func(&[FuncRef, ExternRef], &[ExternRef])),
            ("f again", func(&[I32, I64, F32, F64], &[F64])),
            ("pair", func(&[], &[F64, F32])),
            ("memory", ExternType::Memory(MemoryType::new(1, Some(4)))),
            ("host table", ExternType::Table(TableType::new(ExternRef, 2, Some(8)))),
        ];
        assert_eq!(exports(engine.load(FULL).info()), expected);
    });
}

#[test]
fn definitions_and_imports_are_distinguished() {
    on_each(|engine| {
        let module = engine.load(FULL);
        let info = module.info();
        assert_eq!(info.name.as_deref(), Some("full"));
        assert_eq!(info.functions, 4);
        assert_eq!(info.memories, []);
        assert_eq!(info.tables, [TableType::new(FuncRef, 3, None)]);
        assert_eq!(info.start, Some(1), "the import is function 0");
    });
}

#[test]
fn functions_are_found_by_name_and_other_exports_are_not() {
    on_each(|engine| {
        let module = engine.load(FULL);
        let names: Vec<_> = module.info().functions().map(|(name, _)| name).collect();
        assert_eq!(names, ["nothing", "refs", "f again", "pair"]);
        assert_eq!(module.info().function("nothing"), Some(&FuncType::default()));
        assert_eq!(module.info().function("memory"), None);
        assert_eq!(module.info().function("start"), None, "it is not exported");
    });
}

#[test]
fn types_are_written_as_in_errors() {
    on_each(|engine| {
        let module = engine.load(FULL);
        let spelt = |name| export_of(module.as_ref(), name).to_string();
        assert_eq!(spelt("nothing"), "func () -> ()");
        assert_eq!(spelt("f again"), "func (i32, i64, f32, f64) -> f64");
        assert_eq!(spelt("pair"), "func () -> (f64, f32)");
        assert_eq!(spelt("refs"), "func (funcref, externref) -> externref");
        assert_eq!(spelt("state"), "global mut i32");
        assert_eq!(spelt("pi"), "global f64");
        assert_eq!(spelt("memory"), "memory 1..4 pages");
        assert_eq!(spelt("table"), "table 3.. funcref");
    });
}

#[test]
fn an_instance_has_the_facts_of_its_module() {
    on_each(|engine| {
        let module = engine.load(r#"(module (func (export "f") (result i32) i32.const 1))"#);
        let instance = engine.instance_of(module.as_ref());
        assert_eq!(instance.unwrap().info(), module.info());
    });
}

#[test]
fn the_size_is_that_of_the_binary_and_custom_sections_are_listed() {
    let binary =
        wat::parse_str(r#"(module (@custom "note" "hello") (@custom "note" "") (func (export "f")))"#).unwrap();
    on_each(|engine| {
        let module = engine.runtime.load_module(&binary).unwrap();
        assert_eq!(module.info().size, binary.len());
        let sections = module.info().custom_sections.iter().map(|section| (&*section.name, section.size));
        assert_eq!(sections.collect::<Vec<_>>(), [("note", 5), ("note", 0)]);
    });
}

#[test]
fn types_of_supported_features_are_reported() {
    let exported =
        |engine: &Engine, feature, wat: &str| engine.has(feature).then(|| export_of(&*engine.load(wat), "x"));
    on_each(|engine| {
        let vector = exported(engine, Feature::Simd, r#"(module (func (export "x") (param v128)))"#);
        assert!(vector.is_none_or(|ty| ty == func(&[V128], &[])));
        let wide = exported(engine, Feature::Memory64, r#"(module (memory (export "x") i64 1 2))"#);
        assert!(wide.is_none_or(|ty| ty.to_string() == "memory 1..2 pages i64"));
        let shared = exported(engine, Feature::Threads, r#"(module (memory (export "x") 1 2 shared))"#);
        assert!(shared.is_none_or(|ty| ty.to_string() == "memory 1..2 pages shared"));
        let tag = exported(engine, Feature::Exceptions, r#"(module (tag (export "x") (param i32 i64)))"#);
        assert!(tag.is_none_or(|ty| ty == ExternType::Tag(FuncType::new([I32, I64], []))));
        let any = exported(engine, Feature::Gc, r#"(module (func (export "x") (param anyref)))"#);
        assert!(any.is_none_or(|ty| ty == func(&[ValType::Ref("anyref".into())], &[])));
    });
}

#[test]
fn compiled_code_has_a_size_if_the_engine_reports_it() {
    on_each(|engine| {
        let module = engine.load(FULL);
        assert!(module.compiled_bytes().is_none_or(|bytes| bytes > 0), "zero is not a size");
    });
}
