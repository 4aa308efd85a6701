//! The two matrix types: dense embeddings and sparse counts.

use ndarray::Array2;
use rayon::prelude::*;

/// A dense matrix, row-major, one row a cell (or a feature).
pub type Dense = Array2<f32>;

/// Counts, cells × genes, as compressed rows. Only non-zero entries are stored.
///
/// Genes take two bytes where the file has at most 65,536 of them; counts take two bytes, with a table
/// of the few that do not fit (fractions, and counts of 65,535 and above). The rows lie in segments, so that
/// no allocation becomes larger than a browser grants, and adding rows never copies all that is there.
#[derive(Debug, Clone)]
pub struct Counts {
    genes: usize,
    segments: Vec<Segment>,
    /// The first cell of each segment, and behind the last one the number of cells.
    firsts: Vec<usize>,
}

/// Consecutive rows.
#[derive(Debug, Clone)]
struct Segment {
    /// One more than rows, into the entries.
    offsets: Vec<u64>,
    columns: Columns,
    values: Vec<u16>,
    /// Sorted by position: the entries whose stored value is [`ESCAPE`].
    escapes: Vec<(u64, f32)>,
}

#[derive(Debug, Clone)]
enum Columns {
    Narrow(Vec<u16>),
    Wide(Vec<u32>),
}

/// Stands for a value that two bytes do not hold.
const ESCAPE: u16 = u16::MAX;
/// A segment takes no more rows when it has this many entries.
const SEGMENT: usize = 16 << 20;
/// Segments of fewer entries are joined. Larger ones are not: growing vectors take up to twice what they hold.
const SMALL: usize = 1 << 20;
/// Genes up to this number take two bytes.
const NARROW: usize = 1 << 16;

/// The two bytes that stand for a count, or `None` when it needs an entry of its own.
///
/// Counts of 65,535 and above and fractions do not fit.
pub fn pack(value: f32) -> Option<u16> {
    let small = value as u16;
    (small != ESCAPE && f32::from(small) == value).then_some(small)
}

impl Counts {
    /// An empty matrix of no cells to which rows are added.
    pub fn with_genes(genes: usize) -> Self {
        Counts { genes, segments: Vec::new(), firsts: vec![0] }
    }

    /// Adds a cell. Zeros are dropped; genes must ascend and lie below [`Self::genes`].
    pub fn push_row(&mut self, entries: impl IntoIterator<Item = (u32, f32)>) {
        if self.segments.last().is_none_or(|segment| segment.values.len() >= SEGMENT) {
            if let Some(full) = self.segments.last_mut() {
                full.fit(self.genes);
            }
            self.segments.push(Segment::with_genes(self.genes));
            self.firsts.push(self.cells());
        }
        if let Some(segment) = self.segments.last_mut() {
            segment.push_row(self.genes, entries);
        }
        if let Some(cells) = self.firsts.last_mut() {
            *cells += 1;
        }
    }

    /// Adds the cells of another matrix of the same genes behind those that are there.
    pub fn append(&mut self, other: Counts) {
        debug_assert_eq!(self.genes, other.genes);
        for segment in other.segments {
            let rows = segment.rows();
            match self.segments.last_mut() {
                Some(last) if last.values.len() < SMALL && segment.values.len() < SMALL => last.append(&segment),
                _ => {
                    self.firsts.push(self.cells());
                    self.segments.push(segment);
                }
            }
            if let Some(cells) = self.firsts.last_mut() {
                *cells += rows;
            }
        }
    }

    /// Takes the rows out, a segment's worth at a time, and gives their memory back as it goes.
    pub fn into_slabs(self) -> impl Iterator<Item = Counts> {
        let genes = self.genes;
        self.segments.into_iter().map(move |segment| Counts::of_segment(genes, segment))
    }

    fn of_segment(genes: usize, segment: Segment) -> Self {
        let rows = segment.rows();
        Counts { genes, segments: vec![segment], firsts: vec![0, rows] }
    }

