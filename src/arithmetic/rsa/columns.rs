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

use super::super::lanes::Lanes;

/// The bits of a digit, which is signed.
pub(super) const DIGIT_BITS: u32 = 13;

/// The digits of a strip, of which a number has a whole number, and the columns that are summed at once.
pub(super) const STRIP: usize = 16;

/// The strips of 4096 bits and of the two bits above them.
pub(super) const MAX_STRIPS: usize = 20;

/// Four pairs: eight digits, and eight rows of products.
pub(super) type Rows = [i32; 4];

/// A factor as pairs. Two rows after the last one may be read, and are zero.
pub(super) type Pairs = [Rows; 2 * MAX_STRIPS + 2];

pub(super) const NO_PAIRS: Pairs = [[0; 4]; 2 * MAX_STRIPS + 2];

/// Eight words of a factor, and the eight that are two further down.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    /// The words 8β to 8β + 7.
    pub(super) even: [Lanes; 2],
    /// The words 8β - 2 to 8β + 5.
    pub(super) odd: [Lanes; 2],
}

impl Block {
    pub(super) const ZERO: Self = Self { even: [Lanes::ZERO; 2], odd: [Lanes::ZERO; 2] };
}

/// The blocks of a factor, from the top down, so that a walk reads upwards in memory: two above the highest digits, of
/// which the first word holds the highest digit, and one of zeros below.
pub(super) const fn blocks(strips: usize) -> usize {
    2 * strips + 3
}

/// Groups of eight rows that are summed before what is above a digit is moved out of the sums.
const ROWS_AT_ONCE: usize = 12;

/// Sixteen columns, each the number low + 2^13·high.
#[derive(Clone, Copy)]
pub(super) struct Columns {
    low: [Lanes; 4],
    high: [Lanes; 4],
}

#[allow(clippy::inline_always, reason = "the columns are to stay in registers")]
impl Columns {
    #[inline(always)]
    const fn new(low: [Lanes; 4]) -> Self {
        Self { low, high: [Lanes::ZERO; 4] }
    }

    /// Moves what is above a digit to `high`.
    #[inline(always)]
    fn split(&mut self) {
        let mask = Lanes::splat((1 << DIGIT_BITS) - 1);
        for (low, high) in self.low.iter_mut().zip(&mut self.high) {
            *high = high.add(low.shr(DIGIT_BITS));
            *low = low.and(mask);
        }
    }

    /// Twice the columns, split.
    #[inline(always)]
    fn double(&mut self) {
        let mask = Lanes::splat((1 << (DIGIT_BITS - 1)) - 1);
        for (low, high) in self.low.iter_mut().zip(&mut self.high) {
            *high = high.add(*high).add(low.shr(DIGIT_BITS - 1));
            *low = low.and(mask).shl(1);
        }
    }

    /// Adds the products of rows to the sixteen columns that begin where the first row meets the second block.
    ///
    /// A function of its own, so that nothing but what it needs competes for the registers.
    #[inline(never)]
    fn add_rows(&mut self, mut rows: &[Rows], mut words: &[Block]) {
        while rows.len() > ROWS_AT_ONCE {
            let (now, later) = rows.split_at(ROWS_AT_ONCE);
            self.add_chunk(now, words);
            self.split();
            rows = later;
            words = words.get(ROWS_AT_ONCE..).unwrap_or_default();
        }
        self.add_chunk(rows, words);
    }

    #[inline(always)]
    fn add_chunk(&mut self, rows: &[Rows], words: &[Block]) {
        let [mut c0, mut c1, mut c2, mut c3] = self.low;
        for ([p0, p1, p2, p3], words) in rows.iter().zip(words.windows(3)) {
            let [above, block, below] = words else { continue };
            let [p0, p1, p2, p3] = [Lanes::splat(*p0), Lanes::splat(*p1), Lanes::splat(*p2), Lanes::splat(*p3)];
            // Column by column, so that few words are wanted at a time and each only for a while.
            let ([e0, e1], [o0, o1]) = (block.even, block.odd);
            c0 = c0.add(p0.dot(e0)).add(p1.dot(o0)).add(p2.dot(below.even[1])).add(p3.dot(below.odd[1]));
            c1 = c1.add(p0.dot(e1)).add(p1.dot(o1)).add(p2.dot(e0)).add(p3.dot(o0));
            let ([e2, e3], [o2, o3]) = (above.even, above.odd);
            c2 = c2.add(p0.dot(e2)).add(p1.dot(o2)).add(p2.dot(e1)).add(p3.dot(o1));
            c3 = c3.add(p0.dot(e3)).add(p1.dot(o3)).add(p2.dot(e2)).add(p3.dot(o2));
        }
        self.low = [c0, c1, c2, c3];
    }

