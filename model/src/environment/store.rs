//! The session store: one record, read and compared-and-swapped as the adapters' contract says, and swaps that nobody
//! heard of, which happen later.

use crate::call::Cause;

/// The record of the one subject of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct RecordStore {
    kept: Option<Kept>,
    late: Vec<LateSwap>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Kept {
    text: String,
    expires_at: u64,
}

/// A swap as the host asks for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Swap {
    /// What the record must still be.
    pub expected: Option<String>,
    /// What it becomes.
    pub next: String,
    /// From when on the store may drop it.
    pub expires_at: u64,
}

/// A swap whose caller was told that nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LateSwap {
    /// What it does when it arrives.
    pub swap: Swap,
    /// Which call sent it.
    pub cause: Cause,
}

impl RecordStore {
    /// The record, never older than the last swap; one whose expiry has passed reads as none.
    #[must_use]
    pub fn read(&self, now: u64) -> Option<&str> {
        self.kept.as_ref().filter(|kept| now < kept.expires_at).map(|kept| kept.text.as_str())
    }

    /// Writes if the record is still what the caller expects. Whether it was written.
    pub fn swap(&mut self, swap: &Swap, now: u64) -> bool {
        let written = self.read(now) == swap.expected.as_deref();
        if written {
            self.kept = Some(Kept { text: swap.next.clone(), expires_at: swap.expires_at });
        }
        written
    }

    /// Keeps a swap that will happen later.
    pub fn delay(&mut self, late: LateSwap) {
        self.late.push(late);
    }

    /// How many swaps are still to happen.
    #[must_use]
    pub fn late(&self) -> usize {
        self.late.len()
    }

    /// Takes one of them out, for it to happen now.
    pub fn arrive(&mut self, index: usize) -> Option<LateSwap> {
        (index < self.late.len()).then(|| self.late.remove(index))
    }

    /// Drops what has expired, so that equal worlds compare equal.
    pub fn forget(&mut self, now: u64) {
        if self.read(now).is_none() {
            self.kept = None;
        }
    }
}
