//! The compact serialization (RFC 7515 section 7.1), read strictly, and the one door from a token to its content.

use core::fmt;
use core::mem::take;
use std::sync::Arc;

use waxseal_scan::base64url;

use super::cache::Tag;
use super::header::ProtectedHeader;
use super::key::VerifyingKey;
use super::memory::Memory;
use crate::error::{Error, ErrorCode};
use crate::time::UnixTime;

/// The longest token accepted unless the caller says otherwise, in bytes.
pub const DEFAULT_MAX_LENGTH: usize = 8192;

/// The longest token that any caller can allow, in bytes.
pub const HARD_MAX_LENGTH: usize = 65536;

/// The three segments of a token as they are written, and nothing more said about them.
#[derive(Clone, Copy)]
struct Written<'t> {
    token: &'t str,
    signing_input: &'t str,
    header: &'t str,
    payload: &'t str,
    signature: &'t str,
}

impl<'t> Written<'t> {
    /// [`ErrorCode::TokenTooLarge`] or [`ErrorCode::TokenMalformed`], in this order.
    fn split(token: &'t str, max_length: usize) -> Result<Self, Error> {
        if token.len() > max_length.min(HARD_MAX_LENGTH) {
            return Err(Error::new(
                ErrorCode::TokenTooLarge,
                "The token is longer than the limit; see the maxTokenLength option.",
            ));
        }
        split(token).ok_or_else(|| wrong_segments(token))
    }

    fn decode_header(&self, bytes: &mut Vec<u8>) -> Result<(), Error> {
        self.decode(self.header, "The first segment of the token is not unpadded base64url.", bytes)
    }

    fn decode_others(&self, payload: &mut Vec<u8>, signature: &mut Vec<u8>) -> Result<(), Error> {
        self.decode(self.payload, "The second segment of the token is not unpadded base64url.", payload)?;
        self.decode(self.signature, "The third segment of the token is not unpadded base64url.", signature)
    }

    fn decode(&self, segment: &str, message: &'static str, bytes: &mut Vec<u8>) -> Result<(), Error> {
        if base64url::decode(segment.as_bytes(), bytes) {
            return Ok(());
        }
        // More than three segments are told first. They need not be counted in every token: a dot is not of base64url.
        if self.payload.contains('.') {
            return Err(wrong_segments(self.token));
        }
        Err(Error::new(ErrorCode::TokenMalformed, message))
    }
}

/// The three segments of a token, decoded, and nothing more said about them.
pub(crate) struct Segments<'t> {
    written: Written<'t>,
    pub(crate) header: Vec<u8>,
    pub(crate) payload: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

impl<'t> Segments<'t> {
    /// [`ErrorCode::TokenTooLarge`] or [`ErrorCode::TokenMalformed`], in this order.
    pub(crate) fn decode(token: &'t str, max_length: usize) -> Result<Self, Error> {
        let written = Written::split(token, max_length)?;
        let (mut header, mut payload, mut signature) = (Vec::new(), Vec::new(), Vec::new());
        written.decode_header(&mut header)?;
        written.decode_others(&mut payload, &mut signature)?;
        Ok(Self { written, header, payload, signature })
    }
}

