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
//! of four are the same. So the pairs with i divisible by four are a walk of their own, which loads one vector of words
//! for each pair and uses it four times, and the others are another one, with words from two further down: [`Words`] has
//! both, so that every load is a whole vector.
//!
//! Sixteen columns are a *strip*. Its sums never leave the registers before they are digits ([`Carry::digits`]).
//!
//! A square adds each product off the diagonal once, of a doubled digit. Rows of pairs whose words all have greater places
//! are off the diagonal; what is left of a strip is a [`Triangle`] around it, which takes all products as they are.
//!
//! # Bounds
//!
//! Let D = 4271 and B = 2^13. For at most 320 digits:
//!
//! | value | bound | why |
//! |---|---|---|
//! | digit | D | below; at import 4096 |
//! | doubled digit | 8542 < 2^15 | |
//! | sum in a lane | 112·D² + 8191 < 2.05·10^9 < 2^31 | 96 rows between two splits, or 48 of doubled digits, 16 of a triangle, and what a split left |
//! | column | 640·D² < 1.17·10^10 | one product of each row, of a product or square and of what reduces it |
//! | `low` after a split | 0 to 8191 | masked |
//! | `high` after a split | 1.17·10^10/B + 1 < 1 428 300 | the quotient of the column by B, rounded down |
//! | carry from the lower half | 1 428 300 | it stands for the `high` of the columns below, of a product and of what reduces it |
//! | column after the first carry | 1 428 300 + 8191 | `low`, and `high` of the column below |
//! | second carry | 175 | (1 428 300 + 8191 + 4096)/B, rounded down |
//! | digit | 4096 + 175 = D | what the second carry leaves, and that of the column below |
//!
//! So no sum overflows, whatever the operands are, and there is nothing to check: neither of a key nor of a signature. A
//! test multiplies numbers all of whose digits are D or -D.

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

/// Four words of a factor, and the four that are two further down.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    /// The words 4j to 4j + 3.
    pub(super) even: Lanes,
    /// The words 4j - 2 to 4j + 1.
    pub(super) odd: Lanes,
}

impl Words {
    pub(super) const ZERO: Self = Self { even: Lanes::ZERO, odd: Lanes::ZERO };
}

/// The words of a factor come from the top down, so that a walk reads upwards in memory: from j = n/4 + 3, of which those
/// above n/4 are zero, to j = -3, of which those below 0 are.
pub(super) const fn words_of(strips: usize) -> usize {
    4 * strips + 7
}

/// Groups of eight rows that are summed before what is above a digit is moved out of the sums.
const ROWS_AT_ONCE: usize = 12;

/// The same for rows of doubled digits.
const DOUBLED_ROWS_AT_ONCE: usize = ROWS_AT_ONCE / 2;

/// Rows, and the words that they meet: the first row meets the fourth of the words in the first of sixteen columns.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    rows: &'a [Rows],
    words: &'a [Words],
    /// How many groups of rows are summed before what is above a digit is moved out of the sums.
    at_once: usize,
}

/// The products of two groups of rows and of the words from the first row's digit up.
#[derive(Clone, Copy)]
pub(super) struct Triangle<'a> {
    rows: &'a [Rows; 2],
    words: &'a [Words; 4],
}

/// Sixteen columns, each the number low + 2^13·high.
#[derive(Clone, Copy)]
struct Columns {
    low: [Lanes; 4],
    high: [Lanes; 4],
}

#[allow(clippy::inline_always, reason = "the columns are to stay in registers")]
impl Columns {
    /// Moves what is above a digit to `high`.
    #[inline(always)]
    fn split(&mut self) {
        let mask = Lanes::splat((1 << DIGIT_BITS) - 1);
        for (low, high) in self.low.iter_mut().zip(&mut self.high) {
            *high = high.add(low.shr(DIGIT_BITS));
            *low = low.and(mask);
        }
    }

    /// Adds the products of all rows, and splits.
    #[inline(always)]
    fn add_part(&mut self, part: &Part<'_>) {
        let Part { mut rows, mut words, at_once } = *part;
        loop {
            let (now, later) = rows.split_at(at_once.min(rows.len()));
            self.add_half::<false>(now, words);
            self.add_half::<true>(now, words);
            self.split();
            if later.is_empty() {
                return;
            }
            rows = later;
            words = words.get(2 * at_once..).unwrap_or_default();
        }
    }

