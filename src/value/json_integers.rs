//! Plain integers from JSON, without a parser. Most records of a batch contain nothing else.

use crate::value::types::{FuncType, ValType, Value};

/// The most digits that are read: any number of them fits into 64 bits.
const MAX_DIGITS: usize = 18;

/// Decodes an array of integers in decimal notation, or a bare one for one parameter, into a vector. `None` for any other document,
/// also if it is valid.
#[inline]
pub(crate) fn read(document: &[u8], ty: &FuncType, values: &mut Vec<Value>) -> Option<()> {
    values.clear();
    let mut rest = document;
    if let [b'[', elements @ ..] = document {
        rest = elements;
        for (at, ty) in ty.params().iter().enumerate() {
            if at > 0 {
                let ([b',', b' ', next @ ..] | [b',', next @ ..]) = rest else { return None };
                rest = next;
            }
            push(integer(&mut rest)?, ty, values)?;
        }
        let [b']', end @ ..] = rest else { return None };
        rest = end;
    } else if let [ty] = ty.params() {
        push(integer(&mut rest)?, ty, values)?;
    } else {
        return None;
    }
    rest.is_empty().then_some(())
}

/// Takes an integer off the front of the text.
#[inline]
fn integer(rest: &mut &[u8]) -> Option<i64> {
    let (is_negative, digits) = match *rest {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let (mut magnitude, mut length) = (0_i64, 0);
    while let Some(byte @ b'0'..=b'9') = digits.get(length) {
        if length == MAX_DIGITS {
            return None;
        }
        magnitude = magnitude * 10 + i64::from(byte - b'0');
        length += 1;
    }
    // JSON has no leading zeros, and -0 is a float.
    if length == 0 || (digits[0] == b'0' && (length > 1 || is_negative)) {
        return None;
    }
    *rest = &digits[length..];
    Some(if is_negative { -magnitude } else { magnitude })
}

/// Appends an integer, if the type has it in its signed or its unsigned range. Returning a [`Value`] would copy it, which takes
/// longer than all the rest.
#[inline]
fn push(number: i64, ty: &ValType, values: &mut Vec<Value>) -> Option<()> {
    match ty {
        ValType::I32 => {
            let unsigned = || u32::try_from(number).ok().map(u32::cast_signed);
            let number = i32::try_from(number).ok().or_else(unsigned)?;
            values.push(Value::I32(number));
        }
        ValType::I64 => values.push(Value::I64(number)),
        _ => return None,
    }
    Some(())
}
