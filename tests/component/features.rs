//! The features of the component model: Wasmtime has them, or the component is refused with the name of the feature.

use wrun::module::requirements;
use wrun::module::source::Binary;
use wrun::runtime::preflight::admit;
use wrun::{Compiler, Error, ErrorKind, Feature, RuntimeConfig, RuntimeKind};

/// A small component for each feature, with all features that it needs beside components.
const COMPONENTS: &[(&[Feature], &str)] = &[
    (&[], "(component)"),
    (&[Feature::ComponentModelAsync], r#"(component (import "f" (func async)))"#),
    (&[Feature::ComponentModelAsync], r#"(component (import "f" (func (param "s" (stream u8)))))"#),
    (&[Feature::ComponentModelAsync], r#"(component (import "f" (func (result (future string)))))"#),
    (
        &[Feature::ComponentModelAsync, Feature::ComponentModelMoreAsyncBuiltins],
        "(component (type $s (stream u8)) (core func (canon stream.cancel-read $s async)))",
    ),
    (
        &[Feature::ComponentModelAsync, Feature::ComponentModelAsyncStackful],
        r#"(component
            (core module $m (func (export "f")))
            (core instance $m (instantiate $m))
            (func (export "f") async (canon lift (core func $m "f") async)))"#,
    ),
    (&[Feature::ComponentModelMap], r#"(component (import "f" (func (param "m" (map string u32)))))"#),
    (&[Feature::ComponentModelFixedLengthLists], r#"(component (import "f" (func (param "l" (list u8 3)))))"#),
    (&[Feature::ComponentModelErrorContext], r#"(component (import "f" (func (param "e" error-context))))"#),
    (&[Feature::ComponentModelValues], r#"(component (import "v" (value $v string)) (export "w" (value $v)))"#),
    (&[Feature::ComponentModelNestedNames], r#"(component (import "a:b:c/d/e" (instance)))"#),
    (&[Feature::ComponentModelImplements], r#"(component (import "a" (implements "b:c/d") (instance)))"#),
    (&[Feature::Simd], "(component (core module (func (drop (v128.const i64x2 1 2)))))"),
    (&[Feature::Memory64], "(component (component (core module (memory i64 1))))"),
];

fn wasmtime() -> RuntimeConfig {
    RuntimeConfig::wasmtime()
}

fn refused(config: &RuntimeConfig, bytes: &[u8]) -> Error {
    admit(config, bytes).map(|admitted| panic!("{:?}", admitted.info())).unwrap_err()
}

#[test]
fn the_features_a_component_needs_are_known_without_an_engine() {
    for (needed, wat) in COMPONENTS {
        let found = requirements::features(Binary::new(wat.as_bytes()).unwrap().bytes()).unwrap();
        let mut needed = [&[Feature::ComponentModel], *needed].concat();
        needed.sort();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), needed, "{wat}");
    }
}

#[test]
fn this_test_covers_every_supported_feature_of_components() {
    for feature in Feature::ALL.iter().filter(|feature| feature.is_of_components() && feature.homes().next().is_some())
    {
        let is_covered =
            *feature == Feature::ComponentModel || COMPONENTS.iter().any(|(needed, _)| needed.contains(feature));
        assert!(is_covered, "no component for {feature}");
    }
}

#[test]
fn wasmtime_admits_components_with_its_features_and_names_the_others() {
    for (needed, wat) in COMPONENTS {
        let has = |feature: &Feature| feature.is_supported(RuntimeKind::Wasmtime, Compiler::Cranelift);
        let admitted = admit(&wasmtime(), wat.as_bytes());
        match needed.iter().find(|feature| !has(feature) || !feature.is_available()) {
            None => assert!(admitted.is_ok(), "{wat}: {:?}", admitted.err()),
            Some(missing) => {
                let error = admitted.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::UnsupportedFeature, "{wat}: {error}");
                assert!(error.to_string().contains(missing.as_str()), "{wat}: {error}");
                assert!(error.to_string().starts_with("the component needs "), "{wat}: {error}");
                let hint = &error.hints()[0];
                let expected = if has(missing) { "--features wasi-p3" } else { "no engine of this wrun" };
                assert!(hint.contains(expected), "{wat}: {hint}");
            }
        }
    }
}

#[test]
fn wasmtime_compiles_what_is_admitted() {
    let runtime = wrun::create_runtime(&wasmtime()).unwrap();
    for (_, wat) in COMPONENTS {
        if let Ok(admitted) = admit(&wasmtime(), wat.as_bytes()) {
            runtime.load_component(admitted.binary()).unwrap_or_else(|error| panic!("{wat}: {error}"));
        }
    }
}

#[test]
fn wasmer_refuses_every_component_with_the_way_out() {
    for component in [&b"(component)"[..], b"\0asm\x0d\0\x01\0", br#"(component (import "f" (func async)))"#] {
        let error = refused(&RuntimeConfig::wasmer(), component);
        assert_eq!(error.kind(), ErrorKind::UnsupportedFeature);
        assert_eq!(error.to_string(), "components run on wasmtime only");
        assert_eq!(error.hints(), ["use `--runtime wasmtime`"]);
    }
}

#[test]
fn a_module_needs_no_feature_of_components() {
    let features = requirements::features(Binary::new(b"(module)").unwrap().bytes()).unwrap();
    assert!(features.is_empty(), "{features:?}");
}
