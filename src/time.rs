//! Points in time as JSON Web Tokens write them. Nothing in this crate reads a clock: `now` is always an argument.

use core::cmp::Ordering;
use core::fmt;

/// Seconds from 1970-01-01T00:00:00Z to 9999-12-31T23:59:59Z, the last second with a four-digit year.
const LAST_SECOND: f64 = 253_402_300_799.0;

/// A `NumericDate` (RFC 7519 section 2): seconds since 1970-01-01T00:00:00Z, leap seconds ignored, fractions allowed.
///
/// A value of this type is finite and not after the year 9999, so comparisons are total.
#[derive(Clone, Copy, PartialEq)]
pub struct UnixTime(f64);

/// Why a number is not a usable `NumericDate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeFault {
    /// NaN or an infinity.
    NotFinite,
    /// After the year 9999: almost always milliseconds where seconds are meant.
    LooksLikeMilliseconds,
}

impl UnixTime {
    /// Reads a number of seconds. Negative values are times before 1970 and are valid (RFC 7519 sets no lower bound).
    ///
    /// # Errors
    /// [`TimeFault`] when the number is not finite or lies after the year 9999.
    pub fn from_seconds(seconds: f64) -> Result<Self, TimeFault> {
        if !seconds.is_finite() {
            return Err(TimeFault::NotFinite);
        }
        if seconds > LAST_SECOND {
            return Err(TimeFault::LooksLikeMilliseconds);
        }
        Ok(Self(seconds))
    }

    /// Reads a whole number of seconds.
    ///
    /// # Errors
    /// [`TimeFault::LooksLikeMilliseconds`] after the year 9999.
    pub fn from_whole_seconds(seconds: i64) -> Result<Self, TimeFault> {
        #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "exact up to the year 9999")]
        Self::from_seconds(seconds as f64)
    }

    /// The seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn as_seconds(self) -> f64 {
        self.0
    }

    /// This time moved later by a number of seconds, held at the year 9999 rather than passing it.
    #[must_use]
    pub fn plus(self, seconds: u32) -> Self {
        Self((self.0 + f64::from(seconds)).min(LAST_SECOND))
    }

    /// This time moved earlier by a number of seconds.
    #[must_use]
    pub fn minus(self, seconds: u32) -> Self {
        Self(self.0 - f64::from(seconds))
    }

    /// The whole second that has begun, as an integer; held at the ends of `i64`.
    #[must_use]
    pub fn whole_seconds(self) -> i64 {
        floor(self.0)
    }

    /// Whole seconds from `earlier` to this time, fractions dropped; negative when this time is the earlier one.
    #[must_use]
    pub fn whole_seconds_since(self, earlier: Self) -> i64 {
        floor(self.0 - earlier.0)
    }

    /// The whole second that has begun: fractions are dropped towards the past.
    #[must_use]
    pub fn floor(self) -> Self {
        Self(self.0.floor())
    }
}

#[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "the one conversion std has; it saturates")]
fn floor(seconds: f64) -> i64 {
    seconds.floor() as i64
}

impl Eq for UnixTime {}

impl PartialOrd for UnixTime {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for UnixTime {
    fn cmp(&self, other: &Self) -> Ordering {
        // Finite by construction; only -0.0 and 0.0 would differ under `total_cmp`, and they must not.
        self.0.partial_cmp(&other.0).unwrap_or(Ordering::Equal)
    }
}

impl fmt::Debug for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnixTime({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_milliseconds_is_refused_and_says_so() {
        assert_eq!(UnixTime::from_seconds(1_700_000_000_000.0), Err(TimeFault::LooksLikeMilliseconds));
        assert!(UnixTime::from_seconds(LAST_SECOND).is_ok());
    }

    #[test]
    fn a_time_that_is_not_finite_is_refused() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(UnixTime::from_seconds(value), Err(TimeFault::NotFinite));
        }
    }

    #[test]
    fn whole_seconds_are_rounded_towards_the_past() {
        for (time, second) in [(1.999, 1), (-0.5, -1), (0.0, 0), (LAST_SECOND, 253_402_300_799), (-1e300, i64::MIN)] {
            assert_eq!(UnixTime(time).whole_seconds(), second);
        }
    }

    #[test]
    fn moving_a_time_never_passes_the_year_9999() {
        let last = UnixTime(LAST_SECOND);
        assert_eq!(last.plus(u32::MAX), last);
    }
}
