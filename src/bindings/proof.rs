//! The arithmetic by itself and by a chosen path, for `make proof`. Only its build has the feature; what is published
//! does not.

use wasm_bindgen::prelude::*;
use waxseal_arithmetic::p256::{self, Table, TableBuilder};
use waxseal_arithmetic::rsa::{Context, MAX_OCTETS, Path, PublicKey};

use crate::jwk::PublicJwk;
use crate::jws::VerifyingKey;

/// Verifies cases of a digest and a signature, 96 bytes each, without tables or with them: a byte 1 for each that is
/// valid, 0 for the others. Nothing for an unusable key.
#[wasm_bindgen]
#[must_use]
pub fn prove_p256(hot: bool, x: &[u8], y: &[u8], cases: &[u8]) -> Option<Vec<u8>> {
    let key = p256::PublicKey::new(x.try_into().ok()?, y.try_into().ok()?)?;
    let tables = if hot { Some((complete(TableBuilder::generator())?, complete(key.table())?)) } else { None };
    let verdicts = cases.as_chunks::<96>().0.iter().map(|case| {
        let (digest, signature) = case.split_first_chunk()?;
        Some(u8::from(match &tables {
            Some((generator, table)) => p256::PublicKey::verify_hot(generator, table, digest, signature),
            None => key.verify_cold(digest, signature),
        }))
    });
    verdicts.collect()
}

fn complete(mut builder: TableBuilder) -> Option<Table> {
    while !builder.step() {}
    builder.finish().ok()
}

/// Raises operands as long as the modulus to the power of the exponent. Nothing for an unusable key or operand, or where
/// the path is not the one that was asked for.
#[wasm_bindgen]
#[must_use]
pub fn prove_rsa(simd: bool, modulus: &[u8], exponent: &[u8], operands: &[u8]) -> Option<Vec<u8>> {
    let key = PublicKey::new(modulus, exponent).ok()?;
    let path = if simd { Path::Simd } else { Path::Scalar };
    let context = Context::with_path(&key, path);
    if context.path() != path {
        return None;
    }
    let mut powers = Vec::with_capacity(operands.len());
    for operand in operands.chunks_exact(modulus.len()) {
        powers.extend_from_slice(context.power(operand, &mut [0; MAX_OCTETS])?);
    }
    Some(powers)
}

/// Whether a signature over any message verifies with a public JWK in JSON, as that of a token does. Nothing for a key that
/// is refused.
#[wasm_bindgen]
#[must_use]
pub fn prove_signature(jwk: &[u8], message: &[u8], signature: &[u8]) -> Option<bool> {
    let jwk = PublicJwk::from_json(jwk).ok()?;
    Some(VerifyingKey::from_jwk(&jwk).verify(message, signature))
}
