//! Tables of multiples of a point, with which its multiplication by any scalar is a sum without doublings.

#![allow(clippy::as_conversions, reason = "a digit is below 2^8")]

use super::field::Field;
use super::generator::GENERATOR;
use super::point::{Affine, Jacobian, Packed, invert_all};
use super::scalar::Scalar;

/// The bits of a window in the table of the generator, which all keys share.
pub(super) const GENERATOR_WIDTH: usize = 8;
/// The bits of a window in the table of a key.
pub(super) const KEY_WIDTH: usize = 6;

/// The most additions that share an inversion when a table is built.
const BATCH: usize = 64;

/// The most windows that are built at once: those of 16 points, of a width of 5.
const MOST_WINDOWS: usize = 2 * BATCH / 16;

/// The multiples digit·2^(width·index)·P of a point P, for the digits from 1 to 2^(width-1) of every window.
#[derive(Debug)]
pub struct Table {
    width: usize,
    points: Vec<Packed>,
}

/// The windows of a number of 256 bits.
const fn windows(width: usize) -> usize {
    256_usize.div_ceil(width)
}

impl Table {
    const fn bytes(width: usize) -> usize {
        size_of::<Packed>() * (windows(width) << (width - 1))
    }

    /// The memory of the table of the generator in bytes.
    pub const GENERATOR_BYTES: usize = Self::bytes(GENERATOR_WIDTH);

    /// The memory of the table of a key in bytes.
    pub const KEY_BYTES: usize = Self::bytes(KEY_WIDTH);

    /// The point whose multiples these are.
    pub(super) fn point(&self) -> Option<Affine> {
        self.points.first().map(Packed::unpacked)
    }

    /// Calls `with` for each term of ±scalar·P; a table that is not complete has none.
    pub(super) fn for_each_term(&self, scalar: &Scalar, mut with: impl FnMut(Affine)) {
        let (magnitude, negative) = scalar.halved_range();
        magnitude.for_each_window(self.width, |index, digit| {
            let place = (index << (self.width - 1)) + digit.unsigned_abs() as usize - 1;
            if let Some(point) = self.points.get(place) {
                let point = point.unpacked();
                with(if negative == (digit < 0) { point } else { point.negated() });
            }
        });
    }
}

/// A table under construction, in steps of some 50 microseconds.
#[derive(Debug)]
pub struct TableBuilder {
    table: Table,
    /// The point whose multiples the next window has.
    base: Packed,
}

impl TableBuilder {
    /// Begins the table of the generator.
    #[must_use]
    pub fn generator() -> Self {
        Self::new(&GENERATOR.unpacked(), GENERATOR_WIDTH)
    }

    pub(super) fn new(point: &Affine, width: usize) -> Self {
        let points = Vec::with_capacity(windows(width) << (width - 1));
        Self { table: Table { width, points }, base: Packed::from(point) }
    }

    /// Adds windows to the table, as many as let 64 additions share an inversion. Returns whether it is complete.
    #[inline(never)]
    pub fn step(&mut self) -> bool {
        let Table { width, points } = &mut self.table;
        let multiples = 1 << (*width - 1);
        let missing = windows(*width) - points.len() / multiples;
        let count = missing.min(2 * BATCH / multiples);
        let begin = points.len();
        points.resize(begin + count * multiples, self.base);
        let new = points.get_mut(begin..).unwrap_or_default();
        self.base = bases(new, multiples, *width, &self.base);
        fill(new, multiples);
        missing == count
    }

    /// The table, if it is complete.
    ///
    /// # Errors
    /// The builder, if it is not.
    pub fn finish(self) -> Result<Table, Self> {
        let complete = self.table.points.len() == windows(self.table.width) << (self.table.width - 1);
        if complete { Ok(self.table) } else { Err(self) }
    }
}

/// Sets the first point of each window, given that of the first window; returns that of the window after the last.
fn bases(points: &mut [Packed], multiples: usize, width: usize, first: &Packed) -> Packed {
    let mut point = Jacobian::from(&first.unpacked());
    let mut doubled = [point; MOST_WINDOWS];
    let mut inverses = [Field::ZERO; MOST_WINDOWS];
    let count = points.len() / multiples;
    for (doubled, inverse) in doubled.iter_mut().zip(&mut inverses).take(count) {
        for _ in 0..width {
            point = point.doubled();
        }
        *doubled = point;
        *inverse = point.z;
    }
    // No multiple of a point by a power of 2 is infinity: Z is not 0.
    invert_all(inverses.get_mut(..count).unwrap_or_default(), &mut [Field::ZERO; MOST_WINDOWS]);
    let mut next = *first;
    for ((window, doubled), inverse) in points.chunks_exact_mut(multiples).zip(&doubled).zip(&inverses) {
        if let Some(base) = window.first_mut() {
            *base = next;
        }
        next = Packed::from(&doubled.to_affine(inverse));
    }
    next
}