    /// The sum of two matrices of the same shape, such as spliced and unspliced counts.
    ///
    /// Cells or genes that only one of the two has are taken over.
    pub fn plus(&self, other: &Counts) -> Counts {
        let mut sum = Counts::with_genes(self.genes.max(other.genes));
        let mut row = Vec::new();
        for cell in 0..self.cells().max(other.cells()) {
            row.clear();
            for counts in [self, other] {
                if cell < counts.cells() {
                    row.extend(counts.row(cell));
                }
            }
            merge(&mut row);
            sum.push_row(row.iter().copied());
        }
        sum
    }

    pub fn cells(&self) -> usize {
        self.firsts.last().copied().unwrap_or(0)
    }

    pub fn genes(&self) -> usize {
        self.genes
    }

    pub fn nonzeros(&self) -> usize {
        self.segments.iter().map(|segment| segment.values.len()).sum()
    }

    /// Bytes that the matrix takes.
    pub fn bytes(&self) -> usize {
        self.segments.iter().map(Segment::bytes).sum()
    }

    /// The non-zero entries of a cell: gene and count, by ascending gene.
    pub fn row(&self, cell: usize) -> impl Iterator<Item = (u32, f32)> + '_ {
        let number = self.firsts.partition_point(|&first| first <= cell).max(1) - 1;
        self.segments[number].row(cell - self.firsts[number])
    }

    /// The named cells, in that order.
    pub fn select_cells(&self, cells: &[usize]) -> Counts {
        let mut selected = Counts::with_genes(self.genes);
        for &cell in cells {
            selected.push_row(self.row(cell));
        }
        selected
    }

    /// Keeps the named cells, which ascend, in place: no second matrix is needed.
    pub fn keep_cells(mut self, cells: &[usize]) -> Counts {
        let mut rest = cells;
        let mut firsts = vec![0];
        for (segment, bounds) in self.segments.iter_mut().zip(self.firsts.windows(2)) {
            let (here, later) = rest.split_at(rest.partition_point(|&cell| cell < bounds[1]));
            rest = later;
            segment.keep_rows(here.iter().map(|&cell| cell - bounds[0]));
            segment.fit(self.genes);
            firsts.push(firsts.last().copied().unwrap_or(0) + here.len());
        }
        self.firsts = firsts;
        self
    }

    /// Keeps the genes that have a new number in `keep` (others have `u32::MAX`), in place; `genes` is their number.
    /// The new numbers may stand in any order.
    pub fn select_genes(mut self, keep: &[u32], genes: usize) -> Counts {
        for segment in &mut self.segments {
            segment.clean_rows(Some(keep));
            segment.fit(genes);
        }
        self.genes = genes;
        self
    }
}

/// Equal when the same cells have the same entries, however they are divided into segments.
impl PartialEq for Counts {
    fn eq(&self, other: &Counts) -> bool {
        (self.genes, self.cells(), self.nonzeros()) == (other.genes, other.cells(), other.nonzeros())
            && (0..self.cells()).all(|cell| self.row(cell).eq(other.row(cell)))
    }
}

impl Segment {
    fn with_genes(genes: usize) -> Self {
        let columns = if genes <= NARROW { Columns::Narrow(Vec::new()) } else { Columns::Wide(Vec::new()) };
        Segment { offsets: vec![0], columns, values: Vec::new(), escapes: Vec::new() }
    }

    fn rows(&self) -> usize {
        self.offsets.len() - 1
    }

    fn bytes(&self) -> usize {
        let columns = match &self.columns {
            Columns::Narrow(columns) => 2 * columns.capacity(),
            Columns::Wide(columns) => 4 * columns.capacity(),
        };
        8 * self.offsets.capacity() + columns + 2 * self.values.capacity() + 16 * self.escapes.capacity()
    }

