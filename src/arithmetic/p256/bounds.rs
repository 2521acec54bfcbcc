//! The table of bounds in `mod.rs`, computed: the formulas of `point.rs` on intervals instead of numbers.

use std::ops::{Add, Sub};

/// The values that a number may have, in units of p, and the bound A of its limbs (see `field.rs`).
#[derive(Clone, Copy, Debug)]
struct Range {
    low: f64,
    high: f64,
    limbs: f64,
}

impl Range {
    fn new(low: f64, high: f64) -> Self {
        Self { low, high, limbs: 1.0 }
    }

    fn magnitude(self) -> f64 {
        self.high.max(-self.low)
    }

    /// A tight number of the same value.
    fn carried(self) -> Self {
        assert!(self.magnitude() <= 16.0, "{self:?}");
        Self { limbs: 1.0, ..self }
    }

    fn scaled(self, factor: f64) -> Self {
        let (a, b) = (factor * self.low, factor * self.high);
        Self { low: a.min(b), high: a.max(b), limbs: factor.abs() * self.limbs }
    }

    /// a - b where both are tight: limbs differ by less than 2^29.
    fn minus_tight(self, other: Self) -> Self {
        assert!(self.limbs <= 1.0 && other.limbs <= 1.0);
        Self { limbs: 1.0, ..self - other }
    }

    /// `times_plus`, with what it wants of its factors.
    fn times_plus(self, other: Self, addend: Self) -> Self {
        assert!(self.limbs * other.limbs <= 3.5, "{self:?} {other:?}");
        assert!(self.magnitude() * other.magnitude() <= 64.0, "{self:?} {other:?}");
        assert!(addend.limbs <= 128.0);
        let corners = [self.low * other.low, self.low * other.high, self.high * other.low, self.high * other.high];
        let low = corners.into_iter().fold(f64::INFINITY, f64::min) / 32.0;
        let high = corners.into_iter().fold(f64::NEG_INFINITY, f64::max) / 32.0;
        (Self::new(low, high + 1.0) + addend).carried()
    }

    fn times(self, other: Self) -> Self {
        self.times_plus(other, Self::new(0.0, 0.0))
    }

    fn squared_plus(self, addend: Self) -> Self {
        let square = self.times_plus(self, addend);
        Self { low: addend.low, ..square }
    }

    fn squared(self) -> Self {
        self.squared_plus(Self::new(0.0, 0.0))
    }

    fn is_within(self, low: f64, high: f64) -> bool {
        self.low >= low && self.high <= high
    }

    fn with(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high), limbs: self.limbs.max(other.limbs) }
    }
}

impl Add for Range {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { low: self.low + other.low, high: self.high + other.high, limbs: self.limbs + other.limbs }
    }
}

impl Sub for Range {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + other.scaled(-1.0)
    }
}

/// 1/a, as `Field::inverse` gives it.
fn inverse() -> Range {
    Range::new(-33.0, 33.0).times(Range::new(0.0, 1.0))
}

/// The inverses that `invert_all` gives for many numbers within ±magnitude.
fn inverses(numbers: Range) -> Range {
    let (mut product, mut inverse) = (Range::new(0.0, 1.0), inverse());
    for _ in 0..100 {
        product = product.with(product.times(numbers));
        inverse = inverse.with(inverse.times(numbers));
    }
    inverse.times(product)
}

/// A folded number.
fn folded() -> Range {
    Range::new(-0.01, 1.01)
}

type Affine = (Range, Range);

/// The y-coordinate of a term has either sign.
fn either_sign((x, y): Affine) -> Affine {
    (x, Range::new(-y.magnitude(), y.magnitude()))
}

fn third((x, y): Affine, slope: Range) -> Affine {
    let sum = slope.squared_plus((x + x).scaled(-1.0));
    (sum, slope.times_plus(x.minus_tight(sum), y.scaled(-1.0)))
}

/// `Affine::plus` of two points of the same bounds. The limbs of the y-coordinates have any sign.
fn plus((x, y): Affine) -> Affine {
    let inverses = inverses(x.minus_tight(x));
    third((x, y), (y + y.scaled(-1.0)).times(inverses))
}

fn doubled_affine((x, y): Affine) -> Affine {
    let square = x.squared_plus(Range::new(-1.0, 0.0));
    third((x, y), square.scaled(3.0).carried().times(inverses(y + y)))
}

type Jacobian = (Range, Range, Range);

fn doubled((x, y, z): Jacobian) -> Jacobian {
    let twice_y = y + y;
    let delta = z.squared();
    // Twice a square: not negative.
    let gamma = Range { low: 0.0, ..twice_y.times(y) };
    let beta = x.times(gamma);
    let alpha = x.minus_tight(delta).times(x + delta).scaled(3.0).carried();
    let sum = alpha.squared_plus(beta.scaled(-4.0));
    let rest = (beta.scaled(2.0) - sum).carried();
    (sum, alpha.times_plus(rest, gamma.squared().scaled(-2.0)), twice_y.times(z))
}

fn plus_distinct((x, y, z): Jacobian, other: Affine) -> Jacobian {
    let zz = z.squared();
    let zzz = z.times(zz);
    let h = other.0.times_plus(zz, x.scaled(-1.0));
    let r = other.1.times_plus(zzz, y.scaled(-1.0));
    let hh = h.squared();
    let hhh = h.times(hh);
    let v = x.times(hh);
    let sum = r.squared_plus(v.scaled(-2.0) - hhh);
    (sum, r.times_plus(v.minus_tight(sum), y.times(hhh).scaled(-1.0)), z.times(h))
}

/// The bounds of all points that doublings and additions of the term lead to.
fn closure(term: Affine, doublings: bool) -> Jacobian {
    let mut sum: Jacobian = (term.0, term.1, Range::new(0.0, 1.0));
    for _ in 0..100 {
        let next = plus_distinct(sum, term);
        sum = (sum.0.with(next.0), sum.1.with(next.1), sum.2.with(next.2));
        if doublings {
            let next = doubled(sum);
            sum = (sum.0.with(next.0), sum.1.with(next.1), sum.2.with(next.2));
        }
    }
    sum
}

#[test]
fn the_bounds_of_the_table_hold() {
    assert!(inverse().is_within(-1.04, 2.04));
    let entry = (folded(), folded());
    let term = either_sign(entry);
    // Tables are built from entries of positive y.
    for (x, y) in [plus(entry), doubled_affine(entry)] {
        assert!(x.is_within(-2.1, 1.1) && y.is_within(-1.1, 2.2), "{x:?} {y:?}");
    }
    let half = plus(term);
    assert!(half.0.is_within(-2.1, 1.1) && half.1.is_within(-1.1, 2.2));
    let quarter = plus(half);
    assert!(quarter.0.is_within(-2.2, 5.1) && quarter.1.is_within(-2.4, 2.2));
    for (term, doublings) in [(quarter, false), (term, true)] {
        let (x, y, z) = closure(term, doublings);
        assert!(x.is_within(-4.5, 5.1) && y.is_within(-2.7, 2.2) && z.is_within(-0.2, 1.3));
        // The last comparison: with r + n, which is below p + n.
        let zz = z.squared();
        Range { limbs: 2.0, ..Range::new(0.0, 2.1) }.times_plus(zz, x.scaled(-1.0)).carried();
    }
}
