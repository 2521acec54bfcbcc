//! Both ways to verify ES256, with tables and without, give the verdict of the `p256` crate, on signatures that are made
//! to reach what random ones never do. Every verification is compared with that crate, and those that are valid or
//! invalid by construction also with the answer that is known.
//!
//! A signature is made from u₁ and u₂: r is the x-coordinate of u₁·G + u₂·Q modulo n, s = r/u₂ and the digest is u₁·s.
//!
//! `WAXSEAL_PROOF_CASES` is the number of verifications and `WAXSEAL_PROOF_SEED` where the generator begins.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

use std::thread;

use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::elliptic_curve::bigint::{ArrayEncoding as _, U256};
use p256::elliptic_curve::ops::Reduce as _;
use p256::elliptic_curve::point::{AffineCoordinates as _, DecompressPoint as _};
use p256::elliptic_curve::{Field as _, Group as _, PrimeField as _};
use p256::{AffinePoint, ProjectivePoint, Scalar};
use waxseal_arithmetic::p256::{PublicKey, Table, TableBuilder};

/// How many in `cargo test`.
const CASES: usize = 6000;
/// Base signatures for each key: its table is made once.
const SIGNATURES: usize = 12;

const N: U256 = U256::from_be_hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
const P: U256 = U256::from_be_hex("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");

/// `SplitMix64` (Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn octets(&mut self) -> [u8; 32] {
        let mut octets = [0; 32];
        for chunk in octets.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_be_bytes());
        }
        octets
    }

    /// A scalar; half of them have windows, carries or a size that a random one has not.
    fn scalar(&mut self) -> Scalar {
        let scalar = match self.below(16) {
            0 => Scalar::from(self.below(40)),
            1 => power_of_2(self.below(256)),
            2 => power_of_2(self.below(256)) - Scalar::ONE,
            3 => power_of_2(self.below(256)) * Scalar::from(self.below(512)),
            // The middle, where the sign of the shorter form changes.
            4 => Scalar::from(2_u64).invert().unwrap() + Scalar::from(self.below(4)) - Scalar::from(2_u64),
            // One octet, or its two neighbours, all over: windows of all zeros, all ones, and at the ends of digits.
            5 | 6 => {
                let octet = [0x00, 0xff, 0x7f, 0x80, 0x81, 0x01, 0xaa, 0x55][self.below(8) as usize];
                let picks = self.octets();
                reduced(&picks.map(|pick: u8| octet ^ u8::from(pick < 32)))
            }
            // Zeros but for a few octets, ones but for a few octets.
            7 => reduced(&self.octets().map(|octet| if octet < 40 { octet } else { 0 })),
            8 => reduced(&self.octets().map(|octet| if octet < 40 { octet } else { 0xff })),
            _ => reduced(&self.octets()),
        };
        if self.below(4) == 0 { -scalar } else { scalar }
    }
}

fn power_of_2(exponent: u64) -> Scalar {
    Scalar::from(2_u64).pow_vartime(&U256::from(exponent))
}

fn reduced(octets: &[u8; 32]) -> Scalar {
    Scalar::reduce(&U256::from_be_slice(octets))
}

fn build(mut builder: TableBuilder) -> Table {
    while !builder.step() {}
    builder.finish().unwrap()
}

struct Key {
    point: ProjectivePoint,
    reference: VerifyingKey,
    ours: PublicKey,
    table: Table,
}

impl Key {
    fn new(point: ProjectivePoint) -> Option<Self> {
        if bool::from(point.is_identity()) {
            return None;
        }
        let affine = point.to_affine();
        let ours = PublicKey::new(&affine.x().into(), &affine.y().into()).unwrap();
        let table = build(ours.table());
        Some(Self { point, reference: VerifyingKey::from_affine(affine).unwrap(), ours, table })
    }
}

