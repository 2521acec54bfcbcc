//! Inverses modulo p and modulo n by division steps (Bernstein and Yang, "Fast constant-time gcd computation and modular
//! inversion", 2019), in variable time: steps that only halve are taken together, and the loop ends when g is 0.
//!
//! A division step takes (δ, f, g) with f odd to (1 - δ, g, (g - f)/2) if δ > 0 and g is odd, and else to
//! (1 + δ, f, (g + (g mod 2)·f)/2). It starts from δ = 1, f = m and g = the number to invert; when g has become 0, f is
//! ±gcd, which is ±1. For |f|, |g| ≤ 2^257 that takes at most ⌊(49·257 + 57)/17⌋ = 744 steps (theorem 11.2).
//!
//! **Batches.** Which branch the next 29 steps take depends on δ and the low 29 bits of f and g alone, so they are
//! worked out on one word each. Their effect is a matrix of integers with the sum of absolute values of each row at
//! most 2^29, divided by 2^29; it is applied to the whole of f and g, whose low limb it clears, so that the
//! division drops a limb.
//!
//! **Cofactors.** The same matrices, *not* divided, are applied to (d, e), which starts as (0, 1) and stands for
//! d·g₀ ≡ f·2^(29·k), e·g₀ ≡ g·2^(29·k) modulo m after k batches. d and e grow by one limb a batch: |d|, |e| ≤
//! 2^(29·k). At the end 1/g₀ ≡ ±d/2^(29·k), and a Montgomery reduction by k - 9 digits gives 2^261/g₀, which is what
//! both callers want. k is at least 9: the last row of the product of all matrices, (q, r), has q·m + r·g₀ = 0, is not 0
//! and has |r| ≤ 2^(29·k), and r is a multiple of m, since m is prime.
#![allow(
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "indices are bounded by constants below the length of an array, and casts take low bits"
)]

use super::limbs::{LIMB_BITS, LIMBS, Limbs, MASK};

/// The steps of a batch.
const STEPS: i64 = 29;
/// The most batches: 744 steps are 26 of 29.
const BATCHES: usize = 26;
/// The limbs of a cofactor: one for each batch, one for the sign, and one more.
const WIDE: usize = BATCHES + 2;

/// A cofactor, in limbs of 29 bits, the last one in use with the sign.
type Wide = [i64; WIDE];

/// An odd prime between 2^255 and 2^256.
pub(super) struct Modulus {
    /// Its tight form.
    pub(super) limbs: Limbs,
    /// -1/m modulo 2^29.
    pub(super) negated_inverse: i64,
}

