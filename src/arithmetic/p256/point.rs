//! Points of P-256, y² = x³ - 3·x + b, none of which is at infinity in affine form.
//!
//! Formulas are those of the Explicit-Formulas Database (Bernstein and Lange), named where they are used.

#![allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "limbs of folded numbers are cast to 32 bits"
)]

use super::field::Field;
use super::limbs::{LIMBS, OCTETS};

/// b in Montgomery form.
const B: Field = Field([
    0x1897_bbfb,
    0x1cdf_6229,
    0x0184_86c4,
    0x0173_2821,
    0x1dad_59e0,
    0x0abf_7212,
    0x1a06_d110,
    0x1772_1d20,
    0x0086_00c3,
]);

/// p, big-endian.
const PRIME: [u8; OCTETS] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff,
];

/// A point (x, y) on the curve.
#[derive(Clone, Copy, Debug)]
pub(super) struct Affine {
    pub(super) x: Field,
    pub(super) y: Field,
}

/// A point with folded coordinates, as tables keep it: in half the memory, for folded numbers have limbs of 32 bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed {
    pub(super) x: [i32; LIMBS],
    pub(super) y: [i32; LIMBS],
}

/// The point (X/Z², Y/Z³), or the one at infinity where Z = 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jacobian {
    pub(super) x: Field,
    pub(super) y: Field,
    pub(super) z: Field,
}

impl Affine {
    /// The point with these big-endian coordinates, if they are below p and it is on the curve.
    pub(super) fn from_coordinates(x: &[u8; OCTETS], y: &[u8; OCTETS]) -> Option<Self> {
        if x >= &PRIME || y >= &PRIME {
            return None;
        }
        let (x, y) = (Field::from_octets(x), Field::from_octets(y));
        // x·(x² - 3) + b - y²
        let [x3, b, y2] = [x.times(&x.squared_plus(&Field::ONE.scaled(-3))), B, y.squared()];
        x3.plus(&b).minus(&y2).is_zero().then(|| Self { x: x.folded(), y: y.folded() })
    }

    /// -self.
    #[inline]
    pub(super) fn negated(&self) -> Self {
        Self { x: self.x, y: self.y.negated() }
    }

    /// With coordinates that are folded.
    pub(super) fn folded(&self) -> Self {
        Self { x: self.x.folded(), y: self.y.folded() }
    }

    /// The line through self and another point of slope λ meets the curve in a third one; this is its negative.
    #[inline(never)]
    fn third(&self, other: &Self, slope: &Field) -> Self {
        let x = slope.squared_plus(&self.x.plus(&other.x).negated());
        let y = slope.times_plus(&self.x.minus(&x), &self.y.negated());
        Self { x, y }
    }

    /// self + other, given 1/(other.x - self.x): the two are neither equal nor opposite. 2M + 1S.
    #[inline]
    pub(super) fn plus(&self, other: &Self, inverse: &Field) -> Self {
        self.third(other, &other.y.minus(&self.y).times(inverse))
    }

    /// 2·self, given 1/(2·y), which exists: the order of the group is odd, so no point has y = 0. 3M + 1S.
    #[inline]
    pub(super) fn doubled(&self, inverse: &Field) -> Self {
        // The slope is (3·x² - 3)/(2·y).
        let square = self.x.squared_plus(&Field::ONE.negated());
        self.third(self, &square.scaled(3).carried().times(inverse))
    }
}

impl Packed {
    pub(super) fn unpacked(&self) -> Affine {
        Affine { x: Field(self.x.map(i64::from)), y: Field(self.y.map(i64::from)) }
    }
}

impl From<&Affine> for Packed {
    #[inline(never)]
    fn from(point: &Affine) -> Self {
        let packed = |coordinate: &Field| coordinate.folded().0.map(|limb| limb as i32);
        Self { x: packed(&point.x), y: packed(&point.y) }
    }
}

