//! Counts that are put together by several threads.

use super::Counts;
use super::segment::{Columns, ESCAPE, NARROW, Segment};

/// Where the genes of entries go while a matrix is assembled.
pub enum GenesMut<'a> {
    Narrow(&'a mut [u16]),
    Wide(&'a mut [u32]),
}

/// Counts whose rows have known lengths and are filled in any order, by several threads.
///
/// Genes and counts are written where they belong ([`Self::parts`]); [`Self::finish`] then puts the rows in order.
pub struct CountsBuilder {
    genes: usize,
    segment: Segment,
}

impl CountsBuilder {
    /// Rows between `offsets` (`cells + 1` of them, ascending, the first 0), filled with zeros.
    pub fn new(genes: usize, offsets: Vec<u64>) -> Self {
        let nonzeros = offsets.last().copied().unwrap_or(0) as usize;
        let columns =
            if genes <= NARROW { Columns::Narrow(vec![0; nonzeros]) } else { Columns::Wide(vec![0; nonzeros]) };
        let offsets = if offsets.is_empty() { vec![0] } else { offsets };
        CountsBuilder { genes, segment: Segment { offsets, columns, values: vec![0; nonzeros], escapes: Vec::new() } }
    }

    /// The genes and the packed counts of all entries. A count that [`pack`](super::pack) refuses is left as
    /// [`Self::ESCAPED`] and handed over by [`Self::escape`].
    pub fn parts(&mut self) -> (GenesMut<'_>, &mut [u16]) {
        let genes = match &mut self.segment.columns {
            Columns::Narrow(columns) => GenesMut::Narrow(columns),
            Columns::Wide(columns) => GenesMut::Wide(columns),
        };
        (genes, &mut self.segment.values)
    }

    /// The mark of a count that does not fit two bytes.
    pub const ESCAPED: u16 = ESCAPE;

    /// The counts that did not fit, with the number of their entry.
    pub fn escape(&mut self, counts: impl IntoIterator<Item = (u64, f32)>) {
        self.segment.escapes.extend(counts);
    }

    /// Sorts rows that are not sorted, adds up repeated genes and drops zeros.
    pub fn finish(mut self) -> Counts {
        self.segment.escapes.sort_unstable_by_key(|&(position, _)| position);
        if !self.segment.rows_are_clean() {
            self.segment.clean_rows(None);
        }
        Counts::of_segment(self.genes, self.segment)
    }
}
