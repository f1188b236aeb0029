//! The module `spectest`, which every specification test may import.

use wrun::{FuncType, HostImports, HostItem, MemoryType, TableType, ValType, Value};

const MODULE: &str = "spectest";

/// Returns the items that the specification's interpreter exports. Each instance gets its own memories and tables.
pub(crate) fn imports() -> HostImports {
    let mut shared = MemoryType::new(1, Some(2));
    shared.shared = true;
    let mut table64 = TableType::new(ValType::FuncRef, 10, Some(20));
    table64.table64 = true;
    let table = TableType::new(ValType::FuncRef, 10, Some(20));
    let imports = globals(printers(HostImports::none()))
        .with(MODULE, "table", HostItem::Table(table))
        .with(MODULE, "table64", HostItem::Table(table64))
        .with(MODULE, "memory", HostItem::Memory(MemoryType::new(1, Some(2))));
    imports.with(MODULE, "shared_memory", HostItem::Memory(shared))
}

fn globals(imports: HostImports) -> HostImports {
    let global = |value| HostItem::Global(value, false);
    imports
        .with(MODULE, "global_i32", global(Value::I32(666)))
        .with(MODULE, "global_i64", global(Value::I64(666)))
        .with(MODULE, "global_f32", global(Value::F32(666.6)))
        .with(MODULE, "global_f64", global(Value::F64(666.6)))
}

/// Functions that would print their arguments; these discard them.
fn printers(imports: HostImports) -> HostImports {
    use ValType::{F32, F64, I32, I64};
    let printers: [(&str, &[ValType]); 7] = [
        ("print", &[]),
        ("print_i32", &[I32]),
        ("print_i64", &[I64]),
        ("print_f32", &[F32]),
        ("print_f64", &[F64]),
        ("print_i32_f32", &[I32, F32]),
        ("print_f64_f64", &[F64, F64]),
    ];
    printers.into_iter().fold(imports, |imports, (name, params)| {
        imports.with_function(MODULE, name, FuncType::new(params, []), |_, _| Ok(Vec::new()))
    })
}
