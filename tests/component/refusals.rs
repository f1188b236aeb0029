//! Components and calls that are refused, with the reason.

use wrun::runtime::preflight::admit;
use wrun::{Capabilities, ErrorKind, Limits, RuntimeConfig, RuntimeKind, create_runtime};

use crate::vocabulary::{Engine, assert_contains, refused};

#[test]
fn a_component_of_another_runtime_is_refused() {
    let component = Engine::new().load("(component)");
    let other = Engine::new();
    let started = other.runtime.create_component_instance(component.as_ref(), Limits::none(), Capabilities::none());
    assert_contains(refused(started, ErrorKind::InvalidArgument).message(), &["another runtime"]);
}

#[test]
fn modules_and_components_are_told_apart() {
    let engine = Engine::new();
    refused(engine.runtime.load_module(b"(component)"), ErrorKind::UnsupportedFeature);
    refused(engine.runtime.load_component(b"(module)"), ErrorKind::InvalidArgument);
}

#[test]
fn a_wasmer_runtime_loads_no_component() {
    if RuntimeKind::Wasmer.is_available() {
        let runtime = create_runtime(&RuntimeConfig::wasmer()).expect("it is compiled in");
        refused(runtime.load_component(b"(component)"), ErrorKind::UnsupportedFeature);
    }
}

#[test]
fn shared_memories_are_refused_before_an_engine_because_no_limit_covers_them() {
    let wat = "(component (core module $m (memory 1 2 shared)) (core instance (instantiate $m)))";
    let error = refused(admit(&RuntimeConfig::wasmtime(), wat.as_bytes()), ErrorKind::UnsupportedFeature);
    assert_eq!(error.message(), "the component has a shared memory, whose growth no limit would cover");
    refused(Engine::new().runtime.load_component(wat.as_bytes()), ErrorKind::UnsupportedFeature);
}

#[test]
fn imports_other_than_functions_are_refused_before_anything_is_compiled() {
    let engine = Engine::new();
    let cases = [
        (r#"(component (import "m" (core module)))"#, "the core module `m`"),
        (r#"(component (import "c" (component)))"#, "the component `c`"),
        (r#"(component (import "r" (type (sub resource))))"#, "the resource `r`"),
    ];
    for (wat, what) in cases {
        let loaded = engine.runtime.load_component(wat.as_bytes());
        assert_contains(refused(loaded, ErrorKind::UnsupportedFeature).message(), &[what]);
    }
    assert_eq!(engine.runtime.metrics().modules_compiled, 0);
}

#[test]
#[cfg(feature = "wasi-p3")]
fn host_functions_with_streams_are_refused() {
    let wat = r#"(component (import "send" (func (param "bytes" (stream u8)))))"#;
    let imports = wrun::ComponentImports::default().with("", "send", |_, _| Ok(None));
    let error = refused(Engine::new().start_importing(&imports, wat), ErrorKind::UnsupportedFeature);
    assert_contains(error.message(), &["send", "stream<u8>"]);
}
