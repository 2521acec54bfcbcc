//! ECDSA verification (FIPS 186-5 section 6.4.2): the two ways to the sum u₁·G + u₂·Q.

use core::array::from_fn;

use super::field::Field;
use super::generator::{self, ODD_MULTIPLES};
use super::limbs::{OCTETS, from_octets};
use super::point::{Affine, Jacobian, Packed, invert_all};
use super::scalar::Scalar;
use super::table::{GENERATOR_WIDTH, KEY_WIDTH, Table};

/// The width of the non-adjacent form of u₂.
const KEY_NAF_WIDTH: usize = 5;
/// The odd multiples of a key that its digits name.
const KEY_ODD_MULTIPLES: usize = 1 << (KEY_NAF_WIDTH - 2);

/// The most terms of a sum by tables, one for each window.
const TERMS: usize = 256_usize.div_ceil(GENERATOR_WIDTH) + 256_usize.div_ceil(KEY_WIDTH);

/// p - n, big-endian.
const PRIME_LESS_ORDER: [u8; OCTETS] = [
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x43, 0x19, 0x05, 0x53, 0x58, 0xe8, 0x61, 0x7b, 0x0c, 0x46, 0x35,
    0x3d, 0x03, 0x9c, 0xda, 0xae,
];

/// n in Montgomery form.
const ORDER: Field = Field([
    0x06be_ad13,
    0x1169_4833,
    0x14c9_8cd6,
    0x0150_f2ff,
    0x0d6f_1362,
    0x0ce6_52e9,
    0x1582_00b3,
    0x029f_8c3f,
    0x000c_9184,
]);

/// What a signature says about its digest: that u₁·G + u₂·Q has an x-coordinate that is r modulo n.
struct Claim<'a> {
    r: &'a [u8; OCTETS],
    u1: Scalar,
    u2: Scalar,
}

impl<'a> Claim<'a> {
    fn new(digest: &[u8; OCTETS], signature: &'a [u8]) -> Option<Self> {
        let (r, s) = signature.split_first_chunk()?;
        let of_r = Scalar::nonzero(r)?;
        let s = Scalar::nonzero(s.try_into().ok()?)?;
        let (u1, u2) = s.quotients(&from_octets(digest), &of_r.0);
        Some(Self { r, u1, u2 })
    }

    /// Whether the sum is as claimed: X = x·Z² for x = r or x = r + n, which are all numbers below p that are r modulo
    /// n, for p < 2·n. The sum is not infinity.
    fn holds(&self, sum: &Jacobian) -> bool {
        let zz = sum.z.squared();
        let is = |x: &Field| x.times_plus(&zz, &sum.x.negated()).is_zero();
        let r = Field::from_octets(self.r);
        is(&r) || *self.r < PRIME_LESS_ORDER && is(&r.plus(&ORDER))
    }
}

/// Verification without tables of the key: simultaneous multiplication by doubling and adding ("Shamir's trick", Straus
/// 1964) over non-adjacent forms. Every sum is right whatever its terms.
pub(super) fn verify_cold(key: &Affine, digest: &[u8; OCTETS], signature: &[u8]) -> bool {
    let Some(claim) = Claim::new(digest, signature) else { return false };
    let Some(of_key) = odd_multiples(key) else { return false };
    let u1 = claim.u1.non_adjacent_form(generator::NAF_WIDTH);
    let u2 = claim.u2.non_adjacent_form(KEY_NAF_WIDTH);
    let mut sum = None;
    for (u1, u2) in u1.iter().zip(&u2).rev() {
        sum = sum.map(|sum: Jacobian| sum.doubled());
        for term in [term(&ODD_MULTIPLES, *u1), term(&of_key, *u2)].into_iter().flatten() {
            sum = Some(sum.map_or_else(|| Jacobian::from(&term), |sum| sum.plus(&term)));
        }
    }
    sum.is_some_and(|sum| !sum.z.is_zero() && claim.holds(&sum))
}

/// digit·P, given the odd multiples of P.
fn term(odd_multiples: &[Packed], digit: i8) -> Option<Affine> {
    if digit == 0 {
        return None;
    }
    let point = odd_multiples.get(usize::from(digit.unsigned_abs() / 2))?;
    let point = point.unpacked();
    Some(if digit < 0 { point.negated() } else { point })
}

/// P, 3·P, 5·P and so on. Each is the one before plus 2·P, which is not exceptional: the order of P is a large prime.
fn odd_multiples(point: &Affine) -> Option<[Packed; KEY_ODD_MULTIPLES]> {
    let mut inverse = [point.y.plus(&point.y)];
    invert_all(&mut inverse, &mut [Field::ZERO]).then_some(())?;
    let [inverse] = inverse;
    let twice = point.doubled(&inverse).folded();
    let mut multiple = Jacobian::from(point);
    let multiples: [Jacobian; KEY_ODD_MULTIPLES] = from_fn(|i| {
        if i > 0 {
            multiple = multiple.plus_distinct(&twice);
        }
        multiple
    });
    let mut inverses = multiples.map(|multiple| multiple.z);
    invert_all(&mut inverses, &mut [Field::ZERO; KEY_ODD_MULTIPLES]).then_some(())?;
    let mut inverses = inverses.iter();
    Some(multiples.map(|multiple| Packed::from(&multiple.to_affine(inverses.next().unwrap_or(&Field::ONE)))))
}