/// A key, and the u₁ and u₂ of a signature that has something special with that key.
fn key(random: &mut Random) -> Option<(Key, Option<(Scalar, Scalar)>)> {
    let generator = ProjectivePoint::GENERATOR;
    match random.below(8) {
        // G and its small multiples: the entries of both tables are the same points.
        0 => Some((Key::new(generator * Scalar::from(random.below(70)))?, None)),
        1 => Some((Key::new(-(generator * Scalar::from(random.below(70))))?, None)),
        // One window of each table, with equal or opposite entries.
        2 => {
            let window = |random: &mut Random, width: u64| {
                power_of_2(width * random.below(256 / width)) * Scalar::from(1 + random.below(1 << (width - 1)))
            };
            let (u1, u2) = (window(random, 8), window(random, 6));
            let secret = u1 * u2.invert().unwrap();
            let secret = if random.below(2) == 0 { secret } else { -secret };
            Some((Key::new(generator * secret)?, Some((u1, u2))))
        }
        // A partial sum that is equal or opposite to what is added to it: u₂ in blocks of four windows of six bits, each
        // small enough not to carry into the next; u₁ in 32 windows, so that it fills blocks of four.
        3 => {
            let blocks: Vec<Scalar> =
                (0..10_u64).map(|i| Scalar::from(random.below(1 << 23)) * power_of_2(24 * i)).collect();
            let mut octets = random.octets();
            octets[0] &= 0x3f;
            let u1 = reduced(&octets);
            let at = random.below(10) as usize;
            let before: Scalar = blocks[..at].iter().sum();
            let block = if random.below(2) == 0 { blocks[at] } else { -blocks[at] };
            // u₁ + before·d = ±block·d
            let secret = u1 * Option::<Scalar>::from((block - before).invert())?;
            Some((Key::new(generator * secret)?, Some((u1, blocks.iter().sum()))))
        }
        // An x-coordinate not below n, or one that r + n could be taken for: below p - n.
        4 => {
            let mut x = P.wrapping_sub(&N);
            let offset = U256::from_be_slice(&random.octets()).shr_vartime(128 + random.below(126) as u32);
            x = if offset < x { offset } else { x.wrapping_sub(&U256::from(1 + random.below(1000))) };
            if random.below(2) == 0 {
                x = x.wrapping_add(&N);
            }
            let point: AffinePoint = Option::from(AffinePoint::decompress(&x.to_be_byte_array(), 0.into()))?;
            let (u1, u2) = (random.scalar(), random.scalar());
            let key = (ProjectivePoint::from(point) - generator * u1) * Option::<Scalar>::from(u2.invert())?;
            Some((Key::new(key)?, Some((u1, u2))))
        }
        _ => Some((Key::new(generator * random.scalar())?, None)),
    }
}

/// How many verifications were made, and how many were of valid signatures.
#[derive(Default)]
struct Count {
    all: usize,
    valid: usize,
}

impl Count {
    fn case(
        &mut self,
        generator: &Table,
        key: &Key,
        digest: &[u8; 32],
        r: &[u8; 32],
        s: &[u8; 32],
        known: Option<bool>,
    ) {
        let signature = [*r, *s].concat();
        let expected = Signature::from_slice(&signature)
            .is_ok_and(|signature| key.reference.verify_prehash(digest, &signature).is_ok());
        let cold = key.ours.verify_cold(digest, &signature);
        let hot = PublicKey::verify_hot(generator, &key.table, digest, &signature);
        assert!(
            cold == expected && hot == expected && known.is_none_or(|known| known == expected),
            "p256 says {expected}, without tables {cold}, with tables {hot}, known {known:?}:\n\
             key {:x?}\ndigest {digest:x?}\nsignature {signature:x?}",
            key.ours.coordinates(),
        );
        self.all += 1;
        self.valid += usize::from(expected);
    }
}