/// 2^29 times what 29 division steps do: f becomes (u·f + v·g)/2^29 and g becomes (q·f + r·g)/2^29.
struct Steps {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

/// 2^261/number modulo the modulus, as a number within ±(2^261 + m) whose limbs are tight but for the last, which is
/// below 2^30 in absolute value. The number is tight, within ±2^257 and no multiple of the modulus.
pub(super) fn inverse(number: &Limbs, modulus: &Modulus) -> Limbs {
    let (mut f, mut g) = (modulus.limbs, *number);
    let (mut d, mut e): (Wide, Wide) = ([0; WIDE], [0; WIDE]);
    e[0] = 1;
    let mut delta = 1;
    // f and g have their values in this many limbs, which get fewer.
    let mut length = LIMBS;
    let mut batches = 0;
    while batches < BATCHES && g != [0; LIMBS] {
        let steps;
        (delta, steps) = division_steps(delta, f[0], g[0]);
        apply_and_divide(&mut f, &mut g, length, &steps);
        batches += 1;
        apply(&mut d, &mut e, batches, &steps);
        // -1 or 0 as the last limb of both is but a sign: it goes into the limb before.
        if length > 1 && f[length - 1] >> 1 == f[length - 1] && g[length - 1] >> 1 == g[length - 1] {
            length -= 1;
            f[length - 1] += f[length] << LIMB_BITS;
            g[length - 1] += g[length] << LIMB_BITS;
            (f[length], g[length]) = (0, 0);
        }
    }
    // The sign of f is that of its last limb.
    if f[length - 1] < 0 {
        d = d.map(|limb| -limb);
    }
    reduced(d, batches.saturating_sub(LIMBS), modulus)
}

/// 29 division steps, by the low limbs of f and g: the new δ, and what the steps do.
fn division_steps(mut delta: i64, f: i64, g: i64) -> (i64, Steps) {
    let (mut f, mut g) = (f, g);
    // A row (u, v) as u + v·2^32: sums, multiples and shifts of rows are those of the words.
    let (mut of_f, mut of_g) = (1_i64, 1_i64 << 32);
    let mut left: i64 = STEPS;
    loop {
        // Steps with an even g halve g and add 1 to δ. In terms of the matrix, which is multiplied by 2 at each step,
        // the row of f doubles.
        let zeros = i64::from((g | (-1 << left)).trailing_zeros());
        g >>= zeros;
        of_f <<= zeros;
        delta += zeros;
        left -= zeros;
        if left == 0 {
            break;
        }
        // (δ, f, g) with δ > 0 and (-δ, g, -f) have the same successor, and the second takes the other branch.
        if delta > 0 {
            delta = -delta;
            (f, g) = (g, -f);
            (of_f, of_g) = (of_g, -of_f);
        }
        // While δ ≤ 0 the steps add f to g where g is odd: those of the next 1 - δ steps, of the ones left, and of 6 at
        // the most add w·f in all, with w·f = -g modulo 2 to the power of their number. f·(f² - 2) is -1/f modulo 64:
        // f is its own inverse modulo 8, and Newton's step doubles the bits.
        let together = left.min(1 - delta).min(6);
        let w = (f.wrapping_mul(g).wrapping_mul(f.wrapping_mul(f) - 2)) & ((1 << together) - 1);
        g += w * f;
        of_g += w * of_f;
    }
    let row = |packed: i64| {
        let low = i64::from(packed as i32);
        (low, (packed - low) >> 32)
    };
    let ((u, v), (q, r)) = (row(of_f), row(of_g));
    (delta, Steps { u, v, q, r })
}

/// Applies the steps to f and g, which keep to `length` limbs.
fn apply_and_divide(f: &mut [i64; LIMBS], g: &mut [i64; LIMBS], length: usize, steps: &Steps) {
    // Limbs below 2^29 and rows below 2^29 make sums below 2^58, and carries below 2^30.
    let Steps { u, v, q, r } = steps;
    let mut of_f = (u * f[0] + v * g[0]) >> LIMB_BITS;
    let mut of_g = (q * f[0] + r * g[0]) >> LIMB_BITS;
    let last = length.min(LIMBS) - 1;
    for i in 1..=last {
        of_f += u * f[i] + v * g[i];
        of_g += q * f[i] + r * g[i];
        f[i - 1] = of_f & MASK;
        g[i - 1] = of_g & MASK;
        of_f >>= LIMB_BITS;
        of_g >>= LIMB_BITS;
    }
    f[last] = of_f;
    g[last] = of_g;
}

/// Applies the steps to d and e, which grow to 1 + `batches` limbs.
fn apply(d: &mut Wide, e: &mut Wide, batches: usize, steps: &Steps) {
    let Steps { u, v, q, r } = steps;
    let (mut of_d, mut of_e) = (0, 0);
    let last = batches.min(BATCHES);
    for i in 0..last {
        of_d += u * d[i] + v * e[i];
        of_e += q * d[i] + r * e[i];
        d[i] = of_d & MASK;
        e[i] = of_e & MASK;
        of_d >>= LIMB_BITS;
        of_e >>= LIMB_BITS;
    }
    d[last] = of_d;
    e[last] = of_e;
}

/// number/2^(29·digits) modulo the modulus, in nine limbs, of which the last takes what is above: a Montgomery
/// reduction. At most 17 digits.
fn reduced(mut number: Wide, digits: usize, modulus: &Modulus) -> Limbs {
    let digits = digits.min(BATCHES - LIMBS);
    for i in 0..digits {
        let digit = ((number[i] & MASK) * modulus.negated_inverse) & MASK;
        let mut carry = 0;
        for j in 0..LIMBS {
            let sum = number[i + j] + digit * modulus.limbs[j] + carry;
            number[i + j] = sum & MASK;
            carry = sum >> LIMB_BITS;
        }
        number[i + LIMBS] += carry;
    }
    let mut limbs = [0; LIMBS];
    let mut carry = 0;
    for j in 0..LIMBS {
        let sum = number[digits + j] + carry;
        limbs[j] = sum & MASK;
        carry = sum >> LIMB_BITS;
    }
    // -1, 0 or 1 at and above 2^261.
    limbs[LIMBS - 1] += (carry + number[digits + LIMBS]) << LIMB_BITS;
    limbs
}

#[cfg(test)]
mod tests {
    use crypto_bigint::U256;
    use proptest::prelude::*;

