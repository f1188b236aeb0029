//! Amounts and grants as text, on the command line and in policy files.

use std::env::VarError;
use std::time::Duration;

use bytesize::ByteSize;
use fundu::{CustomDurationParser, CustomTimeUnit, TimeUnit};
use wrun::{DirGrant, NetRule};

/// Parses the directory grant `HOST[::GUEST][::ro]`.
pub(crate) fn parse_dir(text: &str) -> Result<DirGrant, String> {
    let expected = "expected HOST or HOST::GUEST, optionally with ::ro at the end";
    let mut parts: Vec<&str> = text.split("::").collect();
    let read_only = parts.len() > 1 && parts.last() == Some(&"ro");
    if read_only {
        parts.pop();
    }
    let grant = match parts[..] {
        [""] | ["", _] | [_, ""] => return Err(format!("empty path: {expected}")),
        [host] => DirGrant::new(host, host),
        [host, guest] => DirGrant::new(host, guest),
        _ => return Err(format!("too many parts: {expected}")),
    };
    Ok(if read_only { grant.read_only() } else { grant })
}

/// Parses the variable `NAME=VALUE`, or `NAME` with the value from wrun's environment.
pub(crate) fn parse_variable(text: &str) -> Result<(String, String), String> {
    if let Some((name, value)) = text.split_once('=') {
        return Ok((name.to_owned(), value.to_owned()));
    }
    match std::env::var(text) {
        Ok(value) => Ok((text.to_owned(), value)),
        Err(VarError::NotPresent) => Err(format!("`{text}` is not set; use {text}=VALUE to give it a value")),
        Err(VarError::NotUnicode(_)) => Err(format!("the value of `{text}` is not UTF-8")),
    }
}

/// Parses the network rule `[out:|in:][tcp:|udp:]HOST:PORTS` or `dns[:NAME]`.
pub(crate) fn parse_rule(text: &str) -> Result<NetRule, String> {
    text.parse().map_err(|error: wrun::Error| error.message().to_owned())
}

/// Parses a size in bytes: a number, possibly with a fraction, and a unit.
pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    let expected = "expected a number and a unit, such as 64MiB, 512KiB or 1GB";
    require_unit(text, expected)?;
    let size: ByteSize = text.parse().map_err(|_| expected.to_owned())?;
    // The parser saturates.
    Some(size.as_u64()).filter(|bytes| *bytes < u64::MAX).ok_or_else(|| "out of range".to_owned())
}

/// Parses a whole number; `_` may separate digits.
pub(crate) fn parse_count(text: &str) -> Result<u64, String> {
    let digits = text.replace('_', "");
    let valid = text.starts_with(|c: char| c.is_ascii_digit());
    let parsed = digits.parse().ok().filter(|_| valid);
    parsed.ok_or_else(|| format!("expected a whole number of at most {}, such as 10_000", u64::MAX))
}

/// Parses an amount of portable fuel: a count, possibly with the suffix `K`, `M` or `G`.
pub(crate) fn parse_fuel(text: &str) -> Result<u64, String> {
    let (digits, factor) = match text.as_bytes().last() {
        Some(b'K') => (&text[..text.len() - 1], 1_000),
        Some(b'M') => (&text[..text.len() - 1], 1_000_000),
        Some(b'G') => (&text[..text.len() - 1], 1_000_000_000),
        _ => (text, 1),
    };
    let maximum = wrun::runtime::fuel::MOST;
    let units = parse_count(digits).ok().and_then(|count| count.checked_mul(factor)).filter(|units| *units <= maximum);
    units.ok_or_else(|| format!("expected a whole number of at most {maximum}, such as 1_000_000, 10M or 2G"))
}

/// The longest duration accepted, about 30 years: clocks can represent a deadline that far ahead.
const MAX_DURATION: Duration = Duration::from_secs(1_000_000_000);

const TIME_UNITS: [CustomTimeUnit<'static>; 5] = [
    CustomTimeUnit::with_default(TimeUnit::MicroSecond, &["us"]),
    CustomTimeUnit::with_default(TimeUnit::MilliSecond, &["ms"]),
    CustomTimeUnit::with_default(TimeUnit::Second, &["s"]),
    CustomTimeUnit::with_default(TimeUnit::Minute, &["m"]),
    CustomTimeUnit::with_default(TimeUnit::Hour, &["h"]),
];

/// Parses a duration: a number, possibly with a fraction, and a unit.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let expected = "expected a number and a unit (us, ms, s, m or h), such as 500ms, 1.5s or 2m";
    require_unit(text, expected)?;
    let mut parser = CustomDurationParser::with_time_units(&TIME_UNITS);
    let parsed = parser.disable_exponent(true).disable_infinity(true).parse(text);
    let duration = parsed.ok().and_then(|duration| Duration::try_from(duration).ok()).ok_or(expected)?;
    if duration > MAX_DURATION {
        return Err(format!("out of range: at most {MAX_DURATION:?}"));
    }
    Ok(duration)
}

fn require_unit(text: &str, expected: &str) -> Result<(), String> {
    if text.ends_with(|c: char| c.is_ascii_digit() || c == '.') {
        return Err(format!("a unit is required: {expected}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_needs_a_unit() {
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse_duration("2m"), Ok(Duration::from_mins(2)));
        assert_eq!(parse_duration("0s"), Ok(Duration::ZERO));
        assert_eq!(parse_duration("250us"), Ok(Duration::from_micros(250)));
        for invalid in ["", "5", "s", "-1s", "1e3s", "1 s", "1d", "1sm", "inf", "nans", "5.", "99999999999h"] {
            assert!(parse_duration(invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn fuel_has_decimal_suffixes() {
        assert_eq!(parse_fuel("1_000_000"), Ok(1_000_000));
        assert_eq!(parse_fuel("10M"), Ok(10_000_000));
        assert_eq!(parse_fuel("2G"), Ok(2_000_000_000));
        assert_eq!(parse_fuel("0"), Ok(0));
        for invalid in ["", "M", "-1", "1.5M", "10m", "10MB", "18446744073709551615", "99999999999G"] {
            assert!(parse_fuel(invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn a_size_needs_a_unit() {
        assert_eq!(parse_size("64MiB"), Ok(64 << 20));
        assert_eq!(parse_size("1GB"), Ok(1_000_000_000));
        assert_eq!(parse_size("1.5KiB"), Ok(1536));
        for invalid in ["64", "", "MiB", "-1MiB", "64 parsecs", "1e3", "0x10KiB", "99999999999GiB"] {
            assert!(parse_size(invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn a_count_is_digits_and_underscores() {
        assert_eq!(parse_count("10_000"), Ok(10_000));
        assert_eq!(parse_count("18446744073709551615"), Ok(u64::MAX));
        for invalid in ["", "-1", "+1", "1.5", "1k", "18446744073709551616", "_"] {
            assert!(parse_count(invalid).is_err(), "{invalid}");
        }
    }
}
