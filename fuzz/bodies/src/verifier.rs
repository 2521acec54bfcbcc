//! The whole verifier against an independent one with the same keys and the same policy, on tokens that differ from a valid
//! one in their text, in their JSON, or in their signature. The other one is `jwt-compact`, which waxseal issues with and
//! does not verify with, over the arithmetic of `p256` and `crypto-bigint`.
//!
//! What we accept, it accepts, with the same claims, or one of [`LAXER`] says why not. What we refuse and it accepts is
//! refused by one of [`STRICTER`].

use std::sync::LazyLock;

use arbitrary::{Result, Unstructured};
use crypto_bigint::{NonZero, U256};
use waxseal::encoding::{base64url, from_base64url};
use waxseal::json::{Fault, parse_object, parse_value};
use waxseal::jwk::KeySet;
use waxseal::jws::SigningKey;
use waxseal::jwt::{ClaimsSet, VerifiedJwt, Verifier, VerifierConfig};
use waxseal::{Error, ErrorCode};

use crate::minting;
use crate::reference;

/// What a verifier said: the text of the claims, or the code of the refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome(core::result::Result<String, ErrorCode>);

impl Outcome {
    pub(crate) fn of(result: core::result::Result<VerifiedJwt, Error>) -> Self {
        Self(result.map(|verified| verified.claims().json().to_owned()).map_err(|error| error.code()))
    }

    pub(crate) fn read(result: core::result::Result<&ClaimsSet, Error>) -> Self {
        Self(result.map(|claims| claims.json().to_owned()).map_err(|error| error.code()))
    }

    /// The text of the claims, if the token was accepted.
    #[must_use]
    pub fn claims(&self) -> Option<&str> {
        self.0.as_deref().ok()
    }

    /// The code, if it was not.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        self.0.as_ref().err().copied()
    }
}

/// Codes of refusals that the other verifier need not share, with the rule behind each.
pub const STRICTER: [(ErrorCode, &str); 10] = [
    (ErrorCode::TokenTooLarge, "a token has at most 8192 bytes"),
    (ErrorCode::HeaderInvalid, "a header is strict JSON, and what it says of crit, b64, kid and typ is well-formed"),
    (ErrorCode::HeaderCritical, "what crit names must be understood, and b64 is never false"),
    (ErrorCode::TokenType, "a refresh token is for its one endpoint"),
    (ErrorCode::KeyNotFound, "a kid names one of the keys"),
    (ErrorCode::ClaimsInvalid, "a claims set is strict JSON: no duplicate, nothing nested deeper than 32"),
    (ErrorCode::ClaimInvalid, "registered claims have their types, and no time is after the year 9999"),
    (ErrorCode::TokenIssuedInFuture, "a token is not issued in the future"),
    (ErrorCode::TokenExpired, "a token has expired at its exp, and not only after it (RFC 7519 section 4.1.4)"),
    (ErrorCode::TokenNotYetValid, "nbf counts with its fraction of a second"),
];

/// Why we may accept what the other verifier refuses.
pub const LAXER: [&str; 3] = [
    "a header parameter that decides nothing may have any value (RFC 7515 section 4)",
    "what cty says of the payload is the reader's (RFC 7515 section 4.1.10)",
    "a number beyond a double, in a member that nobody reads, is the reader's",
];

/// How one token came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Both accept it, with the same claims.
    BothAccept,
    /// Both refuse it; our code.
    BothRefuse(&'static str),
    /// We refuse it and the other accepts it; our code, which is of [`STRICTER`].
    Stricter(&'static str),
    /// We accept it and the other refuses it, by a rule of [`LAXER`].
    Laxer(&'static str),
}

/// The key that is trusted, and another.
static SIGNERS: LazyLock<[SigningKey; 2]> = LazyLock::new(|| [minting::key(1), minting::key(2)]);

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let keys = [SIGNERS[0].public_jwk().to_value(), minting::rsa_jwk()];
    let keys = KeySet::from_value(&serde_json::json!({ "keys": keys })).unwrap();
    let mut config = VerifierConfig::new(vec![minting::trusted(minting::ISSUER, keys)]);
    config.crit = vec!["x".to_owned()];
    Verifier::new(config).unwrap()
});

/// Makes a token of the input, and compares.
pub fn run(input: &[u8]) {
    _ = compare(input);
}

/// As [`run`], and says how it came out; `None` when the input is too short for a token.
#[must_use]
pub fn compare(input: &[u8]) -> Option<Verdict> {
    let token = token(&mut Unstructured::new(input)).ok()?;
    Some(judge(&token))
}

