//! Private JWKs. P-256 keys are read in full. Of an RSA key only the public half is taken: signing with RSA is the
//! host's, and its private members are never decoded.

use core::fmt;

use std::sync::Arc;

use p256::elliptic_curve::point::AffineCoordinates as _;
use serde_json::Value;
use zeroize::Zeroizing;

use super::members::{Members, Operation};
use super::{PublicJwk, PublicKey, invalid, members_of, parse_text, pem, secret_of};
use crate::encoding::secret_from_base64url;
use crate::error::Error;
use crate::jwa::Algorithm;
use crate::secret::on_clean_stack;
use waxseal_arithmetic::p256::COORDINATE_LENGTH;

/// A private key, with its public half. What it holds of the secret is overwritten when it is dropped.
pub struct PrivateJwk {
    /// The scalar of a P-256 key, in one place for all who use it; `None` for RSA.
    secret: Option<Arc<p256::ecdsa::SigningKey>>,
    public: PublicJwk,
}

impl PrivateJwk {
    /// Reads a private JWK. The tree stays the caller's, to overwrite or not.
    ///
    /// # Errors
    /// As [`PublicJwk::from_value`], and [`crate::ErrorCode::KeyInvalid`] when the JWK is not private or `x` and `y`
    /// are not the point that belongs to `d`.
    pub fn from_value(value: &Value) -> Result<Self, Error> {
        let d = value.get("d").and_then(Value::as_str);
        Self::from_members(value, &|| d.map(|text| Zeroizing::new(text.as_bytes().to_vec())))
    }

    /// Reads a private JWK of which the text of `d` is kept apart from the tree, where any string stands for it. It is asked
    /// for if the key is one that signs here.
    pub(crate) fn from_members(value: &Value, d: &dyn Fn() -> Option<Zeroizing<Vec<u8>>>) -> Result<Self, Error> {
        let members = Members::new(value)?;
        let public = PublicJwk::from_members(&members, Operation::Sign)?;
        members.string("d")?.ok_or_else(|| invalid("The JWK has no d: it is not a private key."))?;
        if public.algorithm() == Algorithm::Rs256 {
            return Ok(Self::rsa(public));
        }
        let scalar = d()
            .and_then(|text| secret_from_base64url(&text))
            .ok_or_else(|| invalid("The JWK's d is not unpadded base64url."))?;
        // RFC 7518 section 6.2.2.1
        if scalar.len() != COORDINATE_LENGTH {
            return Err(invalid("The JWK's d must be 32 octets."));
        }
        let private = Self::from_scalar(&scalar, public.kid().map(str::to_owned))?;
        private.require_public(&public)?;
        Ok(private)
    }

    /// Reads a private JWK from JSON text of at most [`super::MAX_TEXT_LENGTH`] bytes, strictly, and overwrites what it
    /// decoded. The text stays the caller's.
    ///
    /// # Errors
    /// As [`PrivateJwk::from_value`].
    pub fn from_json(text: &[u8]) -> Result<Self, Error> {
        let object = parse_text(text)?;
        Self::from_members(&members_of(&object), &|| secret_of(&object))
    }

    /// Reads a private key from PEM: `PRIVATE KEY`, that is PKCS#8 without encryption. It has no `kid` of its own.
    ///
    /// # Errors
    /// As [`PrivateJwk::from_value`].
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        pem::parse(text)?.private()
    }

    /// Reads a private key as files have it: PKCS#8 in DER or in PEM, or a JWK in JSON text; the bytes stay the caller's, to
    /// overwrite or not.
    ///
    /// # Errors
    /// As [`PrivateJwk::from_value`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        pem::read(bytes)?.private()
    }

    /// The P-256 key of a scalar, big-endian, which must be from 1 to n - 1.
    pub(crate) fn from_scalar(scalar: &[u8], kid: Option<String>) -> Result<Self, Error> {
        let secret = on_clean_stack(|| p256::ecdsa::SigningKey::from_slice(scalar).ok().map(Arc::new))
            .ok_or_else(|| invalid("The private key is not a scalar of 32 octets from 1 to n - 1."))?;
        let key = public_half(&secret)?;
        Ok(Self { secret: Some(secret), public: PublicJwk::new(key, kid) })
    }

    /// An RSA key of which the public half alone is known.
    pub(super) fn rsa(public: PublicJwk) -> Self {
        Self { secret: None, public }
    }

    /// Refuses a public half that does not belong to the private one.
    pub(super) fn require_public(&self, stated: &PublicJwk) -> Result<(), Error> {
        if self.public.thumbprint() == stated.thumbprint() {
            Ok(())
        } else {
            Err(invalid("The public and the private half of the key do not belong together."))
        }
    }

    /// The public half, with the same `kid`.
    #[must_use]
    pub fn public(&self) -> &PublicJwk {
        &self.public
    }

    /// The one algorithm that the key can be used with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.public.algorithm()
    }

    /// The key's own `kid`.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.public.kid()
    }

    /// The P-256 secret, or `None` for an RSA key.
    pub(crate) fn secret(&self) -> Option<&Arc<p256::ecdsa::SigningKey>> {
        self.secret.as_ref()
    }
}

impl fmt::Debug for PrivateJwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateJwk").field("alg", &self.algorithm().name()).finish_non_exhaustive()
    }
}

fn public_half(secret: &p256::ecdsa::SigningKey) -> Result<PublicKey, Error> {
    let point = secret.verifying_key().as_affine();
    PublicKey::p256(&point.x().into(), &point.y().into())
}
