//! ECDSA verification on P-256 (FIPS 186-5 section 6.4.2).

#![allow(
    clippy::many_single_char_names,
    clippy::similar_names,
    reason = "names are those of the formulas that are cited"
)]

mod field;
mod generator;
mod inverse;
mod limbs;
mod point;
#[cfg(test)]
mod reference;
mod scalar;
mod table;
mod verify;

use crate::prepared::{self, Id};
use point::Affine;
pub use table::{Table, TableBuilder};

/// The octets of a coordinate (RFC 7518 section 6.2.1.2).
pub const COORDINATE_LENGTH: usize = 32;

/// A point on the curve, not at infinity.
#[derive(Debug)]
pub struct PublicKey {
    x: [u8; COORDINATE_LENGTH],
    y: [u8; COORDINATE_LENGTH],
    point: Affine,
    id: Id,
}

impl PublicKey {
    /// The key with these coordinates, big-endian; `None` when they are not below the field's prime or the point is
    /// not on the curve.
    #[must_use]
    pub fn new(x: &[u8; COORDINATE_LENGTH], y: &[u8; COORDINATE_LENGTH]) -> Option<Self> {
        Affine::from_coordinates(x, y).map(|point| Self { x: *x, y: *y, point, id: [*x, *y].as_flattened().into() })
    }

    pub(crate) fn id(&self) -> &Id {
        &self.id
    }

    /// The coordinates, big-endian.
    #[must_use]
    pub fn coordinates(&self) -> (&[u8; COORDINATE_LENGTH], &[u8; COORDINATE_LENGTH]) {
        (&self.x, &self.y)
    }

    /// Whether `signature` is r and s, 32 octets each and both from 1 to n - 1 (RFC 7518 section 3.4), and signs the
    /// digest. A high s is valid: RFC 7518 has no low-s rule.
    ///
    /// A key that is used again and again gets faster, see [`prepared`].
    #[must_use]
    pub fn verify(&self, digest: &[u8; 32], signature: &[u8]) -> bool {
        prepared::verify_p256(self, digest, signature)
    }

    /// [`verify`](Self::verify) without tables.
    #[must_use]
    pub fn verify_cold(&self, digest: &[u8; 32], signature: &[u8]) -> bool {
        verify::verify_cold(&self.point, digest, signature)
    }

    /// [`verify`](Self::verify) by the tables of the generator and of the key: the same answer in a third of the time.
    #[must_use]
    pub fn verify_hot(generator: &Table, key: &Table, digest: &[u8; 32], signature: &[u8]) -> bool {
        verify::verify_hot(generator, key, digest, signature)
    }

    /// Begins the table of this key.
    #[must_use]
    pub fn table(&self) -> TableBuilder {
        TableBuilder::new(&self.point, table::KEY_WIDTH)
    }
}
