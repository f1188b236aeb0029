//! Unsupported configurations are refused with a hint.

use wrun::config::DEFAULT_MAX_STACK;
use wrun::runtime::preflight::{MAX_STACK, MIN_STACK};
use wrun::{Cache, Compiler, ErrorKind, Optimization, RuntimeConfig, RuntimeKind, create_runtime};

use crate::vocabulary::{Engine, assert_contains, hints, on_each, refused};

#[test]
fn the_default_engine_is_one_that_is_compiled_in() {
    let config = RuntimeConfig::default();
    assert!(config.kind.is_available());
    let runtime = create_runtime(&config).unwrap();
    assert_eq!(runtime.kind(), config.kind);
    assert_eq!(*runtime.config(), config);
    let wasmtime_first = RuntimeKind::Wasmtime.is_available() == (config.kind == RuntimeKind::Wasmtime);
    assert!(wasmtime_first, "{} though wasmtime is there", config.kind);
}

#[test]
fn an_engine_that_is_not_compiled_in_is_refused_with_its_cargo_feature() {
    for &kind in RuntimeKind::ALL {
        let made = create_runtime(&RuntimeConfig::new(kind));
        if kind.is_available() {
            assert_eq!(made.unwrap().kind(), kind);
        } else {
            let error = refused(made, ErrorKind::EngineUnavailable);
            assert_contains(error.message(), &[kind.as_str(), "not compiled into"]);
            assert_contains(&hints(&error), &[kind.cargo_feature(), "or use `--runtime"]);
        }
    }
}

#[test]
fn every_compiler_an_engine_has_makes_a_runtime() {
    on_each(|engine| {
        let config = engine.runtime.config();
        assert_eq!((config.kind, config.effective_compiler()), (engine.kind, engine.compiler));
        assert_eq!(config.effective_max_stack(), DEFAULT_MAX_STACK);
    });
}

#[test]
fn a_missing_compiler_is_refused_with_an_engine_that_has_it() {
    for kind in RuntimeKind::available() {
        for &compiler in Compiler::ALL {
            let made = create_runtime(&RuntimeConfig::new(kind).with_compiler(compiler));
            if kind.compilers().contains(&compiler) {
                made.unwrap();
            } else {
                let error = refused(made, ErrorKind::UnsupportedConfig);
                assert_contains(error.message(), &[kind.as_str(), compiler.as_str()]);
                assert_contains(&hints(&error), &["wasmer has singlepass: use `--runtime wasmer`"]);
            }
        }
    }
}

#[test]
fn the_default_compiler_is_cranelift() {
    for kind in RuntimeKind::available() {
        assert_eq!(RuntimeConfig::new(kind).effective_compiler(), Compiler::Cranelift);
        create_runtime(&RuntimeConfig::new(kind)).unwrap();
    }
}

#[test]
fn a_stack_too_small_or_too_large_is_refused_with_the_bounds() {
    on_each(|engine| {
        for bytes in [0, 1, MIN_STACK - 1, MAX_STACK + 1, u64::MAX] {
            let config = RuntimeConfig::new(engine.kind).with_compiler(engine.compiler).with_max_stack(bytes);
            let error = refused(create_runtime(&config), ErrorKind::UnsupportedConfig);
            assert_contains(error.message(), &[&format!("{bytes} bytes"), "64 KiB", "1 GiB"]);
        }
    });
}

#[test]
fn engines_and_compilers_are_known_by_their_names_alone() {
    for &kind in RuntimeKind::ALL {
        assert_eq!(kind.as_str().parse::<RuntimeKind>().unwrap(), kind);
    }
    for &compiler in Compiler::ALL {
        assert_eq!(compiler.as_str().parse::<Compiler>().unwrap(), compiler);
    }
    assert_contains(
        refused("wasmtim".parse::<RuntimeKind>(), ErrorKind::UnsupportedConfig).message(),
        &["wasmtime, wasmer"],
    );
    refused("Wasmer".parse::<RuntimeKind>(), ErrorKind::UnsupportedConfig);
    refused("llvm".parse::<Compiler>(), ErrorKind::UnsupportedConfig);
}

#[test]
fn a_refused_configuration_leaves_the_engine_usable() {
    on_each(|engine| {
        let small = RuntimeConfig::new(engine.kind).with_compiler(engine.compiler).with_max_stack(1);
        refused(create_runtime(&small), ErrorKind::UnsupportedConfig);
        let usual = RuntimeConfig::new(engine.kind).with_compiler(engine.compiler);
        create_runtime(&usual).unwrap().load_module(b"(module)").unwrap();
    });
}

/// Several pages of code that an optimizer can shrink.
fn foldable() -> String {
    let body = "(local i32)
      (local.set 1 (i32.add (i32.mul (i32.const 6) (i32.const 7)) (i32.sub (i32.const 3) (i32.const 3))))
      (i32.add
        (i32.add (i32.mul (local.get 0) (local.get 1)) (i32.mul (local.get 0) (local.get 1)))
        (i32.add (i32.mul (local.get 0) (local.get 1)) (i32.mul (local.get 0) (i32.const 0))))";
    let more = format!("(func (param i32) (result i32) {body})").repeat(500);
    format!("(module (func (export \"f\") (param i32) (result i32) {body}) {more})")
}

#[test]
fn the_optimization_level_changes_the_code_but_no_result() {
    on_each(|engine| {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let mut sizes = Vec::new();
        for &optimization in Optimization::ALL {
            let config = RuntimeConfig::new(engine.kind).with_compiler(engine.compiler).with_optimization(optimization);
            if engine.compiler == Compiler::Singlepass && optimization != Optimization::None {
                let error = refused(create_runtime(&config), ErrorKind::UnsupportedConfig);
                assert_contains(error.message(), &["singlepass", optimization.as_str()]);
                assert_contains(&hints(&error), &["--compiler cranelift"]);
                continue;
            }
            let engine = Engine::configured(&config);
            // Wasmer knows the size of its code only after the cache has stored it.
            let module = cache.load_or_compile(engine.runtime.as_ref(), foldable().as_bytes()).unwrap();
            sizes.push(module.compiled_bytes());
            let mut instance = engine.instance_of(module.as_ref()).unwrap();
            assert_eq!(instance.call_simple_function("f", &[5]).unwrap(), 3 * 5 * 42);
        }
        if engine.compiler == Compiler::Cranelift {
            assert!(sizes[0] > sizes[1], "{sizes:?}: none, speed");
        }
    });
}
