//! JSON Web Tokens (RFC 7519): claims sets, the policy they are held to, verification, issuing and explanation.
//!
//! A checked fact is a type: [`CompactJws`](crate::jws::CompactJws), then
//! [`SignatureVerified`](crate::jws::SignatureVerified), then [`PendingJwt`] where a revocation store has to be asked,
//! and at last [`VerifiedJwt`], the only one of them that shows claims.
//!
//! ```
//! use serde_json::json;
//! use waxseal::jwa::Algorithm;
//! use waxseal::jwk::KeySet;
//! use waxseal::jws::SigningKey;
//! use waxseal::jwt::{Issuer, IssuerConfig, Overrides, TrustedIssuer, Verifier, VerifierConfig};
//! use waxseal::revocation::{Answer, RevocationConfig};
//! use waxseal::{ErrorCode, UnixTime};
//!
//! # fn main() -> Result<(), waxseal::Error> {
//! # let (key_bytes, jti_bytes) = ([7; 32], [9; 16]);
//! // The time and random bytes come from the host.
//! let now = UnixTime::from_seconds(1_700_000_000.0).unwrap();
//! let key = SigningKey::generate(&key_bytes).unwrap();
//! let issuer = Issuer::new(IssuerConfig {
//!     issuer: "https://example.com".into(),
//!     audience: vec!["api".into()],
//!     expires_in: 900,
//!     typ: None,
//!     kid: None,
//!     algorithm: Algorithm::Es256,
//! })?;
//! let token = issuer.issue(&key, json!({"sub": "alice"}), &Overrides::default(), now, &jti_bytes)?;
//!
//! let mut config = VerifierConfig::new(vec![TrustedIssuer {
//!     issuer: Some(vec!["https://example.com".into()]),
//!     audience: Some(vec!["api".into()]),
//!     keys: KeySet::from_value(&key.public_jwk().to_value())?,
//! }]);
//! let verified = Verifier::new(config.clone())?.verify(&token, now)?;
//! assert_eq!(verified.claims().subject().unwrap(), "alice");
//!
//! // With revocation the host reads the planned keys from its store in between.
//! config.revocation = Some(RevocationConfig::default());
//! let verifier = Verifier::new(config)?;
//! let pending = verifier.begin(&token, now)?;
//! let answers: Vec<Answer> = pending.plan().iter().map(|_key| Answer::Missing).collect();
//! let verified = pending.decide(&answers)?;
//!
//! let write = verifier.revoke_subject("alice", None, Default::default(), None, now)?;
//! let pending = verifier.begin(&token, now)?;
//! let error = pending.decide(&[Answer::Missing, Answer::Value(write.value)]).unwrap_err();
//! assert_eq!(error.code(), ErrorCode::TokenRevoked);
//! # Ok(())
//! # }
//! ```

pub mod claims;
pub mod explain;
pub mod issue;
pub mod policy;
mod revoke;
pub mod verify;
mod warm;

pub use claims::ClaimsSet;
pub use explain::{Explanation, decode_unverified, explain};
pub use issue::{Issuer, IssuerConfig, Overrides, SigningInput};
pub use policy::Policy;
pub use verify::{PendingJwt, TrustedIssuer, VerifiedJwt, Verifier, VerifierConfig};
pub use warm::WarmVerifier;
