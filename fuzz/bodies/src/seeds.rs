//! Inputs that each target begins with: texts of every kind, and numbers from which structures are made.

use serde_json::json;

use crate::compact::SIGNED;
use crate::der::{OCTET_STRING, P256, SEQUENCE, element, pem, spki};
use crate::minting;

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// `SplitMix64`: a good enough sequence from any seed.
#[derive(Clone, Copy, Debug)]
pub struct Numbers(pub u64);

impl Numbers {
    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below a bound.
    ///
    /// # Panics
    /// If the bound is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.draw() % u64::try_from(bound).unwrap()).unwrap()
    }

    /// So many bytes.
    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        core::iter::repeat_with(|| self.draw().to_be_bytes()).flatten().take(length).collect()
    }
}

pub(crate) fn numbers() -> Vec<Vec<u8>> {
    let mut numbers = Numbers(1);
    [0, 8, 40, 96, 100, 160, 300, 516, 1000, 1028].map(|length| numbers.bytes(length)).to_vec()
}

pub(crate) fn base64url() -> Vec<Vec<u8>> {
    texts(&[
        "",
        "_",
        "_w",
        "_-8",
        "_-9",
        "_-8=",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
        "+/",
    ])
}

pub(crate) fn compact() -> Vec<Vec<u8>> {
    let rest = [".", "..", "...", "a.b.c", "e30.e30.", "e30..e30", "a.b.c.d.e"];
    texts(&rest).into_iter().chain(SIGNED.iter().map(|token| token.clone().into_bytes())).collect()
}

pub(crate) fn cookies() -> Vec<Vec<u8>> {
    let headers = [
        "__Host-access=a.b.c; __Secure-refresh=d.e.f",
        "__Host-access=a; __Host-access=b",
        " a = b ;;\t=c;d; =;a=\"b;c\"",
        "__host-access=a; __Host-access =b; =__Host-access=c",
    ];
    texts(&headers).into_iter().chain(numbers()).collect()
}

pub(crate) fn json() -> Vec<Vec<u8>> {
    let deep = format!("{}{}", "[".repeat(33), "]".repeat(33));
    let texts = texts(&[
        "{}",
        "null",
        &deep,
        r#"{"a":[1,-0,1e400,1E-400,0.1,1.7976931348623157e308,9007199254740993,123456789012345678901234567890]}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"a":{"b":[true,false,null,"x"]},"":{}}"#,
        r#"{"\ud83d\ude00":"\ud800","\"\\\/\b\f\n\r\t":"\u0000"}"#,
        "\u{feff}{}",
        " [ 1 , 2 ] \n",
        r#"{"a":01,"b":1.,"c":.5,"d":+1,"e":1e,"f":-}"#,
        "{\"\u{e9}\u{1f600}\":\"\u{7f}\u{80}\u{2028}\"}",
        r#"{"iss":"https://issuer.example","aud":["a","b"],"exp":1700000900.5,"iat":1.7e9}"#,
    ]);
    // Longer than the sixteen bytes that are looked at together.
    let long = format!(r#"{{"{0}":"{0}\n{0}","b":[{0}]}}"#, "1".repeat(50));
    texts.into_iter().chain([long.into_bytes(), b"{\"a\":\"\xff\"}".to_vec()]).collect()
}

pub(crate) fn keys() -> Vec<Vec<u8>> {
    let (key, other) = (minting::key(1), minting::key(2));
    let (ec, rsa) = (key.public_jwk().to_value(), minting::rsa_jwk());
    let octets = |name: &str, jwk: &serde_json::Value| {
        waxseal::encoding::from_base64url(jwk[name].as_str().unwrap().as_bytes()).unwrap()
    };
    let point = [vec![4], octets("x", &ec), octets("y", &ec)].concat();
    let spki = spki(P256, &point);
    // RFC 5958 section 2, RFC 5915 section 3
    let private = element(SEQUENCE, &[&[2, 1, 1], &element(OCTET_STRING, &[&[1; 32]])]);
    let pkcs8 = element(SEQUENCE, &[&[2, 1, 0], P256, &element(OCTET_STRING, &[&private])]);
    let number = element(2, &[&[0], &octets("n", &rsa)]);
    // RFC 8017 section A.1.1, in a SubjectPublicKeyInfo
    let rsa_encryption = [0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
    let rsa_spki = crate::der::spki(&rsa_encryption, &element(SEQUENCE, &[&number, &[2, 3, 1, 0, 1]]));
    let mut seeds = texts(&[
        &ec.to_string(),
        &rsa.to_string(),
        key.to_private_json().as_str(),
        &json!({"keys": [ec, rsa, other.public_jwk().to_value(), {"kty": "oct", "k": "AA"}]}).to_string(),
        &json!({"kty": "EC", "crv": "P-256", "x": "", "y": "AA", "use": "enc", "key_ops": ["verify"]}).to_string(),
        &pem("PUBLIC KEY", &spki),
        &pem("PRIVATE KEY", &pkcs8),
        &pem("PUBLIC KEY", &rsa_spki),
        &json!([pem("PUBLIC KEY", &spki), rsa]).to_string(),
    ]);
    seeds.extend([spki, pkcs8, rsa_spki]);
    seeds
}

pub(crate) fn remote() -> Vec<Vec<u8>> {
    let ec = minting::key(1).public_jwk().to_value();
    let bodies = [
        json!({"keys": [ec]}).to_string(),
        json!({"keys": [ec, minting::rsa_jwk()]}).to_string(),
        json!({"keys": [{"kty": "oct", "k": "AA"}]}).to_string(),
        "{\"keys\":[]}".to_owned(),
        "<html>".to_owned(),
    ];
    // A line feed would end what is to choose.
    let choices = Numbers(2).bytes(4000).into_iter().filter(|byte| *byte != b'\n').collect::<Vec<_>>();
    choices.chunks(400).map(|choices| [choices, b"\n", bodies.join("\n").as_bytes()].concat()).collect()
}

pub(crate) fn verifier() -> Vec<Vec<u8>> {
    let mut numbers = Numbers(3);
    (0..20).map(|_| numbers.bytes(64)).collect()
}
