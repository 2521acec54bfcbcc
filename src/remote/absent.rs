//! Names of keys that a set was fetched for and did not have: whoever makes them up gets no second fetch.

use crate::encoding::sha256;
use crate::time::UnixTime;

/// How many are remembered. One is added per fetch at most, so no stream of tokens can push the others out.
const MAX: usize = 64;

/// See the head of this file.
#[derive(Default)]
pub(super) struct Absent {
    /// By digest: a name can be as long as a token.
    names: Vec<([u8; 32], UnixTime)>,
    /// The one that the next replaces when there is no room.
    oldest: usize,
}

impl Absent {
    pub(super) fn add(&mut self, kid: &str, now: UnixTime) {
        let name = (sha256(kid.as_bytes()), now);
        match self.names.get_mut(self.oldest).filter(|_| self.oldest < MAX) {
            Some(place) => *place = name,
            None => self.names.push(name),
        }
        self.oldest = (self.oldest + 1) % MAX;
    }

    /// Whether a key was found missing less than so many seconds ago.
    pub(super) fn has(&self, kid: &str, now: UnixTime, seconds: u32) -> bool {
        let digest = sha256(kid.as_bytes());
        self.names.iter().any(|(name, at)| *name == digest && super::set::within(now, *at, seconds))
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_name_makes_room_and_time_ends_the_rest() {
        let time = |seconds: u32| UnixTime::from_seconds(f64::from(seconds)).unwrap();
        let mut absent = Absent::default();
        for number in 0..=64 {
            absent.add(&number.to_string(), time(number));
        }
        assert_eq!(absent.names.len(), MAX);
        assert!(!absent.has("0", time(64), 1000));
        for number in 1..=64_u32 {
            assert!(absent.has(&number.to_string(), time(64), 1000));
        }
        assert!(absent.has("64", time(73), 10));
        assert!(!absent.has("64", time(74), 10));
    }
}
