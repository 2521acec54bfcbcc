//! Clients: what they do, one call after the other, and the cookies that they share.

use waxseal::session::{AccessToken, RefreshToken};

/// One thing that a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// Signs in, which ends the session that the browser held.
    Login,
    /// Presents the browser's refresh token.
    Refresh,
    /// Presents it again inside the grace window until there is an answer: an owner whose network is bad.
    RefreshUntilAnswered,
    /// Copies the refresh token out of another browser, without a trace.
    Steal(usize),
    /// Presents the copy.
    Present,
    /// Signs out.
    Logout,
    /// Signs out until it is acknowledged.
    LogoutUntilAcknowledged,
    /// Signs out on every device.
    LogoutEverywhere,
    /// Asks the session store whether the browser's session is live.
    Check,
    /// Writes revocation entries that wait.
    Sweep,
    /// When everybody else has finished: writes entries that wait until none does.
    SweepInTheEnd,
    /// Waits until everybody else has finished, except for those who wait too.
    Wait,
}

/// A client: a tab of a browser, a thief's program, a job.
#[derive(Clone, Debug)]
pub struct Client {
    /// Whose cookies it uses.
    pub browser: usize,
    /// What it does.
    pub program: Vec<Act>,
    /// By how many seconds the clock of the host that serves it is ahead.
    pub skew: u64,
    /// The digest that the host gives for its kind of browser.
    pub binding: Option<&'static str>,
}

impl Client {
    /// A client of a browser.
    #[must_use]
    pub fn new(browser: usize, program: impl Into<Vec<Act>>) -> Self {
        Self { browser, program: program.into(), skew: 0, binding: None }
    }

    /// Its host's clock is ahead.
    #[must_use]
    pub fn ahead(self, skew: u64) -> Self {
        Self { skew, ..self }
    }

    /// It is a kind of browser.
    #[must_use]
    pub fn bound(self, binding: &'static str) -> Self {
        Self { binding: Some(binding), ..self }
    }
}

/// What a browser holds. A failed refresh leaves it alone; that no clearing header is even sent is for the tests of the
/// facade to show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Browser {
    /// The refresh cookie.
    pub refresh: Option<RefreshToken>,
    /// The access cookie, which stays when its token has expired.
    pub access: Option<AccessToken>,
}

impl Browser {
    /// The session of the access cookie.
    #[must_use]
    pub fn sid(&self) -> Option<&str> {
        self.access.as_ref().map(|token| token.sid.as_str())
    }
}
