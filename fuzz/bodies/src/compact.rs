//! Any text as a token.

use std::cell::RefCell;
use std::sync::LazyLock;

use waxseal::jws::compact::HARD_MAX_LENGTH;
use waxseal::jws::{CompactJws, VerifyingKey};
use waxseal::jwt::{VerifiedJwt, Verifier, WarmVerifier, decode_unverified, explain};

use crate::minting;
use crate::verifier::Outcome;

/// Tokens that were signed: nothing else may verify, but with another signature of the same input.
pub(crate) static SIGNED: LazyLock<Vec<String>> = LazyLock::new(|| {
    let key = minting::key(1);
    let payloads = ["{}", "[]", "", "{\"exp\":1800000000}", "{\"exp\":1e9,\"exp\":2e9}", "\u{0}"];
    let headers = [
        minting::HEADER,
        "{\"alg\":\"ES256\"}",
        "{\"alg\":\"ES256\",\"crit\":[\"x\"],\"x\":1}",
        "{\"alg\":\"ES256\",\"b64\":false}",
        "{\"alg\":\"none\"}",
        "{\"alg\":\"ES256\",\"kid\":\"\\u00e9\"}",
        " {\"typ\":\"rt+jwt\" ,\"alg\" : \"ES256\"}\n",
    ];
    let valid = minting::token(&serde_json::json!({}));
    let signed = headers.iter().flat_map(|header| {
        let key = &key;
        payloads.iter().map(move |payload| minting::sign(key, header, payload.as_bytes()))
    });
    signed.chain([valid]).collect()
});

static KEY: LazyLock<VerifyingKey> = LazyLock::new(|| minting::key(1).verifying_key());

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| minting::verifier(|_| {}));

thread_local! {
    /// It remembers headers from input to input, and must judge as one that remembers nothing.
    static WARM: RefCell<WarmVerifier> = RefCell::new(WarmVerifier::new(VERIFIER.clone(), None).unwrap());
}

fn was_signed(token: &str) -> bool {
    let input = |token: &str| token.rsplit_once('.').map(|(input, _)| input.to_owned());
    SIGNED.iter().any(|signed| input(signed) == input(token))
}

/// Takes the input for a token.
pub fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let token = text.as_ref();
    let allowed = ["x".to_owned()];
    if let Ok(jws) = CompactJws::parse(token, HARD_MAX_LENGTH, &allowed) {
        let payload = jws.unverified_payload().to_vec();
        if let Ok(verified) = jws.verify_signature(&KEY) {
            assert_eq!(verified.payload(), payload);
            assert!(was_signed(token), "a signature that nobody made");
        }
    }
    let cold = Outcome::of(VERIFIER.verify(token, minting::now()));
    assert!(cold.claims().is_none() || was_signed(token), "a token that nobody signed");
    let warm = WARM.with_borrow_mut(|warm| Outcome::read(warm.verify(token, minting::now()).map(VerifiedJwt::claims)));
    assert_eq!(warm, cold, "what is remembered changes the verdict");
    // An explanation ends as verification does.
    let explanation = explain(&VERIFIER, token, minting::now());
    let first = explanation.steps.iter().find_map(|step| step.error.as_ref());
    assert_eq!(first.map(waxseal::Error::code), cold.code(), "an explanation of another fault");
    if let Ok((header, claims)) = decode_unverified(token) {
        assert!(serde_json::from_str::<serde_json::Value>(&header).is_ok_and(|value| value.is_object()));
        assert!(!claims.is_empty());
    }
}
