//! JSON Web Keys (RFC 7517): what contradicts itself, or the algorithm, is refused when it is imported, so that a value
//! of these types is a key that can be used.
//!
//! | kind | member | accepted |
//! |---|---|---|
//! | EC | `crv` | `P-256`, a point on the curve, coordinates of exactly 32 octets |
//! | RSA | `n` | odd, 2048 to 4096 bits, no leading zero octet |
//! | | `e` | odd, 65537 to 2^32 - 1, no leading zero octet |
//! | both | `use` | absent or `sig` |
//! | | `key_ops` | absent, or with `verify` (public) or `sign` (private) |
//! | | `alg` | absent or the one algorithm of the key type |

mod der;
mod members;
pub mod pem;
mod private;
pub mod set;

use core::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::encoding::{base64url, sha256};
use crate::error::{Error, ErrorCode};
use crate::json;
use crate::jwa::Algorithm;
use crate::names::join;
use members::{Members, Operation, SECRET};
use waxseal_arithmetic::p256::{COORDINATE_LENGTH, PublicKey as P256PublicKey};
use waxseal_arithmetic::rsa::{KeyFault as RsaKeyFault, PublicKey as RsaPublicKey};

pub use private::PrivateJwk;
pub use set::KeySet;

/// The longest key text that is read, PEM or JSON of one key, in bytes.
pub const MAX_TEXT_LENGTH: usize = 65536;

/// A public key with its own `kid`, if it has one.
#[derive(Clone)]
pub struct PublicJwk {
    key: Arc<PublicKey>,
    kid: Option<String>,
}

/// The key itself, ready for verification.
pub(crate) enum PublicKey {
    /// For ES256.
    P256(P256PublicKey),
    /// For RS256.
    Rsa(RsaPublicKey),
}

impl PublicJwk {
    /// Reads a public JWK.
    ///
    /// # Errors
    /// [`ErrorCode::KeyPrivate`] for a private or symmetric key, [`ErrorCode::KeyUnsupported`] for a key of another
    /// kind or purpose, [`ErrorCode::KeyWeak`] for an RSA key out of range, and [`ErrorCode::KeyInvalid`] for
    /// everything that is not a well-formed key.
    pub fn from_value(value: &Value) -> Result<Self, Error> {
        let members = Members::new(value)?;
        if members.has_secret() {
            return Err(Error::new(
                ErrorCode::KeyPrivate,
                "A private or symmetric key was given where a public key is meant; publish only its public half.",
            ));
        }
        Self::from_members(&members, Operation::Verify)
    }

    /// Reads a public JWK from JSON text of at most [`MAX_TEXT_LENGTH`] bytes, strictly: a member that stands twice is
    /// an error.
    ///
    /// # Errors
    /// As [`PublicJwk::from_value`].
    pub fn from_json(text: &[u8]) -> Result<Self, Error> {
        Self::from_value(&members_of(&parse_text(text)?))
    }

    /// Reads a public key from PEM: `PUBLIC KEY` or `CERTIFICATE`. It has no `kid` of its own. Of a certificate nothing
    /// but the key is read: neither its validity nor its issuer is checked.
    ///
    /// # Errors
    /// As [`PublicJwk::from_value`].
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        match pem::parse(text)? {
            pem::PemKey::Public(jwk) => Ok(jwk),
            pem::PemKey::Private(_) => Err(Error::new(
                ErrorCode::KeyPrivate,
                "A private key was given where a public key is meant; extract it with openssl pkey -pubout.",
            )),
        }
    }

    /// The public half of a key in any form: a JWK or PEM, public or private.
    ///
    /// # Errors
    /// As [`PublicJwk::from_value`] and [`PrivateJwk::from_value`]. A symmetric key has no public half: it is
    /// [`ErrorCode::KeyUnsupported`].
    pub fn half_of(value: &Value) -> Result<Self, Error> {
        match value {
            Value::String(text) => pem::parse(text).map(pem::PemKey::public_half),
            _ if Members::new(value)?.has_secret() => PrivateJwk::from_value(value).map(|key| key.public().clone()),
            _ => Self::from_value(value),
        }
    }

    /// Reads the public members of a JWK; whether it has private ones is the caller's affair.
    fn from_members(members: &Members<'_>, operation: Operation) -> Result<Self, Error> {
        let algorithm = members.algorithm(operation)?;
        let kid = members.string("kid")?.map(str::to_owned);
        let key = match algorithm {
            Algorithm::Es256 => {
                let (x, y) = (members.octets("x")?, members.octets("y")?);
                PublicKey::p256(&x, &y)?
            }
            Algorithm::Rs256 => PublicKey::rsa(&members.decoded("n")?, &members.decoded("e")?)?,
        };
        Ok(Self::new(key, kid))
    }

    pub(crate) fn new(key: PublicKey, kid: Option<String>) -> Self {
        Self { key: Arc::new(key), kid }
    }

    pub(crate) fn key(&self) -> &Arc<PublicKey> {
        &self.key
    }

    /// The one algorithm that the key can be used with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.key.algorithm()
    }

    /// The key's own `kid`.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The JWK thumbprint with SHA-256 (RFC 7638), as base64url.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        // RFC 7638 section 3: the required members in lexicographic order, without white space. None of the values
        // needs an escape.
        let members: Vec<String> =
            self.key.members().into_iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
        base64url(&sha256(format!("{{{}}}", join(&members, ",")).as_bytes()))
    }

    /// The JWK to publish: the public members, `use: "sig"`, `alg`, and a `kid`, which is the thumbprint where the key
    /// has none of its own.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        for (name, value) in self.key.members() {
            map.insert(name.to_owned(), Value::from(value));
        }
        map.insert("kid".to_owned(), Value::from(self.kid.clone().unwrap_or_else(|| self.thumbprint())));
        map.insert("use".to_owned(), Value::from("sig"));
        map.insert("alg".to_owned(), Value::from(self.algorithm().name()));
        Value::Object(map)
    }
}