/// Sets the multiples from 2 on in each window, given the first: from 1 to n follow n + 1 to 2·n, by additions of the
/// n-th and a doubling of it.
///
/// No addition is exceptional: i·P and n·P with 0 < i < n ≤ 128 are neither equal nor opposite, for the order of P is a
/// large prime.
fn fill(points: &mut [Packed], multiples: usize) {
    let mut inverses = [Field::ZERO; BATCH];
    let mut known = 1;
    while known < multiples {
        let mut free = inverses.iter_mut();
        for window in points.chunks_exact(multiples) {
            let Some((last, others)) = window.get(..known).and_then(<[_]>::split_last) else { return };
            let last = last.unpacked();
            for (other, inverse) in others.iter().zip(&mut free) {
                *inverse = other.unpacked().x.minus(&last.x);
            }
            if let Some(inverse) = free.next() {
                *inverse = last.y.plus(&last.y);
            }
        }
        let count = known * points.len() / multiples;
        invert_all(inverses.get_mut(..count).unwrap_or_default(), &mut [Field::ZERO; BATCH]);
        let mut inverse = inverses.iter();
        for window in points.chunks_exact_mut(multiples) {
            let (old, new) = window.split_at_mut(known);
            let Some((last, others)) = old.split_last() else { return };
            let last = last.unpacked();
            for ((sum, other), inverse) in new.iter_mut().zip(others).zip(&mut inverse) {
                *sum = Packed::from(&last.plus(&other.unpacked(), inverse));
            }
            if let (Some(sum), Some(inverse)) = (new.get_mut(known - 1), inverse.next()) {
                *sum = Packed::from(&last.doubled(inverse));
            }
        }
        known *= 2;
    }
}

#[cfg(test)]
mod tests {
    use crypto_bigint::U256;
    use p256::ProjectivePoint;
    use p256::elliptic_curve::PrimeField as _;

    use super::super::reference::{affine, coordinates};
    use super::*;

    fn build(mut builder: TableBuilder) -> Table {
        while !builder.step() {}
        builder.finish().unwrap()
    }

    #[test]
    fn every_entry_is_the_multiple_that_it_stands_for() {
        for (scalar, width) in [(1_u64, GENERATOR_WIDTH), (0xdead_beef, KEY_WIDTH), (0xdead_beef, 5), (3, 7)] {
            let mut base = ProjectivePoint::GENERATOR * p256::Scalar::from(scalar);
            let table = build(TableBuilder::new(&affine(&base).unwrap(), width));
            assert_eq!(size_of_val(table.points.as_slice()), Table::bytes(width));
            for window in table.points.chunks(1 << (width - 1)) {
                let mut multiple = base;
                for point in window {
                    assert_eq!(coordinates(&point.unpacked()), coordinates(&affine(&multiple).unwrap()));
                    multiple += base;
                }
                for _ in 0..width {
                    base = base + base;
                }
            }
        }
    }

    #[test]
    fn only_a_complete_table_is_given() {
        let mut builder = TableBuilder::generator();
        let mut steps = 0;
        loop {
            let complete = builder.step();
            steps += 1;
            let TableBuilder { table: Table { width, points }, base } = &builder;
            let table = Table { width: *width, points: points.clone() };
            assert_eq!(TableBuilder { table, base: *base }.finish().is_ok(), complete);
            if complete {
                break;
            }
        }
        assert_eq!(steps, 32);
        // One step more changes nothing.
        assert!(builder.step() && builder.finish().is_ok());
    }

    #[test]
    fn terms_add_up() {
        let base = ProjectivePoint::GENERATOR * p256::Scalar::from(77_u64);
        let table = build(TableBuilder::new(&affine(&base).unwrap(), KEY_WIDTH));
        for number in [U256::ONE, U256::MAX.shr_vartime(1), U256::MAX.shr_vartime(3)] {
            let octets = super::super::reference::octets(&number);
            let scalar = Scalar::nonzero(&octets).unwrap();
            let mut sum = Jacobian::INFINITY;
            table.for_each_term(&scalar, |term| sum = sum.plus(&term));
            let expected = affine(&(base * p256::Scalar::from_repr(octets.into()).unwrap())).unwrap();
            assert_eq!(super::super::reference::of_jacobian(&sum), Some(coordinates(&expected)));
        }
    }
}
