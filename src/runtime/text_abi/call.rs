//! Calls by pointers into linear memory.

use crate::component::args;
use crate::component::scalar;
use crate::component::types::WitType;
use crate::component::value::WitValue;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::status::InstanceState;
use crate::runtime::text_abi::memory::{Block, GuestMemory, pointer, unsigned};
use crate::runtime::text_abi::{Abi, TextFunction, payload};
use crate::runtime::traits::{WasmFunctionCaller, WasmInstance};
use crate::value::text;
use crate::value::types::{ValType, Value};

/// A [`TextFunction`] resolved in one instance, for any number of calls.
#[derive(Debug)]
pub(crate) struct ResolvedText {
    text: TextFunction,
    function: Box<dyn WasmFunctionCaller>,
    memory: GuestMemory,
    args: Vec<Value>,
    /// The memory of the arguments of the running call.
    blocks: Vec<Block>,
    results: Vec<Value>,
}

impl ResolvedText {
    /// Resolves the function, and those that allocate and free.
    ///
    /// # Errors
    /// Those of [`WasmInstance::function`]; [`ErrorKind::InvalidArgument`] for a program, which needs an instance for each call.
    pub(crate) fn resolve(instance: &mut dyn WasmInstance, text: &TextFunction) -> Result<Self> {
        let Some(buffers) = text.buffers() else {
            let message = format!("a call by the convention `{}` needs a new instance", text.abi());
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        };
        let function = instance.function(text.name())?;
        let results = vec![Value::I32(0); function.ty().results().len()];
        let memory = GuestMemory::resolve(instance, buffers)?;
        let text = text.clone();
        Ok(Self { text, function, memory, args: Vec::new(), blocks: Vec::new(), results })
    }

    /// Writes the arguments, calls the function, reads its result, and frees both.
    ///
    /// # Errors
    /// Those of [`WasmFunctionCaller::call`], also of the functions that allocate and free; [`ErrorKind::MemoryAccess`],
    /// [`ErrorKind::InvalidResult`] and [`ErrorKind::Limit`] if the guest breaks the convention;
    /// [`ErrorKind::InvalidArgument`] if the arguments do not fit.
    pub(crate) fn call(&mut self, instance: &mut dyn WasmInstance, values: &[WitValue]) -> Result<Option<WitValue>> {
        args::count(values.len(), self.text.ty())?;
        let is_cstr = self.text.abi() == Abi::Cstr;
        for (index, value) in values.iter().enumerate() {
            self.check(index, value, is_cstr)?;
        }
        self.blocks.clear();
        self.args.clear();
        let written = values.iter().enumerate().try_for_each(|(index, value)| self.write(instance, index, value));
        if let Err(error) = written {
            // After a trap, the guest must not run.
            let is_ready = instance.state() == InstanceState::Ready;
            let released = if is_ready { self.release(instance) } else { Ok(()) };
            return Err(released.err().unwrap_or(error));
        }
        self.function.call(instance, &self.args, &mut self.results)?;
        let result = if is_cstr { self.string_result(instance) } else { self.packed_result(instance) };
        if let Ok(Some((pointer, size, _))) = &result
            && !self.blocks.iter().any(|block| block.contains(*pointer))
        {
            self.memory.free(instance, *pointer, *size)?;
        }
        self.release(instance)?;
        match result? {
            Some((.., bytes)) => payload::decode(self.text.payload(), bytes, self.text.name()).map(Some),
            None => Ok(self.number_result()),
        }
    }

    /// Checks an argument before the guest allocates anything.
    fn check(&self, index: usize, value: &WitValue, is_cstr: bool) -> Result<()> {
        match value {
            WitValue::String(_) | WitValue::Bytes(_) if is_cstr && payload::bytes(value)?.contains(&0) => {
                let message = "the text contains a NUL byte, which ends a string of the convention `cstr`";
                Err(self.invalid(index, message))
            }
            WitValue::S64(number) => self.integer(index, (*number).into()).map(drop),
            WitValue::U64(number) => self.integer(index, (*number).into()).map(drop),
            _ => Ok(()),
        }
    }

