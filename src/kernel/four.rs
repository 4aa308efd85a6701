//! Four numbers of 32 bits side by side: the same operations on each, as a processor does them at once.
//!
//! Every variant gives the bits of the portable one, which is what they are tested against.

#[cfg(not(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128"))))]
use portable as lanes;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use simd128 as lanes;
#[cfg(target_arch = "x86_64")]
use sse2 as lanes;

use lanes::Lanes;

/// Four `f32`, or their bits.
#[derive(Clone, Copy)]
pub struct Four(Lanes);

impl Four {
    #[inline(always)]
    pub fn splat(value: f32) -> Self {
        Four(lanes::load(&[value; 4]))
    }

    #[inline(always)]
    pub fn new(values: [f32; 4]) -> Self {
        Four(lanes::load(&values))
    }

    #[inline(always)]
    pub fn values(self) -> [f32; 4] {
        let mut values = [0.0; 4];
        lanes::store(self.0, &mut values);
        values
    }

    /// Four rows of four, turned: the first of each, the second of each, and so on.
    #[inline(always)]
    pub fn columns(rows: [&[f32; 4]; 4]) -> [Self; 4] {
        lanes::columns(rows.map(lanes::load)).map(Four)
    }

    /// The entries of a table of pairs: the firsts and the seconds.
    #[inline(always)]
    pub fn pairs(entries: [&[f32; 2]; 4]) -> [Self; 2] {
        lanes::pairs(entries).map(Four)
    }

    #[inline(always)]
    pub fn plus(self, other: Self) -> Self {
        Four(lanes::add(self.0, other.0))
    }

    #[inline(always)]
    pub fn minus(self, other: Self) -> Self {
        Four(lanes::subtract(self.0, other.0))
    }

    #[inline(always)]
    pub fn times(self, other: Self) -> Self {
        Four(lanes::multiply(self.0, other.0))
    }

    /// As `f32::clamp`: what is no number stays none.
    #[inline(always)]
    pub fn clamp(self, low: Self, high: Self) -> Self {
        Four(lanes::clamp(self.0, low.0, high.0))
    }

    /// What the bits from `SHIFT` on and those below it are as whole numbers, the latter as `f32`.
    #[inline(always)]
    pub fn split<const SHIFT: u32>(self) -> ([u32; 4], Self) {
        let (high, low) = lanes::split::<SHIFT>(self.0);
        (high, Four(low))
    }
}

#[cfg(target_arch = "x86_64")]
mod sse2 {
    // SAFETY, of all of this: every x86-64 has SSE2, and what is read or written is as long as its type says.
    use std::arch::x86_64::*;

    pub type Lanes = __m128;

    #[inline(always)]
    pub fn load(values: &[f32; 4]) -> Lanes {
        unsafe { _mm_loadu_ps(values.as_ptr()) }
    }

    #[inline(always)]
    pub fn store(lanes: Lanes, values: &mut [f32; 4]) {
        unsafe { _mm_storeu_ps(values.as_mut_ptr(), lanes) }
    }

