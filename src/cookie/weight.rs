//! What makes a token too big for a cookie.

use crate::encoding::from_base64url;
use crate::json;

/// How many claims the sentence names.
const NAMED: usize = 3;
/// A claim's name is shown when it is at most this long and of plain characters: names can be data too, and an error
/// may be logged.
const LONGEST_NAME: usize = 48;

/// When a value looks like a compact JWT, a sentence that names its heaviest claims and their sizes in bytes of JSON.
/// The token is decoded and not verified; of what it says nothing but the names of claims is told.
pub(super) fn heaviest_claims(value: &str) -> Option<String> {
    let mut segments = value.split('.');
    let (_header, payload, _signature) = (segments.next()?, segments.next()?, segments.next()?);
    if segments.next().is_some() {
        return None;
    }
    let payload = from_base64url(payload.as_bytes())?;
    let claims = json::parse_object(&payload).ok()?;
    let mut weights: Vec<(&str, usize)> =
        claims.iter().map(|(name, value)| (name, name.len() + value.text().len())).collect();
    let mut named = Vec::new();
    while let Some(heaviest) = (0..weights.len()).max_by_key(|&at| weights.get(at).map(|&(_, weight)| weight)) {
        let (name, weight) = weights.swap_remove(heaviest);
        named.push(format!("{} ({weight})", shown(name)));
        if named.len() == NAMED {
            break;
        }
    }
    if named.is_empty() {
        return None;
    }
    Some(format!("its claims are {} bytes of JSON, the heaviest {}", payload.len(), named.join(", ")))
}

fn shown(name: &str) -> &str {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:/".contains(&byte));
    if plain && (1..=LONGEST_NAME).contains(&name.len()) { name } else { "one whose name is not shown" }
}
