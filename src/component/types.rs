//! The types of WIT (the WebAssembly interface types), named as in the component model's specification.

use std::fmt;
use std::sync::Arc;

use strum::Display;

/// A name from a component: of a field, a case, a flag or a type. Cloning is cheap: clones share the text.
pub type Name = Arc<str>;

/// The type of a value that passes into or out of a component. Cloning is cheap: clones share the definition.
#[derive(Clone, Debug, Display, PartialEq, Eq)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum WitType {
    /// `true` or `false`.
    Bool,
    /// A signed integer of 8 bits.
    S8,
    /// An unsigned integer of 8 bits.
    U8,
    /// A signed integer of 16 bits.
    S16,
    /// An unsigned integer of 16 bits.
    U16,
    /// A signed integer of 32 bits.
    S32,
    /// An unsigned integer of 32 bits.
    U32,
    /// A signed integer of 64 bits.
    S64,
    /// An unsigned integer of 64 bits.
    U64,
    /// A 32-bit IEEE 754 float.
    F32,
    /// A 64-bit IEEE 754 float.
    F64,
    /// A Unicode scalar value.
    Char,
    /// Unicode text.
    String,
    /// An opaque error of the asynchronous interfaces.
    ErrorContext,
    /// Any JSON value. Its text is a [`WitValue::String`](crate::WitValue::String). Components do not have this type; functions
    /// that are called by a [convention](crate::Abi) do.
    Json,
    /// A string, or an integer of 64 bits with or without a sign. Components do not have this type; functions that are called by a
    /// [convention](crate::Abi) do.
    StringOrInteger,
    /// A type with parts.
    #[strum(transparent)]
    Defined(Arc<TypeDef>),
}

/// A type with parts, and the name that the component's interface gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeDef {
    /// The name. Tuples, lists and options often have none.
    pub name: Option<Name>,
    /// The parts.
    pub kind: TypeKind,
}

/// The parts of a [`TypeDef`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TypeKind {
    /// Fields with names.
    Record(Box<[(Name, WitType)]>),
    /// One of several cases, each with or without a payload.
    Variant(Box<[(Name, Option<WitType>)]>),
    /// One of several names.
    Enum(Box<[Name]>),
    /// Any of several names.
    Flags(Box<[Name]>),
    /// Fields without names.
    Tuple(Box<[WitType]>),
    /// Any number of values of one type.
    List(WitType),
    /// This number of values of one type.
    FixedLengthList(WitType, u32),
    /// Values by key.
    Map(WitType, WitType),
    /// A value or none.
    Option(WitType),
    /// Success or failure, each with or without a payload.
    Result {
        /// The payload of a success.
        ok: Option<WitType>,
        /// The payload of a failure.
        err: Option<WitType>,
    },
    /// A handle to a resource that the receiver owns.
    Own(Resource),
    /// A handle to a resource for the duration of a call.
    Borrow(Resource),
    /// A stream of values.
    Stream(Option<WitType>),
    /// A value that arrives later.
    Future(Option<WitType>),
}

/// The type of a resource. Two types are equal if the component defines or imports them as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The name, if the component exports or imports the type.
    pub name: Option<Name>,
    /// A number that is unique in the component.
    pub number: u32,
}

impl WitType {
    /// Returns the parts; `None` for a primitive type.
    #[must_use]
    pub fn kind(&self) -> Option<&TypeKind> {
        match self {
            Self::Defined(def) => Some(&def.kind),
            _ => None,
        }
    }

    /// Returns whether this is an option. Then `null` is one of its values, so that an option of it needs `{"some": value}`.
    pub(crate) fn is_option(&self) -> bool {
        matches!(self.kind(), Some(TypeKind::Option(_)))
    }

    /// Returns whether values of the type are text or bytes.
    pub(crate) fn is_text_or_bytes(&self) -> bool {
        matches!(self, Self::String | Self::Json) || matches!(self.kind(), Some(TypeKind::List(Self::U8)))
    }

    /// Returns whether the text of the type contains the name of a type instead of its parts.
    pub(crate) fn is_shown_by_name(&self) -> bool {
        let Self::Defined(def) = self else { return false };
        let payload = |ty: &Option<Self>| ty.as_ref().is_some_and(Self::is_shown_by_name);
        def.name.is_some()
            || match &def.kind {
                TypeKind::Record(fields) => fields.iter().any(|(_, ty)| ty.is_shown_by_name()),
                TypeKind::Variant(cases) => cases.iter().any(|(_, ty)| payload(ty)),
                TypeKind::Tuple(types) => types.iter().any(Self::is_shown_by_name),
                TypeKind::List(ty) | TypeKind::FixedLengthList(ty, _) | TypeKind::Option(ty) => ty.is_shown_by_name(),
                TypeKind::Map(key, value) => key.is_shown_by_name() || value.is_shown_by_name(),
                TypeKind::Result { ok, err } => payload(ok) || payload(err),
                TypeKind::Stream(ty) | TypeKind::Future(ty) => payload(ty),
                TypeKind::Enum(_) | TypeKind::Flags(_) | TypeKind::Own(_) | TypeKind::Borrow(_) => false,
            }
    }
}

