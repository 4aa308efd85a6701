//! What is kept of a matrix while it passes by, slab by slab.

use super::Observer;
use super::budget::{too_large, too_many_cells};
use crate::error::{Result, Warning};
use crate::formats::choice::Choice;
use crate::formats::packing::Tally;
use crate::formats::raw_counts::Recovering;
use crate::formats::stored::Meter;
use crate::formats::{Feature, droplets, hdf5};
use crate::matrix::Counts;
use crate::progress::Progress;

/// The new number of each gene, `u32::MAX` for those that are left out; and the number of genes.
pub type Keep = (Vec<u32>, usize);

/// What is kept of a matrix.
pub struct Selection<'a> {
    /// Among all features, the genes.
    pub keep: Option<Keep>,
    /// Among the genes, those that were asked for.
    pub wanted: Option<Keep>,
    /// Whether any counts are kept.
    pub kept: bool,
    pub budget: Option<u64>,
    pub genes: &'a [Feature],
}

/// What was taken in.
pub struct Intake {
    pub counts: Counts,
    pub tally: Tally,
    /// What there is to say about counts that were recovered from other values.
    pub recovered: Option<Result<Warning>>,
    /// Cells that passed by.
    pub cells: usize,
    /// Entries of those of them that are kept.
    pub entries: u64,
    /// Of an unfiltered file: the rows that were kept, and the total counts of all.
    pub rows: Vec<u32>,
    pub totals: Option<Vec<f32>>,
}

impl Selection<'_> {
    /// Reads the matrix. `drop_empty`: barcodes with next to no counts are left out, and the totals of all are kept.
    pub fn read(
        &self,
        choice: &Choice,
        mut recovering: Option<Recovering>,
        drop_empty: bool,
        observer: &mut dyn Observer,
        progress: &Progress<'_>,
    ) -> Result<Intake> {
        let genes = self.wanted.as_ref().map_or(self.genes.len(), |(_, genes)| *genes);
        let mut intake = Intake {
            counts: Counts::with_genes(genes),
            tally: Tally::default(),
            recovered: None,
            cells: 0,
            entries: 0,
            rows: Vec::new(),
            totals: drop_empty.then(Vec::new),
        };
        observer.begin(self.genes);
        let mut meter = Meter::new(progress, choice.work());
        let take = &mut |slab: Counts| {
            let slab = match &mut recovering {
                Some(recovering) => recovering.slab(&slab),
                None => slab,
            };
            self.take(slab, &mut intake, observer, &choice.path)
        };
        intake.tally = choice.read(&mut meter, take)?;
        if let Some(recovering) = recovering {
            intake.tally.fractions = 0;
            intake.recovered = Some(recovering.finish(&choice.path));
        }
        Ok(intake)
    }

    fn take(&self, slab: Counts, intake: &mut Intake, observer: &mut dyn Observer, path: &str) -> Result<()> {
        let first = intake.cells;
        intake.cells += slab.cells();
        let mut slab = match &self.keep {
            Some((keep, genes)) if keep.len() == slab.genes() => slab.select_genes(keep, *genes),
            _ => slab,
        };
        if slab.genes() != self.genes.len() {
            return Err(hdf5::damaged(path, "its shape does not fit the names of cells and genes"));
        }
        if let Some(totals) = &mut intake.totals {
            let mut kept = Vec::new();
            for cell in 0..slab.cells() {
                let total: f64 = slab.row(cell).map(|(_, count)| f64::from(count)).sum();
                totals.push(total as f32);
                if total >= droplets::LOWER {
                    kept.push(cell);
                    intake.rows.push((first + cell) as u32);
                }
            }
            slab = slab.keep_cells(&kept);
        }
        intake.entries += slab.nonzeros() as u64;
        observer.slab(&slab);
        if !self.kept {
            return match self.budget {
                Some(budget) if observer.bytes() > budget => Err(too_many_cells(observer.bytes(), budget)),
                _ => Ok(()),
            };
        }
        if let Some((wanted, genes)) = &self.wanted {
            slab = slab.select_genes(wanted, *genes);
        }
        intake.counts.append(slab);
        match self.budget {
            Some(budget) if intake.counts.bytes() as u64 > budget => {
                Err(too_large(intake.counts.bytes() as u64, true, budget, self.wanted.is_some()))
            }
            _ => Ok(()),
        }
    }
}

/// Numbers those that are kept.
pub fn numbered(kept: &[bool]) -> Keep {
    let mut next = 0;
    let number = |&kept: &bool| {
        let number = if kept { next } else { u32::MAX };
        next += u32::from(kept);
        number
    };
    let numbers = kept.iter().map(number).collect();
    (numbers, next as usize)
}
