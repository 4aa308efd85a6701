//! Projection of cells while they are read, before it is known which of them are mapped.
//!
//! A cell's projection is that of a cell without counts of the same depth, which needs the features that some cell expresses,
//! and the corrections of its own counts, which do not. So the corrections are summed as the cells pass by, and the rest
//! follows when all have passed: see [`crate::map::project::project`], which adds the same numbers in the same order.
//!
//! Two things are guessed, and checked at the end: that the first clip does not matter, since the model's own clip hides it,
//! and the median count, on which the residuals of version-2 models depend.

use super::{Projection, batches};
use crate::kernel::{LISTS, add_scaled};
use crate::map::project::{loadings_of, zeros_projected};
use crate::matrix::Counts;
use crate::normalize::{Depth, Residuals, Rule, Total, floor_of_median};
use crate::progress::Progress;
use crate::query::Consumer;
use crate::reference::{Reference, VarianceFloor};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::ops::Range;

/// Cells whose rows lie in one piece of memory.
const BLOCK: usize = 512;
/// Depths whose cells are completed at once.
const DEPTHS: usize = 1024;

/// What has to be known before cells are projected.
pub struct Guess {
    first_clip: f64,
    /// Of the non-zero counts of the reference's features, in the cells that are mapped.
    median: f64,
    /// Which of all cells that pass by are mapped; those with counts where it is not known.
    kept: Option<Vec<bool>>,
}

/// Some cells.
struct Block {
    totals: Vec<f64>,
    /// `dimensions` values a cell: the sums of the corrections.
    rows: Vec<f64>,
}

/// How often each count occurs, by its bits, which are in the order of the counts.
type Occurrences = BTreeMap<u32, u64>;

/// The cells of a sample.
#[derive(Default)]
struct Sample {
    complete: bool,
    cells: usize,
    blocks: Vec<Block>,
    /// For each feature the counts of the deepest cell that expresses it, of those that seem to be mapped; 0 where none does.
    deepest: Vec<f64>,
    /// Entries of each gene.
    entries: Vec<u32>,
    /// Cells that seem to be mapped, and the occurrences of their counts.
    counted: usize,
    occurrences: Occurrences,
}

/// Takes cells and keeps their projection.
pub struct Projecting<'a> {
    rule: Rule<'a>,
    guess: Guess,
    dimensions: usize,
    /// Of all features.
    loadings: Vec<f64>,
    samples: Vec<Sample>,
    /// Of the sample that is being read: the feature of each gene.
    feature_of_gene: Vec<Option<u32>>,
    /// For each feature its place among those that samples have named: once samples are joined, that is their order.
    order: Vec<Option<u32>>,
    named: u32,
    in_order: bool,
    /// Cells that are mapped, among all that passed by.
    kept: Vec<u32>,
    bytes: u64,
}

impl<'a> Projecting<'a> {
    /// With the first guess.
    pub fn new(reference: &'a Reference) -> Self {
        Projecting::with_guess(reference, Guess { first_clip: f64::INFINITY, median: 1.0, kept: None })
    }

    pub fn with_guess(reference: &'a Reference, guess: Guess) -> Self {
        let variance_floor = match reference.model.variance_floor() {
            VarianceFloor::None => f64::NEG_INFINITY,
            VarianceFloor::Fixed(floor) => floor,
            VarianceFloor::MedianCount => floor_of_median(guess.median),
        };
        let features: Vec<u32> = (0..reference.features.len() as u32).collect();
        Projecting {
            rule: Rule { reference, first_clip: guess.first_clip, variance_floor },
            guess,
            dimensions: reference.loadings.ncols(),
            loadings: loadings_of(reference, &features),
            samples: Vec::new(),
            feature_of_gene: Vec::new(),
            order: vec![None; features.len()],
            named: 0,
            in_order: true,
            kept: Vec::new(),
            bytes: 0,
        }
    }

    fn needs_median(&self) -> bool {
        self.rule.reference.model.variance_floor() == VarianceFloor::MedianCount
    }

