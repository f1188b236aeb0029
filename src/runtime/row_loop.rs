//! Calls of a function for many rows of arguments, with one entry into guest code.
//!
//! An entry takes longer than a short function. So a second module is linked to the function: for each row, it loads the arguments
//! from columns in its memory, calls the function, and stores the results in other columns.

use std::fmt::Write as _;

use crate::error::Result;
use crate::runtime::sealed::LinkedLoop;
use crate::runtime::traits::{WasmInstance, WasmModule, WasmRuntime};
use crate::value::types::{FuncType, ValType, Value};

/// The number of rows that the columns have room for.
pub(crate) const MAX_ROWS: usize = 512;

/// The maximum number of parameters and results together.
const MAX_COLUMNS: usize = 16;

/// The size of a column in bytes. A number has at most 8.
const COLUMN: usize = MAX_ROWS * 8;

/// The size of the head before the columns in bytes. It holds the number of rows that returned, as an `i32`.
const HEAD: usize = 64;

/// The exports of the module.
pub(crate) const FUNCTION: &str = "rows";
pub(crate) const MEMORY: &str = "memory";

/// The name of the loop's function in backtraces.
const NAME: &str = "wrun:rows";

/// A loop that is compiled for the functions of one type.
#[derive(Debug)]
pub(crate) struct RowLoop {
    module: Box<dyn WasmModule>,
    /// The number of parameters.
    params: usize,
    results: Vec<ValType>,
}

/// A function of an instance, called for rows of arguments.
#[derive(Debug)]
pub(crate) struct RowCaller {
    linked: Box<dyn LinkedLoop>,
    /// The number of parameters.
    params: usize,
    /// The width of each result in bytes.
    results: Vec<usize>,
}

impl RowLoop {
    /// Returns whether there is a loop for the functions of a type: their parameters and results are a few numbers.
    pub(crate) fn is_for(ty: &FuncType) -> bool {
        let columns = ty.params().len() + ty.results().len();
        columns <= MAX_COLUMNS && ty.params().iter().chain(ty.results()).all(|ty| width(ty).is_some())
    }

    /// Compiles the loop for the functions of a type, which [`RowLoop::is_for`] accepts. The runtime must not meter or interrupt calls:
    /// the loop would be metered and interrupted too, and its fuel would be charged to the calls of the guest.
    ///
    /// # Errors
    /// Those of [`WasmRuntime::load_module`].
    pub(crate) fn compile(runtime: &dyn WasmRuntime, ty: &FuncType) -> Result<Self> {
        let module = runtime.load_module(text(ty).as_bytes())?;
        Ok(Self { module, params: ty.params().len(), results: ty.results().to_vec() })
    }

    /// Links the loop to an exported function of an instance, which must have its type. Returns `None` for a WASIX program.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownExport`](crate::ErrorKind::UnknownExport) if there is no such function;
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the system refuses memory.
    pub(crate) fn link(&self, instance: &mut dyn WasmInstance, function: &str) -> Result<Option<RowCaller>> {
        let results: Vec<usize> = self.results.iter().filter_map(width).collect();
        let linked = instance.link_loop(self.module.as_ref(), function)?;
        Ok(linked.map(|linked| RowCaller { linked, params: self.params, results }))
    }
}

impl RowCaller {
    /// Sets the arguments: a column for each parameter, of at most [`MAX_ROWS`] numbers of its width in little-endian order.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if the function belongs to another instance.
    pub(crate) fn set_args(&mut self, instance: &mut dyn WasmInstance, args: &[&[u8]]) -> Result<()> {
        self.linked.with_memory(instance, &mut |memory| {
            memory[..HEAD].fill(0);
            for (at, column) in args.iter().enumerate() {
                memory[offset(at)..][..column.len()].copy_from_slice(column);
            }
        })
    }

    /// Calls the function for each of `rows` rows, until a call fails.
    ///
    /// # Errors
    /// Those of [`WasmFunctionCaller::call`](crate::WasmFunctionCaller::call) for the row that failed.
    pub(crate) fn call(&mut self, instance: &mut dyn WasmInstance, rows: usize) -> Result<()> {
        let rows = i32::try_from(rows).unwrap_or(i32::MAX);
        self.linked.call(instance, rows).map_err(|error| error.without_caller(NAME))
    }

