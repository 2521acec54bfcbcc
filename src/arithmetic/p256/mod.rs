//! ECDSA verification on P-256 (FIPS 186-5 section 6.4.2), in variable time, for public data alone.
//!
//! u₁ = e/s and u₂ = r/s modulo n; the signature is valid if the x-coordinate of u₁·G + u₂·Q is r modulo n. There are
//! two ways to that sum, and both give the same answer to everything:
//!
//! - **cold**, for any key: doublings and additions over non-adjacent forms of u₁ and u₂;
//! - **hot**, with tables of multiples of G and Q, in 75 terms at most and without doublings.
//!
//! | file | what it has |
//! |---|---|
//! | `limbs.rs` | the representation of numbers: nine signed limbs of 29 bits |
//! | `field.rs` | integers modulo p in Montgomery form, and why no accumulator overflows |
//! | `inverse.rs` | inverses modulo p and n by division steps |
//! | `scalar.rs` | integers modulo n, and their digits |
//! | `point.rs` | the group: affine and Jacobian formulas |
//! | `generator.rs`, `table.rs` | multiples of points |
//! | `verify.rs` | the two ways |
//!
//! # Bounds
//!
//! Field elements are reduced by their multiplications alone, never to the least residue: a number stands for its
//! element while it stays within these bounds, in units of p. Limbs are tight, as `limbs.rs` says, but for a
//! y-coordinate that was negated, whose limbs are the negatives of tight ones.
//!
//! | number | x or X | y or Y | Z |
//! |---|---|---|---|
//! | key, entry of a table | -0.01 to 1.01 | -0.01 to 1.01 | |
//! | term: an entry or its negative | -0.01 to 1.01 | ±1.01 | |
//! | sum of two terms | -2.1 to 1.1 | -1.1 to 2.2 | |
//! | sum of four terms | -2.2 to 5.1 | -2.4 to 2.2 | |
//! | Jacobian sum, double | -4.5 to 5.1 | -2.7 to 2.2 | -0.2 to 1.3 |
//!
//! `bounds.rs` computes them: it follows every formula with intervals, to a fixed point, and checks what each
//! multiplication wants of its factors. Builds with overflow checks, which those of tests are, check the same on numbers.
//!
//! # Exceptional cases
//!
//! The formulas are wrong for some points. No entry of a table is infinity, and a digit of 0 adds nothing.
//!
//! | operation | wrong for | what is done |
//! |---|---|---|
//! | affine sum | equal or opposite points | in building tables: does not occur, by the order of the group; in the hot way: a factor 0 of the product that is inverted is noticed, and the cold way decides |
//! | affine double | y = 0 | no such point: the order of the group is odd |
//! | mixed sum | infinity, equal or opposite points | Z becomes 0; in the hot way it stays 0 to the end, and the cold way decides; the cold way looks at once, and doubles, or knows the sum to be infinity |
//! | Jacobian double | none | infinity stays infinity |

#![allow(
    clippy::many_single_char_names,
    clippy::similar_names,
    reason = "names are those of the formulas that are cited"
)]

#[cfg(test)]
mod bounds;
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
    /// The coordinates.
    id: Id,
    point: Affine,
}

impl PublicKey {
    /// The key with these coordinates, big-endian; `None` when they are not below the field's prime or the point is
    /// not on the curve.
    #[must_use]
    pub fn new(x: &[u8; COORDINATE_LENGTH], y: &[u8; COORDINATE_LENGTH]) -> Option<Self> {
        Affine::from_coordinates(x, y).map(|point| Self { id: [*x, *y].as_flattened().into(), point })
    }

    pub(crate) fn id(&self) -> &Id {
        &self.id
    }

    /// The coordinates, big-endian.
    #[must_use]
    pub fn coordinates(&self) -> (&[u8; COORDINATE_LENGTH], &[u8; COORDINATE_LENGTH]) {
        const NONE: &[u8; COORDINATE_LENGTH] = &[0; COORDINATE_LENGTH];
        (self.id.first_chunk().unwrap_or(NONE), self.id.last_chunk().unwrap_or(NONE))
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