    fn push_row(&mut self, genes: usize, entries: impl IntoIterator<Item = (u32, f32)>) {
        for (gene, value) in entries {
            if value == 0.0 {
                continue;
            }
            debug_assert!((gene as usize) < genes);
            match &mut self.columns {
                Columns::Narrow(columns) => columns.push(gene as u16),
                Columns::Wide(columns) => columns.push(gene),
            }
            self.values.push(pack(value).unwrap_or_else(|| {
                self.escapes.push((self.values.len() as u64, value));
                ESCAPE
            }));
        }
        self.offsets.push(self.values.len() as u64);
    }

    fn append(&mut self, other: &Segment) {
        let start = self.values.len() as u64;
        self.offsets.extend(other.offsets.iter().skip(1).map(|&end| start + end));
        self.escapes.extend(other.escapes.iter().map(|&(entry, value)| (start + entry, value)));
        self.values.extend_from_slice(&other.values);
        match (&mut self.columns, &other.columns) {
            (Columns::Narrow(to), Columns::Narrow(from)) => to.extend_from_slice(from),
            (Columns::Wide(to), Columns::Wide(from)) => to.extend_from_slice(from),
            (Columns::Wide(to), Columns::Narrow(from)) => to.extend(from.iter().map(|&gene| u32::from(gene))),
            (Columns::Narrow(to), Columns::Wide(from)) => to.extend(from.iter().map(|&gene| gene as u16)),
        }
    }

    fn row(&self, row: usize) -> impl Iterator<Item = (u32, f32)> + '_ {
        let range = self.offsets[row] as usize..self.offsets[row + 1] as usize;
        let mut escape = self.escapes.partition_point(|&(position, _)| position < range.start as u64);
        range.map(move |entry| {
            let gene = self.gene(entry);
            let small = self.values[entry];
            if small != ESCAPE {
                return (gene, f32::from(small));
            }
            escape += 1;
            (gene, self.escapes[escape - 1].1)
        })
    }

    fn gene(&self, entry: usize) -> u32 {
        match &self.columns {
            Columns::Narrow(columns) => u32::from(columns[entry]),
            Columns::Wide(columns) => columns[entry],
        }
    }

    /// Whether genes ascend in every row and no entry is zero.
    fn rows_are_clean(&self) -> bool {
        let clean = |row: &[u64]| {
            let row = row[0] as usize..row[1] as usize;
            let ascend = match &self.columns {
                Columns::Narrow(genes) => genes[row.clone()].windows(2).all(|w| w[0] < w[1]),
                Columns::Wide(genes) => genes[row.clone()].windows(2).all(|w| w[0] < w[1]),
            };
            ascend && !self.values[row].contains(&0)
        };
        self.offsets.par_windows(2).with_min_len(64).all(clean)
    }

    /// Rewrites the rows in place, which only become shorter: sorted, without zeros or repeated genes, and of the genes
    /// that have a new number in `keep`.
    fn clean_rows(&mut self, keep: Option<&[u32]>) {
        let escapes = std::mem::take(&mut self.escapes);
        let mut escaped = escapes.into_iter();
        let mut row: Vec<(u32, f32)> = Vec::new();
        let (mut start, mut written) = (0, 0);
        for cell in 0..self.rows() {
            let end = self.offsets[cell + 1] as usize;
            row.clear();
            for entry in start..end {
                let value = match self.values[entry] {
                    ESCAPE => escaped.next().map_or(0.0, |(_, value)| value),
                    small => f32::from(small),
                };
                let gene = self.gene(entry);
                match keep.map(|keep| keep.get(gene as usize).copied()) {
                    None => row.push((gene, value)),
                    Some(Some(kept)) if kept != u32::MAX => row.push((kept, value)),
                    Some(_) => {}
                }
            }
            merge(&mut row);
            for &(gene, value) in row.iter().filter(|entry| entry.1 != 0.0) {
                match &mut self.columns {
                    Columns::Narrow(columns) => columns[written] = gene as u16,
                    Columns::Wide(columns) => columns[written] = gene,
                }
                self.values[written] = pack(value).unwrap_or_else(|| {
                    self.escapes.push((written as u64, value));
                    ESCAPE
                });
                written += 1;
            }
            self.offsets[cell + 1] = written as u64;
            start = end;
        }
        self.values.truncate(written);
        match &mut self.columns {
            Columns::Narrow(columns) => columns.truncate(written),
            Columns::Wide(columns) => columns.truncate(written),
        }
    }

    fn keep_rows(&mut self, rows: impl Iterator<Item = usize>) {
        let escapes = std::mem::take(&mut self.escapes);
        let (mut written, mut count) = (0, 0);
        for row in rows {
            let range = self.offsets[row] as usize..self.offsets[row + 1] as usize;
            let first = escapes.partition_point(|&(position, _)| position < range.start as u64);
            let last = escapes.partition_point(|&(position, _)| position < range.end as u64);
            let moved =
                escapes[first..last].iter().map(|&(at, value)| (at - range.start as u64 + written as u64, value));
            self.escapes.extend(moved);
            let length = range.len();
            self.values.copy_within(range.clone(), written);
            match &mut self.columns {
                Columns::Narrow(columns) => columns.copy_within(range, written),
                Columns::Wide(columns) => columns.copy_within(range, written),
            }
            written += length;
            count += 1;
            self.offsets[count] = written as u64;
        }
        self.offsets.truncate(count + 1);
        self.values.truncate(written);
        match &mut self.columns {
            Columns::Narrow(columns) => columns.truncate(written),
            Columns::Wide(columns) => columns.truncate(written),
        }
    }

    /// Takes two bytes a gene where there are few enough, four where there are more, and gives back unused memory.
    fn fit(&mut self, genes: usize) {
        match &mut self.columns {
            Columns::Wide(columns) if genes <= NARROW => {
                self.columns = Columns::Narrow(columns.iter().map(|&gene| gene as u16).collect());
            }
            Columns::Narrow(columns) if genes > NARROW => {
                self.columns = Columns::Wide(columns.iter().map(|&gene| u32::from(gene)).collect());
            }
            Columns::Narrow(columns) => move_to_fit(columns),
            Columns::Wide(columns) => move_to_fit(columns),
        }
        move_to_fit(&mut self.values);
    }
}

