//! Host functions: a type and a closure, the same on every engine.

use std::error::Error as _;
use std::fmt;
use std::sync::{Arc, Mutex};

use wrun::{Compiler, Error, ErrorKind, Feature, FuncType, HostImports, Trap, ValType, Value};

use crate::vocabulary::{Engine, assert_contains, hints, is_refused_for, on_each, refused, trapped};
use Value::{ExternRef, F32, F64, I32, I64};

/// A module that calls one host function and returns its results.
fn caller(params: &str, results: &str, gets: &str) -> String {
    format!(
        r#"(module
          (import "host" "f" (func $f (param {params}) (result {results})))
          (memory (export "memory") 1)
          (func $call (export "call") (param {params}) (result {results}) {gets} (call $f)))"#
    )
}

fn host<F>(ty: FuncType, body: F) -> HostImports
where
    F: Fn(&mut dyn wrun::HostContext, &[Value]) -> Result<Vec<Value>, wrun::HostError> + Send + Sync + 'static,
{
    HostImports::none().with_function("host", "f", ty, body)
}

/// Singlepass cannot call host functions that return several values.
#[track_caller]
fn several_results_are_refused(engine: &Engine, wat: &str) {
    let error = refused(engine.runtime.load_module(wat.as_bytes()), ErrorKind::UnsupportedFeature);
    assert_contains(error.message(), &["`host` `f`: func", "singlepass", "only one result"]);
    assert_contains(
        &hints(&error),
        &["--runtime wasmtime --compiler cranelift", "--runtime wasmer --compiler cranelift"],
    );
}

#[test]
fn a_host_function_gets_its_arguments_and_gives_its_results_in_order() {
    let numbers = [ValType::I32, ValType::I64, ValType::F32, ValType::F64];
    let wat = caller("i32 i64 f32 f64", "i32 i64 f32 f64", "(local.get 0) (local.get 1) (local.get 2) (local.get 3)");
    on_each(|engine| {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let imports = host(FuncType::new(numbers.clone(), numbers.clone()), move |_, args| {
            log.lock().unwrap().extend_from_slice(args);
            Ok(vec![I32(-1), I64(i64::MIN), F32(f32::from_bits(0x7f80_0001)), F64(-0.0)])
        });
        if engine.compiler == Compiler::Singlepass {
            return several_results_are_refused(engine, &wat);
        }
        let args = [I32(7), I64(1 << 40), F32(0.1), F64(f64::INFINITY)];
        let results = engine.start_importing(&imports, &wat).unwrap().call("call", &args).unwrap();
        assert_eq!(*seen.lock().unwrap(), args);
        assert_eq!(results, [I32(-1), I64(i64::MIN), F32(f32::from_bits(0x7f80_0001)), F64(-0.0)]);
    });
}

#[test]
fn a_host_function_takes_and_returns_references() {
    let wat = caller("externref", "externref", "(local.get 0)");
    let ty = FuncType::new([ValType::ExternRef], [ValType::ExternRef]);
    let imports = host(ty, |_, args| match args {
        [ExternRef(Some(n))] => Ok(vec![ExternRef(Some(n + 1))]),
        _ => Ok(vec![ExternRef(None)]),
    });
    on_each(|engine| {
        let mut guest = engine.start_importing(&imports, &wat).unwrap();
        assert_eq!(guest.call("call", &[ExternRef(Some(41))]).unwrap(), [ExternRef(Some(42))]);
        assert_eq!(guest.call("call", &[ExternRef(None)]).unwrap(), [ExternRef(None)]);
    });
}

#[test]
fn a_host_function_takes_and_returns_vectors() {
    let wat = caller("v128", "v128", "(local.get 0)");
    let imports = host(FuncType::new([ValType::V128], [ValType::V128]), |_, args| match args {
        [Value::V128(bits)] => Ok(vec![Value::V128(!bits)]),
        _ => Err("not one v128".into()),
    });
    on_each(|engine| {
        if !engine.has(Feature::Simd) {
            return is_refused_for(&[Feature::Simd], engine, &wat);
        }
        let mut guest = engine.start_importing(&imports, &wat).unwrap();
        assert_eq!(guest.call("call", &[Value::V128(5)]).unwrap(), [Value::V128(!5)]);
    });
}

