//! What a run has come across: a proof over states in which nothing happens would prove nothing.

use core::sync::atomic::{AtomicU32, Ordering};

/// Something that must be seen for a scenario to mean anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Sight {
    /// A generation was followed by the next.
    Rotated,
    /// The current generation was given again to who presented it.
    Reissued,
    /// The successor was given again to who presented the generation before.
    SuccessorGiven,
    /// A refresh token was used again.
    ReuseDetected,
    /// Inside the window, but by another client.
    OtherClient,
    /// A presentation of an ended session was refused.
    RefusedEnded,
    /// A presentation of an expired session was refused.
    RefusedExpired,
    /// A presentation of a forgotten session was refused.
    RefusedUnknown,
    /// Tokens reached a client when the end of their session had been acknowledged already.
    ReleasedAfterEnd,
    /// An access token passed at the edge after the end had been acknowledged, within the staleness.
    AcceptedWhileStale,
    /// A call answered that its end is not yet announced.
    PendingLeft,
    /// A flag that one call had left was cleared by another.
    PendingSettled,
    /// A swap was lost to another call.
    SwapLost,
    /// A swap that nobody heard of happened later.
    LateSwapHappened,
    /// It came too late.
    LateSwapLost,
    /// A host died between two steps.
    Crashed,
    /// A client never got its answer.
    AnswerLost,
    /// A session began after every session had been ended.
    LoginAfterEndAll,
    /// A refresh failed while its browser held a newer session.
    FailedBesideNewLogin,
    /// Signing failed.
    SigningFailed,
    /// A strong check refused an ended session.
    StrongRefusal,
    /// A login ended the oldest session because there were too many.
    OldestEnded,
}

impl Sight {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::Rotated,
        Self::Reissued,
        Self::SuccessorGiven,
        Self::ReuseDetected,
        Self::OtherClient,
        Self::RefusedEnded,
        Self::RefusedExpired,
        Self::RefusedUnknown,
        Self::ReleasedAfterEnd,
        Self::AcceptedWhileStale,
        Self::PendingLeft,
        Self::PendingSettled,
        Self::SwapLost,
        Self::LateSwapHappened,
        Self::LateSwapLost,
        Self::Crashed,
        Self::AnswerLost,
        Self::LoginAfterEndAll,
        Self::FailedBesideNewLogin,
        Self::SigningFailed,
        Self::StrongRefusal,
        Self::OldestEnded,
    ];
}

/// All that was seen. It is no part of the state: different ways to one state see different things.
#[derive(Debug, Default)]
pub struct Sights(AtomicU32);

impl Sights {
    /// Notes a sight.
    pub fn note(&self, sight: Sight) {
        self.0.fetch_or(1 << u32::from(Self::bit(sight)), Ordering::Relaxed);
    }

    /// Whether it was seen.
    #[must_use]
    pub fn has(&self, sight: Sight) -> bool {
        self.0.load(Ordering::Relaxed) & (1 << u32::from(Self::bit(sight))) != 0
    }

    #[expect(clippy::as_conversions, reason = "the discriminant of an enum without fields")]
    fn bit(sight: Sight) -> u8 {
        sight as u8
    }
}
