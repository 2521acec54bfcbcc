//! Signatures that have been verified, remembered so that the same token need not be verified again.
//!
//! An entry says that these very bytes were verified with this very key, and until when that may be believed: until the
//! token expires. It holds no claims, and it saves the arithmetic of the signature alone: everything else about a token
//! is decided anew each time, with the time, policy and revocation of that moment.
//!
//! # Why a short keyed hash is enough
//!
//! A token is known by its tag: SipHash-2-4 with 128 bits of output (Aumasson, Bernstein: "SipHash: a fast short-input
//! PRF", 2012) of the token and the thumbprint of the key, under a key of 128 random bits that the verifier draws for
//! itself. Who wants a forged token to pass has to find one with the tag of a token that was verified. The tags never
//! leave the verifier, and neither does its key, so nothing tells whether a guess came near, and no collision can be
//! looked for offline: to an attacker who chooses tokens the tags are random numbers. Of q forged tokens against a full cache
//! of n entries one passes with a probability of at most q·n·2^-128, beside the advantage of telling SipHash from a random
//! function: for n = 65536 and a million forgeries a second for a year, 2^-67. An unkeyed hash would need the collision
//! resistance of SHA-256, and costs five times as much.
//!
//! Who reads the memory of the process reads the key, and can then compute tags but still not write entries; to find a
//! token that has the tag of an entry is then a second preimage of a function that was not made to resist it. Such
//! a reader has the tokens themselves, and whatever else the process knows. Each verifier has a key of its own, and
//! nothing of it outlives the process.

use waxseal_scan::hash::siphash;

use super::key::VerifyingKey;
use crate::time::UnixTime;

/// The most entries that a cache can be asked to hold.
pub const MAX_ENTRIES: usize = 65_536;

/// No entry.
const NONE: u32 = u32::MAX;

/// What a verifier needs to remember signatures.
#[derive(Clone, Copy)]
pub struct CacheConfig {
    /// How many signatures are remembered, 1 to [`MAX_ENTRIES`]; each takes some 40 bytes.
    pub max: usize,
    /// Fresh random bytes for this verifier alone, which nobody else ever sees.
    pub secret: [u8; 16],
}

/// What a cache has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheFigures {
    /// How many signatures it remembers.
    pub size: usize,
    /// How often a signature was remembered.
    pub hits: u64,
    /// How often one had to be verified, whatever came of it.
    pub misses: u64,
}

/// What a token and the key that verifies it are known by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag(u128);

struct Entry {
    tag: u128,
    /// From this time on the entry counts for nothing.
    expires: UnixTime,
    /// The next entry of the same bucket.
    next: u32,
    /// Whether it was asked for since the hand passed it.
    used: bool,
}

/// See the head of this file. A table of chained entries, replaced by second chance (Corbató: "A paging experiment with the
/// Multics system", 1968): constant time on average, and no entry that is in use is lost to tokens that come once.
pub(crate) struct SignatureCache {
    secret: [u8; 16],
    max: usize,
    /// The first entry of each bucket; empty until there is something to remember.
    buckets: Vec<u32>,
    entries: Vec<Entry>,
    hand: usize,
    hits: u64,
    misses: u64,
}

impl SignatureCache {
    pub(crate) fn new(config: &CacheConfig) -> Self {
        Self {
            secret: config.secret,
            max: config.max.clamp(1, MAX_ENTRIES),
            buckets: Vec::new(),
            entries: Vec::new(),
            hand: 0,
            hits: 0,
            misses: 0,
        }
    }

    pub(crate) fn figures(&self) -> CacheFigures {
        CacheFigures { size: self.entries.len(), hits: self.hits, misses: self.misses }
    }

    /// The tag of a token and its key. The thumbprint has a fixed length, so the two cannot be divided in another way.
    pub(super) fn tag(&self, token: &str, key: &VerifyingKey) -> Tag {
        Tag(siphash(&self.secret, key.thumbprint().as_bytes(), token.as_bytes()))
    }

    /// Whether the signature is remembered, and may still be believed.
    pub(super) fn holds(&mut self, tag: Tag, now: UnixTime) -> bool {
        let mut at = self.buckets.get(self.bucket(tag.0)).copied().unwrap_or(NONE);
        while let Some(entry) = self.entries.get_mut(index(at)) {
            if entry.tag == tag.0 {
                entry.used = now < entry.expires;
                if entry.used {
                    self.hits += 1;
                    return true;
                }
                break;
            }
            at = entry.next;
        }
        self.misses += 1;
        false
    }

