//! What one verifier keeps from token to token, so that the next costs less: room for decoded bytes, the protected
//! headers that it saw lately, and the signatures that it has verified if it is to remember them.
//!
//! It belongs to one verifier: what is known of a header depends on the extensions that the verifier allows.

use std::sync::Arc;

use super::cache::SignatureCache;
use super::header::ProtectedHeader;

/// How many headers are kept. Tokens of one issuer have the same header until it changes its key.
const HEADERS: usize = 4;

/// The longest header segment that is kept, in bytes.
const LONGEST: usize = 1024;

/// See the head of this file.
#[derive(Default)]
pub(crate) struct Memory {
    pub(super) payload: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(crate) cache: Option<SignatureCache>,
    headers: Vec<Known>,
    /// The header that the next one replaces.
    oldest: usize,
}

/// The header that a segment stands for. A signature has been verified with it.
struct Known {
    segment: String,
    header: Arc<ProtectedHeader>,
}

impl Memory {
    /// Takes bytes back that a token no longer needs.
    pub(crate) fn take_payload(&mut self, payload: Vec<u8>) {
        self.payload = payload;
    }

    /// The header that a segment stands for, if it is known.
    pub(super) fn header(&self, segment: &str) -> Option<Arc<ProtectedHeader>> {
        self.headers.iter().find(|known| known.segment == segment).map(|known| Arc::clone(&known.header))
    }

    /// Remembers the header of a token whose signature has been verified: nobody else's tokens push it out.
    pub(super) fn remember(&mut self, segment: &str, header: &Arc<ProtectedHeader>) {
        if segment.len() > LONGEST || self.headers.iter().any(|known| known.segment == segment) {
            return;
        }
        let known = Known { segment: segment.to_owned(), header: Arc::clone(header) };
        match self.headers.get_mut(self.oldest) {
            Some(place) => *place = known,
            None => self.headers.push(known),
        }
        self.oldest = (self.oldest + 1) % HEADERS;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_headers_seen_last_are_kept_and_the_oldest_of_them_makes_room() {
        let header = Arc::new(ProtectedHeader::parse(br#"{"alg":"ES256"}"#, &[]).unwrap());
        let mut memory = Memory::default();
        let segments: Vec<String> = (0..20).map(|number| format!("segment {number}")).collect();
        for (seen, segment) in segments.iter().enumerate() {
            memory.remember(segment, &header);
            memory.remember(segment, &header);
            let kept: Vec<usize> = (0..20).filter(|each| memory.header(&segments[*each]).is_some()).collect();
            assert_eq!(kept, (seen.saturating_sub(HEADERS - 1)..=seen).collect::<Vec<_>>());
            assert!(memory.headers.len() <= HEADERS);
        }
        let [longest, longer] = [LONGEST, LONGEST + 1].map(|length| "h".repeat(length));
        memory.remember(&longest, &header);
        memory.remember(&longer, &header);
        assert!(memory.header(&longest).is_some() && memory.header(&longer).is_none());
    }
}
