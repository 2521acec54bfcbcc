//! Columns of products of digits, sixteen at a time.
//!
//! A factor is kept in two forms. As *pairs*, a lane holds two digits, a_i below and a_{i+1} above, for even i. As
//! *words*, a lane m holds two as well, b_m below and b_{m-1} above. The dot product of a pair and a word is then
//! a_i·b_m + a_{i+1}·b_{m-1}, and both products belong to column i + m. One instruction does that for four columns, with
//! the pair in every lane.
//!
//! Four sums hold the columns 16b to 16b + 15. What a pair i needs for them are the words from 16b - i on, and the pair
//! i + 4 needs those four further down: three of four vectors are the same. A [`Walk`] keeps them, so that each pair
//! costs one load of words and one of itself for four dot products. Pairs with i divisible by four want words at a
//! multiple of four, and the others want them two lanes off; a [`Block`] has both, so that every load is a whole vector.

use core::iter::Rev;
use core::slice::Iter;

use super::super::lanes::Lanes;

/// The bits of a digit, which is signed.
pub(super) const DIGIT_BITS: u32 = 13;

/// The digits of a strip: sixteen rows of products, and sixteen columns.
pub(super) const STRIP: usize = 16;

/// The strips of 4096 bits and of the two bits above them.
pub(super) const MAX_STRIPS: usize = 20;

/// Eight digits as pairs.
pub(super) type HalfStrip = [i32; 4];

/// A factor as pairs. The half strip after its last one is read, and is zero.
pub(super) type Pairs = [HalfStrip; 2 * MAX_STRIPS + 1];

pub(super) const NO_PAIRS: Pairs = [[0; 4]; 2 * MAX_STRIPS + 1];

/// Half strips whose products are summed before what is above a digit is moved out of the sums.
const HALF_STRIPS_AT_ONCE: usize = 12;

/// Sixteen words of a factor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    /// The words 16β to 16β + 15.
    pub(super) even: [Lanes; 4],
    /// The words 16β - 2 to 16β + 13.
    pub(super) odd: [Lanes; 4],
}

impl Block {
    pub(super) const ZERO: Self = Self { even: [Lanes::ZERO; 4], odd: [Lanes::ZERO; 4] };
}

/// Sixteen columns, each the number low + 2^13·high.
#[derive(Clone, Copy)]
pub(super) struct Columns {
    low: [Lanes; 4],
    high: [Lanes; 4],
}

#[allow(clippy::inline_always, reason = "the columns are to stay in registers")]
impl Columns {
    const ZERO: Self = Self { low: [Lanes::ZERO; 4], high: [Lanes::ZERO; 4] };

    #[inline(always)]
    fn add(&mut self, sums: [Lanes; 4]) {
        let mask = Lanes::splat((1 << DIGIT_BITS) - 1);
        for ((low, high), sum) in self.low.iter_mut().zip(&mut self.high).zip(sums) {
            *low = low.add(sum.and(mask));
            *high = high.add(sum.shr(DIGIT_BITS));
        }
    }

    #[inline(always)]
    fn double(&mut self) {
        for half in self.low.iter_mut().chain(&mut self.high) {
            *half = half.add(*half);
        }
    }
}

/// What the columns so far carry into the next ones.
pub(super) struct Carry {
    high: Lanes,
    carry: Lanes,
}

#[allow(clippy::inline_always, reason = "the columns are to stay in registers")]
impl Carry {
    /// A number to add to the first column.
    #[inline(always)]
    pub(super) const fn new(carry: i32) -> Self {
        Self { high: Lanes::new([0, 0, 0, carry]), carry: Lanes::ZERO }
    }

    /// The digits of the next sixteen columns. They are carried twice by one place, which leaves a little more than 13
    /// bits and needs no loop.
    #[inline(always)]
    pub(super) fn digits(&mut self, columns: Columns) -> [Lanes; 4] {
        let mut digits = [Lanes::ZERO; 4];
        let half = Lanes::splat(1 << (DIGIT_BITS - 1));
        for ((digit, low), high) in digits.iter_mut().zip(columns.low).zip(columns.high) {
            let sum = low.add(high.after(self.high));
            let carry = sum.add(half).shr(DIGIT_BITS);
            *digit = sum.sub(carry.shl(DIGIT_BITS)).add(carry.after(self.carry));
            (self.high, self.carry) = (high, carry);
        }
        digits
    }
}

