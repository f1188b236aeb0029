//! Whether a module computes with floats.

use wasmparser::{Operator, Parser, Payload};

macro_rules! name_of_operator {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        fn name(operator: &Operator<'_>) -> &'static str {
            match operator {
                $(Operator::$op { .. } => stringify!($op),)*
                _ => "",
            }
        }
    };
}
wasmparser::for_each_operator!(name_of_operator);

/// Returns whether a function has an operator on floats, also in vectors: without one, a module cannot make a NaN.
///
/// # Errors
/// If the binary is malformed.
pub(crate) fn has_float_operators(binary: &[u8]) -> wasmparser::Result<bool> {
    for payload in Parser::new(0).parse_all(binary) {
        let Payload::CodeSectionEntry(body) = payload? else { continue };
        for operator in body.get_operators_reader()? {
            let name = name(&operator?);
            if name.contains("F32") || name.contains("F64") {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::has_float_operators;

    #[test]
    fn operators_on_floats_are_found() {
        let has_floats = |body: &str| {
            let binary = wat::parse_str(format!("(module (memory 1) (func (local f32) {body}))")).unwrap();
            has_float_operators(&binary).unwrap()
        };
        assert!(!has_floats("(drop (i64.add (i64.const 1) (i64.load (i32.const 0))))"));
        assert!(!has_floats("(drop (i32x4.add (v128.const i32x4 1 1 1 1) (v128.const i32x4 1 1 1 1)))"));
        for body in [
            "(drop (f32.const 0))",
            "(drop (i32.trunc_sat_f64_s (f64.load (i32.const 0))))",
            "(drop (f32x4.sqrt (v128.const i32x4 1 1 1 1)))",
            "(drop (i32x4.trunc_sat_f64x2_s_zero (v128.const i32x4 1 1 1 1)))",
        ] {
            assert!(has_floats(body), "{body}");
        }
    }
}