impl fmt::Debug for PublicJwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicJwk").field("alg", &self.algorithm().name()).finish_non_exhaustive()
    }
}

impl PublicKey {
    pub(crate) fn p256(x: &[u8; COORDINATE_LENGTH], y: &[u8; COORDINATE_LENGTH]) -> Result<Self, Error> {
        P256PublicKey::new(x, y).map(Self::P256).ok_or_else(|| invalid("The point is not on the curve P-256."))
    }

    pub(crate) fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, Error> {
        RsaPublicKey::new(modulus, exponent).map(Self::Rsa).map_err(|fault| match fault {
            // RFC 7518 section 2, Base64urlUInt: the minimum number of octets.
            RsaKeyFault::Encoding => {
                invalid("The RSA modulus and exponent must not be empty or begin with a zero octet.")
            }
            RsaKeyFault::EvenModulus => invalid("The RSA modulus is even."),
            RsaKeyFault::ModulusSize => weak("The RSA modulus must have 2048 to 4096 bits."),
            RsaKeyFault::Exponent => weak("The RSA exponent must be odd, at least 65537 and below 2^32."),
            RsaKeyFault::Roca => weak("The RSA key was made by a faulty generator (CVE-2017-15361); replace it."),
        })
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        match self {
            Self::P256(_) => Algorithm::Es256,
            Self::Rsa(_) => Algorithm::Rs256,
        }
    }

    /// The members that RFC 7638 section 3.2 requires, in its order.
    pub(crate) fn members(&self) -> Vec<(&'static str, String)> {
        let algorithm = self.algorithm();
        let kty = ("kty", algorithm.key_type().to_owned());
        match self {
            Self::P256(key) => {
                let (x, y) = key.coordinates();
                let crv = ("crv", algorithm.curve().unwrap_or_default().to_owned());
                vec![crv, kty, ("x", base64url(x)), ("y", base64url(y))]
            }
            Self::Rsa(key) => vec![("e", base64url(&key.exponent())), kty, ("n", base64url(key.modulus()))],
        }
    }
}

fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorCode::KeyInvalid, message)
}

fn unsupported(message: &'static str) -> Error {
    Error::new(ErrorCode::KeyUnsupported, message)
}

fn weak(message: &'static str) -> Error {
    Error::new(ErrorCode::KeyWeak, message)
}

/// The object that a key's text is, checked and not yet decoded.
fn parse_text(text: &[u8]) -> Result<json::Object<'_>, Error> {
    if text.len() > MAX_TEXT_LENGTH {
        return Err(invalid("The key is longer than 64 KiB."));
    }
    json::parse_object(text).map_err(|fault| invalid(format!("The key {}.", fault.describe())))
}

/// The text of the private member of a P-256 key, as it stands: what is base64url needs no escape (RFC 8259 section 7).
fn secret_of(object: &json::Object<'_>) -> Option<Zeroizing<Vec<u8>>> {
    let text = object.member("d")?.text().trim_matches('"');
    Some(Zeroizing::new(text.as_bytes().to_vec()))
}

/// The members of a JWK. Those that are secret are not decoded: an empty string stands for a string.
fn members_of(object: &json::Object<'_>) -> Value {
    let mut members = Map::new();
    for (name, raw) in object.iter() {
        let value = match (SECRET.contains(&name.as_ref()), raw.kind()) {
            (true, json::Kind::String) => Value::String(String::new()),
            (true, _) => Value::Null,
            // None of the members that are read is a number.
            _ => raw.value().unwrap_or_default(),
        };
        members.insert(name.into_owned(), value);
    }
    Value::Object(members)
}
