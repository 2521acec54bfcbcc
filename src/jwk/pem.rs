//! Keys in PEM (RFC 7468): `PUBLIC KEY` (SPKI), `CERTIFICATE` (X.509) and `PRIVATE KEY` (PKCS#8).
//!
//! **Of a certificate nothing but its key is read.** Its validity, issuer, key usage and signature are not checked: the
//! caller who configures a certificate vouches for it, as for any other key.

use serde_json::Value;
use zeroize::Zeroizing;

use super::der::{
    BIT_STRING, INTEGER, Malformed, NULL, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE, context, whole_octets,
};
use super::members::Members;
use super::{
    MAX_TEXT_LENGTH, PrivateJwk, PublicJwk, PublicKey, invalid, members_of, parse_text, secret_of, unsupported,
};
use crate::encoding::secret_from_base64url;
use crate::error::{Error, ErrorCode};
use crate::jwa::Algorithm;
use waxseal_arithmetic::p256::COORDINATE_LENGTH;

/// 1.2.840.10045.2.1, id-ecPublicKey (RFC 5480 section 2.1.1).
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// 1.2.840.10045.3.1.7, secp256r1 (RFC 5480 section 2.1.1.1).
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// 1.2.840.113549.1.1.1, rsaEncryption (RFC 8017 appendix A.1).
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// What a PEM text holds.
#[derive(Debug)]
pub enum PemKey {
    /// From `PUBLIC KEY` or `CERTIFICATE`.
    Public(PublicJwk),
    /// From `PRIVATE KEY`.
    Private(PrivateJwk),
}

impl PemKey {
    /// Reads a JWK, public or private, as [`PrivateJwk::from_members`] does.
    pub(crate) fn from_members(value: &Value, d: &dyn Fn() -> Option<Zeroizing<Vec<u8>>>) -> Result<Self, Error> {
        if Members::new(value)?.has_secret() {
            PrivateJwk::from_members(value, d).map(Self::Private)
        } else {
            PublicJwk::from_value(value).map(Self::Public)
        }
    }

    /// The private key, or a refusal of a public one.
    pub(crate) fn private(self) -> Result<PrivateJwk, Error> {
        match self {
            Self::Private(jwk) => Ok(jwk),
            Self::Public(_) => Err(invalid("A public key was given where a private key is meant.")),
        }
    }

    /// The public key, or the public half.
    pub(crate) fn public_half(self) -> PublicJwk {
        match self {
            Self::Public(jwk) => jwk,
            Self::Private(jwk) => jwk.public().clone(),
        }
    }
}

/// Reads a key as files have it, of at most [`MAX_TEXT_LENGTH`] bytes: PEM, or PKCS#8 or SPKI in DER, or a JWK in JSON text.
///
/// # Errors
/// As [`parse`] and [`PrivateJwk::from_json`].
pub fn read(bytes: &[u8]) -> Result<PemKey, Error> {
    match bytes.trim_ascii_start() {
        _ if bytes.len() > MAX_TEXT_LENGTH => Err(invalid("The key is longer than 64 KiB.")),
        [b'{', ..] => {
            let object = parse_text(bytes)?;
            PemKey::from_members(&members_of(&object), &|| secret_of(&object))
        }
        // A private key begins with its version, a public one with its algorithm.
        [SEQUENCE, ..] if Reader::only_sequence(bytes)?.is_next(INTEGER) => private_key(bytes).map(PemKey::Private),
        [SEQUENCE, ..] => public_key(bytes).map(PemKey::Public),
        _ => parse(core::str::from_utf8(bytes).map_err(|_| Malformed)?),
    }
}