/// A token whose form is right: three segments and a well-formed protected header. Nobody has signed it yet.
pub struct CompactJws<'t> {
    written: Written<'t>,
    header: Arc<ProtectedHeader>,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl<'t> CompactJws<'t> {
    /// Takes a token apart. `max_length` is in bytes and is held at [`HARD_MAX_LENGTH`]; `allowed_crit` are the
    /// extensions that the caller understands.
    ///
    /// # Errors
    /// [`ErrorCode::TokenTooLarge`], [`ErrorCode::TokenMalformed`], or what [`ProtectedHeader::parse`] reports, in
    /// this order.
    pub fn parse(token: &'t str, max_length: usize, allowed_crit: &[String]) -> Result<Self, Error> {
        Self::parse_in(token, max_length, allowed_crit, &mut Memory::default())
    }

    /// As [`parse`](Self::parse), with what its verifier keeps: a header that is written as one that is known need not be
    /// read again.
    pub(crate) fn parse_in(
        token: &'t str,
        max_length: usize,
        allowed_crit: &[String],
        memory: &mut Memory,
    ) -> Result<Self, Error> {
        let written = Written::split(token, max_length)?;
        let known = memory.header(written.header);
        let mut bytes = Vec::new();
        if known.is_none() {
            written.decode_header(&mut bytes)?;
        }
        written.decode_others(&mut memory.payload, &mut memory.signature)?;
        let header = match known {
            Some(header) => header,
            None => Arc::new(ProtectedHeader::parse(&bytes, allowed_crit)?),
        };
        Ok(Self { written, header, payload: take(&mut memory.payload), signature: take(&mut memory.signature) })
    }

    /// Puts segments together with the protected header that was read from them.
    pub(crate) fn new(segments: Segments<'t>, header: ProtectedHeader) -> Self {
        let Segments { written, payload, signature, .. } = segments;
        Self { written, header: Arc::new(header), payload, signature }
    }

    /// The protected header, not verified.
    #[must_use]
    pub fn header(&self) -> &ProtectedHeader {
        &self.header
    }

    /// The payload as anybody may have written it. It serves to choose among issuers and to show to a developer.
    #[must_use]
    pub fn unverified_payload(&self) -> &[u8] {
        &self.payload
    }

    /// Verifies the signature. The algorithm is the key's; the header's is only compared with it.
    ///
    /// # Errors
    /// [`ErrorCode::AlgorithmNotAllowed`] when the header names another algorithm than the key's, and
    /// [`ErrorCode::SignatureInvalid`], without detail, for every kind of wrong signature.
    pub fn verify_signature(self, key: &VerifyingKey) -> Result<SignatureVerified, Error> {
        self.check_algorithm(key)?;
        self.check_signature(key)?;
        Ok(SignatureVerified { header: self.header, payload: self.payload, fresh: None })
    }

    /// As [`verify_signature`](Self::verify_signature), with what its verifier keeps: a signature that is remembered need
    /// not be verified again.
    pub(crate) fn verify_signature_in(
        self,
        key: &VerifyingKey,
        now: UnixTime,
        memory: &mut Memory,
    ) -> Result<SignatureVerified, Error> {
        self.check_algorithm(key)?;
        let mut fresh = None;
        let remembered = memory.cache.as_mut().is_some_and(|cache| {
            let tag = cache.tag(self.written.token, key);
            let remembered = cache.holds(tag, now);
            fresh = (!remembered).then_some(tag);
            remembered
        });
        if !remembered {
            self.check_signature(key)?;
        }
        memory.remember(self.written.header, &self.header);
        memory.signature = self.signature;
        Ok(SignatureVerified { header: self.header, payload: self.payload, fresh })
    }

    fn check_algorithm(&self, key: &VerifyingKey) -> Result<(), Error> {
        if self.header.alg() == key.algorithm().name() {
            return Ok(());
        }
        Err(Error::new(ErrorCode::AlgorithmNotAllowed, "The token names another algorithm than that of the key."))
    }

    fn check_signature(&self, key: &VerifyingKey) -> Result<(), Error> {
        if key.verify(self.written.signing_input.as_bytes(), &self.signature) {
            return Ok(());
        }
        Err(Error::new(ErrorCode::SignatureInvalid, "The signature does not verify."))
    }
}

impl fmt::Debug for CompactJws<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompactJws").finish_non_exhaustive()
    }
}

/// The header and payload of a token whose signature verified. Only [`CompactJws::verify_signature`] makes one.
pub struct SignatureVerified {
    header: Arc<ProtectedHeader>,
    payload: Vec<u8>,
    /// What to remember the signature by, if it is to be remembered and is not yet.
    fresh: Option<Tag>,
}

impl SignatureVerified {
    /// The protected header.
    #[must_use]
    pub fn header(&self) -> &ProtectedHeader {
        &self.header
    }

    /// The payload: bytes that the holder of the key signed, of whatever form.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Both, given away.
    #[must_use]
    pub fn into_parts(self) -> (Arc<ProtectedHeader>, Vec<u8>) {
        (self.header, self.payload)
    }

