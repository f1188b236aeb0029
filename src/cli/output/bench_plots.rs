//! Axes and numbers of plots, for the terminal and for browsers.

use wrun::bench::{Measurement, PhaseReport};

/// An axis of times. It is logarithmic if the times differ by more than five times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axis {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) is_logarithmic: bool,
}

impl Axis {
    /// Returns the axis that holds the middle 90 % and the blocks of all measurements.
    pub(crate) fn of(phase: &PhaseReport) -> Option<Self> {
        let shown = |measured: &Measurement| {
            let quantiles = &measured.quantiles_ns;
            let middle = [1, 19].into_iter().filter_map(|step| quantiles.get(step).copied());
            middle.chain(measured.blocks_ns.iter().copied()).collect::<Vec<_>>()
        };
        let times: Vec<f64> = phase.measurements.iter().flat_map(shown).collect();
        let low = times.iter().copied().reduce(f64::min)?.max(f64::MIN_POSITIVE);
        let high = times.into_iter().reduce(f64::max)?.max(low);
        let is_logarithmic = high > 5.0 * low;
        if is_logarithmic {
            return Some(Self { low: low / 1.1, high: high * 1.1, is_logarithmic });
        }
        let margin = ((high - low) * 0.05).max(low * 0.001);
        Some(Self { low: low - margin, high: high + margin, is_logarithmic })
    }

    /// Returns the place of a time, from 0 to 1.
    pub(crate) fn place(&self, ns: f64) -> f64 {
        let place = if self.is_logarithmic {
            (ns / self.low).ln() / (self.high / self.low).ln()
        } else {
            (ns - self.low) / (self.high - self.low)
        };
        place.clamp(0.0, 1.0)
    }

    /// Returns the time at a place.
    pub(crate) fn at(&self, place: f64) -> f64 {
        if self.is_logarithmic {
            self.low * (self.high / self.low).powf(place)
        } else {
            self.low + (self.high - self.low) * place
        }
    }
}

/// Formats a time with three digits and a unit.
pub(crate) fn time(ns: f64) -> String {
    let units = [(1e9, "s"), (1e6, "ms"), (1e3, "µs")];
    let (factor, unit) = units.into_iter().find(|(factor, _)| ns >= 0.9995 * factor).unwrap_or((1.0, "ns"));
    let value = ns / factor;
    let digits = if value >= 99.95 { 0 } else { usize::from(value < 9.995) + 1 };
    format!("{value:.digits$} {unit}")
}

/// Formats a part as a percentage.
pub(crate) fn percent(part: f64) -> String {
    let percent = part * 100.0;
    let digits = usize::from(percent < 9.95);
    format!("{percent:.digits$} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits() {
        for (ns, text) in [
            (1.234, "1.23 ns"),
            (99.96, "100 ns"),
            (999.6, "1.00 µs"),
            (12_345.0, "12.3 µs"),
            (5e6, "5.00 ms"),
            (61e9, "61.0 s"),
            (0.0, "0.00 ns"),
        ] {
            assert_eq!(time(ns), text);
        }
    }

    #[test]
    fn a_place_and_its_time_belong_together() {
        for axis in [
            Axis { low: 10.0, high: 20.0, is_logarithmic: false },
            Axis { low: 10.0, high: 2000.0, is_logarithmic: true },
        ] {
            for place in [0.0, 0.3, 1.0] {
                assert!((axis.place(axis.at(place)) - place).abs() < 1e-9);
            }
        }
    }
}