/// The words that a strip of pairs needs, from the top of a factor down.
struct Walk<'a> {
    even: [Lanes; 4],
    odd: [Lanes; 4],
    below: Rev<Iter<'a, Block>>,
}

#[allow(clippy::inline_always, reason = "the words and the sums are to stay in registers")]
impl<'a> Walk<'a> {
    /// Begins at the last block of a factor.
    #[inline(always)]
    fn new(blocks: &'a [Block]) -> Self {
        let mut below = blocks.iter().rev();
        let Block { even, odd } = below.next().copied().unwrap_or(Block::ZERO);
        Self { even, odd, below }
    }

    /// Adds the products of pairs, in order, to the columns that begin where the first pair meets the current block.
    /// What does not fit the sums is moved to `columns`.
    #[inline(always)]
    fn add_rows(&mut self, mut sums: [Lanes; 4], columns: &mut Columns, pairs: &[HalfStrip]) -> [Lanes; 4] {
        let mut first = true;
        for pairs in pairs.chunks(HALF_STRIPS_AT_ONCE) {
            if !first {
                columns.add(sums);
                sums = [Lanes::ZERO; 4];
            }
            first = false;
            let (strips, half) = pairs.as_chunks::<2>();
            for [lower, upper] in strips {
                let Block { even: [a0, a1, a2, a3], odd: [b0, b1, b2, b3] } =
                    self.below.next().copied().unwrap_or(Block::ZERO);
                let ([e0, e1, e2, e3], [o0, o1, o2, o3]) = (self.even, self.odd);
                add_products(&mut sums, lower[0], [e0, e1, e2, e3]);
                add_products(&mut sums, lower[1], [o0, o1, o2, o3]);
                add_products(&mut sums, lower[2], [a3, e0, e1, e2]);
                add_products(&mut sums, lower[3], [b3, o0, o1, o2]);
                add_products(&mut sums, upper[0], [a2, a3, e0, e1]);
                add_products(&mut sums, upper[1], [b2, b3, o0, o1]);
                add_products(&mut sums, upper[2], [a1, a2, a3, e0]);
                add_products(&mut sums, upper[3], [b1, b2, b3, o0]);
                (self.even, self.odd) = ([a0, a1, a2, a3], [b0, b1, b2, b3]);
            }
            if let [half] = half {
                let Block { even: [.., a3], odd: [.., b3] } = self.below.next().copied().unwrap_or(Block::ZERO);
                let ([e0, e1, e2, e3], [o0, o1, o2, o3]) = (self.even, self.odd);
                add_products(&mut sums, half[0], [e0, e1, e2, e3]);
                add_products(&mut sums, half[1], [o0, o1, o2, o3]);
                add_products(&mut sums, half[2], [a3, e0, e1, e2]);
                add_products(&mut sums, half[3], [b3, o0, o1, o2]);
            }
        }
        sums
    }
}

/// Adds the products of a pair and sixteen words.
#[inline(always)]
#[allow(clippy::inline_always, reason = "the words and the sums are to stay in registers")]
fn add_products([c0, c1, c2, c3]: &mut [Lanes; 4], pair: i32, [w0, w1, w2, w3]: [Lanes; 4]) {
    let pair = Lanes::splat(pair);
    *c0 = c0.add(pair.dot(w0));
    *c1 = c1.add(pair.dot(w1));
    *c2 = c2.add(pair.dot(w2));
    *c3 = c3.add(pair.dot(w3));
}

/// Adds the products of sixteen digits and the first sixteen words of a factor. Below the first one there are none: a
/// triangle.
#[inline(always)]
#[allow(clippy::inline_always, reason = "the words and the sums are to stay in registers")]
fn add_triangle(
    [c0, c1, c2, c3]: &mut [Lanes; 4],
    [lower, upper]: &[HalfStrip; 2],
    [e0, e1, e2, e3]: [Lanes; 4],
    [o0, o1, o2, o3]: [Lanes; 4],
) {
    let [p0, p1, p2, p3] = lower.map(Lanes::splat);
    let [p4, p5, p6, p7] = upper.map(Lanes::splat);
    *c0 = c0.add(p0.dot(e0)).add(p1.dot(o0));
    *c1 = c1.add(p0.dot(e1)).add(p1.dot(o1)).add(p2.dot(e0)).add(p3.dot(o0));
    *c2 = c2.add(p0.dot(e2)).add(p1.dot(o2)).add(p2.dot(e1)).add(p3.dot(o1)).add(p4.dot(e0)).add(p5.dot(o0));
    *c3 = c3.add(p0.dot(e3)).add(p1.dot(o3)).add(p2.dot(e2)).add(p3.dot(o2)).add(p4.dot(e1)).add(p5.dot(o1));
    *c3 = c3.add(p6.dot(e0)).add(p7.dot(o0));
}

