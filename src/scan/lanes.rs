//! Sixteen bytes at a time: the operations that base64url and JSON need, as SIMD of WebAssembly and, for every other
//! target, as the same operations on an array.

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub(crate) use portable::Lanes;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(crate) use simd::Lanes;

/// How many bytes there are.
pub(crate) const WIDTH: usize = 16;

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd {
    use core::arch::wasm32::{
        i8x16_bitmask, i8x16_eq, i8x16_gt, i8x16_lt, i8x16_shuffle, i8x16_splat, i32x4_dot_i16x8, i32x4_splat, u8x16,
        u8x16_add, u8x16_lt, u8x16_splat, u16x8_shl, u16x8_shr, u16x8_splat, u64x2, u64x2_extract_lane, v128, v128_and,
        v128_or,
    };

    use super::WIDTH;

    /// Sixteen bytes. In a mask each is 0 or 255.
    #[derive(Clone, Copy)]
    pub(crate) struct Lanes(v128);

    impl Lanes {
        #[inline]
        #[expect(clippy::many_single_char_names, reason = "they have no meaning")]
        pub(crate) fn load(bytes: &[u8; WIDTH]) -> Self {
            // What rustc and wasm-opt turn into one load.
            let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *bytes;
            Self(u8x16(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p))
        }

        /// A mask of the bytes from `first` to `last`, both below 128.
        #[inline]
        pub(crate) fn within(self, first: i8, last: i8) -> Self {
            // As signed numbers, bytes from 128 are below every `first`.
            Self(v128_and(i8x16_gt(self.0, i8x16_splat(first - 1)), i8x16_lt(self.0, i8x16_splat(last + 1))))
        }

        /// A mask of the bytes that are `byte`.
        #[inline]
        pub(crate) fn equal(self, byte: i8) -> Self {
            Self(i8x16_eq(self.0, i8x16_splat(byte)))
        }

        /// A mask of the bytes below `limit`.
        #[inline]
        pub(crate) fn below(self, limit: u8) -> Self {
            Self(u8x16_lt(self.0, u8x16_splat(limit)))
        }

        #[inline]
        pub(crate) fn or(self, other: Self) -> Self {
            Self(v128_or(self.0, other.0))
        }

        /// Adds to each byte, wrapping around.
        #[inline]
        pub(crate) fn add(self, other: Self) -> Self {
            Self(u8x16_add(self.0, other.0))
        }

        /// `number` where the mask is set, 0 elsewhere.
        #[inline]
        pub(crate) fn chosen(self, number: i8) -> Self {
            Self(v128_and(self.0, i8x16_splat(number)))
        }

        /// A bit for each byte of a mask, the first byte's lowest.
        #[inline]
        pub(crate) fn bits(self) -> u16 {
            i8x16_bitmask(self.0)
        }

        /// The 12 bytes that sixteen numbers of six bits stand for, the earlier number higher.
        #[inline]
        pub(crate) fn packed(self) -> [u8; 12] {
            // Two numbers to twelve bits: in a lane of sixteen the earlier one is the low byte.
            let early = v128_and(u16x8_shl(self.0, 6), u16x8_splat(0x0fc0));
            let pairs = v128_or(early, u16x8_shr(self.0, 8));
            // Two pairs to 24 bits, and those to three bytes, the highest first.
            let groups = i32x4_dot_i16x8(pairs, i32x4_splat(0x0001_1000));
            let bytes = i8x16_shuffle::<2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, 3, 7, 11, 15>(groups, u64x2(0, 0));
            let mut packed = [0; 12];
            let (head, tail) = packed.split_at_mut(8);
            head.copy_from_slice(&u64x2_extract_lane::<0>(bytes).to_le_bytes());
            let [a, b, c, d, ..] = u64x2_extract_lane::<1>(bytes).to_le_bytes();
            tail.copy_from_slice(&[a, b, c, d]);
            packed
        }
    }
}

// Compiled with SIMD as well, so that both can be compared there.
#[cfg(any(test, not(all(target_arch = "wasm32", target_feature = "simd128"))))]
mod portable {
    use super::WIDTH;

    /// Sixteen bytes. In a mask each is 0 or 255.
    #[derive(Clone, Copy)]
    pub(crate) struct Lanes([u8; WIDTH]);

    impl Lanes {
        #[inline]
        pub(crate) fn load(bytes: &[u8; WIDTH]) -> Self {
            Self(*bytes)
        }

        #[inline]
        fn mask(self, holds: impl Fn(u8) -> bool) -> Self {
            Self(self.0.map(|byte| if holds(byte) { 255 } else { 0 }))
        }

        /// A mask of the bytes from `first` to `last`, both below 128.
        #[inline]
        pub(crate) fn within(self, first: i8, last: i8) -> Self {
            self.mask(|byte| (first..=last).contains(&byte.cast_signed()))
        }

        /// A mask of the bytes that are `byte`.
        #[inline]
        pub(crate) fn equal(self, byte: i8) -> Self {
            self.mask(|one| one == byte.cast_unsigned())
        }

        /// A mask of the bytes below `limit`.
        #[inline]
        pub(crate) fn below(self, limit: u8) -> Self {
            self.mask(|byte| byte < limit)
        }

        #[inline]
        fn zip(mut self, other: Self, operation: impl Fn(u8, u8) -> u8) -> Self {
            for (left, right) in self.0.iter_mut().zip(other.0) {
                *left = operation(*left, right);
            }
            self
        }

        #[inline]
        pub(crate) fn or(self, other: Self) -> Self {
            self.zip(other, |left, right| left | right)
        }

        /// Adds to each byte, wrapping around.
        #[inline]
        pub(crate) fn add(self, other: Self) -> Self {
            self.zip(other, u8::wrapping_add)
        }

        /// `number` where the mask is set, 0 elsewhere.
        #[inline]
        pub(crate) fn chosen(self, number: i8) -> Self {
            Self(self.0.map(|mask| mask & number.cast_unsigned()))
        }

        /// A bit for each byte of a mask, the first byte's lowest.
        #[inline]
        pub(crate) fn bits(self) -> u16 {
            self.0.iter().rev().fold(0, |bits, mask| bits << 1 | u16::from(mask >> 7))
        }

        /// The 12 bytes that sixteen numbers of six bits stand for, the earlier number higher.
        #[inline]
        pub(crate) fn packed(self) -> [u8; 12] {
            let mut packed = [0; 12];
            for (bytes, numbers) in packed.chunks_exact_mut(3).zip(self.0.chunks_exact(4)) {
                let group = numbers.iter().fold(0_u32, |group, number| group << 6 | u32::from(*number));
                let [_, group @ ..] = group.to_be_bytes();
                bytes.copy_from_slice(&group);
            }
            packed
        }
    }
}