    /// A better guess, where the cells were projected with a wrong one. The third is right: in the second pass it is known
    /// which cells are mapped, and then their median count.
    pub fn wrong_guess(&self, size: usize) -> Option<Guess> {
        let cells = self.kept.len();
        let first_clip = (cells.div_ceil(batches(cells, size)) as f64).sqrt();
        let hidden = Rule { first_clip, ..self.rule }.first_clip_is_hidden();
        let clip_is_right = hidden || first_clip == self.guess.first_clip;
        let counted: usize = self.samples.iter().map(|sample| sample.counted).sum();
        // No cell without counts is mapped, so as many cells are the same cells.
        let all_counted = counted == cells;
        let features_are_right =
            !self.rule.drops_unexpressed() || all_counted || self.only_shallow_cells_are_left_out();
        let median = if all_counted { self.median() } else { self.guess.median };
        let median_is_right = !self.needs_median() || (all_counted && median == self.guess.median);
        (!clip_is_right || !features_are_right || !median_is_right).then(|| {
            let mut kept = vec![false; self.samples.iter().flat_map(Sample::totals).count()];
            self.kept.iter().for_each(|&cell| kept[cell as usize] = true);
            Guess { first_clip, median, kept: Some(kept) }
        })
    }

    /// Whether every cell that is left out of a sample has fewer counts than those that are mapped, as with a limit. Then a
    /// feature is expressed by a cell that is mapped if the deepest one that expresses it is.
    fn only_shallow_cells_are_left_out(&self) -> bool {
        let kept = self.kept_of_samples();
        self.samples.iter().zip(&kept).all(|(sample, cells)| {
            let limit = self.shallowest(cells);
            sample.totals().filter(|&total| total >= limit).count() == cells.len()
        })
    }

    /// For each sample the cells that are mapped: their blocks, among all, and rows there.
    fn kept_of_samples(&self) -> Vec<Vec<(u32, u32)>> {
        let mut kept = self.kept.iter().copied().peekable();
        let (mut first, mut number) = (0u32, 0);
        let mut of_samples = Vec::with_capacity(self.samples.len());
        for sample in &self.samples {
            let mut cells = Vec::new();
            for block in &sample.blocks {
                let end = first + block.totals.len() as u32;
                while let Some(cell) = kept.next_if(|&cell| cell < end) {
                    cells.push((number, cell - first));
                }
                (first, number) = (end, number + 1);
            }
            of_samples.push(cells);
        }
        of_samples
    }

    fn shallowest(&self, cells: &[(u32, u32)]) -> f64 {
        let blocks: Vec<&Block> = self.samples.iter().flat_map(|sample| &sample.blocks).collect();
        cells.iter().fold(f64::INFINITY, |least, &(block, row)| least.min(blocks[block as usize].totals[row as usize]))
    }

    /// Middle one of the counts, the mean of the two middle ones for an even number of them; 0 for none.
    fn median(&self) -> f64 {
        let mut all = Occurrences::new();
        for (&count, &times) in self.samples.iter().flat_map(|sample| &sample.occurrences) {
            *all.entry(count).or_default() += times;
        }
        let total: u64 = all.values().sum();
        let at = |place: u64| {
            let mut before = 0;
            let found = all.iter().find(|&(_, &times)| {
                before += times;
                before > place
            });
            found.map_or(0.0, |(&bits, _)| f64::from(f32::from_bits(bits)))
        };
        match total {
            0 => 0.0,
            _ if total.is_multiple_of(2) => (at(total / 2 - 1) + at(total / 2)) / 2.0,
            _ => at(total / 2),
        }
    }