    use super::super::field;
    use super::super::limbs::from_octets;
    use super::super::reference::{self, numbers, octets, radix, residue};
    use super::super::scalar;
    use super::*;

    fn check(number: &U256) {
        for (ours, modulus) in [(&field::P, &reference::P), (&scalar::N, &reference::N)] {
            let Some(expected) = Option::<U256>::from(number.rem_vartime(modulus).invert_mod(modulus)) else {
                continue;
            };
            let inverse = inverse(&from_octets(&octets(number)), ours);
            let expected = expected.mul_mod(&radix(modulus), modulus);
            assert_eq!(residue(&inverse, modulus), expected, "{number}");
            let (last, low) = inverse.split_last().unwrap();
            assert!(low.iter().all(|limb| (0..=MASK).contains(limb)) && last.unsigned_abs() <= 1 << 30, "{number}");
        }
    }

    #[test]
    fn numbers_at_the_ends_have_their_inverses() {
        for modulus in [&reference::P, &reference::N] {
            for offset in 0..100_u64 {
                check(&U256::from(offset));
                check(&modulus.wrapping_sub(&U256::from(offset)));
                check(&modulus.wrapping_add(&U256::from(offset)));
                check(&U256::ZERO.wrapping_sub(&U256::from(offset + 1)));
                check(&modulus.shr_vartime(1).wrapping_add(&U256::from(offset)));
            }
        }
        for bit in 0..256 {
            check(&U256::ONE.shl_vartime(bit));
            check(&U256::ONE.shl_vartime(bit).wrapping_sub(&U256::ONE));
        }
    }

    proptest! {
        #[test]
        fn numbers_have_their_inverses(number in numbers()) {
            check(&number);
        }

        #[test]
        fn steps_are_those_of_the_definition(delta in -40..40_i64, f in 0..=MASK, g in 0..=MASK) {
            let f = f | 1;
            let (mut slow, mut fast) = ((delta, f, g), (f, g));
            for _ in 0..STEPS {
                let (delta, f, g) = slow;
                slow = if delta > 0 && g & 1 == 1 {
                    (1 - delta, g, (g - f) >> 1)
                } else {
                    (1 + delta, f, (g + (g & 1) * f) >> 1)
                };
            }
            let (delta, Steps { u, v, q, r }) = division_steps(delta, f, g);
            prop_assert!(u.abs() + v.abs() <= 1 << STEPS && q.abs() + r.abs() <= 1 << STEPS);
            fast = ((u * fast.0 + v * fast.1) >> STEPS, (q * fast.0 + r * fast.1) >> STEPS);
            prop_assert_eq!((delta, fast.0, fast.1), slow);
        }
    }
}
