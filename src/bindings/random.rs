//! Random bytes from the host (`crypto.getRandomValues`).

use crate::error::{Error, ErrorCode};

/// Draws random bytes. A host that cannot give any, or that gives only zeros, is an error.
pub(super) fn bytes<const N: usize>() -> Result<[u8; N], Error> {
    let unavailable = || Error::new(ErrorCode::RandomUnavailable, "The host gave no usable random bytes.");
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| unavailable())?;
    if bytes.iter().all(|&byte| byte == 0) { Err(unavailable()) } else { Ok(bytes) }
}
