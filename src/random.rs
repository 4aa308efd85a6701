//! The seeded generator: the same numbers on every machine.

/// xoshiro256++, seeded through SplitMix64.
///
/// # Source
/// Blackman and Vigna 2021 (10.1145/3460772); both algorithms are in the public domain.
#[derive(Debug, Clone)]
pub struct Random([u64; 4]);

impl Random {
    /// A generator whose numbers depend on the seed alone.
    pub fn new(seed: u64) -> Self {
        let mut state = seed;
        Random(std::array::from_fn(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }))
    }

    /// Seeded by a name, so that a cell's numbers do not depend on its place in the file (FNV-1a).
    pub fn for_name(name: &str, seed: u64) -> Self {
        let hash = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        Random::new(hash ^ seed)
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let s = &mut self.0;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// Uniform on (0, 1): never 0, so that its logarithm is finite.
    pub fn uniform(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// Uniform on `0..bound`, by the high bits of a product (the bias is below 2⁻³² for 32-bit bounds).
    pub fn below(&mut self, bound: usize) -> usize {
        let (bits, bound) = (self.bits(), bound as u64);
        // WebAssembly has no product of 128 bits: where the bound allows it, by halves.
        if cfg!(target_arch = "wasm32") && u32::try_from(bound).is_ok() {
            return high_bits_by_halves(bits, bound) as usize;
        }
        ((u128::from(bits) * u128::from(bound)) >> 64) as usize
    }

    /// Draws `size` distinct numbers of `0..population`, ascending.
    pub fn sample(&mut self, population: usize, size: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..population).collect();
        let size = size.min(population);
        for slot in 0..size {
            let other = slot + self.below(population - slot);
            all.swap(slot, other);
        }
        all.truncate(size);
        all.sort_unstable();
        all
    }

    /// Draws `size` positions without replacement with probability proportional to `weights`, in the order of
    /// the draws.
    ///
    /// # Source
    /// Efraimidis and Spirakis 2006 (10.1016/j.ipl.2005.11.003): the smallest of exponential variables with the
    /// weights as rates.
    pub fn sample_weighted(&mut self, weights: &[f64], size: usize) -> Vec<usize> {
        let mut keys: Vec<(f64, usize)> = weights
            .iter()
            .enumerate()
            .map(|(position, weight)| (-libm::log(self.uniform()) / weight, position))
            .collect();
        keys.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        keys.truncate(size);
        keys.into_iter().map(|(_, position)| position).collect()
    }
}

/// The high 64 bits of a product whose second factor has 32.
fn high_bits_by_halves(bits: u64, bound: u64) -> u64 {
    ((bits >> 32) * bound + (((bits & 0xffff_ffff) * bound) >> 32)) >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_a_seed_decide() {
        let first = |name: &str, seed: u64| Random::for_name(name, seed).bits();
        assert_eq!(first("AAACATACAACCAC-1", 42), first("AAACATACAACCAC-1", 42));
        assert_ne!(first("AAACATACAACCAC-1", 42), first("AAACATACAACCAC-2", 42));
        assert_ne!(first("AAACATACAACCAC-1", 42), first("AAACATACAACCAC-1", 43));
    }

    #[test]
    fn numbers_below_a_bound_are_the_high_bits_of_a_product() {
        for bound in [1usize, 2, 1000, 0xffff_ffff, 0x1_0000_0000, 0x1234_5678_9abc] {
            let (mut random, mut twin) = (Random::new(3), Random::new(3));
            for _ in 0..1000 {
                let bits = twin.bits();
                let high = ((u128::from(bits) * bound as u128) >> 64) as u64;
                assert_eq!(random.below(bound) as u64, high);
                assert!(bound > 0xffff_ffff || high_bits_by_halves(bits, bound as u64) == high);
            }
        }
    }

    #[test]
    fn samples_are_distinct_and_even() {
        let mut random = Random::new(7);
        let mut hits = [0u32; 20];
        for _ in 0..5_000 {
            let sample = random.sample(20, 5);
            assert!(sample.windows(2).all(|pair| pair[0] < pair[1]));
            sample.iter().for_each(|&item| hits[item] += 1);
        }
        // 1,250 expected each, standard deviation 31.
        assert!(hits.iter().all(|&hit| (1_100..1_400).contains(&hit)), "{hits:?}");
    }

    #[test]
    fn heavy_items_are_drawn_first() {
        let mut random = Random::new(1);
        let weights = [1.0, 3.0];
        let first = (0..10_000).filter(|_| random.sample_weighted(&weights, 1) == [1]).count();
        // 7,500 expected, standard deviation 43.
        assert!((7_300..7_700).contains(&first), "{first}");
    }
}
