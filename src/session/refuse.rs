//! What the client of a call that failed is told. Reuse, unknown and ended are one: who presents a token that was used
//! before learns no more than who made one up. The difference is in the events.

use super::rotate::Refusal;
use super::step::Unavailable;
use crate::error::{Error, ErrorCode, Reason};

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Expired => Self::new(ErrorCode::TokenExpired, "The session has expired; sign in again.")
                .with_claim("exp", Reason::CheckFailed),
            Refusal::Unknown | Refusal::Ended | Refusal::Reuse(_) => {
                Self::new(ErrorCode::SessionEnded, "The session is not there any more; sign in again.")
            }
        }
    }
}

impl From<Unavailable> for Error {
    fn from(part: Unavailable) -> Self {
        let (code, message) = match part {
            Unavailable::Store => (
                ErrorCode::StoreUnavailable,
                "The session store gave no usable answer in time, and nothing was changed; try again.",
            ),
            Unavailable::SwapUnknown => (
                ErrorCode::StoreUnavailable,
                "The session store did not say in time whether it wrote; try again at once, which is safe.",
            ),
            Unavailable::Contention => (
                ErrorCode::StoreUnavailable,
                "Too many calls changed this subject's sessions at once, and nothing was changed; try again.",
            ),
            Unavailable::Record => (
                ErrorCode::StoreUnavailable,
                "The subject's record is not one that this version of Waxseal can read, so it is left alone.",
            ),
            Unavailable::Signer => {
                (ErrorCode::SignerFailed, "The tokens could not be signed, and nothing was changed; try again.")
            }
            Unavailable::Revocation => (
                ErrorCode::RevocationUnavailable,
                "The revocation store could not be told, so access tokens may live until they expire; try again.",
            ),
            Unavailable::Host => (ErrorCode::Internal, "The host answered a question that was not asked."),
        };
        Self::new(code, message)
    }
}