    /// Adds the products of two groups of rows, where there are no words below the two blocks: a triangle.
    #[inline(never)]
    fn add_triangle(&mut self, [first, second]: &[Rows; 2], above: &Block, block: &Block) {
        let [mut c0, mut c1, mut c2, mut c3] = self.low;
        let [p0, p1, p2, p3] = first;
        let [p0, p1, p2, p3] = [Lanes::splat(*p0), Lanes::splat(*p1), Lanes::splat(*p2), Lanes::splat(*p3)];
        let ([e0, e1], [o0, o1]) = (block.even, block.odd);
        c0 = c0.add(p0.dot(e0)).add(p1.dot(o0));
        c1 = c1.add(p0.dot(e1)).add(p1.dot(o1)).add(p2.dot(e0)).add(p3.dot(o0));
        let ([e2, e3], [o2, o3]) = (above.even, above.odd);
        c2 = c2.add(p0.dot(e2)).add(p1.dot(o2)).add(p2.dot(e1)).add(p3.dot(o1));
        c3 = c3.add(p0.dot(e3)).add(p1.dot(o3)).add(p2.dot(e2)).add(p3.dot(o2));
        let [p0, p1, p2, p3] = second;
        let [p0, p1, p2, p3] = [Lanes::splat(*p0), Lanes::splat(*p1), Lanes::splat(*p2), Lanes::splat(*p3)];
        c2 = c2.add(p0.dot(e0)).add(p1.dot(o0));
        c3 = c3.add(p0.dot(e1)).add(p1.dot(o1)).add(p2.dot(e0)).add(p3.dot(o0));
        self.low = [c0, c1, c2, c3];
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

/// The columns of the strip `strip` of a product, and `sums` added to them.
#[inline(always)]
#[allow(clippy::inline_always, reason = "the columns are to stay in registers")]
pub(super) fn product(a: &Pairs, b: &[Block], strips: usize, strip: usize, sums: [Lanes; 4]) -> Columns {
    let first = strip.saturating_sub(strips);
    let mut columns = Columns::new(sums);
    let rows = a.get(2 * first..2 * strip.min(strips)).unwrap_or_default();
    columns.add_rows(rows, b.get(2 * (strips + first - strip)..).unwrap_or_default());
    if strip < strips
        && let Some(last) = a.get(2 * strip..).and_then(<[_]>::first_chunk)
        && let Some([above, block, _]) = b.last_chunk()
    {
        columns.add_triangle(last, above, block);
    }
    columns.split();
    columns
}

/// The columns of the strip `strip` of the square of a factor that has `strips` strips: twice the products off the
/// diagonal, and the triangle around it as it is.
#[inline(always)]
#[allow(clippy::inline_always, reason = "the columns are to stay in registers")]
pub(super) fn square(pairs: &Pairs, words: &[Block], strips: usize, strip: usize) -> Columns {
    let first = strip.saturating_sub(strips);
    let mut columns = Columns::new([Lanes::ZERO; 4]);
    let rows = pairs.get(2 * first..strip).unwrap_or_default();
    columns.add_rows(rows, words.get(2 * (strips + first - strip)..).unwrap_or_default());
    columns.double();
    if let Some(middle) = pairs.get(strip..).and_then(<[_]>::first_chunk)
        && let Some([above, block]) = words.get(2 * strips - strip..).and_then(<[_]>::first_chunk)
    {
        let mut block = *block;
        // No product of a digit below the triangle's first one belongs here.
        block.even[0] = block.even[0].and(Lanes::new([0xffff, -1, -1, -1]));
        block.odd[0] = block.odd[0].and(Lanes::new([0, 0, 0xffff, -1]));
        columns.add_triangle(middle, above, &block);
    }
    columns.split();
    columns
}

/// The two highest columns of the lower half of a product.
pub(super) fn highest_of_lower_half(a: &Pairs, b: &[Block], strips: usize) -> [i64; 2] {
    let mut columns = [0; 2];
    let mut blocks = b.iter().skip(2);
    for rows in a.get(..2 * strips).unwrap_or_default().chunks(ROWS_AT_ONCE) {
        let mut sum = Lanes::ZERO;
        for (rows, Block { even: [e0, e1], odd: [o0, o1] }) in rows.iter().zip(blocks.by_ref()) {
            let [p0, p1, p2, p3] = rows.map(Lanes::splat);
            sum = sum.add(p0.dot(*e1)).add(p1.dot(*o1)).add(p2.dot(*e0)).add(p3.dot(*o0));
        }
        let [.., lower, upper] = sum.lanes();
        columns = [columns[0] + i64::from(lower), columns[1] + i64::from(upper)];
    }
    columns
}
