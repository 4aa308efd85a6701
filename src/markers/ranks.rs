//! Rank sums of one gene in every group at once, from its non-zero values alone.

use super::Grouping;

/// A grouping as the loops want it: cells in no group are in one more, which no result tells of.
pub struct Codes {
    pub code: Vec<u32>,
    /// Cells of each group, in no group last.
    pub cells: Vec<u32>,
    /// Cells in any group.
    pub compared: u64,
}

impl Codes {
    pub fn new(grouping: &Grouping) -> Self {
        let none = grouping.groups.len() as u32;
        let code: Vec<u32> = grouping.codes.iter().map(|&code| code.min(none)).collect();
        let mut cells = vec![0; grouping.groups.len() + 1];
        code.iter().for_each(|&code| cells[code as usize] += 1);
        let compared = cells[..none as usize].iter().copied().map(u64::from).sum();
        Codes { code, cells, compared }
    }

    fn groups(&self) -> usize {
        self.cells.len() - 1
    }
}

/// What the results of one gene in one grouping are made of; as many entries as [`Codes::cells`].
pub struct Sums {
    /// Twice the sum of the group's ranks, the lowest value having rank 1 and tied ones their mean.
    pub twice_ranks: Vec<u64>,
    pub nonzeros: Vec<u32>,
    /// Sum of the amounts in units of 1 / [`UNIT`]: whole numbers, so that the order of the cells leaves no trace.
    pub amounts: Vec<u128>,
    /// Sum of t³ − t over groups of t tied cells.
    pub ties: u128,
    /// The share in it of the largest value.
    pub ties_of_largest: u128,
}

/// Parts of one count that sums keep: more than single precision has.
pub const UNIT: f64 = (1u64 << 32) as f64;

impl Sums {
    pub fn new(codes: &Codes) -> Self {
        let groups = codes.cells.len();
        let (twice_ranks, nonzeros, amounts) = (vec![0; groups], vec![0; groups], vec![0; groups]);
        Sums { twice_ranks, nonzeros, amounts, ties: 0, ties_of_largest: 0 }
    }

    pub fn clear(&mut self) {
        self.nonzeros.fill(0);
        self.amounts.fill(0);
    }

    pub fn add(&mut self, code: u32, amount: f64) {
        self.nonzeros[code as usize] += 1;
        // A count is below 2³², and a saturating conversion makes nothing worse of what is none.
        self.amounts[code as usize] += u128::from((amount * UNIT + 0.5) as u64);
    }

    /// Ranks the cells of the groups among themselves, after all entries were added.
    ///
    /// # Shapes
    /// `sorted`: the gene's non-zero values, ascending, as [`key`] packs them. Zeros, which are not there, tie below them.
    pub fn rank(&mut self, sorted: &[u64], codes: &Codes) {
        let groups = codes.groups();
        let nonzeros: u64 = self.nonzeros[..groups].iter().copied().map(u64::from).sum();
        let zeros = codes.compared - nonzeros;
        for ((twice, &nonzeros), &cells) in self.twice_ranks.iter_mut().zip(&self.nonzeros).zip(&codes.cells) {
            *twice = u64::from(cells - nonzeros) * (zeros + 1);
        }
        self.ties_of_largest = ties(zeros);
        self.ties = self.ties_of_largest;
        let all_compared = self.nonzeros[groups] == 0;
        let mut below = zeros;
        for tied in sorted.chunk_by(|a, b| value(*a) == value(*b)) {
            let code_of = |&key: &u64| codes.code[cell(key)] as usize;
            let compared = match all_compared {
                true => tied.len() as u64,
                false => tied.iter().filter(|&key| code_of(key) < groups).count() as u64,
            };
            if compared == 0 {
                continue;
            }
            let twice_rank = 2 * below + compared + 1;
            tied.iter().for_each(|key| self.twice_ranks[code_of(key)] += twice_rank);
            below += compared;
            self.ties_of_largest = ties(compared);
            self.ties += self.ties_of_largest;
        }
    }
}

fn ties(cells: u64) -> u128 {
    let cells = u128::from(cells);
    cells * cells * cells - cells
}

/// A positive value and its cell in one number that sorts by the value.
pub fn key(value: f32, cell: usize) -> u64 {
    u64::from(value.to_bits()) << 32 | cell as u64
}

fn value(key: u64) -> u32 {
    (key >> 32) as u32
}

pub fn cell(key: u64) -> usize {
    (key & u64::from(u32::MAX)) as usize
}