    /// Completes the rows of the cells that are mapped, and drops the others.
    ///
    /// `places`: as [`crate::query::Query::places_of_samples`].
    pub fn finish(mut self, size: usize, places: &[Vec<u32>], progress: &Progress<'_>) -> Projection {
        let entries = self.entries_of_genes(places);
        let kept = self.kept_of_samples();
        let mut features: Vec<u32> = Vec::new();
        for (sample, cells) in self.samples.iter().zip(&kept) {
            let limit = if self.rule.drops_unexpressed() { self.shallowest(cells) } else { f64::INFINITY };
            features.extend((0u32..).zip(&sample.deepest).filter(|(_, deepest)| **deepest >= limit).map(|pair| pair.0));
        }
        if !self.rule.drops_unexpressed() {
            features.extend((0u32..).zip(&self.order).filter(|(_, place)| place.is_some()).map(|pair| pair.0));
        }
        features.sort_unstable();
        features.dedup();
        let cells: Vec<(u32, u32)> = kept.concat();
        let mut blocks: Vec<Block> =
            std::mem::take(&mut self.samples).into_iter().flat_map(|sample| sample.blocks).collect();
        self.add_zeros(&mut blocks, &cells, features.clone(), progress);
        let mut projection = Projection {
            reference: self.rule.reference.about.clone(),
            dimensions: self.dimensions,
            blocks: Vec::new(),
            firsts: vec![0],
            features_used: features.len(),
            size,
            entries,
        };
        let mut cells = cells.into_iter().peekable();
        let mut first = 0;
        for (number, block) in (0u32..).zip(blocks) {
            let mut rows = Vec::with_capacity(block.rows.len());
            while let Some((_, row)) = cells.next_if(|cell| cell.0 == number) {
                let start = row as usize * self.dimensions;
                rows.extend(block.rows[start..start + self.dimensions].iter().map(|&value| value as f32));
                first += 1;
            }
            rows.shrink_to_fit();
            projection.blocks.push(rows);
            projection.firsts.push(first);
        }
        projection
    }

    fn entries_of_genes(&self, places: &[Vec<u32>]) -> Vec<u64> {
        let genes = places.iter().flatten().max().map_or(0, |&last| last as usize + 1);
        let mut entries = vec![0; genes];
        for (number, sample) in self.samples.iter().enumerate() {
            let Some(places) = places.get(number) else {
                return sample.entries.iter().copied().map(u64::from).collect();
            };
            for (&place, &own) in places.iter().zip(&sample.entries) {
                entries[place as usize] += u64::from(own);
            }
        }
        entries
    }

    /// Adds to each cell the projection of a cell without counts of its depth, which is computed once for each depth.
    fn add_zeros(&self, blocks: &mut [Block], cells: &[(u32, u32)], features: Vec<u32>, progress: &Progress<'_>) {
        let loadings = loadings_of(self.rule.reference, &features);
        let residuals = Residuals::of_features(self.rule, features);
        let total = |&(block, row): &(u32, u32)| blocks[block as usize].totals[row as usize];
        let mut by_depth: Vec<(f64, (u32, u32))> = cells.iter().map(|cell| (total(cell), *cell)).collect();
        by_depth.par_sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let groups: Vec<&[(f64, (u32, u32))]> = by_depth.chunk_by(|a, b| a.0 == b.0).collect();
        for (slice, groups) in groups.chunks(DEPTHS).enumerate() {
            progress.report("Projecting", (slice * DEPTHS) as f64 / by_depth.len().max(1) as f64);
            let zeros: Vec<Vec<Vec<f64>>> = groups
                .par_chunks(LISTS)
                .map(|few| few.iter().map(|group| residuals.at_depth(group[0].0)).collect::<Vec<Depth>>())
                .map(|depths| zeros_projected(&depths, &loadings, self.dimensions))
                .collect();
            for (group, zeros) in groups.iter().zip(zeros.into_iter().flatten()) {
                for &(_, (block, row)) in *group {
                    let start = row as usize * self.dimensions;
                    let sums = &mut blocks[block as usize].rows[start..start + self.dimensions];
                    sums.iter_mut().zip(&zeros).for_each(|(sum, zero)| *sum += zero);
                }
            }
        }
    }

    fn empty(&self, genes: usize) -> Sample {
        Sample { deepest: vec![0.0; self.order.len()], entries: vec![0; genes], ..Sample::default() }
    }

