//! Amounts and grants as text, on the command line, in the environment and in policy files.

use std::env::VarError;
use std::time::Duration;

use bytesize::ByteSize;
use fundu::{CustomDurationParser, CustomTimeUnit, TimeUnit};
use wrun::{DirGrant, NetRule};

use super::failure::Failure;

/// Returns the value of an environment variable that is set and not empty, or a usage failure if it is not UTF-8.
pub(crate) fn environment(name: &str) -> Result<Option<String>, Failure> {
    let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) else { return Ok(None) };
    value.into_string().map(Some).map_err(|_| Failure::usage(format!("{name} is not UTF-8")))
}

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
        _ => {
            return Err(format!("too many parts: {expected}; grant a path that contains `::` through a symbolic link"));
        }
    };
    Ok(if read_only { grant.read_only() } else { grant })
}

/// Parses the variable `NAME=VALUE`, or `NAME` with the value from wrun's environment.
pub(crate) fn parse_variable(text: &str) -> Result<(String, String), String> {
    if text.is_empty() || text.starts_with('=') {
        return Err("the name is empty: expected NAME or NAME=VALUE".to_owned());
    }
    if let Some((name, value)) = text.split_once('=') {
        return Ok((name.to_owned(), value.to_owned()));
    }
    match std::env::var(text) {
        Ok(value) => Ok((text.to_owned(), value)),
        Err(VarError::NotPresent) => Err(format!("`{text}` is not set; `{text}=VALUE` gives it a value")),
        Err(VarError::NotUnicode(_)) => Err(format!("the value of `{text}` is not UTF-8")),
    }
}

/// Parses the configuration value `NAME=VALUE`.
pub(crate) fn parse_config(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
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
        Some(b'K' | b'k') => (&text[..text.len() - 1], 1_000),
        Some(b'M' | b'm') => (&text[..text.len() - 1], 1_000_000),
        Some(b'G' | b'g') => (&text[..text.len() - 1], 1_000_000_000),
        _ => (text, 1),
    };
    let maximum = wrun::runtime::fuel::MAX_LIMIT;
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

/// Parses a percentage, such as `5%`, as a part of 1.
pub(crate) fn parse_percentage(text: &str) -> Result<f64, String> {
    let is_plain = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number = text.strip_suffix('%').filter(is_plain).and_then(|number| number.parse::<f64>().ok());
    number.map(|percent| percent / 100.0).ok_or_else(|| "expected a percentage, such as 5% or 0.5%".to_owned())
}

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
    use std::fmt::Debug;

    use super::*;

    #[track_caller]
    fn check<T: PartialEq + Debug>(parse: fn(&str) -> Result<T, String>, valid: &[(&str, T)], invalid: &[&str]) {
        for (text, value) in valid {
            assert_eq!(parse(text).as_ref(), Ok(value), "{text}");
        }
        for text in invalid {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_duration_needs_a_unit() {
        let times = [("500ms", 500_000), ("1.5s", 1_500_000), ("2m", 120_000_000), ("0s", 0), ("250us", 250)];
        let invalid = ["", "5", "s", "-1s", "1e3s", "1 s", "1d", "1sm", "inf", "nans", "5.", "99999999999h"];
        check(parse_duration, &times.map(|(text, us)| (text, Duration::from_micros(us))), &invalid);
    }

    #[test]
    fn fuel_has_decimal_suffixes() {
        let valid = [
            ("1_000_000", 1_000_000),
            ("10M", 10_000_000),
            ("2G", 2_000_000_000),
            ("0", 0),
            ("1k", 1_000),
            ("3m", 3_000_000),
        ];
        let invalid = ["", "M", "-1", "1.5M", "10MB", "18446744073709551615", "99999999999G"];
        check(parse_fuel, &valid, &invalid);
    }

    #[test]
    fn a_percentage_needs_its_sign() {
        check(
            parse_percentage,
            &[("5%", 0.05), ("0.5%", 0.005), ("100%", 1.0), ("0%", 0.0)],
            &["5", "%", "-5%", "5 %", "inf%", "1e3%", "", ".%", "1.2.3%"],
        );
    }

    #[test]
    fn a_size_needs_a_unit() {
        let invalid = ["64", "", "MiB", "-1MiB", "64 parsecs", "1e3", "0x10KiB", "99999999999GiB"];
        check(parse_size, &[("64MiB", 64 << 20), ("1GB", 1_000_000_000), ("1.5KiB", 1536)], &invalid);
    }

    #[test]
    fn a_count_is_digits_and_underscores() {
        let invalid = ["", "-1", "+1", "1.5", "1k", "18446744073709551616", "_"];
        check(parse_count, &[("10_000", 10_000), ("18446744073709551615", u64::MAX)], &invalid);
    }
}
