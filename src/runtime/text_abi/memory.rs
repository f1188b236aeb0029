//! Arguments and results in the memory of one instance.

use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;
use crate::runtime::access;
use crate::runtime::text_abi::buffers::Buffers;
use crate::runtime::traits::{WasmFunctionCaller, WasmInstance};
use crate::value::types::{ValType, Value};

/// Bytes that are searched for the end of a string at a time.
const BLOCK: usize = 4 << 10;

/// Memory of the guest that holds an argument.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub(super) pointer: u64,
    size: u64,
}

impl Block {
    pub(super) fn contains(self, pointer: u64) -> bool {
        pointer.checked_sub(self.pointer).is_some_and(|offset| offset < self.size)
    }
}

/// The memory of one instance, and the functions that manage it.
#[derive(Debug)]
pub(super) struct GuestMemory {
    name: String,
    alloc: Option<Export>,
    pin: Option<[Export; 2]>,
    free: Option<Export>,
}

impl GuestMemory {
    /// Resolves the functions.
    ///
    /// # Errors
    /// Those of [`WasmInstance::function`].
    pub(super) fn resolve(instance: &mut dyn WasmInstance, buffers: &Buffers) -> Result<Self> {
        let mut resolve = |name: Option<&str>| name.map(|name| Export::resolve(instance, name)).transpose();
        let (alloc, free) = (resolve(buffers.alloc.as_deref())?, resolve(buffers.free.as_deref())?);
        let pin = resolve(buffers.pin.map(|[pin, _]| pin))?.zip(resolve(buffers.pin.map(|[_, unpin]| unpin))?);
        Ok(Self { name: buffers.memory.clone(), alloc, pin: pin.map(Into::into), free })
    }

    /// Writes an argument to memory that the guest allocates.
    ///
    /// # Errors
    /// Those of a call; [`ErrorKind::MemoryAccess`] if the guest allocates nothing, or memory that does not exist;
    /// [`ErrorKind::Limit`] if a limit was the reason.
    pub(super) fn write(&mut self, instance: &mut dyn WasmInstance, bytes: &[u8]) -> Result<Block> {
        let alloc = self.alloc.as_mut().ok_or_else(Buffers::no_allocator)?;
        // Some allocators return a null pointer for no bytes.
        let size = bytes.len().max(1) as u64;
        let pointer = match alloc.arity() {
            4 => alloc.call(instance, &[0, 0, 1, size])?,
            arity => alloc.call(instance, &[size, 1][..arity])?,
        };
        if pointer == 0 {
            return Err(exhausted(instance, &alloc.name, size));
        }
        let memory = instance.memory_size(&self.name)?;
        if !access::is_within(pointer, size, memory) {
            let name = Escaped(&alloc.name);
            let message = format!("`{name}` returned {size} bytes at {pointer}, but the memory has {memory} bytes");
            return Err(Error::new(ErrorKind::MemoryAccess, message));
        }
        let pointer = match &mut self.pin {
            Some([pin, _]) => pin.call(instance, &[pointer])?,
            None => pointer,
        };
        instance.write_memory(&self.name, pointer, bytes)?;
        Ok(Block { pointer, size })
    }

    /// Lets the guest use the memory of an argument again.
    ///
    /// # Errors
    /// Those of a call.
    pub(super) fn release(&mut self, instance: &mut dyn WasmInstance, block: Block) -> Result<()> {
        match &mut self.pin {
            Some([_, unpin]) => unpin.call(instance, &[block.pointer]).map(drop),
            None => self.free(instance, block.pointer, block.size),
        }
    }

    /// Frees `size` bytes, if the guest has a function for this. A function that takes the size cannot free 0 bytes, which no
    /// allocator has returned.
    ///
    /// # Errors
    /// Those of a call.
    pub(super) fn free(&mut self, instance: &mut dyn WasmInstance, pointer: u64, size: u64) -> Result<()> {
        let Some(free) = &mut self.free else { return Ok(()) };
        match free.arity() {
            1 => free.call(instance, &[pointer])?,
            _ if size == 0 => 0,
            arity => free.call(instance, &[pointer, size, 1, 0][..arity])?,
        };
        Ok(())
    }

