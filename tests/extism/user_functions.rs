//! Functions of the embedder, which plug-ins import from `extism:host/user`.

use wrun::extism::PluginMemory;
use wrun::session::InstanceOptions;
use wrun::{ErrorKind, FuncType, HostImports, Limits, Trap, ValType, Value};

use crate::vocabulary::{Guest, assert_contains, on_each, refused};

/// A plug-in whose output is what `extism:host/user` makes of its input.
const CALLER: &[u8] = br#"(module
    (import "extism:host/env" "input_offset" (func $input (result i64)))
    (import "extism:host/env" "length" (func $length (param i64) (result i64)))
    (import "extism:host/env" "output_set" (func $output (param i64 i64)))
    (import "extism:host/user" "convert" (func $convert (param i64) (result i64)))
    (func (export "convert") (result i32) (local $made i64)
      (local.set $made (call $convert (call $input)))
      (call $output (local.get $made) (call $length (local.get $made)))
      (i32.const 0)))"#;

fn converting<F>(convert: F) -> InstanceOptions
where
    F: Fn(&PluginMemory, u64) -> wrun::Result<u64> + Send + Sync + 'static,
{
    let ty = FuncType::new([ValType::I64], [ValType::I64]);
    let imports = HostImports::none().with_function("extism:host/user", "convert", ty, move |context, args| {
        let memory = PluginMemory::of(context).ok_or("not called by a plug-in")?;
        let &[Value::I64(offset)] = args else { return Err("not one offset".into()) };
        Ok(vec![Value::I64(convert(&memory, offset.cast_unsigned())?.cast_signed())])
    });
    InstanceOptions::default().with_imports(imports)
}

#[test]
fn a_user_function_reads_blocks_and_returns_new_ones() {
    let options = converting(|memory, offset| {
        let text = memory.read(offset)?.to_ascii_uppercase();
        memory.free(offset)?;
        memory.allocate(&text)
    });
    on_each(|config| {
        let mut guest = Guest::start_with(config, CALLER, options.clone()).unwrap();
        assert_eq!(guest.call("convert", "shout").unwrap(), "SHOUT");
        assert_eq!(guest.call("convert", "").unwrap(), "");
    });
}

#[test]
fn a_user_function_overwrites_a_block() {
    let options = converting(|memory, offset| {
        memory.write(offset, b"J")?;
        Ok(offset)
    });
    on_each(|config| {
        let mut guest = Guest::start_with(config, CALLER, options.clone()).unwrap();
        assert_eq!(guest.call("convert", "Hello").unwrap(), "Jello");
    });
}

#[test]
fn accesses_outside_blocks_and_limits_are_errors() {
    let options = converting(|memory, offset| {
        for offset in [offset + 1, 1, u64::MAX] {
            assert_eq!(memory.read(offset).unwrap_err().kind(), ErrorKind::MemoryAccess);
        }
        assert_eq!(memory.write(offset, b"too long").unwrap_err().kind(), ErrorKind::MemoryAccess);
        assert_eq!(memory.allocate(&vec![0; 1 << 20]).unwrap_err().kind(), ErrorKind::Limit);
        assert_eq!(memory.read(offset)?, b"short");
        memory.read(u64::MAX)?;
        Ok(0)
    })
    .with_limits(Limits::none().with_memory(1 << 20));
    on_each(|config| {
        let mut guest = Guest::start_with(config, CALLER, options.clone()).unwrap();
        let error = refused(guest.call("convert", "short"), ErrorKind::Trap);
        assert_eq!(error.trap_code(), Some(Trap::Host));
        assert_contains(error.message(), &["no block"]);
    });
}
