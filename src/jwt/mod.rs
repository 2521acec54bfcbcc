//! JSON Web Tokens (RFC 7519): claims sets and the policy they are held to.

pub mod claims;
pub mod policy;

pub use claims::ClaimsSet;
pub use policy::Policy;
