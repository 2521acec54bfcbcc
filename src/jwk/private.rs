//! Private JWKs. P-256 keys are read in full. Of an RSA key only the public half is taken: signing with RSA is the
//! host's, and its private members are never decoded.

use core::fmt;

use p256::elliptic_curve::point::AffineCoordinates as _;
use serde_json::Value;

use super::members::{Members, Operation};
use super::{PublicJwk, PublicKey, invalid, pem, read_json};
use crate::error::Error;
use crate::jwa::Algorithm;
use waxseal_arithmetic::p256::COORDINATE_LENGTH;

/// A private key, with its public half. What it holds of the secret is overwritten when it is dropped.
pub struct PrivateJwk {
    /// The scalar of a P-256 key; `None` for RSA.
    secret: Option<p256::ecdsa::SigningKey>,
    public: PublicJwk,
}

impl PrivateJwk {
    /// Reads a private JWK. The tree stays the caller's, to overwrite or not.
    ///
    /// # Errors
    /// As [`PublicJwk::from_value`], and [`crate::ErrorCode::KeyInvalid`] when the JWK is not private or `x` and `y`
    /// are not the point that belongs to `d`.
    pub fn from_value(value: &Value) -> Result<Self, Error> {
        let members = Members::new(value)?;
        let public = PublicJwk::from_members(&members, Operation::Sign)?;
        match public.algorithm() {
            Algorithm::Es256 => {
                let scalar = members.octets::<COORDINATE_LENGTH>("d")?;
                let private = Self::from_scalar(scalar.as_slice(), public.kid().map(str::to_owned))?;
                private.require_public(&public)?;
                Ok(private)
            }
            Algorithm::Rs256 => {
                members.string("d")?.ok_or_else(|| invalid("The JWK has no d: it is not a private key."))?;
                Ok(Self::rsa(public))
            }
        }
    }

    /// Reads a private JWK from JSON text of at most [`super::MAX_TEXT_LENGTH`] bytes, strictly, and overwrites what it
    /// decoded. The text stays the caller's.
    ///
    /// # Errors
    /// As [`PrivateJwk::from_value`].
    pub fn from_json(text: &[u8]) -> Result<Self, Error> {
        read_json(text, Self::from_value)
    }

    /// Reads a private key from PEM: `PRIVATE KEY`, that is PKCS#8 without encryption. It has no `kid` of its own.
    ///
    /// # Errors
    /// As [`PrivateJwk::from_value`].
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        match pem::parse(text)? {
            pem::PemKey::Private(jwk) => Ok(jwk),
            pem::PemKey::Public(_) => Err(invalid("A public key was given where a private key is meant.")),
        }
    }

    /// The P-256 key of a scalar, big-endian, which must be from 1 to n - 1.
    pub(crate) fn from_scalar(scalar: &[u8], kid: Option<String>) -> Result<Self, Error> {
        let secret = p256::ecdsa::SigningKey::from_slice(scalar)
            .map_err(|_| invalid("The private key is not a scalar of 32 octets from 1 to n - 1."))?;
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
    pub(crate) fn secret(&self) -> Option<&p256::ecdsa::SigningKey> {
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