/// Replaces every number by its inverse, with one inversion (Montgomery's trick, 1987): 3M each. Changes nothing useful
/// and returns `false` if a number is 0. `scratch` is at least as long as `numbers`.
#[inline(never)]
pub(super) fn invert_all(numbers: &mut [Field], scratch: &mut [Field]) -> bool {
    let mut product = Field::ONE;
    for (number, before) in numbers.iter().zip(scratch.iter_mut()) {
        *before = product;
        product = product.times(number);
    }
    // The product is 0 if and only if a factor is.
    if product.is_zero() {
        return false;
    }
    let mut inverse = product.inverse();
    for (number, before) in numbers.iter_mut().zip(scratch.iter()).rev() {
        let of_this = inverse.times(before);
        inverse = inverse.times(number);
        *number = of_this;
    }
    true
}

impl From<&Affine> for Jacobian {
    fn from(point: &Affine) -> Self {
        Self { x: point.x, y: point.y, z: Field::ONE }
    }
}

impl Jacobian {
    /// The point at infinity.
    pub(super) const INFINITY: Self = Self { x: Field::ONE, y: Field::ONE, z: Field::ZERO };

    /// 2·self; infinity for infinity, and for no other point, as the order of the group is odd. "dbl-2001-b" with
    /// Z₃ = 2·Y·Z and 2·Y² as the intermediate that is kept: 5M + 3S.
    #[inline(never)]
    pub(super) fn doubled(&self) -> Self {
        let twice_y = self.y.plus(&self.y);
        let delta = self.z.squared();
        let gamma = twice_y.times(&self.y);
        let beta = self.x.times(&gamma);
        let alpha = self.x.minus(&delta).times(&self.x.plus(&delta));
        let alpha = alpha.scaled(3).carried();
        let x = alpha.squared_plus(&beta.scaled(-4));
        let rest = beta.scaled(2).minus(&x).carried();
        let y = alpha.times_plus(&rest, &gamma.squared().scaled(-2));
        Self { x, y, z: twice_y.times(&self.z) }
    }

    /// self + other. "madd": 8M + 3S. Right unless self is infinity or has the x-coordinate of the other; then, and only
    /// then, the result has Z = 0, and so have all sums that it is made part of.
    #[inline(never)]
    pub(super) fn plus_distinct(&self, other: &Affine) -> Self {
        let zz = self.z.squared();
        let zzz = self.z.times(&zz);
        let h = other.x.times_plus(&zz, &self.x.negated());
        let r = other.y.times_plus(&zzz, &self.y.negated());
        let hh = h.squared();
        let hhh = h.times(&hh);
        let v = self.x.times(&hh);
        let x = r.squared_plus(&v.scaled(-2).minus(&hhh));
        let y = r.times_plus(&v.minus(&x), &self.y.times(&hhh).negated());
        Self { x, y, z: self.z.times(&h) }
    }

    /// self + other, whatever they are.
    #[inline(never)]
    pub(super) fn plus(&self, other: &Affine) -> Self {
        let sum = self.plus_distinct(other);
        if !sum.z.is_zero() {
            return sum;
        }
        if self.z.is_zero() {
            return Self::from(other);
        }
        // The same x-coordinate: the points are equal or opposite, and are opposite if y·Z³ and Y add up to 0.
        let zzz = self.z.times(&self.z.squared());
        let opposite = other.y.times_plus(&zzz, &self.y).is_zero();
        if opposite { Self::INFINITY } else { Self::from(other).doubled() }
    }

    /// The affine form, given 1/Z. 3M + 1S.
    #[inline(never)]
    pub(super) fn to_affine(self, inverse: &Field) -> Affine {
        let square = inverse.squared();
        Affine { x: self.x.times(&square), y: self.y.times(&inverse.times(&square)) }
    }
}

#[cfg(test)]
mod tests {
    use crypto_bigint::U256;
    use proptest::prelude::*;

    use super::super::reference::{P, affine, coordinates, multiple, numbers, octets, of_jacobian};
    use super::*;

    /// scalar·G with a Z that is not 1.
    fn jacobian(scalar: &U256, z: &U256) -> Jacobian {
        let z = Field::from_octets(&octets(z));
        let Some(Affine { x, y }) = affine(&multiple(scalar)) else { return Jacobian::INFINITY };
        let zz = z.squared();
        Jacobian { x: x.times(&zz), y: y.times(&zz.times(&z)), z }
    }

    fn expected(scalar: &U256) -> Option<(U256, U256)> {
        affine(&multiple(scalar)).as_ref().map(coordinates)
    }