#[test]
fn a_host_function_without_parameters_or_results_is_called() {
    let wat = caller("", "", "");
    on_each(|engine| {
        let count = Arc::new(Mutex::new(0));
        let counter = Arc::clone(&count);
        let imports = host(FuncType::default(), move |_, _| {
            *counter.lock().unwrap() += 1;
            Ok(vec![])
        });
        let mut guest = engine.start_importing(&imports, &wat).unwrap();
        for _ in 0..1000 {
            guest.call("call", &[]).unwrap();
        }
        assert_eq!(*count.lock().unwrap(), 1000);
    });
}

#[test]
fn a_host_function_reads_and_writes_the_memory_of_its_guest() {
    let wat = r#"
        (module
          (import "host" "upper" (func $upper (param i32 i32)))
          (memory (export "memory") 1)
          (data (i32.const 32) "hello")
          (func (export "run") (result i32)
            (call $upper (i32.const 32) (i32.const 5))
            (i32.load8_u (i32.const 36))))"#;
    let ty = FuncType::new([ValType::I32, ValType::I32], []);
    let imports = HostImports::none().with_function("host", "upper", ty, |guest, args| {
        let &[I32(at), I32(length)] = args else { return Err("two i32s".into()) };
        let mut text = vec![0; usize::try_from(length)?];
        guest.read_memory("memory", u64::try_from(at)?, &mut text)?;
        text.make_ascii_uppercase();
        guest.write_memory("memory", u64::try_from(at)?, &text)?;
        Ok(vec![])
    });
    on_each(|engine| {
        let mut guest = engine.start_importing(&imports, wat).unwrap();
        assert_eq!(guest.call_simple_function("run", &[]).unwrap(), i32::from(b'O'));
        let mut text = [0; 5];
        guest.read_memory("memory", 32, &mut text).unwrap();
        assert_eq!(&text, b"HELLO");
    });
}

#[test]
fn a_host_function_sees_the_memory_after_growth() {
    let wat = r#"
        (module
          (import "host" "f" (func $f))
          (memory (export "memory") 1)
          (func (export "run") (result i32)
            (drop (memory.grow (i32.const 1)))
            (call $f)
            (i32.load8_u (i32.const 131071))))"#;
    let imports = host(FuncType::default(), |guest, _| {
        guest.write_memory("memory", 131_071, &[9])?;
        Ok(vec![])
    });
    on_each(|engine| {
        let mut guest = engine.start_importing(&imports, wat).unwrap();
        assert_eq!(guest.call_simple_function("run", &[]).unwrap(), 9);
    });
}

#[test]
fn a_host_access_outside_guest_memory_is_a_recoverable_error() {
    let wat = caller("i64", "i32", "(local.get 0)");
    let imports = host(FuncType::new([ValType::I64], [ValType::I32]), |guest, args| {
        let &[I64(at)] = args else { return Err("one i64".into()) };
        let offset = at.cast_unsigned();
        let read = guest.read_memory("memory", offset, &mut [0; 2]).map_err(|error| error.kind());
        let written = guest.write_memory("memory", offset, &[0; 2]).map_err(|error| error.kind());
        assert_eq!(read, written);
        Ok(vec![I32(i32::from(read == Err(ErrorKind::MemoryAccess)))])
    });
    on_each(|engine| {
        let mut guest = engine.start_importing(&imports, &wat).unwrap();
        let mut refused = |at: i64| guest.call("call", &[I64(at)]).unwrap() == [I32(1)];
        assert!(!refused(0) && !refused(65534));
        assert!(refused(65535) && refused(65536) && refused(-1) && refused(1 << 32));
    });
}

#[test]
fn a_host_function_cannot_see_a_memory_that_is_not_exported() {
    let wat = r#"(module (import "host" "f" (func $f)) (memory 1) (func (export "call") (call $f)))"#;
    let imports = host(FuncType::default(), |guest, _| {
        let error = guest.read_memory("memory", 0, &mut [0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownExport);
        Err(error.into())
    });
    on_each(|engine| {
        let error = trapped(engine.start_importing(&imports, wat).unwrap().call("call", &[]), Trap::Host);
        assert_contains(error.message(), &["no memory `memory`"]);
    });
}

#[derive(Debug, PartialEq)]
struct Refusal(u32);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refusal number {}", self.0)
    }
}

