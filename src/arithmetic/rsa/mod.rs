//! RSASSA-PKCS1-v1_5 verification with SHA-256 (RFC 8017 section 8.2.2), by comparison of the whole encoded message.
//!
//! The power s^e modulo N is computed by Montgomery multiplication (`modular`), in one of two representations:
//!
//! - `vector`, on WebAssembly with simd128: signed digits of 13 bits, multiplied eight at a time (`columns`);
//! - `scalar`, elsewhere: limbs of 28 bits.
//!
//! Neither has an input for which a sum overflows, so that there is no check and no fallback between them; each module
//! proves that by a table of bounds. Both are tested bit for bit against an independent implementation
//! (`tests/rsa_agreement.rs`, `fuzz/fuzz_targets/rsa.rs`), natively too, where `lanes` emulates the lanes.
//!
//! A [`PublicKey`] is parsed and checked, no more. What its modulus needs besides, R² and for the digits -1/N modulo R, is a
//! [`Context`]: it costs about as much as one or two verifications.

mod columns;
mod context;
mod encoding;
mod modular;
mod number;
mod scalar;
mod vector;

use core::iter;

use crate::prepared::{self, Id};
pub use context::{Context, Path};

/// The least exponent of FIPS 186-5 section A.1.1. The greatest is 2^32 - 1, by the type.
const LEAST_EXPONENT: u32 = 65537;

/// The octets of a modulus of 4096 bits.
pub const MAX_OCTETS: usize = 512;

/// Why a modulus and an exponent do not make a usable key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFault {
    /// A leading zero octet, or no octets at all.
    Encoding,
    /// An even modulus is no product of two odd primes.
    EvenModulus,
    /// Shorter than 2048 or longer than 4096 bits.
    ModulusSize,
    /// Even, below 65537 or above 2^32 - 1.
    Exponent,
    /// Made by the faulty generator of CVE-2017-15361: the modulus can be factored.
    Roca,
}

/// A public key. Import parses and checks it, no more.
#[derive(Debug)]
pub struct PublicKey {
    /// The octets of the modulus, and four of the exponent.
    id: Id,
    exponent: u32,
}

impl PublicKey {
    /// The key with this modulus and exponent, big-endian without leading zeros.
    ///
    /// # Errors
    /// The first [`KeyFault`] that applies.
    pub fn new(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyFault> {
        let (Some(first @ 1..), Some(1..)) = (modulus.first(), exponent.first()) else {
            return Err(KeyFault::Encoding);
        };
        // 2048 bits are 256 octets with the top bit set; 4096 bits are 512 octets.
        if !matches!((modulus.len(), first), (256, 0x80..) | (257..=MAX_OCTETS, _)) {
            return Err(KeyFault::ModulusSize);
        }
        let exponent = read_exponent(exponent).ok_or(KeyFault::Exponent)?;
        if has_roca_fingerprint(modulus) {
            return Err(KeyFault::Roca);
        }
        if modulus.last().is_some_and(|last| last & 1 == 0) {
            return Err(KeyFault::EvenModulus);
        }
        Ok(Self { id: [modulus, &exponent.to_be_bytes()].concat().into(), exponent })
    }

    /// The modulus, big-endian without leading zeros.
    #[must_use]
    pub fn modulus(&self) -> &[u8] {
        self.id.split_last_chunk::<4>().map_or(&[], |(modulus, _)| modulus)
    }

    pub(crate) fn id(&self) -> &Id {
        &self.id
    }

    /// The exponent, big-endian without leading zeros.
    #[must_use]
    pub fn exponent(&self) -> Vec<u8> {
        self.exponent.to_be_bytes().into_iter().skip_while(|octet| *octet == 0).collect()
    }

    /// Whether `signature` signs the SHA-256 digest. The first call makes what the next ones save, see [`prepared`].
    #[must_use]
    pub fn verify(&self, digest: &[u8; 32], signature: &[u8]) -> bool {
        prepared::verify_rsa(self, digest, signature)
    }
}

fn read_exponent(octets: &[u8]) -> Option<u32> {
    if octets.len() > 4 {
        return None;
    }
    let exponent = octets.iter().fold(0, |value, octet| value << 8 | u32::from(*octet));
    (exponent >= LEAST_EXPONENT && exponent & 1 == 1).then_some(exponent)
}

/// Whether the modulus is a power of 65537 modulo every one of these primes. The primes of the faulty generator were of
/// that form (Nemec, Sys, Svenda, Klinec, Matyas: "The Return of Coppersmith's Attack", 2017); for any other modulus the
/// chance is about 2^-27.
fn has_roca_fingerprint(modulus: &[u8]) -> bool {
    const PRIMES: [u16; 17] = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];
    PRIMES.into_iter().all(|prime| {
        let (steps, prime) = (usize::from(prime), u32::from(prime));
        let residue = modulus.iter().fold(0, |value, octet| (value << 8 | u32::from(*octet)) % prime);
        iter::successors(Some(1), |power| Some(power * (65537 % prime) % prime))
            .take(steps)
            .any(|power| power == residue)
    })
}
