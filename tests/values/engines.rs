//! Values in text, JSON and MessagePack pass through a guest unchanged on every engine.

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use arbtest::arbitrary::{Result, Unstructured};
use wrun::engine::features;
use wrun::value::{args, json, msgpack, text};
use wrun::{
    Capabilities, ErrorKind, Feature, Limits, RuntimeConfig, Value, WasmInstance, WasmInstanceExt, create_runtime,
};

use crate::any::{any_f32, any_f64, any_i32, any_i64, any_v128, check};
use Value::{ExternRef, F32, F64, FuncRef, I32, I64, V128};

const IDENTITY: &str = r#"
(module
  (func (export "i32") (param i32) (result i32) (local.get 0))
  (func (export "i64") (param i64) (result i64) (local.get 0))
  (func (export "f32") (param f32) (result f32) (local.get 0))
  (func (export "f64") (param f64) (result f64) (local.get 0))
  (func (export "funcref") (param funcref) (result funcref) (local.get 0))
  (func (export "externref") (param externref) (result externref) (local.get 0))
  (func (export "stored") (param f32 f64) (result f32 f64)
    (local f32 f64)
    (local.set 2 (local.get 0))
    (local.set 3 (local.get 1))
    (select (local.get 2) (local.get 0) (i32.const 1))
    (select (local.get 3) (local.get 1) (i32.const 0)))
  (func (export "reversed") (param i32 i64 f32 f64 externref i32 f64) (result f64 i32 externref f64 f32 i64 i32)
    (local.get 6) (local.get 5) (local.get 4) (local.get 3) (local.get 2) (local.get 1) (local.get 0)))"#;

const VECTORS: &str = r#"
(module
  (func (export "v128") (param v128) (result v128) (local.get 0))
  (func (export "reversed") (param i32 v128 f64) (result f64 v128 i32) (local.get 2) (local.get 1) (local.get 0)))"#;

/// An instance and the name of its engine and compiler.
struct Guest {
    name: String,
    instance: Box<dyn WasmInstance>,
}

/// An instance of one module on every engine that supports it, shared by the hundreds of cases of a property.
struct Guests(Mutex<Vec<Guest>>);

impl Guests {
    fn new(wat: &str, needed: Option<Feature>) -> Self {
        let available = features::combinations().filter(|(kind, _)| kind.is_available());
        let guests = available.filter_map(|(kind, compiler)| {
            let runtime = create_runtime(&RuntimeConfig::new(kind).with_compiler(compiler)).unwrap();
            let loaded = runtime.load_module(wat.as_bytes());
            if needed.is_some_and(|feature| !feature.is_supported(kind, compiler)) {
                assert_eq!(loaded.unwrap_err().kind(), ErrorKind::UnsupportedFeature);
                return None;
            }
            let instance = runtime.create_instance(loaded.unwrap().as_ref(), Limits::none(), Capabilities::none());
            Some(Guest { name: format!("{kind} with {compiler}"), instance: instance.unwrap() })
        });
        Self(Mutex::new(guests.collect()))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Guest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

static NUMBERS: LazyLock<Guests> = LazyLock::new(|| Guests::new(IDENTITY, None));
static LANES: LazyLock<Guests> = LazyLock::new(|| Guests::new(VECTORS, Some(Feature::Simd)));

/// Asserts that `function` maps `given` to `expected` on every engine, in every format.
fn assert_maps(guests: &Guests, function: &str, given: &[Value], expected: &[Value]) {
    let (in_json, out_json) = (json::encode_results(given), json::encode_results(expected));
    let (in_msgpack, out_msgpack) = (msgpack::encode_results(given), msgpack::encode_results(expected));
    let in_text: Vec<_> = given.iter().map(text::format).collect();
    let out_text: Vec<_> = expected.iter().map(text::format).collect();
    for Guest { name, instance } in guests.lock().iter_mut() {
        assert_eq!(instance.call(function, given).unwrap(), expected, "values on {name}");
        assert_eq!(instance.call_json(function, &in_json).unwrap(), out_json, "JSON on {name}");
        assert_eq!(instance.call_msgpack(function, &in_msgpack).unwrap(), out_msgpack, "MessagePack on {name}");
        let parsed = args::parse_text(&in_text, instance.info().function(function).unwrap()).unwrap();
        let formatted: Vec<_> = instance.call(function, &parsed).unwrap().iter().map(text::format).collect();
        assert_eq!(formatted, out_text, "text on {name}");
    }
}

/// Asserts that `function` returns its argument, for random arguments.
fn round_trips(guests: &Guests, function: &str, argument: impl Fn(&mut Unstructured) -> Result<Value>) {
    check(256, |u| {
        let value = argument(u)?;
        assert_maps(guests, function, &[value], &[value]);
        Ok(())
    });
}

#[test]
fn i32s_round_trip() {
    round_trips(&NUMBERS, "i32", |u| any_i32(u).map(I32));
}

#[test]
fn i64s_round_trip() {
    round_trips(&NUMBERS, "i64", |u| any_i64(u).map(I64));
}

#[test]
fn f32s_round_trip() {
    round_trips(&NUMBERS, "f32", |u| any_f32(u).map(F32));
}

#[test]
fn f64s_round_trip() {
    round_trips(&NUMBERS, "f64", |u| any_f64(u).map(F64));
}

#[test]
fn v128s_round_trip() {
    round_trips(&LANES, "v128", |u| any_v128(u).map(V128));
}

#[test]
fn floats_stored_in_locals_round_trip() {
    check(256, |u| {
        let values = [F32(any_f32(u)?), F64(any_f64(u)?)];
        assert_maps(&NUMBERS, "stored", &values, &values);
        Ok(())
    });
}

#[test]
fn several_values_keep_their_order() {
    check(256, |u| {
        let given = [
            I32(any_i32(u)?),
            I64(any_i64(u)?),
            F32(any_f32(u)?),
            F64(any_f64(u)?),
            ExternRef(None),
            I32(any_i32(u)?),
            F64(any_f64(u)?),
        ];
        let mut reversed = given;
        reversed.reverse();
        assert_maps(&NUMBERS, "reversed", &given, &reversed);
        Ok(())
    });
}

#[test]
fn a_v128_between_other_values_keeps_its_place() {
    check(256, |u| {
        let given = [I32(any_i32(u)?), V128(any_v128(u)?), F64(any_f64(u)?)];
        assert_maps(&LANES, "reversed", &given, &[given[2], given[1], given[0]]);
        Ok(())
    });
}

#[test]
fn null_references_round_trip() {
    assert_maps(&NUMBERS, "funcref", &[FuncRef(None)], &[FuncRef(None)]);
    assert_maps(&NUMBERS, "externref", &[ExternRef(None)], &[ExternRef(None)]);
}

/// Only the call with `Value`s accepts them: no text, JSON or MessagePack form of them can be read.
#[test]
fn references_that_are_not_null_are_written_but_not_read() {
    for Guest { name, instance } in NUMBERS.lock().iter_mut() {
        let returned = instance.call("externref", &[ExternRef(Some(7))]).unwrap();
        assert_eq!(returned, [ExternRef(Some(7))], "on {name}");
        assert_eq!(json::encode_results(&returned), r#"{"externref":7}"#);
        let error = instance.call_json("externref", r#"{"externref":7}"#).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "on {name}");
    }
}
