//! Starts the server and talks to it.

use std::time::SystemTime;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use waxseal::UnixTime;
use waxseal::jwa::Algorithm;
use waxseal::jwk::KeySet;
use waxseal::jws::SigningKey;
use waxseal::jwt::{Issuer, IssuerConfig, Overrides, TrustedIssuer, Verifier, VerifierConfig};

const ISSUER: &str = "https://id.example";
const AUDIENCE: &str = "https://api.example";

fn key() -> SigningKey {
    SigningKey::generate(&[1; 32]).unwrap()
}

fn token(age: f64) -> String {
    let issuer = Issuer::new(IssuerConfig {
        issuer: ISSUER.to_owned(),
        audience: vec![AUDIENCE.to_owned()],
        expires_in: 60,
        typ: None,
        kid: None,
        algorithm: Algorithm::Es256,
    });
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
    let begun = UnixTime::from_seconds(now - age).unwrap();
    let claims = serde_json::json!({ "sub": "alice" });
    issuer.unwrap().issue(&key(), claims, &Overrides::default(), begun, &[7; 16]).unwrap()
}

/// Asks a server of its own, and gives the whole answer in lower case.
async fn ask(headers: &str) -> String {
    let jwks = serde_json::json!({ "keys": [key().public_jwk().to_value()] });
    let verifier = Verifier::new(VerifierConfig::new(vec![TrustedIssuer {
        issuer: Some(vec![ISSUER.to_owned()]),
        audience: Some(vec![AUDIENCE.to_owned()]),
        keys: KeySet::from_value(&jwks).unwrap(),
    }]));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, waxseal_example_axum::app(verifier.unwrap())).await });
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /me HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    server.abort();
    answer.to_lowercase()
}

#[tokio::test]
async fn a_good_token_passes_and_the_handler_knows_whose_it_is() {
    let answer = ask(&format!("Authorization: Bearer {}\r\n", token(0.0))).await;
    assert!(answer.starts_with("http/1.1 200"), "{answer}");
    assert!(answer.contains("cache-control: no-store"), "{answer}");
    assert!(answer.ends_with(r#"{"sub":"alice"}"#), "{answer}");
}

#[tokio::test]
async fn a_request_without_a_token_gets_a_bare_challenge() {
    let answer = ask("").await;
    assert!(answer.starts_with("http/1.1 401"), "{answer}");
    assert!(answer.contains("www-authenticate: bearer\r\n"), "{answer}");
    assert!(answer.contains("cache-control: no-store"), "{answer}");
    assert!(answer.ends_with(r#"{"error":"err_credentials_missing"}"#), "{answer}");
}

#[tokio::test]
async fn an_expired_token_and_a_forged_one_are_refused_with_their_reason() {
    let expired = token(3600.0);
    let good = token(0.0);
    let forged = format!("{}AAAAAAAAAA", &good[..good.len() - 10]);
    for (token, code) in [(expired, "err_token_expired"), (forged, "err_signature_invalid")] {
        let answer = ask(&format!("Authorization: Bearer {token}\r\n")).await;
        assert!(answer.starts_with("http/1.1 401"), "{answer}");
        assert!(answer.contains(r#"www-authenticate: bearer error="invalid_token""#), "{answer}");
        assert!(answer.ends_with(&format!(r#"{{"error":"{code}"}}"#)), "{answer}");
    }
}

#[tokio::test]
async fn two_authorization_headers_are_refused() {
    let line = format!("Authorization: Bearer {}\r\n", token(0.0));
    let answer = ask(&format!("{line}{line}")).await;
    assert!(answer.starts_with("http/1.1 400"), "{answer}");
    assert!(answer.ends_with(r#"{"error":"err_authorization_malformed"}"#), "{answer}");
}
