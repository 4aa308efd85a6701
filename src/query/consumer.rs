//! Counts that are taken while a query is read, and not kept.

use crate::error::{Result, Warning};
use crate::formats::{Feature, Observer};
use crate::genes::GeneMatch;
use crate::matrix::Counts;
use crate::qc::Look;
use std::cell::RefCell;

/// Takes cells while a query is read, whose counts are then not kept.
pub trait Consumer {
    /// A sample begins, whose genes are these features of the reference. One that began before and did not end was
    /// abandoned.
    fn begin(&mut self, feature_of_gene: &[Option<u32>]);
    /// Whole cells, with all their genes, following those of the slab before.
    fn slab(&mut self, slab: &Counts);
    /// The sample is complete.
    fn end(&mut self);
    /// Memory that it took for cells so far.
    fn bytes(&self) -> u64;
    /// The cells that are mapped, ascending, among all that passed by.
    fn keep(&mut self, cells: &[u32]);
}

/// How the genes of each sample were matched, with what is said of it.
pub type Matches = RefCell<Vec<(GeneMatch, Result<Vec<Warning>>)>>;

/// Looks at the cells that are read, and passes them on to who takes them.
pub struct Watch<'a, 'c> {
    pub look: Look,
    /// Of the samples that have begun.
    pub matches: &'a Matches,
    pub consumer: Option<&'c mut dyn Consumer>,
}

impl Observer for Watch<'_, '_> {
    fn begin(&mut self, features: &[Feature]) {
        self.look.begin(features);
        if let Some(consumer) = &mut self.consumer {
            let matches = self.matches.borrow();
            consumer.begin(matches.last().map_or(&[], |(genes, _)| &genes.feature_of_gene));
        }
    }

    fn slab(&mut self, slab: &Counts) {
        self.look.slab(slab);
        if let Some(consumer) = &mut self.consumer {
            consumer.slab(slab);
        }
    }

    fn end(&mut self) {
        self.look.end();
        if let Some(consumer) = &mut self.consumer {
            consumer.end();
        }
    }

    fn bytes(&self) -> u64 {
        self.consumer.as_ref().map_or(0, |consumer| consumer.bytes())
    }
}
