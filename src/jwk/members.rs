//! The members of a JWK, read by name and type, and the rules that hold for every key type (RFC 7517 section 4).

use serde_json::{Map, Value};

use super::{invalid, unsupported};
use crate::encoding::from_base64url;
use crate::error::Error;
use crate::jwa::Algorithm;

/// What a key is to be used for (RFC 7517 section 4.3).
#[derive(Clone, Copy)]
pub(super) enum Operation {
    Sign,
    Verify,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Sign => "sign",
            Self::Verify => "verify",
        }
    }
}

/// The members that are secret.
pub(super) const SECRET: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A JWK that is still JSON.
pub(super) struct Members<'a>(&'a Map<String, Value>);

impl<'a> Members<'a> {
    pub(super) fn new(value: &'a Value) -> Result<Self, Error> {
        value.as_object().map(Self).ok_or_else(|| invalid("The key is not a JWK: it must be a JSON object."))
    }

    /// Whether any member is secret (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1), whatever its value.
    pub(super) fn has_secret(&self) -> bool {
        SECRET.iter().any(|name| self.0.contains_key(*name))
    }

    pub(super) fn string(&self, name: &'static str) -> Result<Option<&'a str>, Error> {
        self.0
            .get(name)
            .map(|value| value.as_str().ok_or_else(|| invalid(format!("The JWK's {name} must be a string."))))
            .transpose()
    }

    /// The octets of a required base64url member.
    pub(super) fn decoded(&self, name: &'static str) -> Result<Vec<u8>, Error> {
        let text = self.string(name)?.ok_or_else(|| invalid(format!("The JWK has no {name}.")))?;
        from_base64url(text.as_bytes()).ok_or_else(|| invalid(format!("The JWK's {name} is not unpadded base64url.")))
    }

    /// The octets of a required base64url member of fixed length (RFC 7518 section 6.2.1.2).
    pub(super) fn octets<const LENGTH: usize>(&self, name: &'static str) -> Result<[u8; LENGTH], Error> {
        <[u8; LENGTH]>::try_from(self.decoded(name)?.as_slice())
            .map_err(|_| invalid(format!("The JWK's {name} must be {LENGTH} octets.")))
    }

    /// The algorithm of the key type, if `use`, `key_ops` and `alg` agree with it and with what the key is wanted for.
    pub(super) fn algorithm(&self, operation: Operation) -> Result<Algorithm, Error> {
        let key_type = self.string("kty")?.ok_or_else(|| invalid("The JWK has no kty."))?;
        let of_type = Algorithm::ALL.into_iter().find(|algorithm| algorithm.key_type() == key_type);
        let algorithm =
            of_type.ok_or_else(|| unsupported("Keys of this kty are not supported; use EC (P-256) or RSA."))?;
        match (self.string("crv")?, algorithm.curve()) {
            (stated, curve) if stated == curve => {}
            (Some(_), None) => return Err(invalid("The JWK's crv contradicts its kty.")),
            (None, _) => return Err(invalid("The JWK has no crv.")),
            _ => return Err(unsupported("Keys on this curve are not supported; use P-256.")),
        }
        self.check_purpose(operation)?;
        match self.string("alg")? {
            Some(alg) if alg != algorithm.name() => Err(unsupported(
                "The JWK's alg is not one that its key type is supported for: ES256 for P-256, RS256 for RSA.",
            )),
            _ => Ok(algorithm),
        }
    }

    // RFC 7517 sections 4.2 and 4.3
    fn check_purpose(&self, operation: Operation) -> Result<(), Error> {
        if self.string("use")?.is_some_and(|purpose| purpose != "sig") {
            return Err(unsupported("The JWK's use says that it is not for signatures."));
        }
        let Some(operations) = self.0.get("key_ops") else { return Ok(()) };
        let operations: Vec<&str> = operations
            .as_array()
            .and_then(|items| items.iter().map(Value::as_str).collect())
            .ok_or_else(|| invalid("The JWK's key_ops must be an array of strings."))?;
        if operations.iter().enumerate().any(|(i, name)| operations.iter().take(i).any(|earlier| earlier == name)) {
            return Err(invalid("The JWK's key_ops names an operation twice."));
        }
        if !operations.contains(&operation.name()) {
            return Err(unsupported("The JWK's key_ops does not include what the key is wanted for: sign or verify."));
        }
        Ok(())
    }
}
