//! Compares a call of a component's function in JSON with the engine's own call with ready values.
//!
//! `cargo bench --bench component` prints criterion's estimates and then a table of ratios, measured in turns.

#![expect(clippy::print_stdout, reason = "the bench prints a table")]

mod turns;

use std::hint::black_box;

use turns::{Batches, Case};
use wasmtime::component::{Component, Linker, Val};
use wasmtime::{Engine, Store};
use wrun::session::{InstanceOptions, Session};
use wrun::{Callable, Limits, RuntimeConfig};

/// A component that returns its argument, a record with ten fields. It passes in memory, so the result is at the same address.
const COMPONENT: &str = r#"(component
  (type $kind' (enum "tool" "food" "toy"))
  (export $kind "kind" (type $kind'))
  (type $item' (record
    (field "id" u64) (field "name" string) (field "price" f64) (field "qty" u32) (field "active" bool)
    (field "kind" $kind) (field "tags" (list string)) (field "note" (option string))
    (field "size" (tuple u16 u16 u16 u16)) (field "initial" char)))
  (export $item "item" (type $item'))
  (core module $m
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 16))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $start i32)
      (local.set $start (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $start) (local.get 3)))
      (local.get $start))
    (func (export "same") (param i32) (result i32) (local.get 0))
    (func (export "free") (param i32) (global.set $next (i32.const 16))))
  (core instance $i (instantiate $m))
  (func (export "same") (param "item" $item) (result $item)
    (canon lift (core func $i "same") (memory $i "memory") (realloc (func $i "realloc"))
      (post-return (func $i "free")))))"#;

const JSON: &str = r#"[{"id":18446744073709551615,"name":"a large pot of tea","price":12.75,"qty":42,"active":true,"kind":"food","tags":["hot","green","loose"],"note":"keep dry","size":[120,80,40,2],"initial":"t"}]"#;

fn ready_values() -> Vec<Val> {
    let string = |text: &str| Val::String(text.to_owned());
    let fields = [
        ("id", Val::U64(u64::MAX)),
        ("name", string("a large pot of tea")),
        ("price", Val::Float64(12.75)),
        ("qty", Val::U32(42)),
        ("active", Val::Bool(true)),
        ("kind", Val::Enum("food".to_owned())),
        ("tags", Val::List(vec![string("hot"), string("green"), string("loose")])),
        ("note", Val::Option(Some(Box::new(string("keep dry"))))),
        ("size", Val::Tuple([120, 80, 40, 2].map(Val::U16).to_vec())),
        ("initial", Val::Char('t')),
    ];
    vec![Val::Record(fields.into_iter().map(|(name, val)| (name.to_owned(), val)).collect())]
}

fn engine_call() -> Box<dyn FnMut()> {
    let engine = Engine::default();
    let binary = wat::parse_str(COMPONENT).expect("the component is valid");
    let component = Component::new(&engine, binary).expect("it compiles");
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &component).expect("it imports nothing");
    let func = instance.get_func(&mut store, "same").expect("it is exported");
    let (args, mut results) = (ready_values(), [Val::Bool(false)]);
    Box::new(move || {
        func.call(&mut store, black_box(&args), &mut results).expect("it returns");
        black_box(&results);
    })
}

/// A prepared callable; with `codec`, each call decodes its arguments from JSON and encodes its result.
fn wrun_call(codec: bool) -> Box<dyn FnMut()> {
    let session = Session::open(&RuntimeConfig::wasmtime(), COMPONENT.as_bytes(), None).expect("it is valid");
    let callable = session.function("same").expect("it is exported");
    let prepared = session.prepare(InstanceOptions::default(), &|_| {}).expect("it compiles");
    let mut instance = prepared.instantiate(Limits::none(), &|_| {}).expect("it imports nothing").into_instance();
    let mut resolved = instance.resolve(&callable).expect("it is exported");
    let decode = |callable: &Callable| callable.decode_json(black_box(JSON).as_bytes()).expect("it fits");
    let args = decode(&callable);
    if !codec {
        return Box::new(move || {
            black_box(resolved.call(&mut instance, black_box(&args)).expect("it returns"));
        });
    }
    Box::new(move || {
        let result = resolved.call(&mut instance, &decode(&callable)).expect("it returns");
        black_box(serde_json::to_string(result).expect("it is JSON"));
    })
}

fn main() {
    let case = |variant, run| Case { engine: "wasmtime", work: "record", variant, run };
    let mut cases =
        vec![case("engine", engine_call()), case("values", wrun_call(false)), case("JSON", wrun_call(true))];
    turns::estimate(&mut cases);
    let batches = Batches::measure(&mut cases, 101);
    println!(
        "\n| call with a record of 10 fields | engine, ns | wrun, ns | ratio | ratio of fastest batches | bound |"
    );
    println!("| --- | --- | --- | --- | --- | --- |");
    let times = |variant| batches.get("wasmtime", "record", variant).expect("the case was measured");
    let engine = times("engine");
    for (variant, bound) in [("values", ""), ("JSON", "3.0")] {
        let wrun = times(variant);
        let (ratio_of_fastest, ratio) = (wrun.0 / engine.0, wrun.1 / engine.1);
        println!("| {variant} | {:.0} | {:.0} | {ratio:.2} | {ratio_of_fastest:.2} | {bound} |", engine.1, wrun.1);
    }
}
