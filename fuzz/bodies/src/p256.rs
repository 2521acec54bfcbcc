//! ES256 verdicts, with tables and without, against the `p256` crate.
//!
//! The input is what a signature is made from: the key's scalar d, u₁ and u₂, 32 octets each, and octets that are added
//! to the digest, r and s by exclusive or. With none of those it is valid.

use std::sync::LazyLock;

use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::elliptic_curve::bigint::U256;
use p256::elliptic_curve::ops::Reduce as _;
use p256::elliptic_curve::point::AffineCoordinates as _;
use p256::elliptic_curve::{Group as _, PrimeField as _};
use p256::{ProjectivePoint, Scalar};
use waxseal_arithmetic::p256::{PublicKey, Table, TableBuilder};

static GENERATOR: LazyLock<Table> = LazyLock::new(|| build(TableBuilder::generator()));

fn build(mut builder: TableBuilder) -> Table {
    while !builder.step() {}
    builder.finish().ok().unwrap()
}

fn reduced(octets: &[u8]) -> Scalar {
    Scalar::reduce(&U256::from_be_slice(octets))
}

/// See above.
pub fn run(input: &[u8]) {
    let Some((scalars, changes)) = input.split_first_chunk::<96>() else { return };
    let [d, u1, u2] = [0, 32, 64].map(|at| reduced(&scalars[at..at + 32]));
    let point = ProjectivePoint::GENERATOR * d;
    if point.is_identity().into() {
        return;
    }
    let sum = ProjectivePoint::GENERATOR * (u1 + u2 * d);
    let r = if sum.is_identity().into() { Scalar::ONE } else { reduced(&sum.to_affine().x()) };
    let s = Option::<Scalar>::from(u2.invert()).map_or(Scalar::ONE, |inverse| r * inverse);
    let mut octets = [u1 * s, r, s].map(|scalar| <[u8; 32]>::from(scalar.to_repr()));
    for (octet, change) in octets.as_flattened_mut().iter_mut().zip(changes) {
        *octet ^= change;
    }
    let [digest, signature @ ..] = octets;
    let signature = signature.as_flattened();

    let reference = VerifyingKey::from_affine(point.to_affine()).unwrap();
    let expected =
        Signature::from_slice(signature).is_ok_and(|signature| reference.verify_prehash(&digest, &signature).is_ok());
    let affine = point.to_affine();
    let key = PublicKey::new(&affine.x().into(), &affine.y().into()).unwrap();
    assert_eq!(key.verify_cold(&digest, signature), expected);
    assert_eq!(PublicKey::verify_hot(&GENERATOR, &build(key.table()), &digest, signature), expected);
}
