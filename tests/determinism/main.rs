//! Canonical NaNs: every engine and compiler produces the same bits where the specification leaves a choice.

use wrun::{Capabilities, ErrorKind, Limits, RuntimeConfig, RuntimeKind, Value, WasmInstance, create_runtime};

const OPERATORS: &[&str] = &["add", "sub", "mul", "div", "min", "max"];
const UNARY: &[&str] = &["sqrt", "ceil", "floor", "trunc", "nearest"];

fn module() -> String {
    let mut text = "(module".to_owned();
    for ty in ["f32", "f64"] {
        for op in OPERATORS {
            text += &format!(
                "(func (export \"{ty}.{op}\") (param {ty} {ty}) (result {ty}) ({ty}.{op} (local.get 0) (local.get 1)))"
            );
        }
        for op in UNARY {
            text += &format!("(func (export \"{ty}.{op}\") (param {ty}) (result {ty}) ({ty}.{op} (local.get 0)))");
        }
    }
    text += r#"
        (func (export "demote") (param f64) (result f32) (f32.demote_f64 (local.get 0)))
        (func (export "promote") (param f32) (result f64) (f64.promote_f32 (local.get 0))))"#;
    text
}

/// Returns the configuration for every engine and compiler that supports it.
fn supported(config: impl Fn(RuntimeConfig) -> RuntimeConfig) -> Vec<RuntimeConfig> {
    let all = RuntimeKind::available().flat_map(|kind| {
        kind.compilers().iter().map(move |compiler| RuntimeConfig::new(kind).with_compiler(*compiler))
    });
    all.map(config).filter(|config| create_runtime(config).is_ok()).collect()
}

fn instance(config: &RuntimeConfig, text: &str) -> wrun::Result<Box<dyn WasmInstance>> {
    let runtime = create_runtime(config)?;
    let module = runtime.load_module(text.as_bytes())?;
    runtime.create_instance(module.as_ref(), Limits::none(), Capabilities::none())
}

const NANS_32: &[u32] = &[0x7fc0_0000, 0xffc0_0000, 0x7fc1_2345, 0xffff_ffff, 0x7f80_0001, 0xff81_2345];
const NANS_64: &[u64] = &[0x7ff8 << 48, 0xfff8 << 48, 0x7ff8_0000_0001_2345, u64::MAX, 0x7ff0_0000_0000_0001];

#[test]
fn every_operator_returns_canonical_nans() {
    for config in supported(RuntimeConfig::with_canonical_nans) {
        let mut instance = instance(&config, &module()).unwrap();
        let mut check = |name: &str, args: &[Value]| match instance.call(name, args).unwrap().as_slice() {
            [Value::F32(v)] => assert_eq!(v.to_bits(), 0x7fc0_0000, "{name} {args:?} on {config:?}"),
            [Value::F64(v)] => assert_eq!(v.to_bits(), 0x7ff8 << 48, "{name} {args:?} on {config:?}"),
            other => panic!("{name} returned {other:?}"),
        };
        for op in OPERATORS {
            for nan in NANS_32.iter().map(|bits| Value::F32(f32::from_bits(*bits))) {
                check(&format!("f32.{op}"), &[nan, Value::F32(1.5)]);
                check(&format!("f32.{op}"), &[Value::F32(-0.0), nan]);
            }
            for nan in NANS_64.iter().map(|bits| Value::F64(f64::from_bits(*bits))) {
                check(&format!("f64.{op}"), &[nan, Value::F64(1.5)]);
                check(&format!("f64.{op}"), &[Value::F64(-0.0), nan]);
            }
        }
        for nan in NANS_32.iter().map(|bits| Value::F32(f32::from_bits(*bits))) {
            for op in UNARY {
                check(&format!("f32.{op}"), &[nan]);
            }
            check("promote", &[nan]);
        }
        for nan in NANS_64.iter().map(|bits| Value::F64(f64::from_bits(*bits))) {
            for op in UNARY {
                check(&format!("f64.{op}"), &[nan]);
            }
            check("demote", &[nan]);
        }
        check("f32.div", &[Value::F32(0.0), Value::F32(-0.0)]);
        check("f64.sub", &[Value::F64(f64::INFINITY), Value::F64(f64::INFINITY)]);
        check("f64.sqrt", &[Value::F64(-1.0)]);
    }
}

#[cfg(feature = "wasmer-runtime")]
#[test]
fn singlepass_does_not_support_canonical_nans() {
    let config = RuntimeConfig::wasmer().with_compiler(wrun::Compiler::Singlepass).with_canonical_nans();
    let refused = create_runtime(&config).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::UnsupportedConfig);
    assert!(refused.message().contains("singlepass"), "{refused}");
}

#[test]
fn every_engine_supports_canonical_nans() {
    let able: Vec<_> = supported(RuntimeConfig::with_canonical_nans).iter().map(|config| config.kind).collect();
    assert_eq!(able, RuntimeKind::available().collect::<Vec<_>>());
}

#[test]
fn without_canonical_nans_some_engine_keeps_a_payload() {
    let nan = Value::F64(f64::from_bits(0x7ff8_0000_0001_2345));
    let kept = supported(|config| config).iter().any(|config| {
        let mut instance = instance(config, &module()).unwrap();
        instance.call("f64.add", &[nan, Value::F64(1.0)]).unwrap() == [nan]
    });
    assert!(kept, "otherwise the test of canonical NaNs proves nothing");
}

#[test]
fn relaxed_simd_is_refused_if_it_is_not_deterministic() {
    let text = r#"(module (func (export "run") (result i32) (i32x4.extract_lane 0
        (i32x4.relaxed_trunc_f32x4_s (f32x4.splat (f32.const nan))))))"#;
    for config in supported(RuntimeConfig::with_canonical_nans) {
        let made = instance(&config, text);
        if config.kind == RuntimeKind::Wasmtime {
            assert_eq!(made.unwrap().call("run", &[]).unwrap(), [Value::I32(0)]);
        } else {
            let refused = made.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::UnsupportedFeature);
            assert!(refused.message().contains("relaxed_simd"), "{refused}");
        }
    }
}
