//! Random types, and random values of a type.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hasher, RandomState};

use arbtest::arbitrary::{Result, Unstructured};
use wrun::component::text;
use wrun::component::types::{Name, TypeKind};
use wrun::{WitType, WitValue};

/// Names of fields, cases and flags. Some are words of the formats.
const NAMES: [&str; 10] = ["a", "b-c", "true", "null", "ok", "err", "some", "none", "base64", "inf"];

const KEYS: [WitType; 6] = [WitType::String, WitType::String, WitType::U64, WitType::S8, WitType::Bool, WitType::Char];

const PRIMITIVES: [WitType; 13] = [
    WitType::Bool,
    WitType::S8,
    WitType::U8,
    WitType::S16,
    WitType::U16,
    WitType::S32,
    WitType::U32,
    WitType::S64,
    WitType::U64,
    WitType::F32,
    WitType::F64,
    WitType::Char,
    WitType::String,
];

/// Runs a property on random inputs. A failure prints its seed; `ARBTEST_SEED` repeats it.
pub(crate) fn check(cases: u32, mut property: impl FnMut(&mut Unstructured) -> Result<()>) {
    if std::env::var_os("ARBTEST_SEED").is_some() {
        return arbtest::arbtest(property).run();
    }
    for _ in 0..cases {
        // The lower half of a seed is the size of the input. No property uses up this many bytes: an exhausted input yields only
        // zeros.
        let seed = RandomState::new().build_hasher().finish() << u32::BITS | 4096;
        arbtest::arbtest(&mut property).seed(seed).run();
    }
}

/// Generates a type, nested at most `depth` levels.
pub(crate) fn any_type(u: &mut Unstructured, depth: usize) -> Result<WitType> {
    if depth == 0 || u.ratio(1, 4)? {
        return Ok(u.choose(&PRIMITIVES)?.clone());
    }
    let part = |u: &mut Unstructured| any_type(u, depth - 1);
    let payload = |u: &mut Unstructured| if u.ratio(2, 3)? { part(u).map(Some) } else { Ok(None) };
    Ok(WitType::from(match u.choose_index(11)? {
        0 => TypeKind::Record(with_names(u, part)?),
        1 => TypeKind::Variant(with_names(u, payload)?),
        2 => TypeKind::Enum(names(u)?),
        3 => TypeKind::Flags(names(u)?),
        4 => {
            let types: Result<Vec<_>> = (0..u.int_in_range(1..=3)?).map(|_| part(u)).collect();
            TypeKind::Tuple(types?.into())
        }
        5 => TypeKind::List(part(u)?),
        6 => TypeKind::List(WitType::U8),
        7 => TypeKind::FixedLengthList(part(u)?, u.int_in_range(1..=3)?),
        8 => TypeKind::Map(u.choose(&KEYS)?.clone(), part(u)?),
        9 => TypeKind::Option(part(u)?),
        _ => TypeKind::Result { ok: payload(u)?, err: payload(u)? },
    }))
}

fn names(u: &mut Unstructured) -> Result<Box<[Name]>> {
    let first = u.choose_index(NAMES.len())?;
    let count = u.int_in_range(1..=4)?;
    Ok((first..first + count).map(|at| NAMES[at % NAMES.len()].into()).collect())
}

fn with_names<T>(u: &mut Unstructured, part: impl Fn(&mut Unstructured) -> Result<T>) -> Result<Box<[(Name, T)]>> {
    let names = names(u)?.into_iter();
    names.map(|name| Ok((name, part(u)?))).collect()
}

/// Generates a value of a type.
pub(crate) fn any_value(u: &mut Unstructured, ty: &WitType) -> Result<WitValue> {
    Ok(match ty {
        WitType::Bool => WitValue::Bool(u.arbitrary()?),
        WitType::S8 => WitValue::S8(u.arbitrary()?),
        WitType::U8 => WitValue::U8(u.arbitrary()?),
        WitType::S16 => WitValue::S16(u.arbitrary()?),
        WitType::U16 => WitValue::U16(u.arbitrary()?),
        WitType::S32 => WitValue::S32(u.arbitrary()?),
        WitType::U32 => WitValue::U32(u.arbitrary()?),
        WitType::S64 => WitValue::S64(*u.choose(&[i64::MIN, i64::MAX, -1, (1 << 53) + 1])?),
        WitType::U64 => WitValue::U64(u.arbitrary()?),
        WitType::F32 => WitValue::F32(f32::from_bits(u.arbitrary()?)),
        WitType::F64 => any_f64(u)?.into(),
        WitType::Char => WitValue::Char(u.arbitrary()?),
        WitType::String => WitValue::String(any_string(u)?),
        _ => any_compound(u, ty.kind().unwrap())?,
    })
}