    #[test]
    fn points_off_the_curve_and_coordinates_not_below_the_prime_are_refused() {
        let (x, y) = coordinates(&affine(&multiple(&U256::from(5_u64))).unwrap());
        assert!(Affine::from_coordinates(&octets(&x), &octets(&y)).is_some());
        assert!(Affine::from_coordinates(&octets(&x), &octets(&y.neg_mod(&P))).is_some());
        assert!(Affine::from_coordinates(&octets(&y), &octets(&x)).is_none());
        assert!(Affine::from_coordinates(&octets(&x), &octets(&y.add_mod(&U256::ONE, &P))).is_none());
        assert!(Affine::from_coordinates(&[0; OCTETS], &[0; OCTETS]).is_none());
        // x = 0 is on the curve, and so would p be.
        let root = U256::from_be_hex("66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4");
        assert!(Affine::from_coordinates(&[0; OCTETS], &octets(&root)).is_some());
        assert!(Affine::from_coordinates(&PRIME, &octets(&root)).is_none());
    }

    #[test]
    fn sums_with_infinity_equal_and_opposite_points_are_right() {
        let (k, z) = (U256::from(0x1234_5678_u64), U256::from(99_u64));
        let point = affine(&multiple(&k)).unwrap();
        let from_infinity = Jacobian::INFINITY.plus(&point);
        assert_eq!(of_jacobian(&from_infinity), Some(coordinates(&point)));
        assert_eq!(of_jacobian(&Jacobian::INFINITY.doubled()), None);
        let twice = jacobian(&k, &z).plus(&point);
        assert_eq!(of_jacobian(&twice), expected(&k.shl_vartime(1)));
        let nothing = jacobian(&k, &z).plus(&point.negated());
        assert_eq!(of_jacobian(&nothing), None);
        // What stays infinity while doubled and can be added to.
        assert_eq!(of_jacobian(&nothing.doubled().doubled().plus(&point)), Some(coordinates(&point)));
    }

    #[test]
    fn exceptional_sums_are_noticed_to_the_end() {
        let (k, z) = (U256::from(0x1234_5678_u64), U256::from(99_u64));
        let (point, other) = (affine(&multiple(&k)).unwrap(), affine(&multiple(&U256::from(7_u64))).unwrap());
        for sum in [
            jacobian(&k, &z).plus_distinct(&point),
            jacobian(&k, &z).plus_distinct(&point.negated()),
            Jacobian::INFINITY.plus_distinct(&point),
        ] {
            assert!(sum.z.is_zero() && sum.plus_distinct(&other).plus_distinct(&point).z.is_zero());
        }
        let mut inverses = [point.x.minus(&other.x), point.x.minus(&point.negated().x), other.x];
        assert!(!invert_all(&mut inverses, &mut [Field::ZERO; 3]));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn sums_and_doubles_are_right(a in numbers(), b in numbers(), z in numbers()) {
            let z = if z.rem_vartime(&P) == U256::ZERO { U256::ONE } else { z.rem_vartime(&P) };
            let (left, right) = (multiple(&a), multiple(&b));
            prop_assert_eq!(of_jacobian(&jacobian(&a, &z).doubled()), affine(&(left + left)).as_ref().map(coordinates));
            let Some(point) = affine(&right) else { return Ok(()) };
            let sum = affine(&(left + right)).as_ref().map(coordinates);
            prop_assert_eq!(of_jacobian(&jacobian(&a, &z).plus(&point)), sum);
            let Some(other) = affine(&left) else { return Ok(()) };
            let mut inverses = [point.x.minus(&other.x), other.y.plus(&other.y)];
            if invert_all(&mut inverses, &mut [Field::ZERO; 2]) {
                prop_assert_eq!(of_jacobian(&jacobian(&a, &z).plus_distinct(&point)), sum);
                prop_assert_eq!(Some(coordinates(&other.plus(&point, &inverses[0]))), sum);
                let twice = other.doubled(&inverses[1]);
                prop_assert_eq!(Some(coordinates(&twice)), affine(&(left + left)).as_ref().map(coordinates));
                let packed = Packed::from(&twice).unpacked();
                prop_assert_eq!(coordinates(&packed), coordinates(&twice));
            }
        }
    }
}