    /// Remembers a signature that was verified, until the token expires.
    pub(crate) fn insert(&mut self, tag: Tag, expires: UnixTime) {
        if self.buckets.is_empty() {
            self.buckets.resize(self.max.next_power_of_two(), NONE);
        }
        let place = self.vacated();
        let bucket = self.bucket(tag.0);
        let (Some(first), Ok(link)) = (self.buckets.get_mut(bucket), u32::try_from(place)) else { return };
        let entry = Entry { tag: tag.0, expires, next: *first, used: false };
        *first = link;
        match self.entries.get_mut(place) {
            Some(old) => *old = entry,
            None => self.entries.push(entry),
        }
    }

    /// The next place that has no entry yet, or whose entry was not asked for since the hand came by last: that is taken out of
    /// its bucket.
    fn vacated(&mut self) -> usize {
        let place = loop {
            let place = self.hand;
            self.hand = (place + 1) % self.max;
            match self.entries.get_mut(place) {
                Some(entry) if entry.used => entry.used = false,
                _ => break place,
            }
        };
        if let Some((tag, next)) = self.entries.get(place).map(|entry| (entry.tag, entry.next)) {
            let bucket = self.bucket(tag);
            let first = self.buckets.get(bucket).copied().unwrap_or(NONE);
            if index(first) != place {
                self.unlink(first, place, next);
            } else if let Some(link) = self.buckets.get_mut(bucket) {
                *link = next;
            }
        }
        place
    }

    /// Lets the entry before `place` in the chain that begins at `at` lead to `next`.
    fn unlink(&mut self, mut at: u32, place: usize, next: u32) {
        while let Some(entry) = self.entries.get_mut(index(at)) {
            if index(entry.next) == place {
                entry.next = next;
                return;
            }
            at = entry.next;
        }
    }

    fn bucket(&self, tag: u128) -> usize {
        let [a, b, c, d, ..] = tag.to_le_bytes();
        index(u32::from_le_bytes([a, b, c, d])) & self.buckets.len().wrapping_sub(1)
    }
}

fn index(link: u32) -> usize {
    usize::try_from(link).unwrap_or(usize::MAX)
}

impl core::fmt::Debug for CacheConfig {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("CacheConfig").field("max", &self.max).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn time(seconds: f64) -> UnixTime {
        UnixTime::from_seconds(seconds).unwrap()
    }

    fn cache(max: usize) -> SignatureCache {
        SignatureCache::new(&CacheConfig { max, secret: [7; 16] })
    }

    #[test]
    fn an_entry_counts_until_its_time_and_not_at_it() {
        let mut cache = cache(2);
        cache.insert(Tag(1), time(100.0));
        assert!(cache.holds(Tag(1), time(99.9)));
        assert!(!cache.holds(Tag(1), time(100.0)));
        assert!(!cache.holds(Tag(2), time(0.0)));
        assert_eq!(cache.figures(), CacheFigures { size: 1, hits: 1, misses: 2 });
    }

    #[test]
    fn an_entry_that_is_in_use_outlives_a_stream_of_others() {
        let mut cache = cache(8);
        cache.insert(Tag(1), time(100.0));
        for other in 2..1000 {
            assert!(cache.holds(Tag(1), time(0.0)), "{other}");
            cache.insert(Tag(other), time(100.0));
        }
        assert_eq!(cache.figures().size, 8);
    }

    proptest! {
        #[test]
        fn what_is_held_was_inserted_and_the_newest_always_is(
            max in 1..20_usize, tags in prop::collection::vec(0..60_u32, 1..300),
        ) {
            let mut cache = cache(max);
            let mut inserted = std::collections::HashSet::new();
            for tag in tags {
                // Spread over the buckets or not, as it comes.
                let tag = Tag(u128::from(tag) << (tag % 3));
                if cache.holds(tag, time(1.0)) {
                    prop_assert!(inserted.contains(&tag.0));
                } else {
                    cache.insert(tag, time(2.0));
                    inserted.insert(tag.0);
                }
                prop_assert!(cache.holds(tag, time(1.0)));
                prop_assert!(cache.figures().size <= max);
            }
        }
    }
}