impl std::error::Error for Refusal {}

#[test]
fn an_error_of_the_host_is_a_trap_that_keeps_it_as_its_source() {
    let wat = caller("i32", "i32", "(local.get 0)");
    let imports = host(FuncType::new([ValType::I32], [ValType::I32]), |_, _| Err(Refusal(7).into()));
    on_each(|engine| {
        let mut guest = engine.start_importing(&imports, &wat).unwrap();
        let error = trapped(guest.call("call", &[I32(1)]), Trap::Host);
        assert_eq!(error.message(), "host function failed: refusal number 7");
        let source = error.source().expect("the source is kept");
        assert_eq!(source.downcast_ref::<Refusal>(), Some(&Refusal(7)), "{source:?}");
        assert_eq!(error.function(), Some("call"));
        let frames: Vec<_> = error.backtrace().iter().map(|frame| frame.function.as_deref()).collect();
        assert_eq!(frames, [Some("call")], "the guest's frames, without the host's");
        refused(guest.call("call", &[I32(1)]), ErrorKind::Crashed);
    });
}

#[test]
fn an_error_of_this_library_is_kept_as_a_source_too() {
    let wat = caller("i32", "i32", "(local.get 0)");
    let imports = host(FuncType::new([ValType::I32], [ValType::I32]), |guest, _| {
        guest.read_memory("memory", u64::MAX, &mut [0])?;
        Ok(vec![I32(0)])
    });
    on_each(|engine| {
        let error = trapped(engine.start_importing(&imports, &wat).unwrap().call("call", &[I32(1)]), Trap::Host);
        let source = error.source().and_then(|source| source.downcast_ref::<Error>());
        assert_eq!(source.map(Error::kind), Some(ErrorKind::MemoryAccess));
    });
}

#[test]
fn results_of_the_wrong_types_are_a_failure_of_the_host() {
    let wat = caller("i32", "i32 i64", "(local.get 0)");
    let wrong: [&[Value]; 5] = [&[], &[I32(1)], &[I64(1), I32(1)], &[I32(1), I64(1), I64(1)], &[I32(1), F64(1.0)]];
    on_each(|engine| {
        if engine.compiler == Compiler::Singlepass {
            return several_results_are_refused(engine, &wat);
        }
        for results in wrong {
            let ty = FuncType::new([ValType::I32], [ValType::I32, ValType::I64]);
            let imports = host(ty, |_, _| Ok(results.to_vec()));
            let error = trapped(engine.start_importing(&imports, &wat).unwrap().call("call", &[I32(1)]), Trap::Host);
            assert_contains(error.message(), &["the host function returned", "(i32) -> (i32, i64)"]);
        }
    });
}

#[test]
fn one_result_of_the_wrong_type_is_a_failure_of_the_host() {
    let wat = caller("i32", "i32", "(local.get 0)");
    let wrong: [&[Value]; 4] = [&[], &[I64(1)], &[I32(1), I32(1)], &[Value::FuncRef(None)]];
    on_each(|engine| {
        for results in wrong {
            let imports = host(FuncType::new([ValType::I32], [ValType::I32]), |_, _| Ok(results.to_vec()));
            let error = trapped(engine.start_importing(&imports, &wat).unwrap().call("call", &[I32(1)]), Trap::Host);
            assert_contains(error.message(), &["the host function returned", "(i32) -> i32"]);
        }
    });
}

#[test]
fn an_invented_function_reference_is_a_host_error() {
    let wat = caller("i32", "funcref", "(local.get 0)");
    let ty = FuncType::new([ValType::I32], [ValType::FuncRef]);
    let imports = host(ty, |_, _| Ok(vec![Value::FuncRef(Some(12))]));
    on_each(|engine| {
        let error = trapped(engine.start_importing(&imports, &wat).unwrap().call("call", &[I32(1)]), Trap::Host);
        assert_contains(error.message(), &["funcref 12"]);
    });
}

