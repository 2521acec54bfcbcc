//! What verification with one key needs and its import does not make.

use super::modular::Powers;
use super::{MAX_OCTETS, PublicKey, encoding};
use super::{scalar, vector};

/// Whether lanes are real ones.
const SIMD: bool = cfg!(all(target_arch = "wasm32", target_feature = "simd128"));

/// Whether the scalar path is there: nothing leads to it where there are lanes, but for proofs, and a module for the web
/// is to be small.
const SCALAR: bool = cfg!(feature = "every-path") || !SIMD;

/// How powers are computed.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// The faster one of the build.
    Auto,
    /// Dot products of 13-bit digits in lanes; without simd128, lanes that are emulated.
    Simd,
    /// One product of 28-bit limbs after the other.
    Scalar,
}

impl Path {
    const fn is_simd(self) -> bool {
        match self {
            Self::Auto => SIMD,
            Self::Simd => true,
            Self::Scalar => !SCALAR,
        }
    }
}

/// Precomputed numbers of a public key.
#[derive(Debug)]
pub struct Context {
    modulus: Box<[u8]>,
    exponent: u32,
    powers: Representation,
}

#[derive(Debug)]
enum Representation {
    Simd(Box<Powers<vector::Modulus>>),
    Scalar(Box<Powers<scalar::Modulus>>),
}

impl Context {
    /// That of a key, for the path that is the faster one.
    #[must_use]
    pub fn new(key: &PublicKey) -> Self {
        Self::with_path(key, Path::Auto)
    }

    /// That of a key, for a given path.
    #[doc(hidden)]
    #[must_use]
    pub fn with_path(key: &PublicKey, path: Path) -> Self {
        let octets = key.modulus();
        let powers = if path.is_simd() {
            Representation::Simd(Box::new(Powers::new(vector::Modulus::new(octets), octets)))
        } else {
            Representation::Scalar(Box::new(Powers::new(scalar::Modulus::new(octets), octets)))
        };
        Self { modulus: octets.into(), exponent: key.exponent, powers }
    }

    /// The path that it takes, never [`Path::Auto`].
    #[doc(hidden)]
    #[must_use]
    pub const fn path(&self) -> Path {
        match self.powers {
            Representation::Simd(_) => Path::Simd,
            Representation::Scalar(_) => Path::Scalar,
        }
    }

    /// The memory that it takes, in octets.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let powers = match &self.powers {
            Representation::Simd(powers) => size_of_val::<Powers<_>>(powers) + powers.modulus().heap_bytes(),
            Representation::Scalar(powers) => size_of_val::<Powers<_>>(powers) + powers.modulus().heap_bytes(),
        };
        size_of::<Self>() + self.modulus.len() + powers
    }

    /// RSAVP1 (RFC 8017 section 5.2.2): the signature to the power of the exponent, in as many octets as the modulus has.
    /// `None` for a signature that is not as long as the modulus or not below it.
    #[must_use]
    pub fn power<'a>(&self, signature: &[u8], buffer: &'a mut [u8; MAX_OCTETS]) -> Option<&'a [u8]> {
        self.power_to(self.exponent, signature, buffer)
    }

    /// The same for another exponent, odd and above 1: small ones make many comparisons cheap.
    #[doc(hidden)]
    #[must_use]
    pub fn power_to<'a>(&self, exponent: u32, signature: &[u8], buffer: &'a mut [u8; MAX_OCTETS]) -> Option<&'a [u8]> {
        // Numbers of one length compare as their octets do.
        if signature.len() != self.modulus.len() || signature >= &*self.modulus {
            return None;
        }
        let power = buffer.get_mut(..signature.len())?;
        match &self.powers {
            Representation::Simd(powers) => powers.power(signature, exponent, power),
            Representation::Scalar(powers) if SCALAR => powers.power(signature, exponent, power),
            Representation::Scalar(_) => return None,
        }
        Some(power)
    }

    /// Whether `signature` signs the SHA-256 digest.
    #[must_use]
    pub fn verify(&self, digest: &[u8; 32], signature: &[u8]) -> bool {
        let mut buffer = [0; MAX_OCTETS];
        self.power(signature, &mut buffer).is_some_and(|power| encoding::is_encoded_message(power, digest))
    }
}
