//! ECDSA verification on P-256 (FIPS 186-5 section 6.4.2).

use p256::AffinePoint;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::elliptic_curve::point::AffineCoordinates as _;

/// The octets of a coordinate (RFC 7518 section 6.2.1.2).
pub const COORDINATE_LENGTH: usize = 32;

/// A point on the curve, not at infinity.
#[derive(Debug)]
pub struct PublicKey {
    x: [u8; COORDINATE_LENGTH],
    y: [u8; COORDINATE_LENGTH],
    key: VerifyingKey,
}

impl PublicKey {
    /// The key with these coordinates, big-endian; `None` when they are not below the field's prime or the point is
    /// not on the curve.
    #[must_use]
    pub fn new(x: &[u8; COORDINATE_LENGTH], y: &[u8; COORDINATE_LENGTH]) -> Option<Self> {
        // Not by way of SEC 1 octets: their reader brings the square roots that compressed points need.
        let point = AffinePoint::from_coordinates(&(*x).into(), &(*y).into()).into_option()?;
        VerifyingKey::from_affine(point).ok().map(|key| Self { x: *x, y: *y, key })
    }

    /// The coordinates, big-endian.
    #[must_use]
    pub fn coordinates(&self) -> (&[u8; COORDINATE_LENGTH], &[u8; COORDINATE_LENGTH]) {
        (&self.x, &self.y)
    }

    /// Whether `signature` is r and s, 32 octets each and both from 1 to n - 1 (RFC 7518 section 3.4), and signs the
    /// digest. A high s is valid: RFC 7518 has no low-s rule.
    #[must_use]
    pub fn verify(&self, digest: &[u8; 32], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.key.verify_prehash(digest, &signature).is_ok())
    }
}
