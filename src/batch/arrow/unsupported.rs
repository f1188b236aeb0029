//! Types of Arrow that have no counterpart in WebAssembly.

use arrow_schema::DataType;

/// Returns why a column of this type cannot be an argument, if it never can.
pub(super) fn unsupported(data: &DataType) -> Option<String> {
    let advice = match data {
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 | DataType::Time32(_) | DataType::Time64(_) => {
            "cast it to an integer or to text"
        }
        DataType::Duration(_) | DataType::Interval(_) => "cast it to an integer",
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => {
            "cast it to a float, an integer or text"
        }
        DataType::ListView(_) | DataType::LargeListView(_) => "cast it to a list",
        DataType::Union(..) => "use a struct with a column for each case",
        DataType::RunEndEncoded(..) => "decode it first",
        _ => return None,
    };
    Some(format!("values of type {data} are not supported: {advice}"))
}