fn judge(token: &str) -> Verdict {
    let ours = Outcome::of(VERIFIER.verify(token, minting::now()));
    match (ours.0, reference::verify(token)) {
        (Ok(claims), Ok(expected)) => {
            let claims = serde_json::from_str(&claims).unwrap();
            assert!(expected.is(&claims), "other claims: {token}");
            Verdict::BothAccept
        }
        (Err(code), Err(_)) => Verdict::BothRefuse(code.as_str()),
        (Err(code), Ok(_)) => {
            let now = f64::from(minting::NOW);
            let holds = match code {
                ErrorCode::TokenExpired => reference::time(token, "exp").is_some_and(|exp| exp <= now),
                ErrorCode::TokenNotYetValid => reference::time(token, "nbf").is_some_and(|nbf| nbf > now),
                _ => STRICTER.iter().any(|(one, _)| *one == code),
            };
            assert!(holds, "{code:?} is no stricter rule: {token}");
            Verdict::Stricter(code.as_str())
        }
        (Ok(claims), Err(fault)) => {
            let rule =
                laxer(token, &fault, &claims).unwrap_or_else(|| panic!("accepted, and not by the other: {token}"));
            Verdict::Laxer(rule)
        }
    }
}

fn laxer(token: &str, fault: &reference::Fault, claims: &str) -> Option<&'static str> {
    let header = token.split('.').next().and_then(|text| from_base64url(text.as_bytes()))?;
    let beyond = [header.as_slice(), claims.as_bytes()].map(|text| parse_value(text) == Err(Fault::NumberRange));
    match fault {
        _ if beyond.contains(&true) => Some(LAXER[2]),
        reference::Fault::ContentType => Some(LAXER[1]),
        reference::Fault::Header(error) if error.is_data() => {
            let is_read = |name: &str| ["alg", "typ", "kid", "crit", "b64"].contains(&name);
            let decides_nothing = parse_object(&header).ok()?.iter().any(|(name, _)| !is_read(&name));
            decides_nothing.then_some(LAXER[0])
        }
        _ => None,
    }
}

/// A value for any member, right or wrong for it.
const VALUES: [&str; 40] = [
    "null",
    "true",
    "0",
    "-0",
    "-1",
    "1e3",
    "1e400",
    "1.5",
    "1699999999",
    "1700000000",
    "1700000000.5",
    "1.7e9",
    "17E8",
    "1700000001",
    "1800000000",
    "1800000000000",
    "18446744073709551616",
    "01",
    "1.",
    "+1",
    "\"1800000000\"",
    "\"\"",
    "\"ES256\"",
    "\"RS256\"",
    "\"es256\"",
    "\"none\"",
    "\"HS256\"",
    "\"PS256\"",
    "\"JWT\"",
    "\"rt+jwt\"",
    "\"https://issuer.example\"",
    "\"https:\\/\\/issuer.\\u0065xample\"",
    "[\"https://issuer.example\"]",
    "\"api\"",
    "[\"api\"]",
    "[\"x\",\"api\"]",
    "[[\"api\"]]",
    "{\"a\":{\"a\":1}}",
    "[\"x\"]",
    "\"\\ud800\"",
];

const HEADER_NAMES: [&str; 14] =
    ["alg", "alg", "typ", "kid", "crit", "b64", "x", "jku", "jwk", "x5c", "x5u", "cty", "\\u0061lg", "zip"];
const CLAIM_NAMES: [&str; 12] =
    ["iss", "aud", "exp", "nbf", "iat", "sub", "jti", "x", "\\u0065xp", "__proto__", "", "aud"];

type Members = Vec<(String, String)>;

/// Changes one member, adds one, or takes one away.
fn mutate(members: &mut Members, names: &[&str], bytes: &mut Unstructured<'_>) -> Result<()> {
    let value = match bytes.int_in_range(0..=19)? {
        0 => "[".repeat(40) + &"]".repeat(40),
        1 => format!("\"{}\"", "x".repeat(9000)),
        _ => (*bytes.choose(&VALUES)?).to_owned(),
    };
    let name = (*bytes.choose(names)?).to_owned();
    let place = bytes.int_in_range(0..=members.len())?;
    match bytes.int_in_range(0..=3)? {
        0 => members.insert(place, (name, value)),
        1 if place < members.len() => _ = members.remove(place),
        _ => match members.iter_mut().find(|(one, _)| *one == name) {
            Some(member) => member.1 = value,
            None => members.push((name, value)),
        },
    }
    Ok(())
}

