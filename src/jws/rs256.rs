//! RS256 as an algorithm of the `jwt-compact` crate. It verifies here; it is signed by the host.

use std::borrow::Cow;

use core::fmt;

use jwt_compact::AlgorithmSignature;

use super::key::VerifyingKey;
use crate::jwa::Algorithm;

/// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3).
///
/// RSA private keys never enter this crate: no portable implementation of their arithmetic is fast and free of timing
/// leaks. A token made with this algorithm therefore ends in an empty signature, and the signature that the host's
/// cryptography makes over the text before the last dot is appended to it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rs256;

/// Stands for the private key that the host holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct HostKey;

/// An RS256 signature, as long as the modulus; empty as long as the host has not signed.
#[derive(Clone, Default)]
pub struct Rs256Signature(Vec<u8>);

impl fmt::Debug for Rs256Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rs256Signature").finish_non_exhaustive()
    }
}

impl AlgorithmSignature for Rs256Signature {
    fn try_from_slice(slice: &[u8]) -> anyhow::Result<Self> {
        Ok(Self(slice.to_vec()))
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }
}

impl jwt_compact::Algorithm for Rs256 {
    type SigningKey = HostKey;
    type VerifyingKey = VerifyingKey;
    type Signature = Rs256Signature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(Algorithm::Rs256.name())
    }

    /// The empty signature, for the host to replace.
    fn sign(&self, _: &HostKey, _: &[u8]) -> Rs256Signature {
        Rs256Signature::default()
    }

    /// `false` also for a key of another algorithm: the algorithm comes from the key.
    fn verify_signature(&self, signature: &Rs256Signature, verifying_key: &VerifyingKey, message: &[u8]) -> bool {
        verifying_key.algorithm() == Algorithm::Rs256 && verifying_key.verify(message, &signature.0)
    }
}