#[test]
fn a_start_function_calls_the_host_and_its_error_is_a_trap() {
    let wat = r#"(module (import "host" "f" (func $f)) (func $start (call $f)) (start $start))"#;
    on_each(|engine| {
        let imports = host(FuncType::default(), |_, _| Err(Refusal(1).into()));
        let error = trapped(engine.start_importing(&imports, wat), Trap::Host);
        assert_eq!(error.source().and_then(|source| source.downcast_ref()), Some(&Refusal(1)));
        engine.start_importing(&host(FuncType::default(), |_, _| Ok(vec![])), wat).unwrap();
    });
}

#[test]
fn a_start_function_shows_its_memory_to_the_host() {
    let wat = r#"
        (module
          (import "host" "f" (func $f))
          (memory (export "memory") 1)
          (func $start (call $f))
          (start $start))"#;
    let imports = host(FuncType::default(), |guest, _| {
        guest.write_memory("memory", 0, &[5])?;
        Ok(vec![])
    });
    on_each(|engine| {
        let mut byte = [0];
        engine.start_importing(&imports, wat).unwrap().read_memory("memory", 0, &mut byte).unwrap();
        assert_eq!(byte, [5]);
    });
}

#[test]
fn a_host_function_that_is_exported_again_is_called_directly() {
    let wat = r#"(module (import "host" "f" (func $f (param i32) (result i32))) (export "f" (func $f)))"#;
    let imports = host(FuncType::new([ValType::I32], [ValType::I32]), |_, args| match args {
        [I32(-1)] => Err("not that one".into()),
        [I32(n)] => Ok(vec![I32(n * 2)]),
        _ => Err("one i32".into()),
    });
    on_each(|engine| {
        let mut guest = engine.start_importing(&imports, wat).unwrap();
        assert_eq!(guest.call_simple_function("f", &[21]).unwrap(), 42);
        trapped(guest.call_simple_function("f", &[-1]), Trap::Host);
    });
}

#[test]
fn a_guest_cannot_catch_host_errors() {
    let wat = r#"
        (module
          (import "host" "f" (func $f))
          (func (export "call") (result i32)
            (block $caught (try_table (catch_all $caught) (call $f)) (return (i32.const 1)))
            (i32.const 2)))"#;
    let imports = host(FuncType::default(), |_, _| Err(Refusal(3).into()));
    on_each(|engine| {
        if !engine.has(Feature::Exceptions) {
            return is_refused_for(&[Feature::Exceptions], engine, wat);
        }
        trapped(engine.start_importing(&imports, wat).unwrap().call("call", &[]), Trap::Host);
    });
}

#[test]
fn a_host_function_may_run_another_guest_meanwhile() {
    let wat = caller("i32", "i32", "(local.get 0)");
    on_each(|engine| {
        let kind = engine.kind;
        let compiler = engine.compiler;
        let imports = host(FuncType::new([ValType::I32], [ValType::I32]), move |_, args| {
            let inner = Engine::new(kind, compiler);
            let mut inner = inner.start(
                r#"(module
                  (func (export "square") (param i32) (result i32) (i32.mul (local.get 0) (local.get 0)))
                  (func (export "trap") (unreachable)))"#,
            );
            let squared = inner.call("square", args)?;
            trapped(inner.call("trap", &[]), Trap::Unreachable);
            Ok(squared)
        });
        let mut guest = engine.start_importing(&imports, &wat).unwrap();
        assert_eq!(guest.call_simple_function("call", &[9]).unwrap(), 81);
        assert_eq!(guest.call_simple_function("call", &[-4]).unwrap(), 16);
    });
}

#[test]
fn a_host_function_that_the_guest_exports_again_sees_its_memory() {
    let wat = r#"(module (import "host" "peek" (func $peek (result i32)))
      (memory (export "memory") 1) (data (i32.const 0) "\2a") (export "peek" (func $peek)))"#;
    on_each(|engine| {
        let imports =
            HostImports::none().with_function("host", "peek", FuncType::new([], [ValType::I32]), |context, _| {
                let mut byte = [0];
                context.read_memory("memory", 0, &mut byte)?;
                Ok(vec![I32(byte[0].into())])
            });
        let mut guest = engine.start_importing(&imports, wat).unwrap();
        assert_eq!(guest.call_simple_function("peek", &[]).unwrap(), 42);
    });
}
