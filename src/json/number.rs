//! Decimal text to a double, without the ten kilobytes of tables with which the standard library does it.

/// 10^0 to 10^22: the powers of ten that a double holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// Decimal places beyond these change no double; the limit keeps a hostile exponent from overflowing.
const FAR: i32 = 1_000_000;

/// 2^100 and 2^-100.
const FAR_UP: f64 = 1_267_650_600_228_229_401_496_703_205_376.0;
const FAR_DOWN: f64 = 1.0 / FAR_UP;

/// 2^-922: what a value that was taken up by 2^100 is below, if the value is no normal double. Its own last place is worth
/// 2^-974, which is that of all those doubles, taken up.
const SMALL: f64 = f64::MIN_POSITIVE * FAR_UP;

/// The largest mantissa that takes another digit: 18 digits always fit, one more than the shortest text of any double has.
const ROOM: i64 = (i64::MAX - 9) / 10;

/// The value of a text that is a JSON number (RFC 8259 section 6); infinite when it is beyond the range of a double.
///
/// It is the nearest double for every text that a program wrote for a double, 17 digits at most. Digits after the
/// eighteenth may be dropped.
pub(super) fn value(text: &str) -> f64 {
    if let Some(integer) = small_integer(text) {
        return integer;
    }
    let (mantissa, exponent) = decimal(text);
    // Error terms would leave the range near its ends before the value does; a power of two is exact.
    let (there, back) = if exponent < 0 { (FAR_UP, FAR_DOWN) } else { (FAR_DOWN, FAR_UP) };
    let sum = Sum::of(mantissa);
    let mut value = Sum { high: sum.high * there, low: sum.low * there };
    let mut left = exponent;
    while left != 0 && value.high != 0.0 && value.high.is_finite() {
        let step = usize::try_from(left.unsigned_abs()).unwrap_or(usize::MAX).min(POWERS.len() - 1);
        let power = POWERS.get(step).copied().unwrap_or(1.0);
        let taken = i32::try_from(step).unwrap_or(0);
        (value, left) =
            if left < 0 { (value.divided_by(power), left + taken) } else { (value.times(power), left - taken) };
    }
    let value = if value.high < SMALL { value.rounded_to_small() } else { value.high } * back;
    if text.starts_with('-') { -value } else { value }
}

/// Up to fifteen digits and nothing else, which a double holds exactly: every time that a token names.
fn small_integer(text: &str) -> Option<f64> {
    if text.len() > 15 {
        return None;
    }
    let mut value = 0.0;
    for byte in text.bytes() {
        value = value * 10.0 + f64::from(byte.checked_sub(b'0').filter(|digit| *digit <= 9)?);
    }
    Some(value)
}

/// A number as the sum of two doubles, the second no more than the rounding error of the first: 106 bits, so that scaling
/// by powers of ten is rounded once, at the end (Dekker, "A floating-point technique for extending the available
/// precision", 1971).
#[derive(Clone, Copy)]
struct Sum {
    high: f64,
    low: f64,
}

impl Sum {
    #[expect(
        clippy::as_conversions,
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "the first rounds, and what it has lost is below 2^11"
    )]
    fn of(integer: i64) -> Self {
        let high = integer as f64;
        Self { high, low: (integer - high as i64) as f64 }
    }

    fn times(self, factor: f64) -> Self {
        let (product, error) = product(self.high, factor);
        Self::normal(product, error + self.low * factor)
    }

    fn divided_by(self, divisor: f64) -> Self {
        let quotient = self.high / divisor;
        let (back, error) = product(quotient, divisor);
        Self::normal(quotient, ((self.high - back) - error + self.low) / divisor)
    }

    /// The nearest number with no more places than the doubles below [`SMALL`] have when they are taken down: rounded to the
    /// places of a larger number, and once, of both parts.
    fn rounded_to_small(self) -> f64 {
        let sum = SMALL + self.high;
        let left = self.high - (sum - SMALL) + self.low;
        sum + left - SMALL
    }

    fn normal(high: f64, low: f64) -> Self {
        let sum = high + low;
        // Beyond the range of a double the error terms are no numbers.
        if sum.is_finite() { Self { high: sum, low: low - (sum - high) } } else { Self { high, low: 0.0 } }
    }
}