/// Reads one PEM text of at most [`MAX_TEXT_LENGTH`] bytes. White space around it is ignored, other text is not.
///
/// # Errors
/// [`ErrorCode::KeyUnsupported`] for other labels and for keys that are neither P-256 nor RSA,
/// [`ErrorCode::KeyPrivate`] for a private key that is not PKCS#8, [`ErrorCode::KeyWeak`] for an RSA key out of range,
/// and [`ErrorCode::KeyInvalid`] for everything malformed.
pub fn parse(text: &str) -> Result<PemKey, Error> {
    let (label, der) = decode(text)?;
    match label {
        "PUBLIC KEY" => public_key(&der).map(PemKey::Public),
        "CERTIFICATE" => certificate(&der).map(PemKey::Public),
        "PRIVATE KEY" => private_key(&der).map(PemKey::Private),
        "EC PRIVATE KEY" | "RSA PRIVATE KEY" | "ENCRYPTED PRIVATE KEY" => Err(Error::new(
            ErrorCode::KeyPrivate,
            "The PEM holds a private key that is not plain PKCS#8; convert it with openssl pkcs8 -topk8 -nocrypt.",
        )),
        _ => Err(unsupported("The PEM must hold PUBLIC KEY, CERTIFICATE or PRIVATE KEY.")),
    }
}

impl From<Malformed> for Error {
    fn from(Malformed: Malformed) -> Self {
        invalid("The key is not well-formed PEM or DER.")
    }
}

/// The label and the content.
fn decode(text: &str) -> Result<(&str, Zeroizing<Vec<u8>>), Error> {
    if text.len() > MAX_TEXT_LENGTH {
        return Err(invalid("The key is longer than 64 KiB."));
    }
    let malformed = || invalid("The text is not one PEM block, from -----BEGIN to -----END.");
    let (label, body) = split(text.trim_ascii()).ok_or_else(malformed)?;
    let der = from_base64(body).ok_or_else(malformed)?;
    Ok((label, der))
}

/// Decodes base64 with padding and white space (RFC 7468 section 3). It goes through base64url, because a second decoder
/// would add more than a kilobyte to the module.
fn from_base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut digits = Zeroizing::new(Vec::with_capacity(text.len()));
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        digits.push(match byte {
            b'+' => b'-',
            b'/' => b'_',
            b'-' | b'_' => return None,
            other => other,
        });
    }
    if !digits.len().is_multiple_of(4) {
        return None;
    }
    let unpadded = digits.strip_suffix(b"==").or_else(|| digits.strip_suffix(b"=")).unwrap_or(&digits);
    secret_from_base64url(unpadded)
}

/// The label and the text between the two lines that carry it. Labels with a hyphen are none of ours.
fn split(text: &str) -> Option<(&str, &str)> {
    let (label, rest) = text.strip_prefix("-----BEGIN ")?.split_once('-')?;
    let body = rest.strip_prefix("----")?.strip_suffix("-----")?;
    Some((label, body.strip_suffix(label)?.strip_suffix("-----END ")?))
}

/// `SubjectPublicKeyInfo` (RFC 5280 section 4.1).
fn public_key(der: &[u8]) -> Result<PublicJwk, Error> {
    let mut reader = Reader::new(der);
    let jwk = subject_public_key_info(&mut reader)?;
    reader.end()?;
    Ok(jwk)
}

/// `Certificate` (RFC 5280 section 4.1).
fn certificate(der: &[u8]) -> Result<PublicJwk, Error> {
    let mut certificate = Reader::only_sequence(der)?;
    let mut to_be_signed = certificate.sequence()?;
    for tag in [SEQUENCE, BIT_STRING] {
        certificate.element(tag)?;
    }
    certificate.end()?;
    to_be_signed.optional(context(0, true))?;
    // serialNumber, signature, issuer, validity, subject
    for tag in [INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE] {
        to_be_signed.element(tag)?;
    }
    subject_public_key_info(&mut to_be_signed)
}

fn subject_public_key_info(reader: &mut Reader<'_>) -> Result<PublicJwk, Error> {
    let mut info = reader.sequence()?;
    let algorithm = algorithm_identifier(&mut info)?;
    let bits = info.bit_string()?;
    info.end()?;
    let key = match algorithm {
        Algorithm::Es256 => point(bits)?,
        Algorithm::Rs256 => {
            // RSAPublicKey (RFC 8017 appendix A.1.1)
            let mut key = Reader::only_sequence(bits)?;
            let (modulus, exponent) = (key.positive_integer()?, key.positive_integer()?);
            key.end()?;
            PublicKey::rsa(modulus, exponent)?
        }
    };
    Ok(PublicJwk::new(key, None))
}