    /// Projects some cells of a slab.
    /// `before`: cells that passed by before the slab.
    fn project(&self, slab: &Counts, cells: Range<usize>, before: usize) -> Sample {
        let mut block =
            Block { totals: Vec::with_capacity(cells.len()), rows: vec![0.0; cells.len() * self.dimensions] };
        let mut sample = self.empty(self.feature_of_gene.len());
        let mut counts: Vec<(u32, u32, f32)> = Vec::new();
        let known = self.guess.kept.as_ref();
        for (cell, sums) in cells.zip(block.rows.chunks_exact_mut(self.dimensions.max(1))) {
            let mut total = 0.0;
            counts.clear();
            for (gene, count) in slab.row(cell) {
                total += f64::from(count);
                if let Some(entries) = sample.entries.get_mut(gene as usize) {
                    *entries += 1;
                }
                if let Some(feature) = self.feature_of_gene.get(gene as usize).copied().flatten() {
                    let place = self.order[feature as usize].unwrap_or(u32::MAX);
                    counts.push((place, feature, count));
                }
            }
            if !self.in_order {
                counts.sort_unstable_by_key(|count| count.0);
            }
            let seems_mapped = total > 0.0 && known.is_none_or(|kept| kept.get(before + cell) == Some(&true));
            let depth = Total::of(total);
            for &(_, feature, count) in &counts {
                let feature = feature as usize;
                let correction = self.rule.correction(feature, depth, f64::from(count));
                let loadings = &self.loadings[feature * self.dimensions..(feature + 1) * self.dimensions];
                add_scaled(sums, correction, loadings);
                if seems_mapped {
                    sample.deepest[feature] = total.max(sample.deepest[feature]);
                }
            }
            if seems_mapped {
                sample.counted += 1;
                if self.needs_median() {
                    counts.iter().for_each(|count| *sample.occurrences.entry(count.2.to_bits()).or_default() += 1);
                }
            }
            block.totals.push(total);
        }
        sample.blocks.push(block);
        sample
    }
}

impl Consumer for Projecting<'_> {
    fn begin(&mut self, feature_of_gene: &[Option<u32>]) {
        self.samples.retain(|sample| sample.complete);
        self.bytes = self.samples.iter().flat_map(|sample| &sample.blocks).map(Block::bytes).sum();
        self.samples.push(self.empty(feature_of_gene.len()));
        for &feature in feature_of_gene.iter().flatten() {
            if let Some(place @ None) = self.order.get_mut(feature as usize) {
                *place = Some(self.named);
                self.named += 1;
            }
        }
        let places = feature_of_gene.iter().flatten().map(|&feature| self.order.get(feature as usize));
        self.in_order = places.is_sorted_by(|a, b| a <= b);
        self.feature_of_gene = feature_of_gene.to_vec();
    }

    fn slab(&mut self, slab: &Counts) {
        let before = self.samples.iter().map(|sample| sample.cells).sum();
        let starts: Vec<usize> = (0..slab.cells()).step_by(BLOCK).collect();
        let project = |&start: &usize| self.project(slab, start..(start + BLOCK).min(slab.cells()), before);
        let parts: Vec<Sample> = starts.par_iter().map(project).collect();
        let Some(sample) = self.samples.last_mut() else { return };
        for part in parts {
            self.bytes += part.blocks.iter().map(Block::bytes).sum::<u64>();
            sample.add(part);
        }
    }

    fn end(&mut self) {
        if let Some(sample) = self.samples.last_mut() {
            sample.complete = true;
        }
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn keep(&mut self, cells: &[u32]) {
        self.kept = cells.to_vec();
    }
}

impl Block {
    fn bytes(&self) -> u64 {
        8 * (self.totals.len() + self.rows.len()) as u64
    }
}

impl Sample {
    fn totals(&self) -> impl Iterator<Item = f64> + '_ {
        self.blocks.iter().flat_map(|block| block.totals.iter().copied())
    }

    fn add(&mut self, part: Sample) {
        self.cells += part.blocks.iter().map(|block| block.totals.len()).sum::<usize>();
        self.blocks.extend(part.blocks);
        self.counted += part.counted;
        self.deepest.iter_mut().zip(part.deepest).for_each(|(all, deepest)| *all = all.max(deepest));
        self.entries.iter_mut().zip(part.entries).for_each(|(all, entries)| *all += entries);
        part.occurrences.into_iter().for_each(|(count, times)| *self.occurrences.entry(count).or_default() += times);
    }
}