/// Writes an object, now and then with white space or something that does not belong there.
fn write(members: &Members, bytes: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    let text = format!("{{{}}}", members.join(","));
    Ok(match bytes.int_in_range(0..=119)? {
        0 => format!(" \n{text}\t\r").into_bytes(),
        1 => format!("\u{feff}{text}").into_bytes(),
        2 => format!("[{text}]").into_bytes(),
        3 => format!("{text}{text}").into_bytes(),
        4 => text.replace(':', " : ").into_bytes(),
        5 => text.replace('}', ",}").into_bytes(),
        6 => [text.as_bytes(), &[0xff]].concat(),
        7 => text.replace('1', "\u{661}").into_bytes(),
        8 => {
            let mut text = text.into_bytes();
            let at = bytes.int_in_range(0..=text.len() - 1)?;
            text[at] = bytes.arbitrary()?;
            text
        }
        _ => text.into_bytes(),
    })
}

fn members(list: &[(&str, &str)]) -> Members {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A valid token with anything wrong, or with nothing.
pub(crate) fn token(bytes: &mut Unstructured<'_>) -> Result<String> {
    let is_rsa = bytes.ratio(1, 16)?;
    let mut header = members(&[("alg", if is_rsa { "\"RS256\"" } else { "\"ES256\"" }), ("typ", "\"JWT\"")]);
    let mut claims = members(&[
        ("iss", "\"https://issuer.example\""),
        ("aud", "\"api\""),
        ("exp", "1700000900"),
        ("iat", "1700000000"),
    ]);
    for _ in 0..*bytes.choose(&[0, 0, 0, 1, 1, 2])? {
        mutate(&mut header, &HEADER_NAMES, bytes)?;
    }
    for _ in 0..*bytes.choose(&[0, 1, 1, 2, 3])? {
        mutate(&mut claims, &CLAIM_NAMES, bytes)?;
    }
    let (header, claims) = (write(&header, bytes)?, write(&claims, bytes)?);
    let input = format!("{}.{}", base64url(&header), base64url(&claims));
    let mut signature = if is_rsa {
        minting::rsa_sign(input.as_bytes())
    } else {
        SIGNERS[usize::from(bytes.ratio(1, 30)?)].sign(input.as_bytes()).to_vec()
    };
    if bytes.ratio(1, 5)? {
        resign(&mut signature, bytes)?;
    }
    respell(format!("{input}.{}", base64url(&signature)), bytes)
}

const ORDER: U256 = U256::from_be_hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");

/// Spells a signature otherwise, or breaks it.
fn resign(signature: &mut Vec<u8>, bytes: &mut Unstructured<'_>) -> Result<()> {
    let half = |signature: &[u8], at: usize| U256::from_be_slice(&signature[at..at + 32]);
    let at = if bytes.arbitrary()? { 0 } else { 32 };
    let number = half(signature, at);
    let mut put = |number: U256| signature[at..at + 32].copy_from_slice(&number.to_be_bytes());
    match bytes.int_in_range(0..=9)? {
        // Of r this is another number, and of s the other valid one.
        0..=2 => put(ORDER.wrapping_sub(&number)),
        3 => put(number.wrapping_add(&ORDER)),
        4 => put(U256::ZERO),
        5 => put(ORDER),
        6 => put(number.wrapping_add(&U256::ONE).rem_vartime(&NonZero::new(ORDER).unwrap())),
        7 => signature.push(bytes.arbitrary()?),
        8 => _ = signature.pop(),
        _ => {
            let at = bytes.int_in_range(0..=signature.len() - 1)?;
            signature[at] ^= bytes.int_in_range(1..=255)?;
        }
    }
    Ok(())
}

/// Spells a token otherwise, or breaks it.
fn respell(token: String, bytes: &mut Unstructured<'_>) -> Result<String> {
    let dots: Vec<usize> = token.match_indices('.').map(|(at, _)| at).collect();
    let ends = [dots[0], dots[1], token.len()];
    let end = *bytes.choose(&ends)?;
    let (head, tail) = token.split_at(end);
    Ok(match bytes.int_in_range(0..=79)? {
        0 => format!("{head}={tail}"),
        1 => format!("{head}=={tail}"),
        2 => format!("{head}\n{tail}"),
        3 => format!("{head}.{tail}"),
        4 => format!("{head}A{tail}"),
        5 => format!(" {token}"),
        6 => token.replace('-', "+").replace('_', "/"),
        // The bits beyond the last whole byte.
        7 | 8 => {
            let last = head.chars().last().unwrap_or('A');
            let next = char::from_u32(u32::from(last) + 1).unwrap_or('A');
            format!("{}{next}{tail}", &head[..head.len() - 1])
        }
        9 => tail.to_owned(),
        10 => head.to_owned(),
        11 => {
            let mut text = token.into_bytes();
            let at = bytes.int_in_range(0..=text.len() - 1)?;
            text[at] = bytes.int_in_range(0x20..=0x7e)?;
            String::from_utf8(text).unwrap()
        }
        _ => token,
    })
}
