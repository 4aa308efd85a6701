//! Dot products of whole numbers of 16 bits: of a few queries with blocks of references.
//!
//! Sums of whole numbers are the same in any order, so every processor may take its own way to the same result.

/// References that are compared at once.
pub const LANES: usize = 16;
/// Queries that are compared at once.
pub const QUERIES: usize = 4;
/// Where a sum begins that must never be chosen; no other sum is as small.
pub const NEVER: i32 = i32::MIN;

/// Two neighbouring values of a row, the first in the lower half.
pub type Pair = i32;

/// What a query gives with each row of a block: the row's own beginning plus the dot product.
pub type Sums = [i32; LANES];
type Tile = [Sums; QUERIES];

/// A row as pairs; the last is filled with a zero where the row has an odd number of values.
pub fn pairs(row: &[i16]) -> impl Iterator<Item = Pair> + '_ {
    let half = |value: i16| i32::from(value) & 0xffff;
    row.chunks(2).map(move |pair| half(pair[0]) | (half(pair.get(1).copied().unwrap_or(0)) << 16))
}

/// Rows repacked as `[block][pair][lane]`, so that a block's rows are read side by side.
pub struct Packed {
    pairs: usize,
    blocks: Vec<[Pair; LANES]>,
    beginnings: Vec<[i32; LANES]>,
}

impl Packed {
    /// Room for `rows` rows of `dimensions` values. What is not [`set`](Self::set) is never chosen.
    pub fn new(rows: usize, dimensions: usize) -> Self {
        let (blocks, pairs) = (rows.div_ceil(LANES), dimensions.div_ceil(2));
        Packed { pairs, blocks: vec![[0; LANES]; blocks * pairs], beginnings: vec![[NEVER; LANES]; blocks] }
    }

    /// Sets a row, and the number that its sums begin with.
    pub fn set(&mut self, row: usize, values: &[i16], beginning: i32) {
        let (block, lane) = (row / LANES, row % LANES);
        self.beginnings[block][lane] = beginning;
        for (to, pair) in self.blocks[block * self.pairs..(block + 1) * self.pairs].iter_mut().zip(pairs(values)) {
            to[lane] = pair;
        }
    }

    pub fn block_count(&self) -> usize {
        self.beginnings.len()
    }
}

/// Four queries with the rows of every block in `blocks`: where a query has a sum above its limit, `take` is given the place
/// of the query, the number of the block, the lanes above the limit as bits, and all sums; it returns the query's new limit.
///
/// # Shapes
/// Each query has as many pairs as the rows of `packed`. No sum may leave the 32 bits.
#[inline]
pub fn for_each_above(
    queries: [&[Pair]; QUERIES],
    packed: &Packed,
    blocks: std::ops::Range<usize>,
    limits: [i32; QUERIES],
    take: impl FnMut(usize, usize, u32, &Sums) -> i32,
) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, as just asked.
        return unsafe { avx2::search(queries, packed, blocks, limits, take) };
    }
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    return search(queries, packed, blocks, limits, simd128::tile, simd128::above, take);
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    search(queries, packed, blocks, limits, tile, above, take);
}

#[inline(always)]
fn search(
    queries: [&[Pair]; QUERIES],
    packed: &Packed,
    blocks: std::ops::Range<usize>,
    mut limits: [i32; QUERIES],
    tile: impl Fn([&[Pair]; QUERIES], &[[Pair; LANES]], &Sums) -> Tile,
    above: impl Fn(&Sums, i32) -> u32,
    mut take: impl FnMut(usize, usize, u32, &Sums) -> i32,
) {
    let queries = queries.map(|query| &query[..packed.pairs]);
    for block in blocks {
        let rows = &packed.blocks[block * packed.pairs..(block + 1) * packed.pairs];
        let tile = tile(queries, rows, &packed.beginnings[block]);
        for (query, (sums, limit)) in tile.iter().zip(&mut limits).enumerate() {
            let lanes = above(sums, *limit);
            if lanes != 0 {
                *limit = take(query, block, lanes, sums);
            }
        }
    }
}

/// The lanes above the limit, the first as the lowest bit.
#[cfg_attr(all(target_arch = "wasm32", target_feature = "simd128"), allow(dead_code))]
fn above(sums: &Sums, limit: i32) -> u32 {
    sums.iter().enumerate().fold(0, |lanes, (lane, &sum)| lanes | (u32::from(sum > limit) << lane))
}

