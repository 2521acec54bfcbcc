//! What must hold, in the words of the specification.

use core::fmt;

/// A property of the sessions: S for safety (nothing bad ever happens), L for liveness (what must come does come).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Property {
    /// Which generations are accepted.
    S1,
    /// What only grows.
    S2,
    /// An end is an end for refresh tokens.
    S3,
    /// An end is an end for access tokens.
    S4,
    /// Versions are those of birth.
    S5,
    /// Theft shows.
    S6,
    /// What writes nothing.
    S7,
    /// Faults leave no torn state.
    S8,
    /// Failures clear no cookies.
    S9,
    /// Retries succeed.
    L1,
    /// Honest concurrency succeeds.
    L2,
    /// Honest runs raise no alarm.
    L3,
    /// Pending revocations are written.
    L4,
    /// Login after logout everywhere works.
    L5,
    /// Calls end.
    L6,
}

impl Property {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::S1,
        Self::S2,
        Self::S3,
        Self::S4,
        Self::S5,
        Self::S6,
        Self::S7,
        Self::S8,
        Self::S9,
        Self::L1,
        Self::L2,
        Self::L3,
        Self::L4,
        Self::L5,
        Self::L6,
    ];

    /// The letter and the sentence.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::S1 => {
                "S1 accepted generations are the current one, and the one before it inside the window; tokens of one \
                 session and generation have equal claims"
            }
            Self::S2 => {
                "S2 generation, ended and version only grow; at most one rotation per window; absolute expiry never \
                 moves and bounds every exp"
            }
            Self::S3 => {
                "S3 no refresh invoked after an acknowledged end succeeds, and no rotation is written after an end"
            }
            Self::S4 => {
                "S4 after acknowledgement plus staleness no access token of that session is accepted, including those \
                 released late"
            }
            Self::S5 => "S5 a released ver is the session's birth version",
            Self::S6 => {
                "S6 if a thief and the owner both present a generation of a live session, the second presentation is \
                 inside the window or ends the session"
            }
            Self::S7 => "S7 forged, expired, ended and unknown presentations write nothing, forged ones read nothing",
            Self::S8 => "S8 after any fault the session is as it was, rotated exactly once, or ended",
            Self::S9 => "S9 failed refreshes clear no cookies",
            Self::L1 => "L1 an owner who retries inside the window ends signed in",
            Self::L2 => "L2 any number of honest concurrent refreshes all succeed with one rotation",
            Self::L3 => "L3 honest runs inside the window raise no reuse",
            Self::L4 => "L4 a pending revocation is written in the end",
            Self::L5 => "L5 login after logout everywhere works at once in spite of a stale revocation store",
            Self::L6 => "L6 every call ends by its timeout",
        }
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}

/// The properties that a run has broken, with what was seen first. Empty in every state that a correct core reaches, so that it
/// costs no states.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Broken(Vec<(Property, &'static str)>);

impl Broken {
    /// Notes that a property does not hold, and in which way.
    pub fn note(&mut self, property: Property, how: &'static str) {
        if !self.contains(property) {
            self.0.push((property, how));
        }
    }

    /// Notes it unless the condition holds.
    pub fn require(&mut self, condition: bool, property: Property, how: &'static str) {
        if !condition {
            self.note(property, how);
        }
    }

    /// Whether a property was broken.
    #[must_use]
    pub fn contains(&self, property: Property) -> bool {
        self.0.iter().any(|(broken, _)| *broken == property)
    }

    /// What was seen, in order.
    #[must_use]
    pub fn all(&self) -> &[(Property, &'static str)] {
        &self.0
    }

    /// Whether everything held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
