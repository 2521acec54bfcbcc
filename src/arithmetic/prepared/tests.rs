//! Who gets tables, who gives them up, and that the bound holds.

use super::*;

/// The key whose secret is this number.
fn p256_key(secret: u8) -> p256::PublicKey {
    let mut scalar = [0; 32];
    scalar[31] = secret;
    let point = *::p256::ecdsa::SigningKey::from_slice(&scalar).unwrap().verifying_key();
    let point = point.to_sec1_point(false);
    p256::PublicKey::new(&(*point.x().unwrap()).into(), &(*point.y().unwrap()).into()).unwrap()
}

fn rsa_key(seed: u8) -> rsa::PublicKey {
    let mut modulus = [seed; 256];
    (modulus[0], modulus[255]) = (0xff, 1);
    rsa::PublicKey::new(&modulus, &[1, 0, 1]).unwrap()
}

/// Uses a key once, as a verification does; says whether it had both tables.
fn used(store: &mut Store, key: &p256::PublicKey) -> bool {
    match store.p256(key) {
        Turn::Hot(..) => return true,
        Turn::Build(mut work) => {
            work.builder().step();
            store.put_back(work);
        }
        Turn::Cold => {}
    }
    assert!(store.used <= store.limit);
    let held: usize = store.entries.iter().map(Entry::bytes).sum();
    let generator = if matches!(store.generator, Slot::Empty) { 0 } else { Table::GENERATOR_BYTES };
    assert_eq!(store.used, held + generator);
    false
}

/// Uses a key of RSA once; says whether its constants were there.
fn used_rsa(store: &mut Store, key: &rsa::PublicKey) -> bool {
    let kept = store.rsa(key.id()).is_some();
    if !kept {
        store.keep(key.id(), &Arc::new(Context::new(key)));
    }
    kept
}

fn until_hot(store: &mut Store, key: &p256::PublicKey) -> Option<usize> {
    (0..200).find(|_| used(store, key))
}

fn store(limit: usize) -> Store {
    Store { limit, ..Store::new() }
}

const ONE: usize = Table::GENERATOR_BYTES + Table::KEY_BYTES;

#[test]
fn a_key_that_is_used_eight_times_costs_nothing_and_then_gets_its_table_step_by_step() {
    let (mut store, key) = (store(DEFAULT_LIMIT), p256_key(1));
    for _ in 0..USES_BEFORE_TABLE {
        assert!(!used(&mut store, &key));
        assert_eq!(store.used, 0);
    }
    let steps = until_hot(&mut store, &key).unwrap();
    assert!((10..100).contains(&steps), "{steps}");
    assert_eq!(store.usage(), Usage { limit: DEFAULT_LIMIT, used: ONE, keys: 1 });
}

#[test]
fn fifty_keys_in_turn_get_as_many_tables_as_there_is_room_for_and_do_not_push_each_other_out() {
    let mut store = store(DEFAULT_LIMIT);
    let keys: Vec<_> = (1..=50).map(p256_key).collect();
    let mut hot = [0; 50];
    for round in 0..100 {
        for (key, hot) in keys.iter().zip(&mut hot) {
            *hot += i32::from(used(&mut store, key) && round >= 60);
        }
    }
    let room = (DEFAULT_LIMIT - Table::GENERATOR_BYTES) / Table::KEY_BYTES;
    assert_eq!(store.usage().keys, room);
    assert_eq!(hot.iter().filter(|uses| **uses == 40).count(), room, "the same keys keep their tables");
    assert_eq!(hot.iter().filter(|uses| **uses == 0).count(), 50 - room);
}

#[test]
fn a_key_takes_the_place_of_one_that_is_not_used_any_more_and_of_no_other() {
    let (mut store, old, busy, new) = (store(ONE + Table::KEY_BYTES), p256_key(1), p256_key(2), p256_key(3));
    until_hot(&mut store, &old).unwrap();
    until_hot(&mut store, &busy).unwrap();
    for _ in 0..100 {
        assert!(used(&mut store, &busy));
        used(&mut store, &new);
    }
    assert!(used(&mut store, &new));
    assert!(!used(&mut store, &old));
    for _ in 0..100 {
        assert!(used(&mut store, &busy) && used(&mut store, &new));
        assert!(!used(&mut store, &old), "both others are in use");
    }
}

#[test]
fn a_key_that_is_imported_again_finds_what_there_is() {
    let mut store = store(DEFAULT_LIMIT);
    until_hot(&mut store, &p256_key(7)).unwrap();
    assert!(used(&mut store, &p256_key(7)));
    used_rsa(&mut store, &rsa_key(7));
    assert!(used_rsa(&mut store, &rsa_key(7)));
}

#[test]
fn a_lower_limit_gives_back_at_once_and_a_table_in_the_making_is_dropped() {
    let (mut store, key, rsa) = (store(DEFAULT_LIMIT), p256_key(1), rsa_key(1));
    used_rsa(&mut store, &rsa);
    until_hot(&mut store, &key).unwrap();
    store.set_limit(ONE);
    assert_eq!(store.usage(), Usage { limit: ONE, used: ONE, keys: 1 });
    assert!(used(&mut store, &key));
    store.set_limit(ONE - 1);
    assert_eq!(store.usage(), Usage { limit: ONE - 1, used: Table::GENERATOR_BYTES, keys: 0 });
    assert_eq!(until_hot(&mut store, &key), None);
    store.set_limit(0);
    assert_eq!(store.used, 0);
    assert!(!used_rsa(&mut store, &rsa) && !used_rsa(&mut store, &rsa));

    store.set_limit(ONE);
    let work = (0..100).find_map(|_| if let Turn::Build(work) = store.p256(&key) { Some(work) } else { None });
    assert!(matches!(store.p256(&key), Turn::Cold), "one makes the step, others do not wait");
    store.set_limit(0);
    store.put_back(work.unwrap());
    assert_eq!(store.used, 0);
    assert!(matches!(store.generator, Slot::Empty));
}

#[test]
fn rsa_keys_keep_their_constants_from_the_first_use_while_there_is_room() {
    let bytes = Context::new(&rsa_key(1)).bytes();
    let mut store = store(2 * bytes);
    let keys = [rsa_key(1), rsa_key(2), rsa_key(3)];
    for _ in 0..5 {
        for key in &keys {
            used_rsa(&mut store, key);
        }
    }
    assert_eq!(keys.each_ref().map(|key| used_rsa(&mut store, key)), [true, true, false]);
    assert_eq!(store.usage().used, 2 * bytes);
    for _ in 0..2 {
        used_rsa(&mut store, &keys[2]);
    }
    assert!(used_rsa(&mut store, &keys[2]), "the first two are not used any more");
}

#[test]
fn more_keys_than_are_remembered_leave_what_is_in_use_alone() {
    let (mut store, busy) = (store(DEFAULT_LIMIT), p256_key(1));
    until_hot(&mut store, &busy).unwrap();
    for i in 0..=255 {
        for j in 0..2 {
            let id: Id = [i, j].into();
            store.meet(&id);
            assert!(store.entries.len() <= MAX_KEYS);
            assert!(used(&mut store, &busy));
        }
    }
}