fn any_f64(u: &mut Unstructured) -> Result<f64> {
    Ok(match u.choose_index(3)? {
        0 => f64::from_bits(u.arbitrary()?),
        1 => *u.choose(&[0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE, f64::MAX])?,
        _ => f64::from(u.int_in_range(-1000..=999i16)?) / 8.0,
    })
}

fn any_string(u: &mut Unstructured) -> Result<String> {
    let length = u.int_in_range(0..=6)?;
    let character = |u: &mut Unstructured| match u.choose_index(3)? {
        0 => u.choose(&['"', '\\', '\n', '\'', '{', ':', '\u{0}', '\u{7f}']).copied(),
        1 => u.arbitrary(),
        _ => Ok(u.int_in_range(b' '..=b'~')?.into()),
    };
    (0..length).map(|_| character(u)).collect()
}

fn any_compound(u: &mut Unstructured, kind: &TypeKind) -> Result<WitValue> {
    let payload =
        |u: &mut Unstructured, ty: &Option<WitType>| ty.as_ref().map(|ty| any_value(u, ty).map(Box::new)).transpose();
    let several =
        |u: &mut Unstructured, ty: &WitType, count: u32| (0..count).map(|_| any_value(u, ty)).collect::<Result<_>>();
    Ok(match kind {
        TypeKind::Record(fields) => {
            let values = fields.iter().map(|(name, ty)| Ok((name.clone(), any_value(u, ty)?)));
            WitValue::Record(values.collect::<Result<_>>()?)
        }
        TypeKind::Variant(cases) => {
            let (name, ty) = u.choose(cases)?;
            WitValue::Variant(name.clone(), payload(u, ty)?)
        }
        TypeKind::Enum(names) => WitValue::Enum(u.choose(names)?.clone()),
        TypeKind::Flags(names) => {
            let mut set = Vec::new();
            for name in names {
                if u.arbitrary()? {
                    set.push(name.clone());
                }
            }
            WitValue::Flags(set)
        }
        TypeKind::Tuple(types) => WitValue::Tuple(types.iter().map(|ty| any_value(u, ty)).collect::<Result<_>>()?),
        TypeKind::List(WitType::U8) => {
            let length = u.int_in_range(0..=5)?;
            WitValue::Bytes((0..length).map(|_| u.arbitrary()).collect::<Result<_>>()?)
        }
        TypeKind::List(ty) => {
            let count = u.int_in_range(0..=3)?;
            WitValue::List(several(u, ty, count)?)
        }
        TypeKind::FixedLengthList(ty, length) => WitValue::List(several(u, ty, *length)?),
        TypeKind::Map(key_ty, ty) => {
            let (mut entries, mut keys) = (Vec::new(), HashSet::new());
            for _ in 0..u.int_in_range(0..=3)? {
                let key = any_value(u, key_ty)?;
                let value = any_value(u, ty)?;
                if keys.insert(text::format(&key, key_ty).unwrap()) {
                    entries.push((key, value));
                }
            }
            WitValue::Map(entries)
        }
        TypeKind::Option(ty) => WitValue::Option(if u.ratio(2, 3)? { Some(Box::new(any_value(u, ty)?)) } else { None }),
        TypeKind::Result { ok, err } => {
            WitValue::Result(if u.arbitrary()? { Ok(payload(u, ok)?) } else { Err(payload(u, err)?) })
        }
        other => unreachable!("no values of type {other}"),
    })
}

/// Generates a type and a value of it.
pub(crate) fn any_typed(u: &mut Unstructured) -> Result<(WitType, WitValue)> {
    let ty = any_type(u, 4)?;
    let value = any_value(u, &ty)?;
    Ok((ty, value))
}
