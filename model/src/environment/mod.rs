//! What a session's calls run against: a record store, a revocation store that is stale, and clients.

mod browser;
mod edge;
mod store;

pub use browser::{Act, Browser, Client};
pub use edge::{Circulating, Edge};
pub use store::{LateSwap, RecordStore, Swap};
