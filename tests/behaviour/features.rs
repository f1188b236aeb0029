//! The table of features is correct: a module loads on engines that have its features. The others refuse it, and name
//! the missing feature and an engine that has it.

use wrun::module::{requirements, source};
use wrun::{ErrorKind, Feature};

use crate::vocabulary::{assert_contains, hints, is_refused_for, on_each, refused};

/// Legacy `try` and `catch_all`, which the text format does not support.
const LEGACY_EXCEPTIONS: &[u8] = &[
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, // header
    0x01, 0x04, 0x01, 0x60, 0x00, 0x00, // types
    0x03, 0x02, 0x01, 0x00, // functions
    0x0a, 0x08, 0x01, 0x06, 0x00, 0x06, 0x40, 0x19, 0x0b, 0x0b, // code: try catch_all end end
];

/// A small module for each feature, with all features that it needs.
const MODULES: &[(&[Feature], &str)] = &[
    (&[Feature::MutableGlobal], r#"(module (global (export "g") (mut i32) (i32.const 0)))"#),
    (&[Feature::SaturatingFloatToInt], "(module (func (param f32) (result i32) (i32.trunc_sat_f32_s (local.get 0))))"),
    (&[Feature::SignExtension], "(module (func (param i32) (result i32) (i32.extend8_s (local.get 0))))"),
    (&[Feature::MultiValue], "(module (func (result i32 i64) i32.const 1 i64.const 2))"),
    (&[Feature::BulkMemory], "(module (memory 1) (func (memory.copy (i32.const 0) (i32.const 8) (i32.const 4))))"),
    (&[Feature::ReferenceTypes], "(module (func (param externref)))"),
    (&[Feature::Simd], "(module (func (drop (v128.const i64x2 1 2))))"),
    (
        &[Feature::Simd, Feature::RelaxedSimd],
        "(module (func (param v128) (drop (i8x16.relaxed_swizzle (local.get 0) (local.get 0)))))",
    ),
    (&[Feature::Threads], "(module (memory 1 1 shared))"),
    (&[Feature::ExtendedConst], "(module (global i32 (i32.add (i32.const 1) (i32.const 2))))"),
    (&[Feature::MultiMemory], "(module (memory 1) (memory 1))"),
    (&[Feature::Exceptions], "(module (tag $t) (func (throw $t)))"),
    (&[Feature::TailCall], "(module (func $f (return_call $f)))"),
    (&[Feature::Memory64], "(module (memory i64 1))"),
    (
        &[Feature::ReferenceTypes, Feature::FunctionReferences],
        "(module (type $f (func)) (func (param (ref $f)) (call_ref $f (local.get 0))))",
    ),
    (
        &[Feature::FunctionReferences, Feature::Gc],
        "(module (type $point (struct (field i32))) (func (drop (struct.new $point (i32.const 1)))))",
    ),
    (&[Feature::CustomPageSizes], "(module (memory 1 (pagesize 1)))"),
    (
        &[Feature::WideArithmetic, Feature::MultiValue],
        "(module (func (param i64 i64) (result i64 i64) (i64.mul_wide_u (local.get 0) (local.get 1))))",
    ),
    (&[Feature::MemoryControl], "(module (memory 1) (func (memory.discard (i32.const 0) (i32.const 0))))"),
];

#[test]
fn this_test_covers_every_supported_feature() {
    for feature in Feature::ALL.iter().filter(|feature| feature.homes().next().is_some() && !feature.is_of_components())
    {
        assert!(MODULES.iter().any(|(needed, _)| needed.contains(feature)), "no module for {feature}");
    }
}

#[test]
fn a_module_loads_on_engines_with_its_features_and_is_refused_elsewhere() {
    on_each(|engine| {
        for (needed, wat) in MODULES {
            if needed.iter().all(|feature| engine.has(*feature)) {
                engine.try_start(wat).unwrap_or_else(|error| panic!("{needed:?}: {error}"));
            } else {
                is_refused_for(needed, engine, wat);
            }
        }
    });
}

#[test]
fn the_features_a_module_needs_are_known_without_an_engine() {
    for (needed, wat) in MODULES {
        let found = requirements::features(&source::to_binary(wat.as_bytes()).unwrap()).unwrap();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), sorted(needed), "{wat}");
    }
}

fn sorted(features: &[Feature]) -> Vec<Feature> {
    let mut features = features.to_vec();
    features.sort();
    features
}

#[test]
fn a_feature_no_engine_has_is_refused_by_all_and_the_hint_says_so() {
    on_each(|engine| {
        let error = refused(engine.runtime.load_module(LEGACY_EXCEPTIONS), ErrorKind::UnsupportedFeature);
        assert_eq!(hints(&error), "no engine of this wrun supports all of these features");
        assert_contains(error.message(), &["legacy_exceptions"]);
    });
}

#[test]
fn a_module_that_is_invalid_with_every_feature_is_invalid_and_not_unsupported() {
    on_each(|engine| {
        let wat = "(module (type $point (struct)) (func (result i32) (struct.new $point)))";
        refused(engine.runtime.load_module(wat.as_bytes()), ErrorKind::InvalidModule);
    });
}
