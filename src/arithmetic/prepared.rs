//! What makes the next verification of a key cheaper, for all keys of a process together, in bounded memory.
//!
//! Nothing is prepared when a key is imported. The first verification of an RSA key leaves its constants here. A P-256
//! key that is used again and again gets tables, made in small steps, one for each further use, so that no verification
//! pays for a whole table. A JWK Set of fifty keys of which two sign costs two tables.
//!
//! Memory is bounded ([`set_limit`]). Where it is short, a key that is used again takes the place of keys that have not
//! been used since it was first met, those used longest ago first, and of no others: keys in turn, more than there is
//! room for, would otherwise push each other out for ever, each prepared anew at every turn.
//!
//! Keys are told apart by their value, not by who imported them: a verifier that is made anew for every request finds
//! what the one before has left. All of it is determined by public keys, so sharing it gives nothing away.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::p256::{self, Table, TableBuilder};
use crate::rsa::{self, Context};

/// The memory for tables unless the host says otherwise, in bytes.
pub const DEFAULT_LIMIT: usize = 1 << 20;

/// The verifications of a P-256 key before its table is begun. A key's table costs what some six verifications with it
/// save, and the generator's, once for all keys, what some twenty do: a process that ends soon should pay for neither.
const USES_BEFORE_TABLE: u32 = 8;

/// The keys that are remembered, with tables or without, so that what is remembered of those without is bounded too.
const MAX_KEYS: usize = 256;

/// How much memory is in use for tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The most that may be used, in bytes.
    pub limit: usize,
    /// What is used now, in bytes; tables that are still being made count as if they were complete.
    pub used: usize,
    /// The keys that hold a part of it.
    pub keys: usize,
}

/// The memory in use.
#[must_use]
pub fn usage() -> Usage {
    store().usage()
}

/// Bounds the memory, in bytes; what is above a lower limit is given back at once. With 0 every verification does all of
/// its work anew.
///
/// A P-256 key takes [`Table::KEY_BYTES`], and the first one [`Table::GENERATOR_BYTES`] more, which all keys share; an
/// RSA key takes 2 to 10 KB, by its length and by the machine.
pub fn set_limit(bytes: usize) {
    store().set_limit(bytes);
}

// What is never inlined here and below stays apart from callers that are built to be small, and from rarer work.

/// [`p256::PublicKey::verify`], with what is there for the key; a step is made towards what is not.
#[inline(never)]
pub(crate) fn verify_p256(key: &p256::PublicKey, digest: &[u8; 32], signature: &[u8]) -> bool {
    // The lock is never held during a computation.
    let turn = store().p256(key);
    match turn {
        Turn::Hot(generator, table) => p256::PublicKey::verify_hot(&generator, &table, digest, signature),
        Turn::Cold => key.verify_cold(digest, signature),
        Turn::Build(mut work) => {
            work.builder().step();
            store().put_back(work);
            key.verify_cold(digest, signature)
        }
    }
}

/// [`rsa::PublicKey::verify`], with the key's constants if they are there; otherwise they are made, and kept if there is
/// room.
#[inline(never)]
pub(crate) fn verify_rsa(key: &rsa::PublicKey, digest: &[u8; 32], signature: &[u8]) -> bool {
    let kept = store().rsa(key.id());
    let context = kept.unwrap_or_else(|| {
        let context = Arc::new(Context::new(key));
        store().keep(key.id(), &context);
        context
    });
    context.verify(digest, signature)
}

/// What a verification with a P-256 key has to go by.
enum Turn {
    /// The tables of the generator and of the key.
    Hot(Arc<Table>, Arc<Table>),
    /// No tables, and a step to make towards them.
    Build(Work),
    /// No tables.
    Cold,
}

/// A table that is being made, in the hands of who makes its next step.
enum Work {
    /// The table of the generator.
    Generator(TableBuilder),
    /// That of a key.
    Key(Id, TableBuilder),
}

impl Work {
    fn builder(&mut self) -> &mut TableBuilder {
        match self {
            Self::Generator(builder) | Self::Key(_, builder) => builder,
        }
    }
}

