//! A scenario: clients, clocks and faults in small numbers, so that every order of events can be tried.

use waxseal::revocation::RevocationConfig;
use waxseal::session::{OnReuse, SessionPolicy};

use crate::environment::Client;
use crate::plant::Plant;
use crate::sight::Sight;

/// `iss`
pub const ISSUER: &str = "https://issuer.example";

/// `sub`: a run has one subject, since subjects share nothing.
pub const SUBJECT: &str = "subject";

/// When a run begins, in seconds since 1970.
pub const START: u64 = 1_000_000;

/// What may go wrong with the step that a call is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// It fails without effect.
    Fails,
    /// It is said to have failed, and happens later; a swap perhaps in vain.
    HappensLater,
    /// A swap that happens, and of which the store says that it did not.
    HappensDenied,
    /// A swap is lost to somebody who is no part of the run.
    LosesSwap,
    /// Of several entries only the first is written.
    HappensInPart,
    /// The host dies before the step.
    Crash,
    /// The client never gets the answer.
    LosesAnswer,
}

impl Fault {
    /// All but [`LosesSwap`](Self::LosesSwap): the clients of a run lose swaps to one another.
    pub const ALL: [Self; 6] =
        [Self::Fails, Self::HappensLater, Self::HappensDenied, Self::HappensInPart, Self::Crash, Self::LosesAnswer];
}

/// What a run must come to, beyond what every run must.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// These clients are honest and nobody ends their session: none of them is ever refused, and in the end each browser
    /// holds the current token, or inside the window the one before (L1, L2).
    pub signed_in: &'static [usize],
    /// All of it lies inside one window: there is one rotation at most (L2).
    pub one_rotation: bool,
    /// There is no thief, and no retry is late: there is no reuse (L3).
    pub no_reuse: bool,
}

/// What is run.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// For people.
    pub name: &'static str,
    /// The policy of the sessions.
    pub policy: SessionPolicy,
    /// By how many seconds readers of the revocation store may be behind.
    pub staleness: u64,
    /// By how many seconds after its `exp` a verifier still accepts a token.
    pub tolerance: u64,
    /// For how many seconds a call may take; after that it has failed, as if its host had died.
    pub timeout: u64,
    /// The clock: seconds since the start at which something may happen.
    pub instants: Vec<u64>,
    /// Who takes part. Client 0's browser is signed in at the start.
    pub clients: Vec<Client>,
    /// How many faults there may be.
    pub faults: u8,
    /// Which ones.
    pub kinds: Vec<Fault>,
    /// What it must come to.
    pub expected: Expected,
    /// Whether answers reach their clients by the timeout too, and none of them overtakes one with a newer token. (A browser
    /// whose cookie is taken back by a late answer presents an old token when it next refreshes, which may be reuse.)
    pub prompt: bool,
    /// What must be seen on the way.
    pub shows: &'static [Sight],
    /// What is deliberately wrong.
    pub plant: Option<Plant>,
}

impl Scenario {
    /// A scenario without faults.
    #[must_use]
    pub fn new(name: &'static str, clients: impl Into<Vec<Client>>, instants: impl Into<Vec<u64>>) -> Self {
        Self {
            name,
            policy: policy(),
            staleness: 3,
            tolerance: 1,
            timeout: 2,
            instants: instants.into(),
            clients: clients.into(),
            faults: 0,
            kinds: Fault::ALL.to_vec(),
            expected: Expected::default(),
            prompt: false,
            shows: &[],
            plant: None,
        }
    }

    /// With so many faults of any kind.
    #[must_use]
    pub fn faults(self, faults: u8) -> Self {
        Self { faults, ..self }
    }

    /// With faults of these kinds alone.
    #[must_use]
    pub fn only(self, kinds: &[Fault]) -> Self {
        Self { kinds: kinds.to_vec(), ..self }
    }

    /// With something that it must come to.
    #[must_use]
    pub fn expect(self, expected: Expected) -> Self {
        Self { expected, ..self }
    }

    /// With what must be seen on the way.
    #[must_use]
    pub fn shows(self, shows: &'static [Sight]) -> Self {
        Self { shows, ..self }
    }

    /// With something deliberately wrong.
    #[must_use]
    pub fn plant(self, plant: Plant) -> Self {
        Self { plant: Some(plant), ..self }
    }

    /// With verifiers that accept no token after its `exp`. (A subject who has more sessions than it may loses the oldest
    /// that ran out from its record at once, and not after the tolerance.)
    #[must_use]
    pub fn exactly(self) -> Self {
        Self { tolerance: 0, ..self }
    }

    /// With other options.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut SessionPolicy)) -> Self {
        change(&mut self.policy);
        self
    }

    /// How many browsers there are.
    #[must_use]
    pub fn browsers(&self) -> usize {
        self.clients.iter().map(|client| client.browser + 1).max().unwrap_or(0)
    }
}

/// Small lives, so that few instants reach every border: a window of 5 s, access tokens of 10 s, refresh tokens of 20 s
/// and sessions of 40 s.
#[must_use]
pub fn policy() -> SessionPolicy {
    SessionPolicy {
        access_lifetime: 10,
        access_jitter: 0,
        refresh_lifetime: 20,
        absolute_lifetime: 40,
        grace: 5,
        max_sessions: 3,
        on_reuse: OnReuse::EndSession,
        revocation: Some(RevocationConfig { token_lifetime: 10, ..RevocationConfig::default() }),
        ..SessionPolicy::new(ISSUER)
    }
}
