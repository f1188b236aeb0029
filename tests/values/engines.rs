//! Values through a guest that returns what it is given: in text, JSON and MessagePack, on every engine.

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use proptest::prelude::*;
use wrun::engine::features;
use wrun::value::{args, json, msgpack, text};
use wrun::{
    Capabilities, ErrorKind, Feature, Limits, RuntimeConfig, Value, WasmInstance, WasmInstanceExt, create_runtime,
};

use crate::any::{any_f32, any_f64, any_i32, any_i64, any_v128, cases};
use Value::{ExternRef, F32, F64, FuncRef, I32, I64, V128};

const IDENTITY: &str = r#"
(module
  (func (export "i32") (param i32) (result i32) (local.get 0))
  (func (export "i64") (param i64) (result i64) (local.get 0))
  (func (export "f32") (param f32) (result f32) (local.get 0))
  (func (export "f64") (param f64) (result f64) (local.get 0))
  (func (export "funcref") (param funcref) (result funcref) (local.get 0))
  (func (export "externref") (param externref) (result externref) (local.get 0))
  (func (export "kept") (param f32 f64) (result f32 f64)
    (local f32 f64)
    (local.set 2 (local.get 0))
    (local.set 3 (local.get 1))
    (select (local.get 2) (local.get 0) (i32.const 1))
    (select (local.get 3) (local.get 1) (i32.const 0)))
  (func (export "turned") (param i32 i64 f32 f64 externref i32 f64) (result f64 i32 externref f64 f32 i64 i32)
    (local.get 6) (local.get 5) (local.get 4) (local.get 3) (local.get 2) (local.get 1) (local.get 0)))"#;

const VECTORS: &str = r#"
(module
  (func (export "v128") (param v128) (result v128) (local.get 0))
  (func (export "around") (param i32 v128 f64) (result f64 v128 i32) (local.get 2) (local.get 1) (local.get 0)))"#;

/// One guest and what it runs on.
struct Guest {
    name: String,
    instance: Box<dyn WasmInstance>,
}

/// Guests of a module on every engine that takes it, made once: a property has hundreds of cases.
struct Guests(Mutex<Vec<Guest>>);

impl Guests {
    fn of(wat: &str, needed: Option<Feature>) -> Self {
        let here = features::combinations().filter(|(kind, _)| kind.is_available());
        let guests = here.filter_map(|(kind, compiler)| {
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

    fn each(&self) -> MutexGuard<'_, Vec<Guest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

static NUMBERS: LazyLock<Guests> = LazyLock::new(|| Guests::of(IDENTITY, None));
static LANES: LazyLock<Guests> = LazyLock::new(|| Guests::of(VECTORS, Some(Feature::Simd)));

/// Asserts that `function` turns `given` into `expected` on every engine, whatever the spelling.
fn gives(guests: &Guests, function: &str, given: &[Value], expected: &[Value]) -> Result<(), TestCaseError> {
    let (in_json, out_json) = (json::encode_results(given), json::encode_results(expected));
    let (in_msgpack, out_msgpack) = (msgpack::encode_results(given), msgpack::encode_results(expected));
    let in_text: Vec<_> = given.iter().map(text::format).collect();
    let out_text: Vec<_> = expected.iter().map(text::format).collect();
    for Guest { name, instance } in guests.each().iter_mut() {
        prop_assert_eq!(instance.call(function, given).unwrap(), expected, "values on {}", name);
        prop_assert_eq!(&instance.call_json(function, &in_json).unwrap(), &out_json, "JSON on {}", name);
        let packed = instance.call_msgpack(function, &in_msgpack).unwrap();
        prop_assert_eq!(&packed, &out_msgpack, "MessagePack on {}", name);
        let parsed = args::parse_text(&in_text, instance.info().function(function).unwrap()).unwrap();
        let spelt: Vec<_> = instance.call(function, &parsed).unwrap().iter().map(text::format).collect();
        prop_assert_eq!(&spelt, &out_text, "text on {}", name);
    }
    Ok(())
}

fn returns(guests: &Guests, function: &str, value: Value) -> Result<(), TestCaseError> {
    gives(guests, function, &[value], &[value])
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn i32s_round_trip(v in any_i32()) {
        returns(&NUMBERS, "i32", I32(v))?;
    }

    #[test]
    fn i64s_round_trip(v in any_i64()) {
        returns(&NUMBERS, "i64", I64(v))?;
    }

    #[test]
    fn f32s_round_trip(v in any_f32()) {
        returns(&NUMBERS, "f32", F32(v))?;
    }

    #[test]
    fn f64s_round_trip(v in any_f64()) {
        returns(&NUMBERS, "f64", F64(v))?;
    }

    #[test]
    fn floats_that_the_guest_keeps_meanwhile_round_trip(a in any_f32(), b in any_f64()) {
        gives(&NUMBERS, "kept", &[F32(a), F64(b)], &[F32(a), F64(b)])?;
    }

    #[test]
    fn several_values_keep_their_order(
        a in any_i32(), b in any_i64(), c in any_f32(), d in any_f64(), e in any_i32(), f in any_f64(),
    ) {
        let given = [I32(a), I64(b), F32(c), F64(d), ExternRef(None), I32(e), F64(f)];
        let mut turned = given;
        turned.reverse();
        gives(&NUMBERS, "turned", &given, &turned)?;
    }

    #[test]
    fn v128s_round_trip(v in any_v128()) {
        returns(&LANES, "v128", V128(v))?;
    }

    #[test]
    fn v128s_among_others_keep_their_order(a in any_i32(), v in any_v128(), b in any_f64()) {
        gives(&LANES, "around", &[I32(a), V128(v), F64(b)], &[F64(b), V128(v), I32(a)])?;
    }
}

#[test]
fn null_references_round_trip() {
    returns(&NUMBERS, "funcref", FuncRef(None)).unwrap();
    returns(&NUMBERS, "externref", ExternRef(None)).unwrap();
}

/// What a guest may be given by a call in values alone: it has no spelling that could be read.
#[test]
fn references_that_are_not_null_are_written_and_not_read() {
    for Guest { name, instance } in NUMBERS.each().iter_mut() {
        let returned = instance.call("externref", &[ExternRef(Some(7))]).unwrap();
        assert_eq!(returned, [ExternRef(Some(7))], "on {name}");
        assert_eq!(json::encode_results(&returned), r#"{"externref":7}"#);
        let error = instance.call_json("externref", r#"{"externref":7}"#).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "on {name}");
    }
}
