//! The memory of a module, and its exports that allocate and free.

use std::fmt;

use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;
use crate::module::info::ModuleInfo;
use crate::runtime::lookup;
use crate::runtime::text_abi::TextOptions;
use crate::value::types::{FuncType, ValType};

/// The usual names of functions that allocate, in order, each with the usual names of functions that free, the best match first.
const ALLOCATORS: [(&str, &[&str]); 5] = [
    ("alloc", &["dealloc", "free", "deallocate"]),
    ("malloc", &["free", "dealloc", "deallocate"]),
    ("allocate", &["deallocate", "free", "dealloc"]),
    ("cabi_realloc", ANY_FREE),
    (NEW, &[]),
];

/// The usual names of functions that free, for an allocator of any other name.
const ANY_FREE: &[&str] = &["free", "dealloc", "deallocate"];

/// The allocator of AssemblyScript, which has a garbage collector.
const NEW: &str = "__new";

/// The functions of AssemblyScript that pin and unpin an object, so that it is not collected meanwhile.
const PIN: [&str; 2] = ["__pin", "__unpin"];

/// The names that a call by pointers needs.
#[derive(Clone, Debug)]
pub(crate) struct Buffers {
    /// The exported memory.
    pub(super) memory: String,
    /// The function that allocates arguments.
    pub(super) alloc: Option<String>,
    /// The functions that pin and unpin arguments, so that they are not collected meanwhile.
    pub(super) pin: Option<[&'static str; 2]>,
    /// The function that frees arguments and results.
    pub(super) free: Option<String>,
}

impl Buffers {
    /// Chooses the functions.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownExport`] if the options name a function that is not exported, [`ErrorKind::UnsupportedFeature`] if that
    /// function has another type.
    pub(super) fn find(info: &ModuleInfo, memory: (&str, ValType), options: &TextOptions) -> Result<Self> {
        let (memory, pointer) = (memory.0.to_owned(), memory.1);
        let usual = |names: &[&'static str], fits: fn(&FuncType, &ValType) -> bool| {
            let mut names = names.iter();
            names.find(|name| info.function(name).is_some_and(|ty| fits(ty, &pointer))).map(|name| (*name).to_owned())
        };
        let alloc = match options.alloc.as_deref() {
            Some(name) => Some(given(info, name, "--alloc", allocates, &pointer)?),
            None => usual(&ALLOCATORS.map(|(name, _)| name), allocates),
        };
        let is = |name: &str| alloc.as_deref() == Some(name);
        let free = match options.free.as_deref() {
            Some("") => None,
            Some(name) => Some(given(info, name, "--free", frees, &pointer)?),
            None => usual(ALLOCATORS.iter().find(|(name, _)| is(name)).map_or(ANY_FREE, |(_, free)| free), frees),
        };
        let is_collected = options.free.is_none() && is(NEW);
        let pins = |name: &str, results: usize| {
            let ty = info.function(name);
            ty.is_some_and(|ty| ty.params() == [pointer.clone()] && ty.results().len() == results)
        };
        let pin = (is_collected && pins(PIN[0], 1) && pins(PIN[1], 0)).then_some(PIN);
        Ok(Self { memory, alloc, pin, free })
    }

    /// The error for a module that has no function that allocates.
    pub(super) fn no_allocator() -> Error {
        let message = "the module exports no function that allocates memory for the argument";
        let names = ALLOCATORS.map(|(name, _)| format!("`{name}`")).join(", ");
        Error::new(ErrorKind::UnsupportedFeature, message)
            .with_hint(format!("the usual names are {names}; `--alloc NAME` takes another"))
    }
}

/// Returns the function that an option names.
fn given(
    info: &ModuleInfo,
    name: &str,
    option: &str,
    fits: fn(&FuncType, &ValType) -> bool,
    pointer: &ValType,
) -> Result<String> {
    let ty = lookup::find_function(info, name)?;
    if fits(ty, pointer) {
        return Ok(name.to_owned());
    }
    let needed = if option == "--alloc" {
        format!("(size) -> {pointer}, (size, alignment) -> {pointer}, or that of `cabi_realloc`")
    } else {
        format!("({pointer}), ({pointer}, size), ({pointer}, size, alignment), or that of `cabi_realloc`")
    };
    let message = format!("`{option}`: `{}{ty}` does not have the type {needed}", Escaped(name));
    Err(Error::new(ErrorKind::UnsupportedFeature, message))
}

/// Whether a function has the type of one that allocates: (size), (size, alignment), or (old, old size, alignment, size).
fn allocates(ty: &FuncType, pointer: &ValType) -> bool {
    ty.results() == [pointer.clone()] && matches!(ty.params().len(), 1 | 2 | 4) && has_sizes(ty, pointer)
}

/// Whether a function has the type of one that frees: (pointer), (pointer, size), (pointer, size, alignment), or that of
/// `cabi_realloc`.
fn frees(ty: &FuncType, pointer: &ValType) -> bool {
    let is_realloc = ty.params().len() == 4;
    has_sizes(ty, pointer) && ty.results().len() == usize::from(is_realloc) && ty.params().len() <= 4
}

/// Whether the first parameter is a pointer or a size, and the others are too, or alignments.
fn has_sizes(ty: &FuncType, pointer: &ValType) -> bool {
    ty.params().first() == Some(pointer) && ty.params().iter().all(|ty| *ty == ValType::I32 || ty == pointer)
}

impl fmt::Display for Buffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |name: &Option<String>| {
            name.as_ref().map_or_else(|| "nothing".to_owned(), |name| format!("`{}`", Escaped(name)))
        };
        write!(f, "memory `{}`, allocated by {}", Escaped(&self.memory), name(&self.alloc))?;
        match self.pin {
            Some([pin, unpin]) => write!(f, ", pinned by `{pin}` and `{unpin}`"),
            None => write!(f, ", freed by {}", name(&self.free)),
        }
    }
}