    /// Overwrites `results`, one column for each result, in the same form as arguments. Returns the number of rows that returned.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if the function belongs to another instance.
    pub(crate) fn results(&mut self, instance: &mut dyn WasmInstance, results: &mut Vec<Vec<u8>>) -> Result<usize> {
        let Self { linked, params, results: widths } = self;
        results.resize_with(widths.len(), Vec::new);
        let mut rows = 0;
        linked.with_memory(instance, &mut |memory| {
            rows = memory.first_chunk().map_or(0, |rows| u32::from_le_bytes(*rows) as usize);
            for (at, (column, width)) in results.iter_mut().zip(&*widths).enumerate() {
                column.clear();
                column.extend_from_slice(&memory[offset(*params + at)..][..rows * width]);
            }
        })?;
        Ok(rows)
    }
}

/// Appends a number to a column.
#[inline]
pub(crate) fn push(column: &mut Vec<u8>, value: &Value) {
    match value {
        Value::I32(value) => column.extend_from_slice(&value.to_le_bytes()),
        Value::I64(value) => column.extend_from_slice(&value.to_le_bytes()),
        Value::F32(value) => column.extend_from_slice(&value.to_le_bytes()),
        Value::F64(value) => column.extend_from_slice(&value.to_le_bytes()),
        _ => unreachable!("{value:?} is not a number"),
    }
}

/// Returns the number in a row of a column of this type.
#[inline]
pub(crate) fn get(column: &[u8], row: usize, ty: &ValType) -> Value {
    fn bytes<const N: usize>(column: &[u8], row: usize) -> [u8; N] {
        column.as_chunks().0[row]
    }
    match ty {
        ValType::I32 => Value::I32(i32::from_le_bytes(bytes(column, row))),
        ValType::I64 => Value::I64(i64::from_le_bytes(bytes(column, row))),
        ValType::F32 => Value::F32(f32::from_le_bytes(bytes(column, row))),
        ValType::F64 => Value::F64(f64::from_le_bytes(bytes(column, row))),
        _ => unreachable!("{ty} is not a number"),
    }
}

/// Returns the width of a number in bytes.
fn width(ty: &ValType) -> Option<usize> {
    match ty {
        ValType::I32 | ValType::F32 => Some(4),
        ValType::I64 | ValType::F64 => Some(8),
        _ => None,
    }
}

/// Returns where a column begins in the memory: parameters first, then results.
fn offset(column: usize) -> usize {
    HEAD + column * COLUMN
}

/// Returns the loop for the functions of a type, as a module in the text format.
fn text(ty: &FuncType) -> String {
    let (params, results) = (ty.params(), ty.results());
    let address = |column: usize, ty: &ValType| {
        let shift = if width(ty) == Some(8) { 3 } else { 2 };
        format!("offset={} (i32.shl (local.get $row) (i32.const {shift}))", offset(column))
    };
    let list = |keyword: &str, types: &[ValType]| {
        types.iter().fold(String::new(), |mut list, ty| {
            _ = write!(list, " ({keyword} {ty})");
            list
        })
    };
    let loads = params.iter().enumerate().map(|(at, ty)| format!(" ({ty}.load {})", address(at, ty)));
    let sets = (0..results.len()).rev().map(|at| format!(" (local.set $result{at})"));
    let stores = results
        .iter()
        .enumerate()
        .map(|(at, ty)| format!(" ({ty}.store {} (local.get $result{at}))", address(params.len() + at, ty)));
    let locals = results.iter().enumerate().map(|(at, ty)| format!(" (local $result{at} {ty})"));
    format!(
        "(module
           (import \"\" \"function\" (func $function{params}{results}))
           (memory (export \"{MEMORY}\") {pages} {pages})
           (func ${NAME} (export \"{FUNCTION}\") (param $rows i32) (local $row i32){locals}
             (loop $next
               (if (i32.lt_u (local.get $row) (local.get $rows)) (then
                 (call $function{loads}){sets}{stores}
                 (local.set $row (i32.add (local.get $row) (i32.const 1)))
                 (i32.store (i32.const 0) (local.get $row))
                 (br $next))))))",
        params = list("param", ty.params()),
        results = list("result", ty.results()),
        pages = offset(params.len() + results.len()).div_ceil(64 << 10),
        locals = locals.collect::<String>(),
        loads = loads.collect::<String>(),
        sets = sets.collect::<String>(),
        stores = stores.collect::<String>(),
    )
}