    fn invalid(&self, index: usize, reason: &str) -> Error {
        let name = &self.text.ty().params()[index].0;
        Error::new(ErrorKind::InvalidArgument, format!("{name}: {reason}"))
    }

    /// Returns an integer of the parameter's type, in its signed or its unsigned range.
    fn integer(&self, index: usize, number: i128) -> Result<Value> {
        let ty = self.param(index).cloned().unwrap_or(ValType::I64);
        let value = Value::from_integer(number, &ty);
        value.ok_or_else(|| self.invalid(index, text::invalid(&number.to_string(), &ty).message()))
    }

    fn param(&self, index: usize) -> Option<&ValType> {
        self.function.ty().params().get(index)
    }

    /// Adds the values that pass an argument.
    fn write(&mut self, instance: &mut dyn WasmInstance, index: usize, value: &WitValue) -> Result<()> {
        let value = match value {
            WitValue::S32(v) => Value::I32(*v),
            WitValue::F32(v) => Value::F32(*v),
            WitValue::F64(v) => Value::F64(*v),
            WitValue::S64(v) => self.integer(index, (*v).into())?,
            WitValue::U64(v) => self.integer(index, (*v).into())?,
            text => {
                let (bytes, ty) = (payload::bytes(text)?, self.param(index).cloned().unwrap_or(ValType::I32));
                let block = if self.text.abi() == Abi::Cstr {
                    self.memory.write(instance, &[bytes, &[0]].concat())?
                } else {
                    self.memory.write(instance, bytes)?
                };
                self.blocks.push(block);
                let start = pointer(block.pointer, &ty)?;
                if self.text.abi() == Abi::Packed {
                    self.args.extend([start, pointer(bytes.len() as u64, &ty)?]);
                    return Ok(());
                }
                start
            }
        };
        self.args.push(value);
        Ok(())
    }

    /// Releases the memory of the arguments.
    fn release(&mut self, instance: &mut dyn WasmInstance) -> Result<()> {
        let Self { memory, blocks, .. } = self;
        blocks.drain(..).try_for_each(|block| memory.release(instance, block))
    }

    /// Reads a result of [`Abi::Packed`]: its pointer, its size, and its bytes.
    fn packed_result(&self, instance: &mut dyn WasmInstance) -> Result<Option<(u64, u64, Vec<u8>)>> {
        let (pointer, length) = match *self.results {
            [packed] => (unsigned(packed) >> 32, unsigned(packed) & u64::from(u32::MAX)),
            [pointer, length] => (unsigned(pointer), unsigned(length)),
            _ => return Ok(None),
        };
        self.memory.read(instance, pointer, length).map(|bytes| Some((pointer, length, bytes)))
    }

    /// Reads a result of [`Abi::Cstr`]: its pointer, its size with the NUL byte, and its bytes without. Returns `None` for a null
    /// pointer, and for a number.
    fn string_result(&self, instance: &mut dyn WasmInstance) -> Result<Option<(u64, u64, Vec<u8>)>> {
        let is_number = self.text.ty().result().is_none_or(scalar::is_number);
        match *self.results {
            [pointer] if !is_number && unsigned(pointer) != 0 => {
                let pointer = unsigned(pointer);
                let bytes = self.memory.read_string(instance, pointer)?;
                Ok(Some((pointer, bytes.len() as u64 + 1, bytes)))
            }
            _ => Ok(None),
        }
    }

    /// Returns the result if it is a number.
    fn number_result(&self) -> Option<WitValue> {
        match (self.text.ty().result()?, self.results.first()?) {
            (WitType::S32, Value::I32(v)) => Some(WitValue::S32(*v)),
            (WitType::S64, Value::I64(v)) => Some(WitValue::S64(*v)),
            (WitType::F32, Value::F32(v)) => Some(WitValue::F32(*v)),
            (WitType::F64, Value::F64(v)) => Some(WitValue::F64(*v)),
            _ => None,
        }
    }
}