    /// Adds the products of the even pairs with the even words, or of the odd ones with the odd words.
    ///
    /// From one pair to the next the words move on by four columns, so that each is loaded once and then kept for the four
    /// pairs that it meets. After four pairs they are in the same variables again.
    #[inline(always)]
    fn add_half<const ODD: bool>(&mut self, rows: &[Rows], words: &[Words]) {
        let of = |words: &Words| if ODD { words.odd } else { words.even };
        let of_rows = |[p0, p1, p2, p3]: &Rows| if ODD { [*p1, *p3] } else { [*p0, *p2] };
        let [w3, w2, w1, words @ ..] = words else { return };
        let [mut c0, mut c1, mut c2, mut c3] = self.low;
        let (mut w3, mut w2, mut w1) = (of(w3), of(w2), of(w1));
        let mut add = |pair: i32, a: Lanes, b: Lanes, c: Lanes, d: Lanes| {
            let pair = Lanes::splat(pair);
            c3 = c3.add(pair.dot(a));
            c2 = c2.add(pair.dot(b));
            c1 = c1.add(pair.dot(c));
            c0 = c0.add(pair.dot(d));
        };
        let (groups, last) = rows.as_chunks::<2>();
        for ([first, second], [a, b, c, d]) in groups.iter().zip(words.as_chunks::<4>().0) {
            let ([p0, p1], [p2, p3]) = (of_rows(first), of_rows(second));
            let w0 = of(a);
            add(p0, w3, w2, w1, w0);
            w3 = of(b);
            add(p1, w2, w1, w0, w3);
            w2 = of(c);
            add(p2, w1, w0, w3, w2);
            w1 = of(d);
            add(p3, w0, w3, w2, w1);
        }
        if let Some(last) = last.first()
            && let Some([a, b, ..]) = words.get(4 * groups.len()..)
        {
            let [p0, p1] = of_rows(last);
            let w0 = of(a);
            add(p0, w3, w2, w1, w0);
            add(p1, w2, w1, w0, of(b));
        }
        self.low = [c0, c1, c2, c3];
    }

    /// Adds the products of a triangle.
    #[inline(always)]
    fn add_triangle(&mut self, triangle: &Triangle<'_>) {
        let ([first, second], [w3, w2, w1, w0]) = (triangle.rows, triangle.words);
        let [mut c0, mut c1, mut c2, mut c3] = self.low;
        // No product of a digit below the first row's belongs here.
        let e0 = w0.even.and(Lanes::new([0xffff, -1, -1, -1]));
        let o0 = w0.odd.and(Lanes::new([0, 0, 0xffff, -1]));
        let (e1, e2, e3, o1, o2, o3) = (w1.even, w2.even, w3.even, w1.odd, w2.odd, w3.odd);
        let [p0, p1, p2, p3] = first;
        let [p0, p1, p2, p3] = [Lanes::splat(*p0), Lanes::splat(*p1), Lanes::splat(*p2), Lanes::splat(*p3)];
        c0 = c0.add(p0.dot(e0)).add(p1.dot(o0));
        c1 = c1.add(p0.dot(e1)).add(p1.dot(o1)).add(p2.dot(e0)).add(p3.dot(o0));
        c2 = c2.add(p0.dot(e2)).add(p1.dot(o2)).add(p2.dot(e1)).add(p3.dot(o1));
        c3 = c3.add(p0.dot(e3)).add(p1.dot(o3)).add(p2.dot(e2)).add(p3.dot(o2));
        let [p0, p1, p2, p3] = second;
        let [p0, p1, p2, p3] = [Lanes::splat(*p0), Lanes::splat(*p1), Lanes::splat(*p2), Lanes::splat(*p3)];
        c2 = c2.add(p0.dot(e0)).add(p1.dot(o0));
        c3 = c3.add(p0.dot(e1)).add(p1.dot(o1)).add(p2.dot(e0)).add(p3.dot(o0));
        self.low = [c0, c1, c2, c3];
    }
}

#[allow(clippy::inline_always, reason = "a few slices")]
impl<'a> Part<'a> {
    /// What a product has in the columns of a strip.
    #[inline(always)]
    pub(super) fn product(a: &'a Pairs, b: &'a [Words], strips: usize, strip: usize) -> Self {
        let first = 2 * strip.saturating_sub(strips);
        let rows = a.get(first..2 * strips.min(strip + 1)).unwrap_or_default();
        Self { rows, words: words_for(b, strips, strip, first), at_once: ROWS_AT_ONCE }
    }

    /// What a square has there off the diagonal.
    #[inline(always)]
    pub(super) fn square(doubled: &'a Pairs, words: &'a [Words], strips: usize, strip: usize) -> Self {
        let first = 2 * strip.saturating_sub(strips);
        let rows = doubled.get(first..strip).unwrap_or_default();
        Self { rows, words: words_for(words, strips, strip, first), at_once: DOUBLED_ROWS_AT_ONCE }
    }
}

