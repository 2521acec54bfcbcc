//! A verifier that shares no code with ours but SHA-256: `jwt-compact` reads the token, `p256` and `crypto-bigint` do the arithmetic.

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::sync::LazyLock;

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use jwt_compact::{
    Algorithm, AlgorithmExt as _, AlgorithmSignature, Claims, ParseError, TimeOptions, Token, UntrustedToken,
};
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use serde_json::{Map, Value};
use waxseal::encoding::{from_base64url, sha256};

use crate::json::is_near;
use crate::minting;

/// Why a token is refused.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The header is not what the reader takes for one.
    Header(serde_json::Error),
    /// `cty` is not JSON.
    ContentType,
    /// Anything else.
    Other,
}

/// The claims of a token that is accepted.
pub(crate) struct Accepted(Claims<Map<String, Value>>);

impl Accepted {
    /// Whether they are these: times to the second, others entirely.
    pub(crate) fn is(&self, claims: &Value) -> bool {
        let mut others = claims.as_object().unwrap().clone();
        let Claims { expiration, not_before, issued_at, custom, .. } = &self.0;
        let times = [("exp", expiration), ("nbf", not_before), ("iat", issued_at)];
        times.iter().all(|(name, expected)| {
            let time = others.remove(*name).map(|time| time.as_f64().unwrap().trunc());
            time == expected.map(|time| time.timestamp().to_string().parse().unwrap())
        }) && is_near(&Value::Object(others), &Value::Object(custom.clone()))
    }
}

/// A time of an accepted token with its fraction, which this verifier leaves out.
pub(crate) fn time(token: &str, name: &str) -> Option<f64> {
    let payload = from_base64url(token.split('.').nth(1)?.as_bytes())?;
    serde_json::from_slice::<Value>(&payload).ok()?.get(name)?.as_f64()
}

/// The two algorithms, over keys and arithmetic that are not ours.
struct Es256;
struct Rs256;

struct Octets<const LENGTH: usize>(Vec<u8>);

impl<const LENGTH: usize> AlgorithmSignature for Octets<LENGTH> {
    const LENGTH: Option<NonZeroUsize> = NonZeroUsize::new(LENGTH);

    fn try_from_slice(slice: &[u8]) -> anyhow::Result<Self> {
        Ok(Self(slice.to_vec()))
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }
}

impl Algorithm for Es256 {
    type SigningKey = ();
    type VerifyingKey = VerifyingKey;
    type Signature = Octets<64>;

    fn name(&self) -> Cow<'static, str> {
        "ES256".into()
    }

    fn sign(&self, (): &(), _: &[u8]) -> Octets<64> {
        unreachable!("it verifies alone")
    }

    fn verify_signature(&self, signature: &Octets<64>, key: &VerifyingKey, message: &[u8]) -> bool {
        Signature::from_slice(&signature.0).is_ok_and(|signature| key.verify(message, &signature).is_ok())
    }
}

impl Algorithm for Rs256 {
    type SigningKey = ();
    type VerifyingKey = BoxedUint;
    type Signature = Octets<256>;

    fn name(&self) -> Cow<'static, str> {
        "RS256".into()
    }

    fn sign(&self, (): &(), _: &[u8]) -> Octets<256> {
        unreachable!("it verifies alone")
    }

    // RFC 8017 section 8.2.2: the encoded message is made again and compared.
    fn verify_signature(&self, signature: &Octets<256>, modulus: &BoxedUint, message: &[u8]) -> bool {
        let signature = BoxedUint::from_be_slice_vartime(&signature.0);
        if signature >= *modulus {
            return false;
        }
        let params = BoxedMontyParams::new_vartime(Odd::new(modulus.clone()).unwrap());
        let power = BoxedMontyForm::new(signature, &params).pow(&BoxedUint::from(65537_u32)).retrieve();
        // SHA-256 in DigestInfo: RFC 8017 section 9.2, note 1.
        let info = [0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20];
        let padding = [0xff; 256 - 3 - 19 - 32];
        power.to_be_bytes()[..] == [&[0, 1][..], &padding, &[0], &info, &sha256(message)].concat()
    }
}

static KEYS: LazyLock<(VerifyingKey, BoxedUint)> = LazyLock::new(|| {
    let octets = |jwk: &Value, name: &str| from_base64url(jwk[name].as_str().unwrap().as_bytes()).unwrap();
    let ec = minting::key(1).public_jwk().to_value();
    let point = [vec![4], octets(&ec, "x"), octets(&ec, "y")].concat();
    let modulus = octets(&minting::rsa_jwk(), "n");
    (VerifyingKey::from_sec1_bytes(&point).unwrap(), BoxedUint::from_be_slice_vartime(&modulus))
});

/// Verifies a token with the keys and the policy of the target.
pub(crate) fn verify(token: &str) -> Result<Accepted, Fault> {
    let untrusted = UntrustedToken::new(token).map_err(|error| match error {
        ParseError::MalformedHeader(error) => Fault::Header(error),
        ParseError::UnsupportedContentType(_) => Fault::ContentType,
        _ => Fault::Other,
    })?;
    let signed: Result<Token<Map<String, Value>>, _> = match untrusted.algorithm() {
        "ES256" => Es256.validator(&KEYS.0).validate(&untrusted),
        "RS256" => Rs256.validator(&KEYS.1).validate(&untrusted),
        _ => return Err(Fault::Other),
    };
    let (_, claims) = signed.map_err(|_| Fault::Other)?.into_parts();
    let now = chrono::DateTime::from_timestamp(i64::from(minting::NOW), 0).unwrap();
    let options = TimeOptions::new(chrono::Duration::zero(), || now);
    let mature = claims.not_before.is_none() || claims.validate_maturity(&options).is_ok();
    if claims.validate_expiration(&options).is_err() || !mature {
        return Err(Fault::Other);
    }
    let (issuer, audience) = (claims.custom.get("iss"), claims.custom.get("aud"));
    let is_for_us = match audience {
        Some(Value::Array(list)) => list.iter().any(|one| one == minting::AUDIENCE),
        one => one.is_some_and(|one| one == minting::AUDIENCE),
    };
    if issuer.is_some_and(|issuer| issuer == minting::ISSUER) && is_for_us {
        Ok(Accepted(claims))
    } else {
        Err(Fault::Other)
    }
}
