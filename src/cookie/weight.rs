//! What makes a token too big for a cookie.

use crate::encoding::from_base64url;
use crate::json;

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
    let heaviest = claims.heaviest();
    (!heaviest.is_empty()).then(|| format!("its claims are {} bytes of JSON, the heaviest {heaviest}", payload.len()))
}
