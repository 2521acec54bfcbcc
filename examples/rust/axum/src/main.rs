//! `JWKS=jwks.json ISSUER=https://id.example AUDIENCE=https://api.example cargo run --package waxseal-example-axum`

use std::env;
use std::error::Error;

use waxseal::jwk::KeySet;
use waxseal::jwt::{TrustedIssuer, Verifier, VerifierConfig};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let verifier = Verifier::new(VerifierConfig::new(vec![TrustedIssuer {
        issuer: Some(vec![env::var("ISSUER")?]),
        audience: Some(vec![env::var("AUDIENCE")?]),
        keys: KeySet::from_json(&std::fs::read(env::var("JWKS")?)?)?,
    }]))?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    axum::serve(listener, waxseal_example_axum::app(verifier)).await?;
    Ok(())
}