/// What tells keys apart: the octets of a point, or those of a modulus and an exponent, which are more.
pub(crate) type Id = Arc<[u8]>;

static STORE: Mutex<Store> = Mutex::new(Store::new());

fn store() -> MutexGuard<'static, Store> {
    // No code of the store panics, and nothing foreign runs while it is locked: it is never left half changed.
    STORE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The keys that were met, and what they hold. A key's table is there only while that of the generator is.
struct Store {
    limit: usize,
    used: usize,
    /// Counts verifications; it tells earlier from later.
    now: u64,
    generator: Slot,
    entries: Vec<Entry>,
}

/// A key that was met.
struct Entry {
    id: Id,
    /// When it was first met, found no room, or gave up what it held.
    met: u64,
    last_used: u64,
    uses: u32,
    held: Held,
}

enum Held {
    Nothing,
    P256(Slot),
    Rsa(Arc<Context>),
}

/// A place for a table. Its memory is counted as soon as it is not empty.
enum Slot {
    Empty,
    /// With no builder, another verification is making a step at this moment.
    Building(Option<TableBuilder>),
    Ready(Arc<Table>),
}

impl Slot {
    /// The builder, for whoever takes the next step.
    fn take(&mut self) -> Option<TableBuilder> {
        if let Self::Building(builder) = self { builder.take() } else { None }
    }

    /// Takes a builder back after a step, unless the place was given up meanwhile.
    fn put_back(&mut self, builder: TableBuilder) {
        if let Self::Building(place @ None) = self {
            match builder.finish() {
                Ok(table) => *self = Self::Ready(Arc::new(table)),
                Err(builder) => *place = Some(builder),
            }
        }
    }
}

impl Entry {
    fn bytes(&self) -> usize {
        match &self.held {
            Held::Nothing => 0,
            Held::P256(_) => Table::KEY_BYTES,
            Held::Rsa(context) => context.bytes(),
        }
    }
}

impl Store {
    const fn new() -> Self {
        Self { limit: DEFAULT_LIMIT, used: 0, now: 0, generator: Slot::Empty, entries: Vec::new() }
    }

    fn usage(&self) -> Usage {
        let keys = self.entries.iter().filter(|entry| entry.bytes() > 0).count();
        Usage { limit: self.limit, used: self.used, keys }
    }

    fn place(&self, id: &Id) -> Option<usize> {
        self.entries.iter().position(|entry| Arc::ptr_eq(&entry.id, id) || entry.id == *id)
    }

    fn find(&mut self, id: &Id) -> Option<&mut Entry> {
        self.place(id).and_then(|place| self.entries.get_mut(place))
    }

    /// Notes the use of a key.
    fn meet(&mut self, id: &Id) -> Option<&mut Entry> {
        self.now += 1;
        let now = self.now;
        let place = self.place(id).unwrap_or_else(|| {
            if self.entries.len() == MAX_KEYS {
                self.forget_one();
            }
            let id = Arc::clone(id);
            self.entries.push(Entry { id, met: now, last_used: now, uses: 0, held: Held::Nothing });
            self.entries.len() - 1
        });
        let entry = self.entries.get_mut(place)?;
        entry.last_used = now;
        entry.uses = entry.uses.saturating_add(1);
        Some(entry)
    }

    fn p256(&mut self, key: &p256::PublicKey) -> Turn {
        let Some(Entry { id, held, uses, met, .. }) = self.meet(key.id()) else { return Turn::Cold };
        let (uses, met) = (*uses, *met);
        match held {
            Held::P256(Slot::Ready(table)) => {
                let table = Arc::clone(table);
                if let Slot::Ready(generator) = &self.generator {
                    Turn::Hot(Arc::clone(generator), table)
                } else {
                    Turn::Cold
                }
            }
            Held::P256(slot) => {
                let id = Arc::clone(id);
                slot.take().map_or(Turn::Cold, |builder| Turn::Build(Work::Key(id, builder)))
            }
            _ if uses > USES_BEFORE_TABLE => self.begin(key, met),
            _ => Turn::Cold,
        }
    }

