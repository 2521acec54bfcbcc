//! Random bytes from the host (`crypto.getRandomValues`).

use crate::error::{Error, ErrorCode};

/// Draws random bytes. A host that cannot give any is an error, and so is one whose source stands still: of two draws that are
/// equal neither was drawn. Zeros are the source that was never written; identifiers that repeat would let one session be taken
/// for another.
pub(super) fn bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut draws = [[0; N]; 2];
    let filled = draws.iter_mut().try_for_each(|draw| getrandom::fill(draw));
    let [bytes, other] = draws;
    if filled.is_err() || bytes == other {
        return Err(Error::new(ErrorCode::RandomUnavailable, "The host gave no usable random bytes."));
    }
    Ok(bytes)
}