/// The product and its rounding error, exactly (Veltkamp's splitting into halves of 26 bits).
fn product(a: f64, b: f64) -> (f64, f64) {
    fn halves(x: f64) -> (f64, f64) {
        const SPLITTER: f64 = 134_217_729.0; // 2^27 + 1
        let scaled = SPLITTER * x;
        let high = scaled - (scaled - x);
        (high, x - high)
    }
    let product = a * b;
    let ((a1, a2), (b1, b2)) = (halves(a), halves(b));
    (product, a2 * b2 - (((product - a1 * b1) - a2 * b1) - a1 * b2))
}

/// The first 18 or 19 significant digits as an integer, and the power of ten that it is to be multiplied with.
fn decimal(text: &str) -> (i64, i32) {
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let mut mantissa: i64 = 0;
    let mut power: i32 = 0;
    let mut after_point = false;
    for byte in digits.bytes() {
        let Some(digit) = byte.checked_sub(b'0').filter(|digit| *digit <= 9) else {
            after_point |= byte == b'.';
            continue;
        };
        if mantissa <= ROOM {
            mantissa = mantissa * 10 + i64::from(digit);
            power -= i32::from(after_point);
        } else {
            // Digits that no longer fit are dropped, but those before the point keep their weight.
            power = power.saturating_add(i32::from(!after_point));
        }
    }
    let exponent = match exponent.parse::<i32>() {
        Ok(exponent) => exponent.clamp(-FAR, FAR),
        Err(_) if exponent.starts_with('-') => -FAR,
        Err(_) => FAR,
    };
    (mantissa, power.clamp(-FAR, FAR) + exponent)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the very double is what these tests are about")]
mod tests {
    use super::value;
    use proptest::prelude::*;

    #[test]
    fn numbers_beyond_a_double_are_infinite_and_those_below_are_zero() {
        for text in ["1e400", "1e309", "1e99999999999999999999", "123456789012345678901234567890e290"] {
            assert_eq!(value(text), f64::INFINITY, "{text}");
        }
        for text in ["1e-400", "0e999999999999", "1e-99999999999999999999", "0.0"] {
            assert_eq!(value(text), 0.0, "{text}");
        }
        assert_eq!(value("-0"), 0.0);
        assert_eq!(value("-1.5E+3"), -1500.0);
        assert_eq!(value("1.7976931348623157e308"), f64::MAX);
        assert_eq!(value("2.2250738585072014e-308"), f64::MIN_POSITIVE);
        assert_eq!(value("1.785566877040266e-308"), 1.785_566_877_040_266e-308);
        assert_eq!((value("5e-324"), value("2e-324")), (f64::from_bits(1), 0.0));
        assert_eq!(value("1.00000000000000000000000000000000000000000000"), 1.0);
        assert_eq!(value("1000000000000000000000000000000"), 1e30);
    }

    proptest! {
        #[test]
        fn up_to_fifteen_digits_are_the_nearest_double(digits in 0u64..1_000_000_000_000_000, places in 0i32..=22, up: bool) {
            let text = format!("{digits}e{}{places}", if up { "" } else { "-" });
            prop_assert_eq!(value(&text), text.parse::<f64>().unwrap());
        }

        #[test]
        fn every_double_is_read_back_from_its_shortest_text(number in proptest::num::f64::NORMAL) {
            prop_assert_eq!(value(&format!("{number:e}")), number);
            prop_assert_eq!(value(&number.to_string()), number);
        }

        #[test]
        fn the_smallest_doubles_are_read_back_as_well(number in proptest::num::f64::SUBNORMAL) {
            prop_assert_eq!(value(&format!("{number:e}")), number);
            // Digits that no shortest text has: rounded once, not first to a normal double and then to this one.
            prop_assert_eq!(value(&format!("{number:.16e}")), number);
        }
    }
}