    #[inline(always)]
    pub fn columns([a, b, c, d]: [Lanes; 4]) -> [Lanes; 4] {
        unsafe {
            let (ab_low, ab_high) = (_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b));
            let (cd_low, cd_high) = (_mm_unpacklo_ps(c, d), _mm_unpackhi_ps(c, d));
            [
                _mm_movelh_ps(ab_low, cd_low),
                _mm_movehl_ps(cd_low, ab_low),
                _mm_movelh_ps(ab_high, cd_high),
                _mm_movehl_ps(cd_high, ab_high),
            ]
        }
    }

    #[inline(always)]
    pub fn pairs(entries: [&[f32; 2]; 4]) -> [Lanes; 2] {
        unsafe {
            let [a, b, c, d] = entries.map(|entry| _mm_castsi128_ps(_mm_loadl_epi64(entry.as_ptr().cast())));
            let (ab, cd) = (_mm_unpacklo_ps(a, b), _mm_unpacklo_ps(c, d));
            [_mm_movelh_ps(ab, cd), _mm_movehl_ps(cd, ab)]
        }
    }

    #[inline(always)]
    pub fn add(a: Lanes, b: Lanes) -> Lanes {
        unsafe { _mm_add_ps(a, b) }
    }

    #[inline(always)]
    pub fn subtract(a: Lanes, b: Lanes) -> Lanes {
        unsafe { _mm_sub_ps(a, b) }
    }

    #[inline(always)]
    pub fn multiply(a: Lanes, b: Lanes) -> Lanes {
        unsafe { _mm_mul_ps(a, b) }
    }

    #[inline(always)]
    pub fn clamp(lanes: Lanes, low: Lanes, high: Lanes) -> Lanes {
        // Where a comparison is of no number, the second operand is the result.
        unsafe { _mm_min_ps(high, _mm_max_ps(low, lanes)) }
    }

    #[inline(always)]
    pub fn split<const SHIFT: u32>(lanes: Lanes) -> ([u32; 4], Lanes) {
        unsafe {
            let bits = _mm_castps_si128(lanes);
            let mut high = [0; 4];
            let count = _mm_cvtsi32_si128(SHIFT as i32);
            _mm_storeu_si128(high.as_mut_ptr().cast(), _mm_srl_epi32(bits, count));
            (high, _mm_cvtepi32_ps(_mm_and_si128(bits, _mm_set1_epi32((1 << SHIFT) - 1))))
        }
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128 {
    use std::arch::wasm32::*;

    pub type Lanes = v128;

    #[inline(always)]
    pub fn load(values: &[f32; 4]) -> Lanes {
        // SAFETY: four numbers of 32 bits are 128 bits, read wherever they lie.
        unsafe { v128_load(values.as_ptr().cast()) }
    }

    #[inline(always)]
    pub fn store(lanes: Lanes, values: &mut [f32; 4]) {
        // SAFETY: as above, written.
        unsafe { v128_store(values.as_mut_ptr().cast(), lanes) }
    }

    #[inline(always)]
    pub fn columns([a, b, c, d]: [Lanes; 4]) -> [Lanes; 4] {
        let (ab_low, ab_high) = (i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<2, 6, 3, 7>(a, b));
        let (cd_low, cd_high) = (i32x4_shuffle::<0, 4, 1, 5>(c, d), i32x4_shuffle::<2, 6, 3, 7>(c, d));
        [
            i64x2_shuffle::<0, 2>(ab_low, cd_low),
            i64x2_shuffle::<1, 3>(ab_low, cd_low),
            i64x2_shuffle::<0, 2>(ab_high, cd_high),
            i64x2_shuffle::<1, 3>(ab_high, cd_high),
        ]
    }

    #[inline(always)]
    pub fn pairs(entries: [&[f32; 2]; 4]) -> [Lanes; 2] {
        // SAFETY: two numbers of 32 bits are 64 bits, read wherever they lie.
        let [a, b, c, d] = entries.map(|entry| unsafe { v128_load64_zero(entry.as_ptr().cast()) });
        let (ab, cd) = (i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<0, 4, 1, 5>(c, d));
        [i64x2_shuffle::<0, 2>(ab, cd), i64x2_shuffle::<1, 3>(ab, cd)]
    }

    #[inline(always)]
    pub fn add(a: Lanes, b: Lanes) -> Lanes {
        f32x4_add(a, b)
    }

    #[inline(always)]
    pub fn subtract(a: Lanes, b: Lanes) -> Lanes {
        f32x4_sub(a, b)
    }

    #[inline(always)]
    pub fn multiply(a: Lanes, b: Lanes) -> Lanes {
        f32x4_mul(a, b)
    }

    #[inline(always)]
    pub fn clamp(lanes: Lanes, low: Lanes, high: Lanes) -> Lanes {
        // Where a comparison is of no number, the first operand is the result.
        f32x4_pmin(f32x4_pmax(lanes, low), high)
    }

    #[inline(always)]
    pub fn split<const SHIFT: u32>(lanes: Lanes) -> ([u32; 4], Lanes) {
        let high = u32x4_shr(lanes, SHIFT);
        let each = [
            u32x4_extract_lane::<0>(high),
            u32x4_extract_lane::<1>(high),
            u32x4_extract_lane::<2>(high),
            u32x4_extract_lane::<3>(high),
        ];
        (each, f32x4_convert_i32x4(v128_and(lanes, u32x4_splat((1 << SHIFT) - 1))))
    }
}

#[cfg_attr(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128")), cfg(test))]
mod portable {
    pub type Lanes = [f32; 4];

    pub fn load(values: &[f32; 4]) -> Lanes {
        *values
    }

    pub fn store(lanes: Lanes, values: &mut [f32; 4]) {
        *values = lanes;
    }

    pub fn columns(rows: [Lanes; 4]) -> [Lanes; 4] {
        [0, 1, 2, 3].map(|column: usize| rows.map(|row| row[column]))
    }

    pub fn pairs(entries: [&[f32; 2]; 4]) -> [Lanes; 2] {
        [entries.map(|entry| entry[0]), entries.map(|entry| entry[1])]
    }

    fn each(a: Lanes, b: Lanes, one: impl Fn(f32, f32) -> f32) -> Lanes {
        std::array::from_fn(|at| one(a[at], b[at]))
    }

    pub fn add(a: Lanes, b: Lanes) -> Lanes {
        each(a, b, |a, b| a + b)
    }

    pub fn subtract(a: Lanes, b: Lanes) -> Lanes {
        each(a, b, |a, b| a - b)
    }

    pub fn multiply(a: Lanes, b: Lanes) -> Lanes {
        each(a, b, |a, b| a * b)
    }

    pub fn clamp(lanes: Lanes, low: Lanes, high: Lanes) -> Lanes {
        std::array::from_fn(|at| lanes[at].clamp(low[at], high[at]))
    }

    pub fn split<const SHIFT: u32>(lanes: Lanes) -> ([u32; 4], Lanes) {
        let bits = lanes.map(f32::to_bits);
        (bits.map(|bits| bits >> SHIFT), bits.map(|bits| (bits & ((1 << SHIFT) - 1)) as f32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Zeros, tiny and huge numbers, infinities, none.
    const VALUES: [f32; 12] =
        [0.0, -0.0, 1.5, -2.25, 1e-42, 3e38, -3e38, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 0.1, 7.0];

    fn bits(values: [f32; 4]) -> [Option<u32>; 4] {
        // What is no number has no bits that all processors agree on.
        values.map(|value| (!value.is_nan()).then_some(value.to_bits()))
    }

    #[test]
    fn every_operation_has_the_bits_of_the_portable_one() {
        for start in 0..VALUES.len() {
            let [a, b, c, d] = [0, 3, 5, 8].map(|offset| -> [f32; 4] {
                std::array::from_fn(|at| VALUES[(start + offset + at * (1 + offset)) % VALUES.len()])
            });
            let (left, right) = (Four::new(a), Four::new(b));
            let mut kept = [0.0; 4];
            portable::store(portable::load(&a), &mut kept);
            assert_eq!(bits(left.values()), bits(kept));
            assert_eq!(bits(left.plus(right).values()), bits(portable::add(a, b)));
            assert_eq!(bits(left.minus(right).values()), bits(portable::subtract(a, b)));
            assert_eq!(bits(left.times(right).values()), bits(portable::multiply(a, b)));
            let clamped = left.clamp(Four::splat(-1.0), Four::splat(2.0));
            assert_eq!(bits(clamped.values()), bits(portable::clamp(a, [-1.0; 4], [2.0; 4])));
            let ((high, low), expected) = (left.split::<17>(), portable::split::<17>(a));
            assert_eq!((high, low.values()), expected);
            let columns = Four::columns([&a, &b, &c, &d]).map(|column| bits(column.values()));
            assert_eq!(columns, portable::columns([a, b, c, d]).map(bits));
            let entries = [[a[0], a[1]], [b[0], b[1]], [c[0], c[1]], [d[0], d[1]]];
            let entries = [&entries[0], &entries[1], &entries[2], &entries[3]];
            assert_eq!(Four::pairs(entries).map(|four| bits(four.values())), portable::pairs(entries).map(bits));
        }
    }
}
