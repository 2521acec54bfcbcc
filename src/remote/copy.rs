//! The text of a set in a host's store, so that a new process or isolate starts with keys. Its key begins with another
//! prefix than those of revocation entries (`wx1:`).
//!
//! ```text
//! wxjwks1 <tag>
//! <URL>
//! <seconds when it was fetched> <seconds that it is fresh>
//! <ETag, or nothing>
//! <the answer>
//! ```
//!
//! The tag is HMAC-SHA-256 (RFC 2104) over all that follows its line, the URL included. With the secret of the options only
//! who knows it can write a copy; without one the tag finds damage alone, and who can write the store can choose the keys.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::encoding::{base64url, from_base64url, sha256};

const VERSION: &str = "wxjwks1";

/// What is kept, read back but not yet believed.
pub(super) struct Kept<'a> {
    pub(super) fetched: i64,
    pub(super) lifetime: u32,
    pub(super) etag: Option<&'a str>,
    pub(super) body: &'a [u8],
}

/// The key of a URL's copy.
pub(super) fn key(url: &str) -> String {
    format!("{VERSION}:{}", base64url(&sha256(url.as_bytes())))
}

/// Writes a copy; `None` when the answer is not text, which no set is.
pub(super) fn write(url: &str, kept: &Kept<'_>, secret: Option<&str>) -> Option<String> {
    let body = core::str::from_utf8(kept.body).ok()?;
    let (fetched, lifetime, etag) = (kept.fetched, kept.lifetime, kept.etag.unwrap_or_default());
    let rest = format!("{url}\n{fetched} {lifetime}\n{etag}\n{body}");
    let tag = base64url(&mac(&rest, secret)?.finalize().into_bytes());
    Some(format!("{VERSION} {tag}\n{rest}"))
}

/// Reads a copy of this URL; `None` for anything else. The text may be anybody's.
pub(super) fn read<'a>(text: &'a str, url: &str, secret: Option<&str>) -> Option<Kept<'a>> {
    let (tag, rest) = text.strip_prefix(VERSION)?.strip_prefix(' ')?.split_once('\n')?;
    mac(rest, secret)?.verify_slice(&from_base64url(tag.as_bytes())?).ok()?;
    let rest = rest.strip_prefix(url)?.strip_prefix('\n')?;
    let (times, rest) = rest.split_once('\n')?;
    let (fetched, lifetime) = times.split_once(' ')?;
    let (etag, body) = rest.split_once('\n')?;
    Some(Kept {
        fetched: fetched.parse().ok()?,
        lifetime: lifetime.parse().ok()?,
        etag: Some(etag).filter(|etag| is_etag(etag)),
        body: body.as_bytes(),
    })
}

fn mac(text: &str, secret: Option<&str>) -> Option<Hmac<Sha256>> {
    // A key of any length is one (RFC 2104 section 2), so this never fails.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.unwrap_or_default().as_bytes()).ok()?;
    mac.update(text.as_bytes());
    Some(mac)
}

/// Whether a text can be sent back in `If-None-Match` (RFC 9110 section 8.8.3, ASCII alone), and is worth keeping.
pub(super) fn is_etag(text: &str) -> bool {
    (1..=256).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, 0x21..=0x7e))
}