/// `OneAsymmetricKey` (RFC 5958 section 2), of which version 0 is PKCS#8's `PrivateKeyInfo`.
fn private_key(der: &[u8]) -> Result<PrivateJwk, Error> {
    let mut info = Reader::only_sequence(der)?;
    let version = info.version()?;
    let algorithm = algorithm_identifier(&mut info)?;
    let octets = info.element(OCTET_STRING)?;
    info.optional(context(0, true))?;
    let stated = if version == 1 { info.optional(context(1, false))? } else { None };
    info.end()?;
    if version > 1 {
        return Err(Malformed.into());
    }
    match algorithm {
        Algorithm::Es256 => {
            let key = ec_private_key(octets)?;
            if let Some(content) = stated {
                key.require_public(&PublicJwk::new(point(whole_octets(content)?)?, None))?;
            }
            Ok(key)
        }
        Algorithm::Rs256 => rsa_private_key(octets),
    }
}

/// `ECPrivateKey` (RFC 5915 section 3).
fn ec_private_key(der: &[u8]) -> Result<PrivateJwk, Error> {
    let mut reader = Reader::only_sequence(der)?;
    let version = reader.version()?;
    let scalar = reader.element(OCTET_STRING)?;
    let parameters = reader.optional(context(0, true))?;
    let stated = reader.optional(context(1, true))?;
    reader.end()?;
    if version != 1 || scalar.len() != COORDINATE_LENGTH {
        return Err(Malformed.into());
    }
    if let Some(content) = parameters {
        let mut parameters = Reader::new(content);
        if parameters.element(OBJECT_IDENTIFIER)? != P256 {
            return Err(invalid("The private key names two different curves."));
        }
        parameters.end()?;
    }
    let key = PrivateJwk::from_scalar(scalar, None)?;
    if let Some(content) = stated {
        let mut stated = Reader::new(content);
        let bits = stated.bit_string()?;
        stated.end()?;
        key.require_public(&PublicJwk::new(point(bits)?, None))?;
    }
    Ok(key)
}

/// `RSAPrivateKey` (RFC 8017 appendix A.1.2): the form of the whole is checked, the public half is taken.
fn rsa_private_key(der: &[u8]) -> Result<PrivateJwk, Error> {
    let mut key = Reader::only_sequence(der)?;
    if key.version()? != 0 {
        return Err(unsupported("RSA keys of more than two primes are not supported."));
    }
    let (modulus, exponent) = (key.positive_integer()?, key.positive_integer()?);
    // privateExponent, prime1, prime2, exponent1, exponent2, coefficient
    for _ in 0..6 {
        key.positive_integer()?;
    }
    key.end()?;
    Ok(PrivateJwk::rsa(PublicJwk::new(PublicKey::rsa(modulus, exponent)?, None)))
}

/// The algorithm that a key of this `AlgorithmIdentifier` (RFC 5280 section 4.1.1.2) is for.
fn algorithm_identifier(reader: &mut Reader<'_>) -> Result<Algorithm, Error> {
    let mut identifier = reader.sequence()?;
    let algorithm = match identifier.element(OBJECT_IDENTIFIER)? {
        EC_PUBLIC_KEY => {
            // RFC 5480 section 2.1.1: the curve is named; explicit parameters must not be used.
            if identifier.optional(OBJECT_IDENTIFIER)? != Some(P256) {
                return Err(unsupported("Keys on this curve are not supported; use P-256."));
            }
            Algorithm::Es256
        }
        RSA_ENCRYPTION => {
            // RFC 3279 section 2.3.1: the parameters must be NULL.
            if !identifier.element(NULL)?.is_empty() {
                return Err(Malformed.into());
            }
            Algorithm::Rs256
        }
        _ => return Err(unsupported("Keys of this kind are not supported; use P-256 or RSA (rsaEncryption).")),
    };
    identifier.end()?;
    Ok(algorithm)
}

/// An uncompressed point (SEC 1 section 2.3.4).
fn point(octets: &[u8]) -> Result<PublicKey, Error> {
    match octets {
        [4, coordinates @ ..] => match coordinates.split_first_chunk::<COORDINATE_LENGTH>() {
            Some((x, y)) => PublicKey::p256(x, y.try_into().map_err(|_| Malformed)?),
            None => Err(Malformed.into()),
        },
        [2 | 3, ..] => Err(unsupported("Compressed points are not supported; export the key uncompressed.")),
        _ => Err(Malformed.into()),
    }
}
