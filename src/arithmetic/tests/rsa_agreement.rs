//! Powers modulo N are those of crypto-bigint, bit for bit, on every path, for moduli of every length and with extreme
//! digits.
//!
//! `WAXSEAL_PROOF_CASES` says how many powers each path computes; without it there are hundreds. The cases are a
//! function of their number, whatever the number of threads.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a test fails by panicking, and random numbers are cut to size"
)]

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, thread};

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use waxseal_arithmetic::rsa::{Context, MAX_OCTETS, Path, PublicKey};

const LENGTHS: RangeInclusive<usize> = 2048..=4096;
const PATHS: [Path; 2] = [Path::Simd, Path::Scalar];

/// Powers for each modulus: one to the key's exponent, and cubes, which are a product, a square and a product. A context
/// costs more than a power, so that few powers of many moduli take longer.
const MANY: usize = 32;
const FEW: usize = 2;

/// xorshift64* (Vigna, 2016), seeded by the number of a case.
struct Random(u64);

impl Random {
    fn new(case: usize) -> Self {
        Self((case as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 33) as usize % limit
    }

    fn octets(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| (self.next() >> 40) as u8).collect()
    }
}

/// The number whose digits of `width` bits are these, the least significant first; a digit may be negative, and the
/// number is taken modulo 2^(8·length).
fn from_digits(digits: impl Iterator<Item = i64>, width: usize, length: usize) -> Vec<u8> {
    let mut octets = vec![0_u8; length];
    let (mut carry, mut bits, mut place) = (0_i64, 0, 0);
    for digit in digits {
        carry += digit << bits;
        bits += width;
        while bits >= 8 && place < length {
            octets[length - 1 - place] = (carry & 0xff) as u8;
            carry >>= 8;
            bits -= 8;
            place += 1;
        }
        if place == length {
            break;
        }
    }
    octets
}

/// Octets that may hurt: extreme digits of both representations, long runs, few bits, the ends of the range.
fn pattern(random: &mut Random, length: usize) -> Vec<u8> {
    let width = [13, 13, 13, 28, 12][random.below(5)];
    let half = 1_i64 << (width - 1);
    let extremes = [half, -half, half - 1, 1 - half, 0, 1, -1, 2 * half - 1];
    match random.below(9) {
        0 => {
            let digit = extremes[random.below(8)];
            from_digits(std::iter::repeat(digit), width, length)
        }
        1 => {
            let pair = [extremes[random.below(8)], extremes[random.below(8)]];
            from_digits(pair.into_iter().cycle(), width, length)
        }
        2 => {
            let mut digits = Random(random.next() | 1);
            from_digits(std::iter::repeat_with(move || extremes[digits.below(4)]), width, length)
        }
        // Random digits with a run of extreme ones.
        3 => {
            let (from, to) = (random.below(320), random.below(320));
            let extreme = extremes[random.below(8)];
            let mut digits = Random(random.next() | 1);
            let digits =
                (0..).map(
                    move |place| {
                        if (from..to).contains(&place) { extreme } else { digits.below(1 << width) as i64 - half }
                    },
                );
            from_digits(digits, width, length)
        }
        // Runs of 0x00 and 0xff.
        4 => {
            let mut octets = random.octets(length);
            for _ in 0..=random.below(6) {
                let (from, to) = (random.below(length), random.below(length));
                let octet = [0x00, 0xff][random.below(2)];
                octets[from.min(to)..from.max(to)].fill(octet);
            }
            octets
        }
        // 2^k plus or minus little.
        5 => {
            let mut octets = vec![0; length];
            let bit = random.below(8 * length);
            octets[length - 1 - bit / 8] = 1 << (bit % 8);
            match random.below(3) {
                0 => octets[length - 1] |= 1,
                1 => {
                    octets[length - 1 - bit / 8] = (1 << (bit % 8)) - 1;
                    octets[length - bit / 8..].fill(0xff);
                }
                _ => {}
            }
            octets
        }
        6 => vec![0xff; length],
        _ => random.octets(length),
    }
}

/// An odd number of a given length in bits.
fn modulus(random: &mut Random, bits: usize) -> Vec<u8> {
    let length = bits.div_ceil(8);
    let mut octets = pattern(random, length);
    let top = (bits - 1) % 8;
    octets[0] = octets[0] & ((1 << top) - 1) | 1 << top;
    octets[length - 1] |= 1;
    octets
}