    /// What to remember the signature by, once the claims have passed too.
    pub(crate) fn fresh(&self) -> Option<Tag> {
        self.fresh
    }
}

impl fmt::Debug for SignatureVerified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureVerified").finish_non_exhaustive()
    }
}

/// The signing input (RFC 7515 section 5.2 step 8) and the three segments, if there are as many. If there are more, the
/// second holds all but the first and the last, and is not base64url.
fn split(token: &str) -> Option<Written<'_>> {
    let (signing_input, signature) = token.rsplit_once('.')?;
    let (header, payload) = signing_input.split_once('.')?;
    Some(Written { token, signing_input, header, payload, signature })
}

fn wrong_segments(token: &str) -> Error {
    // RFC 7516 section 9: five segments are a JWE.
    let message = if token.bytes().filter(|byte| *byte == b'.').count() == 4 {
        "The token has five segments: encrypted tokens (JWE) are not supported."
    } else {
        "The token does not have three segments separated by dots."
    };
    Error::new(ErrorCode::TokenMalformed, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(token: &str, max_length: usize) -> Option<ErrorCode> {
        CompactJws::parse(token, max_length, &[]).err().map(|error| error.code())
    }

    #[test]
    fn a_token_is_exactly_three_segments_of_strict_base64url() {
        assert_eq!(code("eyJhbGciOiJFUzI1NiJ9.e30.AA", 8192), None);
        assert_eq!(code("eyJhbGciOiJFUzI1NiJ9..", 8192), None, "an empty payload and signature have the right form");
        for token in [
            "",
            ".",
            "...",
            "eyJhbGciOiJFUzI1NiJ9",
            "eyJhbGciOiJFUzI1NiJ9.e30",
            "eyJhbGciOiJFUzI1NiJ9.e30.AA.AA",
            "eyJhbGciOiJFUzI1NiJ9.e30.AA=",
            "eyJhbGciOiJFUzI1NiJ9.e30.AB",
            "eyJhbGciOiJFUzI1NiJ9.e30.A",
            "eyJhbGciOiJFUzI1NiJ9.e30.+/+/",
            " eyJhbGciOiJFUzI1NiJ9.e30.AA",
            "eyJhbGciOiJFUzI1NiJ9.e30.AA\n",
            "eyJhbGciOiJFUzI1NiJ9.e 30.AA",
            "eyJhbGciOiJFUzI1NiJ9.e30.\u{e9}\u{e9}",
        ] {
            assert_eq!(code(token, 8192), Some(ErrorCode::TokenMalformed), "{token:?}");
        }
    }

    #[test]
    fn five_segments_are_told_that_jwe_is_not_supported() {
        let error = CompactJws::parse("eyJhbGciOiJkaXIifQ....", 8192, &[]).unwrap_err();
        assert_eq!(error.code(), ErrorCode::TokenMalformed);
        assert!(error.message().contains("JWE"));
    }

    #[test]
    fn the_length_is_checked_first_and_the_hard_limit_cannot_be_raised() {
        let token = "eyJhbGciOiJFUzI1NiJ9.e30.AA";
        assert_eq!(code(token, token.len()), None);
        assert_eq!(code(token, token.len() - 1), Some(ErrorCode::TokenTooLarge));
        let long = ".".repeat(HARD_MAX_LENGTH + 1);
        assert_eq!(code(&long, usize::MAX), Some(ErrorCode::TokenTooLarge));
        assert_eq!(code(&long[1..], usize::MAX), Some(ErrorCode::TokenMalformed));
    }

    #[test]
    fn segments_are_judged_before_the_header() {
        assert_eq!(code("bm90IGpzb24.e30.A", 8192), Some(ErrorCode::TokenMalformed));
        assert_eq!(code("bm90IGpzb24.e30.AA", 8192), Some(ErrorCode::HeaderInvalid));
        assert_eq!(code(".e30.AA", 8192), Some(ErrorCode::HeaderInvalid));
    }
}
