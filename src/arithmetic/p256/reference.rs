//! What tests compare with: integers of `crypto-bigint`, points of `p256`.

use crypto_bigint::{ArrayEncoding as _, NonZero, U256};
use p256::elliptic_curve::PrimeField as _;
use p256::elliptic_curve::point::AffineCoordinates as _;
use p256::{ProjectivePoint, Scalar};
use proptest::prelude::*;

use super::field::Field;
use super::limbs::{LIMB_BITS, LIMBS, Limbs, OCTETS};
use super::point::{Affine, Jacobian};

pub(super) const P: NonZero<U256> =
    NonZero::<U256>::new_unwrap(U256::from_be_hex("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"));
pub(super) const N: NonZero<U256> =
    NonZero::<U256>::new_unwrap(U256::from_be_hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"));

/// The residue of any limbs.
pub(super) fn residue(limbs: &Limbs, modulus: &NonZero<U256>) -> U256 {
    limbs.iter().rev().fold(U256::ZERO, |number, limb| {
        let shifted = number.mul_mod(&U256::from(1_u64 << LIMB_BITS), modulus);
        let limb_modulo = U256::from(limb.unsigned_abs()).rem_vartime(modulus);
        if *limb < 0 { shifted.sub_mod(&limb_modulo, modulus) } else { shifted.add_mod(&limb_modulo, modulus) }
    })
}

/// 2^261 modulo the modulus.
pub(super) fn radix(modulus: &NonZero<U256>) -> U256 {
    (0..LIMBS).fold(U256::ONE, |power, _| power.mul_mod(&U256::from(1_u64 << LIMB_BITS), modulus))
}

/// The number that an element stands for.
pub(super) fn value(element: &Field) -> U256 {
    let inverse = radix(&P).invert_mod(&P).unwrap();
    residue(&element.0, &P).mul_mod(&inverse, &P)
}

pub(super) fn octets(number: &U256) -> [u8; OCTETS] {
    number.to_be_byte_array().into()
}

/// Limbs within ±bound·2^29, and a last one that keeps the value within ±16·p; many are at the ends.
pub(super) fn limbs(bound: f64) -> impl Strategy<Value = Limbs> {
    #[allow(clippy::as_conversions, clippy::cast_possible_truncation, reason = "below 2^31")]
    let most = (bound * f64::from(1 << LIMB_BITS)) as i64;
    let limb =
        |most: i64| prop_oneof![2 => -most..=most, 1 => Just(most), 1 => Just(-most), 1 => Just(0), 1 => -2..=2_i64];
    ([(); LIMBS - 1].map(|()| limb(most)), limb(1 << 27)).prop_map(|(low, last)| {
        let mut limbs = [last; LIMBS];
        limbs[..LIMBS - 1].copy_from_slice(&low);
        limbs
    })
}

/// Numbers below 2^256, half of them with many octets at an end of their range or near a modulus.
pub(super) fn numbers() -> impl Strategy<Value = U256> {
    let octet = prop_oneof![any::<u8>(), Just(0_u8), Just(0xff_u8)];
    prop_oneof![
        3 => any::<[u8; OCTETS]>().prop_map(|octets| U256::from_be_slice(&octets)),
        3 => prop::array::uniform32(octet).prop_map(|octets| U256::from_be_slice(&octets)),
        1 => (0..16_u64).prop_map(U256::from),
        1 => (0..16_u64).prop_map(|less| P.wrapping_sub(&U256::from(less))),
        1 => (0..16_u64).prop_map(|less| N.wrapping_sub(&U256::from(less))),
        1 => (0..256_u32).prop_map(|bit| U256::ONE.shl_vartime(bit)),
    ]
}

/// scalar·G by the other crate.
pub(super) fn multiple(scalar: &U256) -> ProjectivePoint {
    let scalar = scalar.rem_vartime(&N).to_be_byte_array();
    ProjectivePoint::GENERATOR * Scalar::from_repr(scalar).unwrap()
}

/// The coordinates of a point of the other crate; `None` for infinity.
pub(super) fn affine(point: &ProjectivePoint) -> Option<Affine> {
    let point = point.to_affine();
    Affine::from_coordinates(&point.x().into(), &point.y().into())
}

/// The coordinates of a point, as numbers.
pub(super) fn coordinates(point: &Affine) -> (U256, U256) {
    (value(&point.x), value(&point.y))
}

/// The coordinates of a point that is not infinity.
pub(super) fn of_jacobian(point: &Jacobian) -> Option<(U256, U256)> {
    let z = value(&point.z);
    let inverse = Option::<U256>::from(z.invert_mod(&P))?;
    let square = inverse.mul_mod(&inverse, &P);
    let (x, y) = (value(&point.x), value(&point.y));
    Some((x.mul_mod(&square, &P), y.mul_mod(&square, &P).mul_mod(&inverse, &P)))
}
