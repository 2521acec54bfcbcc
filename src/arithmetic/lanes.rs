//! Four lanes of 32 bits: the operations of WebAssembly's simd128 that the arithmetic uses, and a portable twin that
//! gives the same bits, so that the same algorithms run in native tests and under a fuzzer.
//!
//! Sums wrap, as those of WebAssembly do; users of this module prove that theirs do not have to.

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(crate) use simd::Lanes;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub(crate) use portable::Lanes;

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd {
    use core::arch::wasm32::{
        i16x8_narrow_i32x4, i32x4, i32x4_add, i32x4_dot_i16x8, i32x4_extract_lane, i32x4_shl, i32x4_shr, i32x4_shuffle,
        i32x4_splat, i32x4_sub, v128, v128_and, v128_or,
    };

    /// Four numbers of 32 bits.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Lanes(v128);

    #[allow(clippy::inline_always, reason = "each is one instruction, two at most")]
    impl Lanes {
        pub(crate) const ZERO: Self = Self::new([0; 4]);

        #[inline(always)]
        pub(crate) const fn new([a, b, c, d]: [i32; 4]) -> Self {
            Self(i32x4(a, b, c, d))
        }

        #[inline(always)]
        pub(crate) fn lanes(self) -> [i32; 4] {
            [
                i32x4_extract_lane::<0>(self.0),
                i32x4_extract_lane::<1>(self.0),
                i32x4_extract_lane::<2>(self.0),
                i32x4_extract_lane::<3>(self.0),
            ]
        }

        #[inline(always)]
        pub(crate) fn splat(lane: i32) -> Self {
            Self(i32x4_splat(lane))
        }

        #[inline(always)]
        pub(crate) fn add(self, other: Self) -> Self {
            Self(i32x4_add(self.0, other.0))
        }

        #[inline(always)]
        pub(crate) fn sub(self, other: Self) -> Self {
            Self(i32x4_sub(self.0, other.0))
        }

        #[inline(always)]
        pub(crate) fn and(self, other: Self) -> Self {
            Self(v128_and(self.0, other.0))
        }

        #[inline(always)]
        pub(crate) fn or(self, other: Self) -> Self {
            Self(v128_or(self.0, other.0))
        }

        #[inline(always)]
        pub(crate) fn shl(self, bits: u32) -> Self {
            Self(i32x4_shl(self.0, bits))
        }

        /// The quotient by a power of two, rounded down.
        #[inline(always)]
        pub(crate) fn shr(self, bits: u32) -> Self {
            Self(i32x4_shr(self.0, bits))
        }

        /// In each lane, the product of the lower halves plus that of the upper halves, as numbers of 16 bits.
        #[inline(always)]
        pub(crate) fn dot(self, other: Self) -> Self {
            Self(i32x4_dot_i16x8(self.0, other.0))
        }

        /// Moves each lane up by one place; the last lane of `previous` becomes the first.
        #[inline(always)]
        pub(crate) fn after(self, previous: Self) -> Self {
            Self(i32x4_shuffle::<3, 4, 5, 6>(previous.0, self.0))
        }

        /// Moves each lane up by two places; the last two lanes of `previous` become the first.
        #[inline(always)]
        pub(crate) fn after_two(self, previous: Self) -> Self {
            Self(i32x4_shuffle::<2, 3, 4, 5>(previous.0, self.0))
        }

        /// The eight numbers as halves of four lanes. They must fit 16 bits.
        #[inline(always)]
        pub(crate) fn narrow(self, upper: Self) -> Self {
            Self(i16x8_narrow_i32x4(self.0, upper.0))
        }
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
#[allow(clippy::many_single_char_names, reason = "lanes have no better names")]
mod portable {
    /// Four numbers of 32 bits.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Lanes([i32; 4]);

    #[allow(clippy::inline_always, reason = "each stands for one instruction")]
    impl Lanes {
        pub(crate) const ZERO: Self = Self([0; 4]);

        #[inline(always)]
        pub(crate) const fn new(lanes: [i32; 4]) -> Self {
            Self(lanes)
        }

        #[inline(always)]
        pub(crate) const fn lanes(self) -> [i32; 4] {
            self.0
        }

        #[inline(always)]
        pub(crate) const fn splat(lane: i32) -> Self {
            Self([lane; 4])
        }

        #[inline(always)]
        pub(crate) const fn add(self, Self([e, f, g, h]): Self) -> Self {
            let [a, b, c, d] = self.0;
            Self([a.wrapping_add(e), b.wrapping_add(f), c.wrapping_add(g), d.wrapping_add(h)])
        }

        #[inline(always)]
        pub(crate) const fn sub(self, Self([e, f, g, h]): Self) -> Self {
            let [a, b, c, d] = self.0;
            Self([a.wrapping_sub(e), b.wrapping_sub(f), c.wrapping_sub(g), d.wrapping_sub(h)])
        }

        #[inline(always)]
        pub(crate) const fn and(self, Self([e, f, g, h]): Self) -> Self {
            let [a, b, c, d] = self.0;
            Self([a & e, b & f, c & g, d & h])
        }

        #[inline(always)]
        pub(crate) const fn or(self, Self([e, f, g, h]): Self) -> Self {
            let [a, b, c, d] = self.0;
            Self([a | e, b | f, c | g, d | h])
        }

        #[inline(always)]
        pub(crate) const fn shl(self, bits: u32) -> Self {
            let [a, b, c, d] = self.0;
            Self([a.wrapping_shl(bits), b.wrapping_shl(bits), c.wrapping_shl(bits), d.wrapping_shl(bits)])
        }

        /// The quotient by a power of two, rounded down.
        #[inline(always)]
        pub(crate) const fn shr(self, bits: u32) -> Self {
            let [a, b, c, d] = self.0;
            Self([a.wrapping_shr(bits), b.wrapping_shr(bits), c.wrapping_shr(bits), d.wrapping_shr(bits)])
        }

        /// In each lane, the product of the lower halves plus that of the upper halves, as numbers of 16 bits.
        #[inline(always)]
        pub(crate) const fn dot(self, Self([e, f, g, h]): Self) -> Self {
            let [a, b, c, d] = self.0;
            Self([dot(a, e), dot(b, f), dot(c, g), dot(d, h)])
        }

        /// Moves each lane up by one place; the last lane of `previous` becomes the first.
        #[inline(always)]
        pub(crate) const fn after(self, Self([.., last]): Self) -> Self {
            let [a, b, c, _] = self.0;
            Self([last, a, b, c])
        }

        /// Moves each lane up by two places; the last two lanes of `previous` become the first.
        #[inline(always)]
        pub(crate) const fn after_two(self, Self([.., third, last]): Self) -> Self {
            let [a, b, ..] = self.0;
            Self([third, last, a, b])
        }

        /// The eight numbers as halves of four lanes. They must fit 16 bits.
        #[inline(always)]
        pub(crate) fn narrow(self, Self([e, f, g, h]): Self) -> Self {
            let [a, b, c, d] = self.0;
            Self([joined(a, b), joined(c, d), joined(e, f), joined(g, h)])
        }
    }

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "a part of one instruction")]
    const fn dot(a: i32, b: i32) -> i32 {
        ((a << 16 >> 16) * (b << 16 >> 16)).wrapping_add((a >> 16) * (b >> 16))
    }

    /// A lane of two numbers, which saturate as WebAssembly has it.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "a part of one instruction")]
    fn joined(lower: i32, upper: i32) -> i32 {
        let [lower, upper] = [lower, upper].map(|half| half.clamp(i32::from(i16::MIN), i32::from(i16::MAX)));
        upper << 16 | lower & 0xffff
    }
}