    /// Reads `length` bytes of a result.
    ///
    /// # Errors
    /// [`ErrorKind::MemoryAccess`] if they are out of bounds.
    pub(super) fn read(&self, instance: &mut dyn WasmInstance, pointer: u64, length: u64) -> Result<Vec<u8>> {
        if length == 0 {
            return Ok(Vec::new());
        }
        let memory = instance.memory_size(&self.name)?;
        let within = usize::try_from(length).ok().filter(|_| access::is_within(pointer, length, memory));
        let Some(length) = within else {
            let message = format!("the result has {length} bytes at {pointer}, but the memory has {memory} bytes");
            return Err(Error::new(ErrorKind::MemoryAccess, message));
        };
        let mut bytes = vec![0; length];
        instance.read_memory(&self.name, pointer, &mut bytes)?;
        Ok(bytes)
    }

    /// Reads a result that ends with a NUL byte, without this byte.
    ///
    /// # Errors
    /// [`ErrorKind::MemoryAccess`] if there is none before the end of memory.
    pub(super) fn read_string(&self, instance: &mut dyn WasmInstance, pointer: u64) -> Result<Vec<u8>> {
        let memory = instance.memory_size(&self.name)?;
        let mut start = pointer;
        while start < memory {
            let mut buffer = [0; BLOCK];
            let rest = usize::try_from(memory - start).unwrap_or(BLOCK).min(BLOCK);
            instance.read_memory(&self.name, start, &mut buffer[..rest])?;
            if let Some(end) = memchr::memchr(0, &buffer[..rest]) {
                return self.read(instance, pointer, start - pointer + end as u64);
            }
            start += rest as u64;
        }
        let message = format!(
            "the result is a string at {pointer}, but no NUL byte ends it before the end of memory at {memory} bytes"
        );
        Err(Error::new(ErrorKind::MemoryAccess, message))
    }
}

/// The error for a guest that allocates nothing.
fn exhausted(instance: &dyn WasmInstance, name: &str, size: u64) -> Error {
    let message = format!("`{}` returned a null pointer for {size} bytes", Escaped(name));
    match instance.denied_growth() {
        Some(denied) => Error::new(ErrorKind::Limit, format!("{message}: the guest {denied}")).with_limit(denied),
        None => Error::new(ErrorKind::MemoryAccess, message),
    }
}

/// An exported function that takes pointers and sizes, and returns at most one.
#[derive(Debug)]
struct Export {
    name: String,
    function: Box<dyn WasmFunctionCaller>,
}

impl Export {
    fn resolve(instance: &mut dyn WasmInstance, name: &str) -> Result<Self> {
        Ok(Self { name: name.to_owned(), function: instance.function(name)? })
    }

    fn arity(&self) -> usize {
        self.function.ty().params().len()
    }

    /// Calls the function. Returns 0 if it has no result.
    fn call(&mut self, instance: &mut dyn WasmInstance, args: &[u64]) -> Result<u64> {
        let mut values = [Value::I32(0); 4];
        for ((value, ty), arg) in values.iter_mut().zip(self.function.ty().params()).zip(args) {
            *value = pointer(*arg, ty)?;
        }
        let mut results = [Value::I32(0)];
        let count = self.function.ty().results().len();
        self.function.call(instance, &values[..args.len()], &mut results[..count])?;
        Ok(unsigned(results[0]))
    }
}

/// Returns a pointer or a size as a value.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] if it is too large for the type.
pub(super) fn pointer(number: u64, ty: &ValType) -> Result<Value> {
    match ty {
        ValType::I64 => Ok(Value::I64(number.cast_signed())),
        _ => u32::try_from(number).map(|number| Value::I32(number.cast_signed())).map_err(|_| {
            let message = format!("{number} bytes do not fit the memory, whose pointers have 32 bits");
            Error::new(ErrorKind::InvalidArgument, message)
        }),
    }
}

/// Returns a value as a pointer or a size; 0 for a value of another type.
pub(super) fn unsigned(value: Value) -> u64 {
    match value {
        Value::I32(v) => u64::from(v.cast_unsigned()),
        Value::I64(v) => v.cast_unsigned(),
        _ => 0,
    }
}