/// A valid signature by its u₁ and u₂, if there is one, and what is near it.
fn signature(random: &mut Random, count: &mut Count, generator: &Table, key: &Key, u1: Scalar, u2: Scalar) {
    let sum = ProjectivePoint::GENERATOR * u1 + key.point * u2;
    let r = if bool::from(sum.is_identity()) { Scalar::ZERO } else { reduced(&sum.to_affine().x().into()) };
    let inverse = Option::<Scalar>::from(u2.invert());
    if inverse.is_none() || bool::from(r.is_zero()) {
        // No signature: what comes nearest to one is refused.
        let s = random.scalar();
        let r = if bool::from(r.is_zero()) { random.scalar() } else { r };
        let (digest, r, s) = match inverse {
            // The sum is infinity for the r that goes with this u₂.
            Some(inverse) => (u1 * (r * inverse), r, r * inverse),
            None => (u1 * s, Scalar::ZERO, s),
        };
        count.case(generator, key, &digest.to_repr().into(), &r.to_repr().into(), &s.to_repr().into(), Some(false));
        return;
    }
    let s = r * inverse.unwrap();
    let e: [u8; 32] = (u1 * s).to_repr().into();
    let (r, negated, s): ([u8; 32], [u8; 32], [u8; 32]) =
        (r.to_repr().into(), (-s).to_repr().into(), s.to_repr().into());
    let mut case = |digest: &[u8; 32], r: &[u8; 32], s: &[u8; 32], known| {
        count.case(generator, key, digest, r, s, known);
    };
    case(&e, &r, &s, Some(true));
    case(&e, &r, &negated, Some(true));
    // The same digest modulo n, and r and s that are the same modulo n.
    for octets in [&e, &r, &s] {
        let (more, overflow) = add(octets, &N);
        if overflow {
            continue;
        }
        let is = |other: &[u8; 32]| core::ptr::eq(octets, other);
        case(
            if is(&e) { &more } else { &e },
            if is(&r) { &more } else { &r },
            if is(&s) { &more } else { &s },
            Some(is(&e)),
        );
    }
    // One bit of each.
    let flipped = |random: &mut Random, octets: &[u8; 32]| {
        let (mut octets, bit) = (*octets, random.below(256));
        octets[bit as usize / 8] ^= 1 << (bit % 8);
        octets
    };
    case(&flipped(random, &e), &r, &s, None);
    case(&e, &flipped(random, &r), &s, None);
    case(&e, &r, &flipped(random, &s), None);
    // One of the three, or both of the signature, at an end of a range.
    let edge = |random: &mut Random| {
        let near = [U256::ZERO, N, P, P.wrapping_sub(&N)][random.below(4) as usize];
        let octets = near.wrapping_add(&U256::from(random.below(4))).wrapping_sub(&U256::from(2_u64));
        <[u8; 32]>::from(octets.to_be_byte_array())
    };
    case(&edge(random), &r, &s, None);
    case(&e, &edge(random), &s, None);
    case(&e, &r, &edge(random), None);
    case(&edge(random), &edge(random), &edge(random), None);
    case(&random.octets(), &random.octets(), &random.octets(), None);
}

/// The sum modulo 2^256, and whether it is above.
fn add(octets: &[u8; 32], number: &U256) -> ([u8; 32], bool) {
    let sum = U256::from_be_slice(octets).wrapping_add(number);
    (sum.to_be_byte_array().into(), sum < *number)
}

fn run(seed: u64, cases: usize, generator: &Table) -> Count {
    let mut random = Random(seed);
    let mut count = Count::default();
    while count.all < cases {
        let Some((key, special)) = key(&mut random) else { continue };
        let secrets = (random.scalar(), random.scalar());
        if let Some((u1, u2)) = special {
            for (u1, u2) in [(u1, u2), (u1, -u2), (-u1, u2)] {
                signature(&mut random, &mut count, generator, &key, u1, u2);
            }
        }
        for _ in 0..SIGNATURES {
            let (u1, u2) = match random.below(8) {
                0 => (Scalar::ZERO, secrets.1),
                1 => (secrets.0, Scalar::ONE),
                2 => (secrets.0, Scalar::ZERO),
                _ => (random.scalar(), random.scalar()),
            };
            signature(&mut random, &mut count, generator, &key, u1, u2);
        }
    }
    count
}

/// The keys d·G with u₁ = ±u₂·d: the two products are equal (a doubling) or opposite (infinity).
#[test]
fn equal_and_opposite_products_are_added_as_p256_adds_them() {
    let generator = build(TableBuilder::generator());
    let mut random = Random(1);
    let mut count = Count::default();
    for _ in 0..20 {
        let (secret, u2) = (random.scalar(), random.scalar());
        let Some(key) = Key::new(ProjectivePoint::GENERATOR * secret) else { continue };
        signature(&mut random, &mut count, &generator, &key, u2 * secret, u2);
        signature(&mut random, &mut count, &generator, &key, -(u2 * secret), u2);
    }
    assert!(count.valid > 20);
}

#[test]
fn verdicts_are_those_of_p256() {
    let setting = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let cases = setting("WAXSEAL_PROOF_CASES").map_or(CASES, |cases| cases as usize);
    let seed = setting("WAXSEAL_PROOF_SEED").unwrap_or(0);
    let generator = build(TableBuilder::generator());
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let counts: Vec<Count> = thread::scope(|scope| {
        let run = |thread| {
            let generator = &generator;
            scope.spawn(move || run(seed.wrapping_add(thread as u64) << 32, cases.div_ceil(threads), generator))
        };
        let running: Vec<_> = (0..threads).map(run).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (all, valid) = counts.iter().fold((0, 0), |(all, valid), count| (all + count.all, valid + count.valid));
    println!("{all} verifications, {valid} of valid signatures, {threads} threads, seed {seed}");
    assert!(all >= cases && valid > all / 10 && valid < all / 2);
}
