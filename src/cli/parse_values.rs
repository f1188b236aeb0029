//! Amounts and grants as people write them, on the command line and in policy files.

use std::env::VarError;
use std::time::Duration;

use wrun::{DirGrant, NetRule};

/// The folder of `HOST[::GUEST][::ro]`.
pub(crate) fn parse_dir(text: &str) -> Result<DirGrant, String> {
    let mut parts: Vec<&str> = text.split("::").collect();
    let read_only = parts.len() > 1 && parts.last() == Some(&"ro");
    if read_only {
        parts.pop();
    }
    let grant = match parts[..] {
        [""] | ["", _] | [_, ""] => {
            return Err("a path is empty: HOST, HOST::GUEST, with ::ro at the end or not".to_owned());
        }
        [host] => DirGrant::new(host, host),
        [host, guest] => DirGrant::new(host, guest),
        _ => return Err("too many parts: HOST, HOST::GUEST, with ::ro at the end or not".to_owned()),
    };
    Ok(if read_only { grant.read_only() } else { grant })
}

/// The variable of `NAME=VALUE`, or of `NAME` with wrun's own value.
pub(crate) fn parse_variable(text: &str) -> Result<(String, String), String> {
    if let Some((name, value)) = text.split_once('=') {
        return Ok((name.to_owned(), value.to_owned()));
    }
    match std::env::var(text) {
        Ok(value) => Ok((text.to_owned(), value)),
        Err(VarError::NotPresent) => Err(format!("`{text}` is not set; {text}=VALUE gives it a value")),
        Err(VarError::NotUnicode(_)) => Err(format!("the value of `{text}` is not UTF-8")),
    }
}

/// The network rule of `[out:|in:][tcp:|udp:]HOST:PORTS` or `dns[:NAME]`.
pub(crate) fn parse_rule(text: &str) -> Result<NetRule, String> {
    text.parse().map_err(|error: wrun::Error| error.message().to_owned())
}

/// A size in bytes: a number, possibly with a fraction, and a unit.
pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    let wanted = "a number and a unit, such as 64MiB, 512KiB or 1GB";
    if text.ends_with(|c: char| c.is_ascii_digit()) {
        return Err(format!("a unit is required: {wanted}"));
    }
    if text.starts_with('-') {
        return Err(format!("a size is not negative: {wanted}"));
    }
    let size: bytesize::ByteSize = text.parse().map_err(|_| format!("no size: {wanted}"))?;
    match size.as_u64() {
        u64::MAX => Err(format!("too large: {wanted}")),
        bytes => Ok(bytes),
    }
}

/// A number of things: digits, `_` between them allowed.
pub(crate) fn parse_count(text: &str) -> Result<u64, String> {
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    let plain = text.starts_with(|c: char| c.is_ascii_digit()) && digits.chars().all(|c| c.is_ascii_digit());
    let parsed = plain.then(|| digits.parse().ok()).flatten();
    parsed.ok_or_else(|| "a whole number of at most 18446744073709551615, such as 10_000".to_owned())
}

/// Portable fuel: a count, possibly in thousands (`K`), millions (`M`) or thousands of millions (`G`).
pub(crate) fn parse_fuel(text: &str) -> Result<u64, String> {
    let (digits, factor) = match text.as_bytes().last() {
        Some(b'K') => (&text[..text.len() - 1], 1_000),
        Some(b'M') => (&text[..text.len() - 1], 1_000_000),
        Some(b'G') => (&text[..text.len() - 1], 1_000_000_000),
        _ => (text, 1),
    };
    let most = wrun::runtime::fuel::MOST;
    let units = parse_count(digits).ok().and_then(|count| count.checked_mul(factor)).filter(|units| *units <= most);
    units.ok_or_else(|| format!("a whole number of at most {most}, such as 1_000_000, 10M or 2G"))
}

/// The longest duration taken, in seconds: some 30 years, which every clock can tell.
const MOST_SECONDS: f64 = 1e9;

/// A duration: a number, possibly with a fraction, and a unit.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let wanted = "a number and a unit (us, ms, s, m or h), such as 500ms, 1.5s or 2m";
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len()));
    let seconds = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "" => return Err(format!("a unit is required: {wanted}")),
        _ => return Err(format!("`{unit}` is no unit: {wanted}")),
    };
    if number.starts_with('-') {
        return Err(format!("a duration is not negative: {wanted}"));
    }
    let plain = number.starts_with(|c: char| c.is_ascii_digit()) && number.ends_with(|c: char| c.is_ascii_digit());
    let number: f64 = plain.then(|| number.parse().ok()).flatten().ok_or_else(|| format!("no number: {wanted}"))?;
    match number * seconds {
        seconds if seconds <= MOST_SECONDS => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("too long: at most 1000000000s".to_owned()),
    }
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
        for wrong in
            ["", "5", "s", "-1s", "+1s", "1.s", ".5s", "1e3s", "1 s", "1d", "1sm", "inf", "nans", "99999999999h"]
        {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn fuel_has_decimal_units() {
        assert_eq!(parse_fuel("1_000_000"), Ok(1_000_000));
        assert_eq!(parse_fuel("10M"), Ok(10_000_000));
        assert_eq!(parse_fuel("2G"), Ok(2_000_000_000));
        assert_eq!(parse_fuel("0"), Ok(0));
        for wrong in ["", "M", "-1", "1.5M", "10m", "10MB", "18446744073709551615", "99999999999G"] {
            assert!(parse_fuel(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_size_needs_a_unit() {
        assert_eq!(parse_size("64MiB"), Ok(64 << 20));
        assert_eq!(parse_size("1GB"), Ok(1_000_000_000));
        assert_eq!(parse_size("1.5KiB"), Ok(1536));
        for wrong in ["64", "", "MiB", "-1MiB", "64 parsecs", "1e3", "0x10KiB", "99999999999GiB"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_count_is_plain_digits() {
        assert_eq!(parse_count("10_000"), Ok(10_000));
        assert_eq!(parse_count("18446744073709551615"), Ok(u64::MAX));
        for wrong in ["", "-1", "+1", "1.5", "1k", "18446744073709551616", "_"] {
            assert!(parse_count(wrong).is_err(), "{wrong}");
        }
    }
}