/// Verification by tables of the generator and of the key: a sum of one term for each window.
///
/// The terms are added two by two in affine coordinates, twice, with one inversion for all sums; then the rest one
/// after another. Formulas that are wrong for equal and for opposite points are noticed: a difference that is to be
/// inverted is 0, or the Z of the result is. Then, and where the sum is infinity, which also gives Z = 0, the other way decides.
#[inline(never)]
pub(super) fn verify_hot(generator: &Table, key: &Table, digest: &[u8; OCTETS], signature: &[u8]) -> bool {
    let Some(claim) = Claim::new(digest, signature) else { return false };
    match sum_by_tables(generator, &claim.u1, key, &claim.u2) {
        Some(sum) => claim.holds(&sum),
        None => key.point().is_some_and(|key| verify_cold(&key, digest, signature)),
    }
}

/// u₁·G + u₂·Q; `None` if an addition was exceptional or the sum is infinity.
fn sum_by_tables(generator: &Table, u1: &Scalar, key: &Table, u2: &Scalar) -> Option<Jacobian> {
    const NOTHING: Affine = Affine { x: Field::ZERO, y: Field::ZERO };
    let mut terms = [NOTHING; TERMS];
    let mut free = terms.iter_mut();
    let mut count = 0;
    for (table, scalar) in [(generator, u1), (key, u2)] {
        table.for_each_term(scalar, |term| {
            if let Some(place) = free.next() {
                *place = term;
                count += 1;
            }
        });
    }
    let mut halves = [NOTHING; TERMS / 2 + 1];
    let mut quarters = [NOTHING; TERMS / 4 + 1];
    let halves = add_pairs(terms.get(..count)?, &mut halves)?;
    let (first, rest) = add_pairs(halves, &mut quarters)?.split_first()?;
    let sum = rest.iter().fold(Jacobian::from(first), |sum, term| sum.plus_distinct(term));
    (!sum.z.is_zero()).then_some(sum)
}

/// The sums of neighbours, and the last term where it has none; `None` if neighbours are equal or opposite.
fn add_pairs<'a>(terms: &[Affine], sums: &'a mut [Affine]) -> Option<&'a [Affine]> {
    let (pairs, odd) = terms.as_chunks::<2>();
    let mut inverses = [Field::ZERO; TERMS / 2];
    for ([a, b], inverse) in pairs.iter().zip(&mut inverses) {
        *inverse = b.x.minus(&a.x);
    }
    invert_all(inverses.get_mut(..pairs.len())?, &mut [Field::ZERO; TERMS / 2]).then_some(())?;
    for (([a, b], inverse), sum) in pairs.iter().zip(&inverses).zip(sums.iter_mut()) {
        *sum = a.plus(b, inverse);
    }
    if let (Some(last), Some(sum)) = (odd.first(), sums.get_mut(pairs.len())) {
        *sum = *last;
    }
    sums.get(..pairs.len() + odd.len())
}

#[cfg(test)]
mod tests {
    use p256::elliptic_curve::PrimeField as _;
    use p256::{ProjectivePoint, Scalar as Reference};

    use super::super::reference::affine;
    use super::super::table::TableBuilder;
    use super::*;

    fn build(mut builder: TableBuilder) -> Table {
        while !builder.step() {}
        builder.finish().unwrap()
    }

    fn ours(scalar: &Reference) -> Scalar {
        Scalar::nonzero(&scalar.to_repr().into()).unwrap()
    }

    /// Whether the tables give u₁·G + u₂·Q for Q = d·G.
    fn is_summed(generator: &Table, u1: &Reference, u2: &Reference, d: &Reference) -> bool {
        let point = affine(&(ProjectivePoint::GENERATOR * d)).unwrap();
        let key = build(TableBuilder::new(&point, KEY_WIDTH));
        sum_by_tables(generator, &ours(u1), &key, &ours(u2)).is_some()
    }

    #[test]
    fn an_exceptional_addition_of_each_level_leaves_the_verdict_to_the_other_way() {
        let generator = build(TableBuilder::generator());
        // As many windows, from the lowest up, make the terms of one addition of the first level, of the second and of
        // the rest: the sum of those of G meets the sum of those of Q.
        for count in [1, 2, 4_u64] {
            let windows = |width: u32| {
                let base = Reference::from(1_u64 << width);
                (0..count).fold(Reference::ONE, |number, digit| number * base + Reference::from(digit + 3_u64))
            };
            let top = |width: u32| (0..count).fold(Reference::ONE, |power, _| power * Reference::from(1_u64 << width));
            let (u1, u2) = (windows(8) - top(8), windows(6) - top(6));
            let d = u1 * u2.invert().unwrap();
            assert!(!is_summed(&generator, &u1, &u2, &d), "equal, {count} windows");
            assert!(!is_summed(&generator, &u1, &u2, &-d), "opposite, {count} windows");
            assert!(is_summed(&generator, &u1, &u2, &(d + Reference::ONE)), "neither, {count} windows");
        }
    }

    #[test]
    fn constants_are_what_they_are_said_to_be() {
        use super::super::reference::{N, P, octets, value};
        assert_eq!(value(&ORDER), N.get());
        assert_eq!(PRIME_LESS_ORDER, octets(&P.wrapping_sub(&N)));
    }
}