    /// Begins the table of a key that was first met then, or goes on with the one of the generator, which comes first.
    fn begin(&mut self, key: &p256::PublicKey, met: u64) -> Turn {
        if matches!(self.generator, Slot::Building(_)) {
            return self.generator.take().map_or(Turn::Cold, |builder| Turn::Build(Work::Generator(builder)));
        }
        let first = matches!(self.generator, Slot::Empty);
        // The generator's table is of no use alone.
        if !self.make_room(if first { Table::GENERATOR_BYTES + Table::KEY_BYTES } else { Table::KEY_BYTES }, met) {
            self.defer(key.id());
            return Turn::Cold;
        }
        if first {
            self.used += Table::GENERATOR_BYTES;
            self.generator = Slot::Building(None);
            return Turn::Build(Work::Generator(TableBuilder::generator()));
        }
        self.used += Table::KEY_BYTES;
        if let Some(entry) = self.find(key.id()) {
            entry.held = Held::P256(Slot::Building(None));
        }
        Turn::Build(Work::Key(Arc::clone(key.id()), key.table()))
    }

    /// Takes a table back after a step; if its place was given up meanwhile, it is dropped.
    fn put_back(&mut self, work: Work) {
        match work {
            Work::Generator(builder) => self.generator.put_back(builder),
            Work::Key(id, builder) => {
                if let Some(Entry { held: Held::P256(slot), .. }) = self.find(&id) {
                    slot.put_back(builder);
                }
            }
        }
    }

    fn rsa(&mut self, id: &Id) -> Option<Arc<Context>> {
        match &self.meet(id)?.held {
            Held::Rsa(context) => Some(Arc::clone(context)),
            _ => None,
        }
    }

    /// Keeps the constants of a key if there is room.
    fn keep(&mut self, id: &Id, context: &Arc<Context>) {
        let Some(Entry { held: Held::Nothing, met, uses, .. }) = self.find(id) else { return };
        // Since its first use no other key has had a chance to be used: then it takes nobody's place.
        let met = if *uses > 1 { *met } else { 0 };
        if !self.make_room(context.bytes(), met) {
            self.defer(id);
        } else if let Some(entry) = self.find(id) {
            entry.held = Held::Rsa(Arc::clone(context));
            self.used += context.bytes();
        }
    }

    /// A key for which there was no room begins anew: what is used from now on may keep its place.
    fn defer(&mut self, id: &Id) {
        let now = self.now;
        if let Some(entry) = self.find(id) {
            (entry.met, entry.uses) = (now, 1);
        }
    }

    /// Makes room by taking from keys that have not been used since `met`, or changes nothing where that is not enough.
    fn make_room(&mut self, bytes: usize, met: u64) -> bool {
        let idle = self.entries.iter().filter(|entry| entry.last_used < met);
        let spare: usize = idle.map(Entry::bytes).sum();
        let fits = self.used.saturating_sub(spare).saturating_add(bytes) <= self.limit;
        if fits {
            // Those used longest ago come first, and the idle ones are enough.
            self.shrink_to(self.limit.saturating_sub(bytes));
        }
        fits
    }

    /// Takes from the keys that were used longest ago until no more than this is used.
    fn shrink_to(&mut self, bytes: usize) {
        while self.used > bytes {
            let holders = self.entries.iter_mut().filter(|entry| entry.bytes() > 0);
            let Some(oldest) = holders.min_by_key(|entry| entry.last_used) else {
                // Only the generator is left.
                (self.used, self.generator) = (0, Slot::Empty);
                return;
            };
            self.used = self.used.saturating_sub(oldest.bytes());
            (oldest.met, oldest.uses, oldest.held) = (self.now, 0, Held::Nothing);
        }
    }

    fn set_limit(&mut self, bytes: usize) {
        self.limit = bytes;
        self.shrink_to(bytes);
    }

    /// Forgets the key that was used longest ago, if possible one that holds nothing.
    fn forget_one(&mut self) {
        let oldest = self.entries.iter().enumerate().min_by_key(|(_, entry)| (entry.bytes() > 0, entry.last_used));
        if let Some((place, _)) = oldest {
            self.used = self.used.saturating_sub(self.entries.swap_remove(place).bytes());
        }
    }
}

#[cfg(test)]
mod tests;
