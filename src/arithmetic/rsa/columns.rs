//! Columns of products of digits, sixteen at a time, and their carries.
//!
//! A number has n digits of 13 bits, n = 16·strips, the least significant first. Digits are signed, and a number has many
//! representations; what counts is that digits are small. A factor is kept in two forms:
//!
//! - as *pairs*: lane i/2 holds `a[i]` below and `a[i + 1]` above, for even i;
//! - as *words*: lane m holds `b[m]` below and `b[m - 1]` above, for every m from 0 to n.
//!
//! The dot product of a pair and a word is then `a[i]·b[m] + a[i + 1]·b[m - 1]`, and both products belong to column
//! i + m. With the pair in all lanes and four words in a vector, one instruction serves four columns. For the columns k
//! to k + 15, the pair i wants the words from k - i on, and the pair i + 4 those four further down, of which three vectors
//! of four are the same: eight rows of products share ten loads of words for sixteen dot products. Pairs with i divisible
//! by four want words from a multiple of four on, the others from two further down; a [`Block`] has both, so that every
//! load is a whole vector.
//!
//! # Bounds
//!
//! Let D = 4182 and B = 2^13. For at most 320 digits:
//!
//! | value | bound | why |
//! |---|---|---|
//! | digit | D | below; at import 4096 |
//! | product of a pair and a word | 2·D² | |
//! | sum in a lane | 112·D² + 8191 < 1.96·10^9 < 2^31 | 96 rows between two splits, 16 of a triangle, and what was there: a digit, or what a split left |
//! | column | 320·D² + D < 5.6·10^9 | one product of each row, and a digit of what is reduced |
//! | `low` after a split | 0 to 8191 | masked |
//! | `high` after a split | 5.6·10^9/B + 1 < 684 000 | the quotient of the column by B, rounded down |
//! | carry from the half that is not computed | 684 000 | it stands for the `high` of the column below |
//! | column after the first carry | 684 000 + 8191 | `low`, and `high` of the column below |
//! | second carry | 85 | (684 000 + 8191 + 4096)/B, rounded down |
//! | digit | 4096 + 85 < D | what the second carry leaves, and that of the column below |
//!
//! So no sum overflows, whatever the operands are, and there is nothing to check: neither of a key nor of a signature. A
//! column of a square is doubled after its split. A test multiplies numbers all of whose digits are D or -D.

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
            // One by one: copied as an array, they would be loaded as a vector and shuffled.
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

    /// The digits of the next sixteen columns, which are split. They are carried twice by one place, which leaves a little
    /// more than 13 bits but never has to go on.
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

#[cfg(test)]
mod tests {
    use super::super::vector::tests::{digits_of, factor};
    use super::*;

    const B: i64 = 1 << DIGIT_BITS;
    const LARGEST: i32 = 4182;

    /// Whether digits stand for the same number as columns, but for what the last one carries.
    fn assert_same(digits: &[i32], columns: &[i64]) {
        let mut carry = 0;
        for (k, (digit, column)) in digits.iter().zip(columns).enumerate() {
            assert!(digit.abs() <= LARGEST, "digit {k} is {digit}");
            carry += column - i64::from(*digit);
            assert_eq!(carry % B, 0, "digit {k} is {digit}");
            carry /= B;
        }
    }

    fn columns_of(a: &[i32], b: &[i32]) -> Vec<i64> {
        let mut columns = vec![0; a.len() + b.len()];
        for (i, a) in a.iter().enumerate() {
            for (j, b) in b.iter().enumerate() {
                columns[i + j] += i64::from(*a) * i64::from(*b);
            }
        }
        columns
    }

    /// Every combination of digits at the ends of their range, with signs that agree, alternate, or change half-way.
    fn extremes(length: usize) -> Vec<Vec<i32>> {
        let signs: [fn(usize, usize) -> bool; 5] =
            [|_, _| true, |_, _| false, |i, _| i % 2 == 0, |i, _| i % 4 < 2, |i, length| i < length / 2];
        let mut numbers: Vec<Vec<i32>> = signs
            .iter()
            .map(|sign| (0..length).map(|i| if sign(i, length) { LARGEST } else { -LARGEST }).collect())
            .collect();
        numbers.push((0..length).map(|i| i32::try_from(i * 2477 % 8191).unwrap() - 4095).collect());
        numbers
    }

    #[test]
    fn products_and_squares_of_the_largest_digits_are_exact_for_every_number_of_strips() {
        for strips in 1..=MAX_STRIPS {
            for a in extremes(STRIP * strips) {
                let (pairs, words_of_a) = factor(&a);
                let mut carry = Carry::new(0);
                let digits: Vec<i32> = (0..2 * strips)
                    .flat_map(|strip| digits_of(carry.digits(square(&pairs, &words_of_a, strips, strip))))
                    .collect();
                assert_same(&digits, &columns_of(&a, &a));
                for b in extremes(STRIP * strips) {
                    let (_, words) = factor(&b);
                    let expected = columns_of(&a, &b);
                    let mut carry = Carry::new(0);
                    // What is reduced is added to the upper half.
                    let digits: Vec<i32> = (0..2 * strips)
                        .flat_map(|strip| {
                            let added = if strip < strips { 0 } else { LARGEST };
                            let columns = product(&pairs, &words, strips, strip, [Lanes::splat(added); 4]);
                            digits_of(carry.digits(columns))
                        })
                        .collect();
                    let added = (0..).map(|k| if k < STRIP * strips { 0 } else { i64::from(LARGEST) });
                    let sums: Vec<i64> = expected.iter().zip(added).map(|(column, added)| column + added).collect();
                    assert_same(&digits, &sums);
                    let half = STRIP * strips;
                    assert_eq!(highest_of_lower_half(&pairs, &words, strips), [expected[half - 2], expected[half - 1]]);
                }
            }
        }
    }
}