impl From<TypeKind> for WitType {
    /// Makes a type without a name.
    fn from(kind: TypeKind) -> Self {
        Self::Defined(Arc::new(TypeDef { name: None, kind }))
    }
}

/// Formats the name, or the type in WIT syntax if it has none.
impl fmt::Display for TypeDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => f.write_str(name),
            None => self.kind.fmt(f),
        }
    }
}

/// Formats in WIT syntax: `list<u8>`, `tuple<string, u32>`, `record { name: string }`.
impl fmt::Display for TypeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(fields) => {
                f.write_str("record { ")?;
                listed(f, fields, |f, (name, ty)| write!(f, "{name}: {ty}"))?;
                f.write_str(" }")
            }
            Self::Variant(cases) => {
                f.write_str("variant { ")?;
                listed(f, cases, |f, (name, ty)| match ty {
                    Some(ty) => write!(f, "{name}({ty})"),
                    None => f.write_str(name),
                })?;
                f.write_str(" }")
            }
            Self::Enum(names) => labels(f, "enum", names),
            Self::Flags(names) => labels(f, "flags", names),
            Self::Tuple(types) => {
                f.write_str("tuple<")?;
                listed(f, types, |f, ty| ty.fmt(f))?;
                f.write_str(">")
            }
            Self::List(ty) => write!(f, "list<{ty}>"),
            Self::FixedLengthList(ty, length) => write!(f, "list<{ty}, {length}>"),
            Self::Map(key, value) => write!(f, "map<{key}, {value}>"),
            Self::Option(ty) => write!(f, "option<{ty}>"),
            Self::Result { ok: None, err: None } => f.write_str("result"),
            Self::Result { ok: None, err: Some(err) } => write!(f, "result<_, {err}>"),
            Self::Result { ok: Some(ok), err: None } => write!(f, "result<{ok}>"),
            Self::Result { ok: Some(ok), err: Some(err) } => write!(f, "result<{ok}, {err}>"),
            Self::Own(resource) => resource.fmt(f),
            Self::Borrow(resource) => write!(f, "borrow<{resource}>"),
            Self::Stream(None) => f.write_str("stream"),
            Self::Stream(Some(ty)) => write!(f, "stream<{ty}>"),
            Self::Future(None) => f.write_str("future"),
            Self::Future(Some(ty)) => write!(f, "future<{ty}>"),
        }
    }
}

fn labels(f: &mut fmt::Formatter<'_>, keyword: &str, names: &[Name]) -> fmt::Result {
    write!(f, "{keyword} {{ ")?;
    listed(f, names, |f, name| f.write_str(name))?;
    f.write_str(" }")
}

/// Formats items with commas between them, without a string for each: types can be large.
fn listed<T>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    format: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        format(f, item)?;
    }
    Ok(())
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name.as_deref().unwrap_or("resource"))
    }
}

/// The type of a function of a component. Cloning is cheap: clones share the type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitFunction(Arc<Signature>);

#[derive(Debug, PartialEq, Eq)]
struct Signature {
    params: Box<[(Name, WitType)]>,
    result: Option<WitType>,
    is_async: bool,
}

impl WitFunction {
    /// Creates the type of a function. `is_async` functions are lifted with the asynchronous calling convention.
    pub fn new(params: impl Into<Box<[(Name, WitType)]>>, result: Option<WitType>, is_async: bool) -> Self {
        Self(Arc::new(Signature { params: params.into(), result, is_async }))
    }

    /// Returns the parameters, in order.
    #[must_use]
    pub fn params(&self) -> &[(Name, WitType)] {
        &self.0.params
    }

    /// Returns the type of the result, if there is one.
    #[must_use]
    pub fn result(&self) -> Option<&WitType> {
        self.0.result.as_ref()
    }

    /// Returns whether the function is asynchronous.
    #[must_use]
    pub fn is_async(&self) -> bool {
        self.0.is_async
    }
}

/// Formats in WIT syntax: `func(items: list<item>) -> u32`.
impl fmt::Display for WitFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}func(", if self.is_async() { "async " } else { "" })?;
        listed(f, self.params(), |f, (name, ty)| write!(f, "{name}: {ty}"))?;
        f.write_str(")")?;
        self.result().map_or(Ok(()), |result| write!(f, " -> {result}"))
    }
}
