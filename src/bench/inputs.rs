//! What each run gets: arguments, standard input, limits and the seed.

use serde::{Deserialize, Serialize};

use crate::capabilities::Input;
use crate::compare::CompareOptions;
use crate::component;
use crate::module::hash;
use crate::runtime::callable::{CallArgs, Callable};
use crate::session::nanoseconds;
use crate::value;

/// The most bytes of an argument that a report has in full.
const MAX_ARGUMENT: usize = 1024;

/// What each run gets. Grants and configuration are not part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunInputs {
    /// The arguments of the function, or of the program, as text. A long one is replaced by its length and its BLAKE3 hash.
    pub arguments: Vec<String>,
    /// The BLAKE3 hash of standard input, if there is any.
    pub stdin_hash: Option<String>,
    /// The convention for text.
    pub abi: Option<String>,
    /// The limit of fuel of each call.
    pub fuel: Option<u64>,
    /// The limit of time of each call.
    pub time_ns: Option<u64>,
    /// The limit of linear memory in bytes.
    pub memory_bytes: Option<u64>,
    /// The limit of the stack in bytes.
    pub stack_bytes: Option<u64>,
    /// The limit of table elements.
    pub table_elements: Option<u64>,
    /// The seed of deterministic runs.
    pub seed: Option<u64>,
}

impl RunInputs {
    pub(super) fn new(callable: &Callable, args: &CallArgs, options: &CompareOptions) -> Self {
        let CompareOptions { limits, capabilities, .. } = options;
        let stdin_hash = match &capabilities.stdin {
            Input::Bytes(bytes) => Some(hash::contents(bytes).to_hex().to_string()),
            _ => None,
        };
        let arguments = texts(callable, args).into_iter().chain(capabilities.args.iter().skip(1).cloned());
        Self {
            arguments: arguments.map(shortened).collect(),
            stdin_hash,
            abi: options.text.abi.map(|abi| abi.to_string()),
            fuel: limits.fuel,
            time_ns: limits.time.map(nanoseconds),
            memory_bytes: limits.memory,
            stack_bytes: options.max_stack,
            table_elements: limits.table_elements,
            seed: capabilities.seed,
        }
    }

    /// Lists what differs from `other`.
    pub(super) fn differences(&self, other: &Self) -> Vec<&'static str> {
        let changes = [
            ("other arguments", self.arguments != other.arguments),
            ("another standard input", self.stdin_hash != other.stdin_hash),
            ("another convention for text", self.abi != other.abi),
            ("another fuel limit", self.fuel != other.fuel),
            ("another time limit", self.time_ns != other.time_ns),
            ("another memory limit", self.memory_bytes != other.memory_bytes),
            ("another stack limit", self.stack_bytes != other.stack_bytes),
            ("another limit of table elements", self.table_elements != other.table_elements),
            ("another seed", self.seed != other.seed),
        ];
        changes.into_iter().filter(|(_, differs)| *differs).map(|(what, _)| what).collect()
    }
}

/// Formats the arguments of a function as on the command line.
fn texts(callable: &Callable, args: &CallArgs) -> Vec<String> {
    match args {
        CallArgs::Core(values) => values.iter().map(value::text::format).collect(),
        CallArgs::Component(values) => {
            let types = callable.wit_type().map_or(&[][..], |ty| ty.params());
            let pairs = values.iter().zip(types);
            pairs.map(|(value, (_, ty))| component::text::format(value, ty).unwrap_or_default()).collect()
        }
    }
}

fn shortened(argument: String) -> String {
    if argument.len() <= MAX_ARGUMENT {
        return argument;
    }
    format!("({} bytes, BLAKE3 {})", argument.len(), hash::contents(argument.as_bytes()).to_hex())
}
