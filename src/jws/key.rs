//! Keys that have been imported and are ready for use.

use core::fmt;
use std::sync::Arc;

use p256::ecdsa::signature::Signer as _;
use zeroize::Zeroizing;

use crate::encoding::{base64url, sha256};
use crate::error::{Error, ErrorCode};
use crate::json;
use crate::jwa::Algorithm;
use crate::jwk::{PrivateJwk, PublicJwk, PublicKey};
use crate::secret::on_clean_stack;

/// A public key that knows its one algorithm.
#[derive(Clone)]
pub struct VerifyingKey {
    key: Arc<PublicKey>,
    kid: Option<String>,
    thumbprint: String,
}

impl VerifyingKey {
    /// The verifying key of a JWK, which was checked when it was read.
    #[must_use]
    pub fn from_jwk(jwk: &PublicJwk) -> Self {
        Self { key: Arc::clone(jwk.key()), kid: jwk.kid().map(str::to_owned), thumbprint: jwk.thumbprint() }
    }

    /// The algorithm that the key is for. A token does not choose it.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.key.algorithm()
    }

    /// The key's own `kid`; keys from PEM have none.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The JWK thumbprint with SHA-256 (RFC 7638), as base64url.
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// Whether `signature`, in the form that JWS has for the algorithm, signs the message.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let digest = sha256(message);
        match &*self.key {
            PublicKey::P256(key) => key.verify(&digest, signature),
            PublicKey::Rsa(key) => key.verify(&digest, signature),
        }
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("kid", &self.kid)
            .field("alg", &self.algorithm().name())
            .finish_non_exhaustive()
    }
}

/// A private P-256 key for ES256. The secret is overwritten when the value is dropped.
pub struct SigningKey {
    secret: Arc<p256::ecdsa::SigningKey>,
    public: PublicJwk,
    kid: String,
}

impl SigningKey {
    /// Makes a key from 32 random bytes; `None` when they are not a scalar from 1 to n - 1 (the chance is 2^-32), and
    /// the caller draws again. Any other use of the bytes than this one weakens the key.
    #[must_use]
    pub fn generate(random: &[u8; 32]) -> Option<Self> {
        // FIPS 186-5 section A.2.2: rejection sampling, so that no scalar is likelier than another.
        PrivateJwk::from_scalar(random, None).and_then(|jwk| Self::from_private_jwk(&jwk)).ok()
    }

    /// The signing key of a private JWK.
    ///
    /// # Errors
    /// [`ErrorCode::KeyUnsupported`] for an RSA key: RSA private keys stay in the host.
    pub fn from_private_jwk(jwk: &PrivateJwk) -> Result<Self, Error> {
        let secret = jwk.secret().cloned().ok_or_else(|| {
            Error::new(
                ErrorCode::KeyUnsupported,
                "RSA private keys sign in the host (WebCrypto or a callback), not here.",
            )
        })?;
        let public = jwk.public().clone();
        let kid = public.kid().map_or_else(|| public.thumbprint(), str::to_owned);
        Ok(Self { secret, public, kid })
    }

    /// Reads a PKCS#8 key from PEM (`PRIVATE KEY`).
    ///
    /// # Errors
    /// As [`PrivateJwk::from_pem`] and [`SigningKey::from_private_jwk`].
    pub fn from_pkcs8_pem(text: &str) -> Result<Self, Error> {
        Self::from_private_jwk(&PrivateJwk::from_pem(text)?)
    }

    /// The algorithm that the key is for.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.public.algorithm()
    }

    /// The key's own `kid`, or else its thumbprint.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Signs a message: r and s, 32 octets each (RFC 7518 section 3.4). The nonce is derived from the key and the
    /// message (RFC 6979), so no randomness is needed and none can be bad.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        on_clean_stack(|| {
            let signature: p256::ecdsa::Signature = self.secret.sign(message);
            signature.to_bytes().into()
        })
    }

    /// The public half, to publish.
    #[must_use]
    pub fn public_jwk(&self) -> &PublicJwk {
        &self.public
    }

    /// The public half, to verify with.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey::from_jwk(&self.public)
    }

    /// The private JWK as JSON text, with `kid`, `use` and `alg`. Whoever has it can sign.
    #[must_use]
    pub fn to_private_json(&self) -> Zeroizing<String> {
        let public = json::write(&self.public.to_value());
        let members = public.strip_suffix('}').unwrap_or_default();
        let d = on_clean_stack(|| Zeroizing::new(base64url(&self.secret.to_bytes())));
        // Room for all of it at once: a string that grows leaves copies of the secret behind.
        let mut json = Zeroizing::new(String::with_capacity(public.len() + d.len() + 8));
        for part in [members, ",\"d\":\"", d.as_str(), "\"}"] {
            json.push_str(part);
        }
        json
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .field("alg", &self.algorithm().name())
            .finish_non_exhaustive()
    }
}
