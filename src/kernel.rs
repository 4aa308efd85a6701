//! The hot loops: squared distances of a few queries to a block of references, and scaled sums.
//!
//! The only module that looks at the processor. Every variant does the same operations in the same
//! order on each lane, without fused multiply-add, so all give the same bits.

/// References that are compared at once.
pub const LANES: usize = 8;
/// Queries that are compared at once.
pub const QUERIES: usize = 4;

/// Rows repacked as `[block][dimension][lane]`, so that a block's eight rows are read side by side.
pub struct Packed {
    rows: usize,
    dimensions: usize,
    blocks: Vec<f32>,
}

impl Packed {
    /// Packs `rows` rows of `dimensions` values, given row-major. Lanes beyond the last row are infinite.
    pub fn new(values: &[f32], dimensions: usize) -> Self {
        let rows = values.len().checked_div(dimensions).unwrap_or(0);
        let mut blocks = vec![f32::INFINITY; rows.div_ceil(LANES) * dimensions * LANES];
        for (row, values) in values.chunks_exact(dimensions.max(1)).enumerate() {
            let block = row / LANES * dimensions * LANES;
            for (dimension, &value) in values.iter().enumerate() {
                blocks[block + dimension * LANES + row % LANES] = value;
            }
        }
        Packed { rows, dimensions, blocks }
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The values of block `index`: `dimensions × LANES`.
    fn block(&self, index: usize) -> &[f32] {
        let size = self.dimensions * LANES;
        &self.blocks[index * size..(index + 1) * size]
    }

    pub fn block_count(&self) -> usize {
        self.rows.div_ceil(LANES)
    }
}

/// Squared Euclidean distances, summed over the dimensions in order.
pub type Tile = [[f32; LANES]; QUERIES];

/// Squared distances of four queries to the eight rows of every block in `blocks`, handed to `visit`.
///
/// # Shapes
/// Each query has as many values as `packed` has dimensions.
#[inline]
pub fn for_each_tile(
    queries: [&[f32]; QUERIES],
    packed: &Packed,
    blocks: std::ops::Range<usize>,
    visit: impl FnMut(usize, &Tile),
) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, as just asked.
        return unsafe { tiles_avx2(queries, packed, blocks, visit) };
    }
    tiles(queries, packed, blocks, visit);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn tiles_avx2(
    queries: [&[f32]; QUERIES],
    packed: &Packed,
    blocks: std::ops::Range<usize>,
    visit: impl FnMut(usize, &Tile),
) {
    tiles(queries, packed, blocks, visit);
}

#[inline(always)]
fn tiles(
    queries: [&[f32]; QUERIES],
    packed: &Packed,
    blocks: std::ops::Range<usize>,
    mut visit: impl FnMut(usize, &Tile),
) {
    let [a, b, c, d] = queries.map(|query| &query[..packed.dimensions]);
    for index in blocks {
        let mut tile = [[0.0f32; LANES]; QUERIES];
        let lanes = packed.block(index).as_chunks::<LANES>().0;
        for ((((row, a), b), c), d) in lanes.iter().zip(a).zip(b).zip(c).zip(d) {
            for (sums, query) in tile.iter_mut().zip([a, b, c, d]) {
                for (sum, value) in sums.iter_mut().zip(row) {
                    let difference = query - value;
                    *sum += difference * difference;
                }
            }
        }
        visit(index, &tile);
    }
}

/// Squared distance in f64, the dimensions in order: what decides between near neighbours.
pub fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).fold(0.0, |sum, (&a, &b)| {
        let difference = f64::from(a) - f64::from(b);
        sum + difference * difference
    })
}

/// `sums[i] += factor * values[i]`.
#[inline]
pub fn add_scaled(sums: &mut [f64], factor: f64, values: &[f64]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, as just asked.
        return unsafe { add_scaled_avx2(sums, factor, values) };
    }
    add_scaled_portable(sums, factor, values);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn add_scaled_avx2(sums: &mut [f64], factor: f64, values: &[f64]) {
    add_scaled_portable(sums, factor, values);
}

#[inline(always)]
fn add_scaled_portable(sums: &mut [f64], factor: f64, values: &[f64]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += factor * value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_equal_the_naive_sum_bit_for_bit() {
        for (rows, dimensions) in [(1, 1), (7, 3), (8, 50), (19, 50), (33, 101)] {
            let mut state = 1u32;
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / 1_000_000.0 - 8.0
            };
            let values: Vec<f32> = (0..rows * dimensions).map(|_| next()).collect();
            let queries: Vec<f32> = (0..QUERIES * dimensions).map(|_| next()).collect();
            let packed = Packed::new(&values, dimensions);
            let rows_of = |query: usize| &queries[query * dimensions..(query + 1) * dimensions];
            let mut seen = 0;
            for_each_tile([0, 1, 2, 3].map(rows_of), &packed, 0..packed.block_count(), |block, tile| {
                for (query, lanes) in tile.iter().enumerate() {
                    for (lane, &found) in lanes.iter().enumerate() {
                        let row = block * LANES + lane;
                        if row >= rows {
                            assert_eq!(found, f32::INFINITY);
                            continue;
                        }
                        let reference = &values[row * dimensions..(row + 1) * dimensions];
                        let mut sum = 0.0f32;
                        for (q, r) in rows_of(query).iter().zip(reference) {
                            sum += (q - r) * (q - r);
                        }
                        assert_eq!(found.to_bits(), sum.to_bits());
                        seen += 1;
                    }
                }
            });
            assert_eq!(seen, rows * QUERIES);
        }
    }
}