/// The columns of the strip `strip` of a product, and `sums` added to them. Both factors have as many strips, and the
/// words a block of zeros below and one above.
#[inline(always)]
#[allow(clippy::inline_always, reason = "the columns are to stay in registers")]
pub(super) fn product(a: &Pairs, b: &[Block], strip: usize, sums: [Lanes; 4]) -> Columns {
    let strips = b.len().saturating_sub(2);
    let first = strip.saturating_sub(strips);
    let mut columns = Columns::ZERO;
    let mut walk = Walk::new(b.get(..strip - first + 2).unwrap_or_default());
    let rows = a.get(2 * first..2 * strip.min(strips)).unwrap_or_default();
    let mut sums = walk.add_rows(sums, &mut columns, rows);
    if strip < strips
        && let Some(last) = a.get(2 * strip..).and_then(<[_]>::first_chunk)
    {
        add_triangle(&mut sums, last, walk.even, walk.odd);
    }
    columns.add(sums);
    columns
}

/// The columns of the strip `strip` of the square of a factor that has `strips` strips: twice the products off the
/// diagonal, and the triangle around it as it is.
#[inline(always)]
#[allow(clippy::inline_always, reason = "the columns are to stay in registers")]
pub(super) fn square(pairs: &Pairs, words: &[Block], strips: usize, strip: usize) -> Columns {
    let first = strip.saturating_sub(strips);
    let mut columns = Columns::ZERO;
    let mut walk = Walk::new(words.get(..strip - first + 2).unwrap_or_default());
    let rows = pairs.get(2 * first..strip).unwrap_or_default();
    let sums = walk.add_rows([Lanes::ZERO; 4], &mut columns, rows);
    columns.add(sums);
    columns.double();
    let mut sums = [Lanes::ZERO; 4];
    if let Some(middle) = pairs.get(strip..).and_then(<[_]>::first_chunk)
        && let Some([lower, upper]) = words.get(strip / 2 + 1..).and_then(<[_]>::first_chunk)
    {
        let (mut even, mut odd) = if strip.is_multiple_of(2) {
            (lower.even, lower.odd)
        } else {
            let ([.., e0, e1], [.., o0, o1]) = (lower.even, lower.odd);
            let ([e2, e3, ..], [o2, o3, ..]) = (upper.even, upper.odd);
            ([e0, e1, e2, e3], [o0, o1, o2, o3])
        };
        // No product of a digit below the triangle's first one belongs here.
        even[0] = even[0].and(Lanes::new([0xffff, -1, -1, -1]));
        odd[0] = odd[0].and(Lanes::new([0, 0, 0xffff, -1]));
        add_triangle(&mut sums, middle, even, odd);
    }
    columns.add(sums);
    columns
}

/// The two highest columns of the lower half of a product.
pub(super) fn highest_of_lower_half(a: &Pairs, b: &[Block]) -> [i64; 2] {
    let mut columns = [0; 2];
    let mut blocks = b.iter().rev().skip(1);
    let (strips, _) = a.as_chunks::<2>();
    let strips = strips.get(..b.len().saturating_sub(2)).unwrap_or_default();
    for strips in strips.chunks(HALF_STRIPS_AT_ONCE / 2) {
        let mut sum = Lanes::ZERO;
        for ([lower, upper], Block { even: [e0, e1, e2, e3], odd: [o0, o1, o2, o3] }) in
            strips.iter().zip(blocks.by_ref())
        {
            let [p0, p1, p2, p3] = lower.map(Lanes::splat);
            let [p4, p5, p6, p7] = upper.map(Lanes::splat);
            sum = sum.add(p0.dot(*e3)).add(p1.dot(*o3)).add(p2.dot(*e2)).add(p3.dot(*o2));
            sum = sum.add(p4.dot(*e1)).add(p5.dot(*o1)).add(p6.dot(*e0)).add(p7.dot(*o0));
        }
        let [.., lower, upper] = sum.lanes();
        columns = [columns[0] + i64::from(lower), columns[1] + i64::from(upper)];
    }
    columns
}
