//! Figures of several runs, and how they are written.

use std::fmt;

use serde::Serialize;

/// Where the figures of several runs lie.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Spread {
    /// The one in the middle, or the mean of two.
    pub(crate) median: f64,
    /// The smallest.
    pub(crate) min: f64,
    /// The largest.
    pub(crate) max: f64,
}

impl Spread {
    /// Nothing of nothing.
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_unstable_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = (values[(values.len() - 1) / 2] + values[middle]) / 2.0;
        Some(Self { median, min, max })
    }
}

/// The median, and the range if there is one.
impl fmt::Display for Spread {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&number(self.median))?;
        if self.min < self.max {
            write!(to, " ({}–{})", number(self.min), number(self.max))?;
        }
        Ok(())
    }
}

/// Three significant digits, or whole numbers.
pub(crate) fn number(value: f64) -> String {
    let digits = match value.abs() {
        0.0 => 0,
        magnitude => (2 - magnitude.log10().floor() as i32).clamp(0, 4),
    };
    format!("{value:.*}", digits as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let spread = |values: &[f64]| Spread::of(values.to_vec());
        assert_eq!(
            spread(&[3.0, 1.0, 9.0]),
            Some(Spread {
                median: 3.0,
                min: 1.0,
                max: 9.0
            })
        );
        assert_eq!(
            spread(&[4.0, 2.0]),
            Some(Spread {
                median: 3.0,
                min: 2.0,
                max: 4.0
            })
        );
        assert_eq!(spread(&[]), None);
    }

    #[test]
    fn figures_have_three_digits_that_mean_something() {
        let shown = [0.0, 0.012_345, 0.5, 5.678, 123.45, 26_104.2, -2.5].map(number);
        assert_eq!(
            shown,
            ["0", "0.0123", "0.500", "5.68", "123", "26104", "-2.50"]
        );
        assert_eq!(
            Spread {
                median: 2.0,
                min: 1.0,
                max: 3.0
            }
            .to_string(),
            "2.00 (1.00–3.00)"
        );
        assert_eq!(
            Spread {
                median: 2.0,
                min: 2.0,
                max: 2.0
            }
            .to_string(),
            "2.00"
        );
    }
}
