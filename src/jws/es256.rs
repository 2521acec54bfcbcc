//! ES256 as an algorithm of the `jwt-compact` crate, for Rust users and for issuing.

use std::borrow::Cow;

use core::fmt;
use core::num::NonZeroUsize;

use jwt_compact::AlgorithmSignature;

use super::key::{SigningKey, VerifyingKey};
use crate::jwa::Algorithm;

/// The length of a signature: r and s of 32 octets each (RFC 7518 section 3.4).
pub const SIGNATURE_LENGTH: usize = 64;

/// ECDSA on P-256 with SHA-256 (RFC 7518 section 3.4), deterministic (RFC 6979).
///
/// ```
/// use jwt_compact::{AlgorithmExt as _, Claims, Header, UntrustedToken};
/// use waxseal::jws::{SigningKey, es256::Es256};
///
/// let key = SigningKey::generate(&[7; 32]).unwrap();
/// let token = Es256.token(&Header::empty(), &Claims::new(serde_json::json!({"sub": "alice"})), &key).unwrap();
///
/// let untrusted = UntrustedToken::new(&token).unwrap();
/// let verified = Es256.validator::<serde_json::Value>(&key.verifying_key()).validate(&untrusted).unwrap();
/// assert_eq!(verified.claims().custom["sub"], "alice");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Es256;

/// An ES256 signature: r and s, big-endian.
#[derive(Clone, Copy)]
pub struct Es256Signature([u8; SIGNATURE_LENGTH]);

impl fmt::Debug for Es256Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Es256Signature").finish_non_exhaustive()
    }
}

impl AlgorithmSignature for Es256Signature {
    const LENGTH: Option<NonZeroUsize> = NonZeroUsize::new(SIGNATURE_LENGTH);

    fn try_from_slice(slice: &[u8]) -> anyhow::Result<Self> {
        slice.try_into().map(Self).map_err(|_| anyhow::Error::msg("an ES256 signature has 64 bytes"))
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }
}

impl jwt_compact::Algorithm for Es256 {
    type SigningKey = SigningKey;
    type VerifyingKey = VerifyingKey;
    type Signature = Es256Signature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(Algorithm::Es256.name())
    }

    fn sign(&self, signing_key: &SigningKey, message: &[u8]) -> Es256Signature {
        Es256Signature(signing_key.sign(message))
    }

    /// `false` also for a key of another algorithm: the algorithm comes from the key.
    fn verify_signature(&self, signature: &Es256Signature, verifying_key: &VerifyingKey, message: &[u8]) -> bool {
        verifying_key.algorithm() == Algorithm::Es256 && verifying_key.verify(message, &signature.0)
    }
}
