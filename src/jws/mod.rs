//! JSON Web Signature in compact serialization (RFC 7515): parsing, verification and signing.
//!
//! A checked fact is a type: [`CompactJws`] is a token whose form is right, and only [`CompactJws::verify_signature`]
//! turns it into a [`SignatureVerified`].

pub(crate) mod cache;
pub mod compact;
pub mod es256;
pub mod header;
pub mod key;
pub(crate) mod memory;
pub mod rs256;

pub use cache::{CacheConfig, CacheFigures, MAX_ENTRIES};
pub use compact::{CompactJws, SignatureVerified};
pub use header::ProtectedHeader;
pub use key::{SigningKey, VerifyingKey};
