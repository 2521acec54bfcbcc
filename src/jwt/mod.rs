//! JSON Web Tokens (RFC 7519): claims sets, the policy they are held to, verification, issuing and explanation.
//!
//! A checked fact is a type: [`CompactJws`](crate::jws::CompactJws), then
//! [`SignatureVerified`](crate::jws::SignatureVerified), then [`PendingJwt`] where a revocation store has to be asked, and
//! at last [`VerifiedJwt`], the only one of them that shows claims.

pub mod claims;
pub mod explain;
pub mod issue;
pub mod policy;
mod revoke;
pub mod verify;

pub use claims::ClaimsSet;
pub use explain::{Explanation, decode_unverified, explain};
pub use issue::{Issuer, IssuerConfig, Overrides, SigningInput};
pub use policy::Policy;
pub use verify::{PendingJwt, TrustedIssuer, VerifiedJwt, Verifier, VerifierConfig};