/// A number below the modulus, as long in octets.
fn base(random: &mut Random, modulus: &[u8]) -> Vec<u8> {
    let length = modulus.len();
    let mut octets = match random.below(16) {
        kind @ 0..2 => {
            let mut octets = vec![0; length];
            octets[length - 1] = kind as u8;
            octets
        }
        // The modulus is odd, so nothing is borrowed.
        2 => [&modulus[..length - 1], &[modulus[length - 1] - 1]].concat(),
        // N - 2, unless that borrows.
        3 => [&modulus[..length - 1], &[modulus[length - 1].saturating_sub(2)]].concat(),
        _ => pattern(random, length),
    };
    while octets.as_slice() >= modulus {
        octets[0] = octets[0].saturating_sub(modulus[0].max(1));
        if octets[0] == modulus[0] {
            octets[0] = 0;
        }
    }
    octets
}

struct Reference(BoxedMontyParams);

impl Reference {
    fn new(modulus: &[u8]) -> Self {
        Self(BoxedMontyParams::new_vartime(Odd::new(BoxedUint::from_be_slice_vartime(modulus)).unwrap()))
    }

    fn power(&self, base: &[u8], exponent: u32) -> Vec<u8> {
        let length = base.len();
        let base = BoxedUint::from_be_slice(base, self.0.bits_precision()).unwrap();
        let form = BoxedMontyForm::new(base, &self.0);
        let power = match exponent {
            3 => form.square().mul(&form),
            65537 => (0..16).fold(form.clone(), |power, _| power.square()).mul(&form),
            _ => form.pow_bounded_exp(&BoxedUint::from(exponent), 32),
        };
        let octets = power.retrieve().to_be_bytes();
        octets[octets.len() - length..].to_vec()
    }
}

fn exponent(random: &mut Random) -> u32 {
    if random.below(4) > 0 { 65537 } else { (random.next() >> 32) as u32 | 0x10001 }
}

/// Compares the powers of one modulus; the number of them that each path computed.
fn compare(case: usize, bases: usize) -> usize {
    let random = &mut Random::new(case);
    // 1021 and the number of lengths have no common factor, so every length has its turn.
    let bits = LENGTHS.start() + case * 1021 % LENGTHS.count();
    let modulus = modulus(random, bits);
    let exponent = exponent(random);
    let Ok(key) = PublicKey::new(&modulus, &exponent.to_be_bytes()[usize::from(exponent < 1 << 24)..]) else {
        panic!("case {case}: {modulus:02x?} with {exponent} is no key");
    };
    let reference = Reference::new(&modulus);
    let contexts = PATHS.map(|path| Context::with_path(&key, path));
    for (context, path) in contexts.iter().zip(PATHS) {
        assert_eq!(context.path(), path, "case {case} was computed otherwise than asked");
    }
    for i in 0..bases {
        let base = base(random, &modulus);
        let exponent = if i == 0 { exponent } else { 3 };
        let expected = reference.power(&base, exponent);
        for context in &contexts {
            let mut buffer = [0xa5; MAX_OCTETS];
            let power = context.power_to(exponent, &base, &mut buffer);
            assert_eq!(
                power,
                Some(expected.as_slice()),
                "case {case}, {:?}: {base:02x?} to the power of {exponent} modulo {modulus:02x?}",
                context.path(),
            );
        }
    }
    bases
}

#[test]
fn a_signature_is_as_long_as_the_modulus_and_below_it() {
    let random = &mut Random::new(0);
    for bits in [2048, 2049, 2055, 3072, 4096] {
        let modulus = modulus(random, bits);
        let key = PublicKey::new(&modulus, &[1, 0, 1]).unwrap();
        let above: Vec<u8> = modulus.iter().map(|octet| octet | 1).collect();
        let longer = [&[0], &modulus[..]].concat();
        for path in PATHS {
            let context = Context::with_path(&key, path);
            for refused in [&modulus, &above, &vec![0xff; modulus.len()], &longer, &vec![0; modulus.len() - 1], &vec![]]
            {
                assert_eq!(context.power(refused, &mut [0; MAX_OCTETS]), None, "{bits}, {path:?}: {refused:02x?}");
            }
            let below = [&modulus[..modulus.len() - 1], &[modulus[modulus.len() - 1] - 1]].concat();
            // -1 to the power of an odd exponent.
            assert_eq!(context.power(&below, &mut [0; MAX_OCTETS]), Some(below.as_slice()));
        }
    }
}

#[test]
fn powers_are_those_of_an_independent_implementation_on_every_path() {
    let told = env::var("WAXSEAL_PROOF_CASES").ok();
    let bases = if told.is_some() { MANY } else { FEW };
    let wanted = told.map_or(600, |cases| cases.parse().unwrap());
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let (next, compared) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let case = next.fetch_add(1, Ordering::Relaxed);
                    if case * bases >= wanted {
                        break;
                    }
                    compared.fetch_add(compare(case, bases), Ordering::Relaxed);
                }
            });
        }
    });
    let compared = compared.into_inner();
    assert!(compared >= wanted, "{compared} of {wanted}");
    println!("{compared} powers on each of {PATHS:?}");
}