/// Moves the values to where they just fit. Shrunk in its place a vector would leave a hole behind it that the next one,
/// of full size, does not fit: the memory of a browser, which has no pages to give back, would fill up with holes.
fn move_to_fit<T: Copy>(values: &mut Vec<T>) {
    if values.capacity() > values.len() {
        *values = values.as_slice().to_vec();
    }
}

/// Sorts the entries of a row by gene and adds up those of the same gene, in the order they stood in.
fn merge(row: &mut Vec<(u32, f32)>) {
    if row.windows(2).all(|pair| pair[0].0 < pair[1].0) {
        return;
    }
    row.sort_by_key(|entry| entry.0);
    row.dedup_by(|later, kept| {
        let same = later.0 == kept.0;
        if same {
            kept.1 += later.1;
        }
        same
    });
}

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

    /// The genes and the packed counts of all entries. A count that [`pack`] refuses is left as
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assembled_rows_are_put_in_order() {
        for genes in [10, 70_000] {
            let mut builder = CountsBuilder::new(genes, vec![0, 4, 4, 7]);
            let (columns, values) = builder.parts();
            let unsorted = [5, 1, 5, 2, 0, 3, 9];
            match columns {
                GenesMut::Narrow(slots) => slots.copy_from_slice(&unsorted),
                GenesMut::Wide(slots) => slots.copy_from_slice(&unsorted.map(u32::from)),
            }
            values.copy_from_slice(&[1, 2, ESCAPE, 0, ESCAPE, 4, 0]);
            builder.escape([(4, 0.5), (2, 70_000.0)]);
            let keep: Vec<u32> =
                (0..genes as u32).map(|gene| if gene == 3 { u32::MAX } else { gene - u32::from(gene > 3) }).collect();
            let counts = builder.finish().select_genes(&keep, genes - 1);
            assert_eq!((counts.cells(), counts.genes()), (3, genes - 1));
            let rows: Vec<Vec<_>> = (0..3).map(|cell| counts.row(cell).collect()).collect();
            assert_eq!(rows, [vec![(1, 2.0), (4, 70_001.0)], vec![], vec![(0, 0.5)]]);
        }
    }

    #[test]
    fn assembled_rows_in_order_equal_pushed_rows() {
        let mut builder = CountsBuilder::new(8, vec![0, 2, 2, 4]);
        let (columns, values) = builder.parts();
        if let GenesMut::Narrow(slots) = columns {
            slots.copy_from_slice(&[1, 4, 0, 7]);
        }
        values.copy_from_slice(&[3, 1, 1, ESCAPE]);
        builder.escape([(3, 65_535.0)]);
        let mut pushed = Counts::with_genes(8);
        pushed.push_row([(1, 3.0), (4, 1.0)]);
        pushed.push_row([]);
        pushed.push_row([(0, 1.0), (7, 65_535.0)]);
        let built = builder.finish();
        assert_eq!(built, pushed);
        let mut twice = Counts::with_genes(8);
        twice.push_row([(1, 6.0), (4, 2.0)]);
        twice.push_row([]);
        twice.push_row([(0, 2.0), (7, 131_070.0)]);
        assert_eq!(built.plus(&pushed), twice);
    }

    #[test]
    fn counts_keep_every_value() {
        let rows: [&[(u32, f32)]; 3] =
            [&[(0, 1.0), (2, 65_534.0), (3, 65_535.0), (9, 500_000.0)], &[], &[(1, 0.5), (4, 0.0), (5, 7.0)]];
        for genes in [10, 70_000] {
            let mut counts = Counts::with_genes(genes);
            for row in rows {
                counts.push_row(row.iter().copied());
            }
            assert_eq!((counts.cells(), counts.genes(), counts.nonzeros()), (3, genes, 6));
            for (cell, row) in rows.iter().enumerate() {
                let expected: Vec<_> = row.iter().copied().filter(|entry| entry.1 != 0.0).collect();
                assert_eq!(counts.row(cell).collect::<Vec<_>>(), expected);
            }
            let picked = counts.select_cells(&[2, 0]);
            assert_eq!(picked.row(0).collect::<Vec<_>>(), counts.row(2).collect::<Vec<_>>());
            assert_eq!(picked.row(1).collect::<Vec<_>>(), counts.row(0).collect::<Vec<_>>());
        }
    }

    #[test]
    fn appended_slabs_equal_pushed_rows() {
        let row = |cell: u32| (0..5).map(move |gene| (gene * 3 + cell % 3, (cell * 7 + gene) as f32 * 0.5));
        for genes in [20, 70_000] {
            let mut pushed = Counts::with_genes(genes);
            let mut appended = Counts::with_genes(genes);
            let mut cell = 0;
            for rows in [3, 0, 1, 7] {
                let mut slab = Counts::with_genes(genes);
                for _ in 0..rows {
                    pushed.push_row(row(cell));
                    slab.push_row(row(cell));
                    cell += 1;
                }
                appended.append(slab);
            }
            assert_eq!((appended.cells(), appended.nonzeros()), (11, pushed.nonzeros()));
            assert!(appended == pushed);
            let kept = [1, 2, 3, 7, 10];
            assert!(appended.clone().keep_cells(&kept) == appended.select_cells(&kept));
            assert_eq!(appended.clone().keep_cells(&[]).cells(), 0);
            let mut split = Counts::with_genes(genes);
            split.segments = appended.clone().segments.into_iter().chain(pushed.clone().segments).collect();
            split.firsts = vec![0, 11, 22];
            let kept = [0, 5, 10, 11, 12, 21];
            assert!(split.clone().keep_cells(&kept) == split.select_cells(&kept));
            let slabs: Vec<Counts> = appended.into_slabs().collect();
            assert_eq!(slabs.iter().map(Counts::cells).sum::<usize>(), 11);
        }
    }
}