/// What every other way must equal.
#[cfg_attr(all(target_arch = "wasm32", target_feature = "simd128"), allow(dead_code))]
fn tile(queries: [&[Pair]; QUERIES], rows: &[[Pair; LANES]], beginnings: &Sums) -> Tile {
    let mut tile = [*beginnings; QUERIES];
    for (at, row) in rows.iter().enumerate() {
        for (sums, query) in tile.iter_mut().zip(queries) {
            for (sum, &row) in sums.iter_mut().zip(row) {
                *sum += dot(query[at], row);
            }
        }
    }
    tile
}

fn dot(a: Pair, b: Pair) -> i32 {
    let (first, second) = (|pair: Pair| i32::from(pair as i16), |pair: Pair| pair >> 16);
    first(a) * first(b) + second(a) * second(b)
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{LANES, Packed, Pair, QUERIES, Sums, Tile};
    use std::arch::x86_64::*;

    #[target_feature(enable = "avx2")]
    pub unsafe fn search(
        queries: [&[Pair]; QUERIES],
        packed: &Packed,
        blocks: std::ops::Range<usize>,
        limits: [i32; QUERIES],
        take: impl FnMut(usize, usize, u32, &Sums) -> i32,
    ) {
        // SAFETY: the caller has seen that there is AVX2.
        let tile =
            |queries: [&[Pair]; QUERIES], rows: &[_], beginnings: &Sums| unsafe { tile(queries, rows, beginnings) };
        // SAFETY: as above.
        let above = |sums: &Sums, limit: i32| unsafe { above(sums, limit) };
        super::search(queries, packed, blocks, limits, tile, above, take);
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn above(sums: &Sums, limit: i32) -> u32 {
        let start = sums.as_ptr().cast::<__m256i>();
        let limit = _mm256_set1_epi32(limit);
        let part = |at: usize| {
            // SAFETY: sixteen numbers are two vectors of eight, read wherever they lie.
            let sums = unsafe { _mm256_loadu_si256(start.add(at)) };
            _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(sums, limit))) as u32
        };
        part(0) | (part(1) << 8)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn tile(queries: [&[Pair]; QUERIES], rows: &[[Pair; LANES]], beginnings: &Sums) -> Tile {
        let load = |values: &[i32; LANES]| {
            let start = values.as_ptr().cast::<__m256i>();
            // SAFETY: sixteen numbers are two vectors of eight, read wherever they lie.
            unsafe { [_mm256_loadu_si256(start), _mm256_loadu_si256(start.add(1))] }
        };
        let [a, b, c, d] = queries;
        let mut sums = [load(beginnings); QUERIES];
        for ((((row, a), b), c), d) in rows.iter().zip(a).zip(b).zip(c).zip(d) {
            let row = load(row);
            for (sums, query) in sums.iter_mut().zip([a, b, c, d]) {
                let query = _mm256_set1_epi32(*query);
                for (sum, row) in sums.iter_mut().zip(row) {
                    *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(query, row));
                }
            }
        }
        let mut tile: Tile = [[0; LANES]; QUERIES];
        for (to, sums) in tile.iter_mut().zip(sums) {
            let start = to.as_mut_ptr().cast::<__m256i>();
            // SAFETY: as above, written.
            unsafe {
                _mm256_storeu_si256(start, sums[0]);
                _mm256_storeu_si256(start.add(1), sums[1]);
            }
        }
        tile
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128 {
    use super::{LANES, Pair, QUERIES, Sums, Tile};
    use std::arch::wasm32::*;

    /// Lanes at a time: more sums than a processor has registers would be slower.
    const PART: usize = 8;

    // Every sum has a name of its own: in an array they might be kept in memory, which takes three times as long.
    #[inline(always)]
    pub fn tile(queries: [&[Pair]; QUERIES], rows: &[[Pair; LANES]], beginnings: &Sums) -> Tile {
        let mut tile: Tile = [[0; LANES]; QUERIES];
        let [a, b, c, d] = queries.map(|query| &query[..rows.len()]);
        for first in (0..LANES).step_by(PART) {
            let [start, next] = load(beginnings, first);
            let (mut a0, mut b0, mut c0, mut d0) = (start, start, start, start);
            let (mut a1, mut b1, mut c1, mut d1) = (next, next, next, next);
            for at in 0..rows.len() {
                let [row0, row1] = load(&rows[at], first);
                let (qa, qb) = (i32x4_splat(a[at]), i32x4_splat(b[at]));
                let (qc, qd) = (i32x4_splat(c[at]), i32x4_splat(d[at]));
                a0 = i32x4_add(a0, i32x4_dot_i16x8(qa, row0));
                a1 = i32x4_add(a1, i32x4_dot_i16x8(qa, row1));
                b0 = i32x4_add(b0, i32x4_dot_i16x8(qb, row0));
                b1 = i32x4_add(b1, i32x4_dot_i16x8(qb, row1));
                c0 = i32x4_add(c0, i32x4_dot_i16x8(qc, row0));
                c1 = i32x4_add(c1, i32x4_dot_i16x8(qc, row1));
                d0 = i32x4_add(d0, i32x4_dot_i16x8(qd, row0));
                d1 = i32x4_add(d1, i32x4_dot_i16x8(qd, row1));
            }
            for (to, sums) in tile.iter_mut().zip([[a0, a1], [b0, b1], [c0, c1], [d0, d1]]) {
                let start = to[first..first + PART].as_mut_ptr().cast::<v128>();
                // SAFETY: eight numbers are two vectors of four, written wherever they lie.
                unsafe {
                    v128_store(start, sums[0]);
                    v128_store(start.add(1), sums[1]);
                }
            }
        }
        tile
    }

    #[inline(always)]
    fn load(values: &Sums, first: usize) -> [v128; 2] {
        let start = values[first..first + PART].as_ptr().cast::<v128>();
        // SAFETY: eight numbers are two vectors of four, read wherever they lie.
        unsafe { [v128_load(start), v128_load(start.add(1))] }
    }

    #[inline(always)]
    pub fn above(sums: &Sums, limit: i32) -> u32 {
        let limit = i32x4_splat(limit);
        let [a, b] = load(sums, 0);
        let [c, d] = load(sums, PART);
        let lanes = |part: v128, at: u32| u32::from(i32x4_bitmask(i32x4_gt(part, limit))) << (4 * at);
        lanes(a, 0) | lanes(b, 1) | lanes(c, 2) | lanes(d, 3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    const LIMIT: i32 = -1000;

    #[test]
    fn what_is_above_the_limit_equals_the_naive_sums() {
        let mut random = Random::new(1);
        for (rows, dimensions) in [(1, 1), (15, 3), (16, 50), (19, 50), (49, 101)] {
            // As long as a row may be: the largest sum is near 2^30.
            let most = (32_000.0 / (dimensions as f64).sqrt()) as usize;
            let mut row =
                || (0..dimensions).map(|_| (random.below(2 * most) as i32 - most as i32) as i16).collect::<Vec<i16>>();
            let references: Vec<Vec<i16>> = (0..rows).map(|_| row()).collect();
            let queries: Vec<Vec<i16>> = (0..QUERIES).map(|_| row()).collect();
            let mut packed = Packed::new(rows, dimensions);
            for (at, reference) in references.iter().enumerate().filter(|(at, _)| at % 7 != 3) {
                packed.set(at, reference, -(at as i32));
            }
            let paired: Vec<Vec<Pair>> = queries.iter().map(|query| pairs(query).collect()).collect();
            let mut found = vec![NEVER; QUERIES * references.len()];
            let take = |query: usize, block: usize, lanes: u32, sums: &Sums| {
                for lane in (0..LANES).filter(|lane| lanes >> lane & 1 == 1) {
                    found[query * rows + block * LANES + lane] = sums[lane];
                }
                LIMIT
            };
            let four = [0, 1, 2, 3].map(|at| &paired[at][..]);
            for_each_above(four, &packed, 0..packed.block_count(), [LIMIT; QUERIES], take);
            for (query, found) in queries.iter().zip(found.chunks_exact(rows)) {
                for (at, (reference, &found)) in references.iter().zip(found).enumerate() {
                    let naive: i64 = query.iter().zip(reference).map(|(&a, &b)| i64::from(a) * i64::from(b)).sum();
                    let expected = if at % 7 == 3 { i64::from(NEVER) } else { naive - at as i64 };
                    assert_eq!(i64::from(found), if expected > i64::from(LIMIT) { expected } else { i64::from(NEVER) });
                }
            }
        }
    }
}