#[allow(clippy::inline_always, reason = "a few slices")]
impl<'a> Triangle<'a> {
    /// What a square has there around the diagonal.
    #[inline(always)]
    pub(super) fn square(pairs: &'a Pairs, words: &'a [Words], strips: usize, strip: usize) -> Option<Self> {
        let rows = pairs.get(strip..).and_then(<[_]>::first_chunk)?;
        Some(Self { rows, words: words_for(words, strips, strip, strip).first_chunk()? })
    }
}

/// The words that the group of rows `first` needs for the columns of a strip, and those for the groups after it.
#[inline(always)]
#[allow(clippy::inline_always, reason = "one subtraction")]
fn words_for(words: &[Words], strips: usize, strip: usize, first: usize) -> &[Words] {
    words.get(4 * strips + 2 * first - 4 * strip..).unwrap_or_default()
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

    /// Adds a number to the next column.
    #[inline(always)]
    pub(super) fn add(&mut self, carry: i32) {
        self.high = self.high.add(Lanes::new([0, 0, 0, carry]));
    }

    /// The digits of the next sixteen columns, which are the sums of the parts. They are carried twice by one place, which
    /// leaves a little more than 13 bits but never has to go on.
    ///
    /// All there is to do for a strip is one function, so that sums stay in registers.
    #[inline(never)]
    pub(super) fn digits(
        &mut self,
        parts: &[Part<'_>],
        triangle: Option<Triangle<'_>>,
        pairs: &mut [Rows; 2],
    ) -> [Lanes; 4] {
        let mut columns = Columns { low: [Lanes::ZERO; 4], high: [Lanes::ZERO; 4] };
        if let Some(triangle) = &triangle {
            columns.add_triangle(triangle);
        }
        for part in parts {
            columns.add_part(part);
        }
        let mut digits = [Lanes::ZERO; 4];
        let half = Lanes::splat(1 << (DIGIT_BITS - 1));
        for ((digit, low), high) in digits.iter_mut().zip(columns.low).zip(columns.high) {
            let sum = low.add(high.after(self.high));
            let carry = sum.add(half).shr(DIGIT_BITS);
            *digit = sum.sub(carry.shl(DIGIT_BITS)).add(carry.after(self.carry));
            (self.high, self.carry) = (high, carry);
        }
        *pairs = narrow(digits);
        digits
    }
}

/// Digits as pairs.
#[inline(always)]
#[allow(clippy::inline_always, reason = "two instructions")]
pub(super) fn narrow([a, b, c, d]: [Lanes; 4]) -> [Rows; 2] {
    [a.narrow(b).lanes(), c.narrow(d).lanes()]
}

/// The two highest columns of the lower half of a product.
pub(super) fn highest_of_lower_half(a: &Pairs, b: &[Words], strips: usize) -> [i64; 2] {
    let mut columns = [0; 2];
    let mut words = b.get(4..).unwrap_or_default().as_chunks::<2>().0.iter();
    for rows in a.get(..2 * strips).unwrap_or_default().chunks(ROWS_AT_ONCE) {
        let mut sum = Lanes::ZERO;
        for (rows, [upper, lower]) in rows.iter().zip(words.by_ref()) {
            let [p0, p1, p2, p3] = rows.map(Lanes::splat);
            sum = sum.add(p0.dot(upper.even)).add(p1.dot(upper.odd)).add(p2.dot(lower.even)).add(p3.dot(lower.odd));
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
    const LARGEST: i32 = 4271;

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
            let length = STRIP * strips;
            for a in extremes(length) {
                let (pairs, doubled, words_of_a) = factor(&a);
                let squares = columns_of(&a, &a);
                for b in extremes(length) {
                    let (_, _, words) = factor(&b);
                    let products = columns_of(&a, &b);
                    // As in a reduction: the upper half of a square, and that of a product besides.
                    let (mut carry, mut carry_of_sum) = (Carry::new(0), Carry::new(0));
                    let (mut digits, mut digits_of_sum) = (Vec::new(), Vec::new());
                    for strip in 0..2 * strips {
                        let part = Part::product(&pairs, &words, strips, strip);
                        digits.extend(digits_of(carry.digits(&[part], None, &mut [[0; 4]; 2])));
                        let square = Part::square(&doubled, &words_of_a, strips, strip);
                        let parts = if strip < strips { &[square][..] } else { &[square, part] };
                        let triangle = Triangle::square(&pairs, &words_of_a, strips, strip);
                        digits_of_sum.extend(digits_of(carry_of_sum.digits(parts, triangle, &mut [[0; 4]; 2])));
                    }
                    assert_same(&digits, &products);
                    let sums: Vec<i64> =
                        (0..2 * length).map(|k| squares[k] + if k < length { 0 } else { products[k] }).collect();
                    assert_same(&digits_of_sum, &sums);
                    assert_eq!(
                        highest_of_lower_half(&pairs, &words, strips),
                        [products[length - 2], products[length - 1]]
                    );
                }
            }
        }
    }
}
