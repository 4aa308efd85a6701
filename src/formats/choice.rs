//! The matrices that a file offers, and which of them is taken.

use super::packing::Tally;
use super::raw_counts::{self, Content, Recovering, Verdict};
use super::stored::{Matrix, Meter};
use crate::error::{Error, Result, Warning};
use crate::matrix::Counts;

/// A matrix that could be taken: one in the file, or several that belong together.
pub struct Choice {
    /// What people call it: "/matrix", "X", "raw/X", "layers/counts".
    pub path: String,
    /// Its parts, or why it cannot be used.
    pub parts: Result<Vec<Box<dyn Matrix>>>,
    pub join: Join,
    verdict: Option<Verdict>,
}

/// How the parts of a choice belong together.
pub enum Join {
    /// Counts of the same cells and genes, such as spliced and unspliced.
    Sum,
    /// Other genes, such as those of another genome. For each part, the row of each cell in it, or
    /// `u32::MAX`.
    Beside(Vec<Vec<u32>>),
}

impl Choice {
    pub fn new<M: Matrix + 'static>(path: impl Into<String>, parts: Result<Vec<M>>, join: Join) -> Self {
        let boxed = |parts: Vec<M>| parts.into_iter().map(|part| Box::new(part) as Box<dyn Matrix>).collect();
        Choice { path: path.into(), parts: parts.map(boxed), join, verdict: None }
    }

    pub fn single<M: Matrix + 'static>(path: impl Into<String>, matrix: Result<M>) -> Self {
        Self::new(path, matrix.map(|matrix| vec![matrix]), Join::Sum)
    }

    /// Cells and genes.
    pub fn shape(&self) -> Option<[usize; 2]> {
        let parts = self.parts.as_ref().ok()?;
        match &self.join {
            Join::Sum => parts.first().map(|part| part.shape()),
            Join::Beside(rows) => {
                Some([rows.first().map_or(0, Vec::len), parts.iter().map(|part| part.shape()[1]).sum()])
            }
        }
    }

    pub fn nonzeros(&self) -> Option<u64> {
        let parts = self.parts.as_ref().ok()?;
        match (parts.as_slice(), &self.join) {
            ([part], _) => part.nonzeros(),
            (_, Join::Sum) => None,
            (parts, Join::Beside(_)) => parts.iter().map(|part| part.nonzeros()).sum(),
        }
    }

    /// "csr", "csc", "dense".
    pub fn encoding(&self) -> &'static str {
        let parts = self.parts.as_ref().ok();
        parts.and_then(|parts| parts.first()).map_or("unreadable", |part| part.encoding())
    }

    /// What the matrix holds; looks at the file the first time. A matrix that cannot be read holds
    /// nothing of use. The least of the parts decides.
    pub fn verdict(&mut self) -> Verdict {
        if let Some(verdict) = &self.verdict {
            return verdict.clone();
        }
        let judged = match &self.parts {
            Ok(parts) => parts.iter().try_fold(None, |worst: Option<Verdict>, part| {
                let verdict = raw_counts::judge(part.as_ref())?;
                Ok(match worst {
                    Some(worst) if rank(worst.content) >= rank(verdict.content) => Some(worst),
                    _ => Some(verdict),
                })
            }),
            Err(error) => Err(Error::new(error.kind, error.message.clone())),
        };
        let several = self.parts.as_ref().is_ok_and(|parts| parts.len() > 1);
        let verdict = match judged {
            // Each part would be recovered by itself; a factor of the whole cell is needed.
            Ok(Some(Verdict { content: Content::Recoverable(way), text })) if several && !way.is_rounding() => {
                Verdict { content: Content::Other, text }
            }
            Ok(Some(verdict)) => verdict,
            Ok(None) => Verdict { content: Content::Other, text: String::from("are not there") },
            Err(error) => {
                let text = format!("cannot be read: {}", error.message);
                // Kept, so that a file of which nothing can be read says why.
                self.parts = Err(error);
                Verdict { content: Content::Other, text }
            }
        };
        self.verdict.insert(verdict).clone()
    }

    /// Reads the matrix in slabs; see [`Matrix::read`].
    ///
    /// # Errors
    /// When it cannot be read, or `take` fails.
    pub fn read(&self, meter: &mut Meter<'_>, take: &mut dyn FnMut(Counts) -> Result<()>) -> Result<Tally> {
        let parts = match &self.parts {
            Ok(parts) => parts,
            Err(error) => return Err(Error::new(error.kind, error.message.clone())),
        };
        if let [part] = parts.as_slice() {
            return part.read(meter, take);
        }
        let mut tally = Tally::default();
        let mut read: Vec<Counts> = Vec::with_capacity(parts.len());
        for part in parts {
            let mut counts = Counts::with_genes(part.shape()[1]);
            tally.add(part.read(meter, &mut |slab| {
                counts.append(slab);
                Ok(())
            })?);
            match (&self.join, read.last_mut()) {
                (Join::Sum, Some(sum)) => *sum = sum.plus(&counts),
                _ => read.push(counts),
            }
        }
        let joined = match &self.join {
            Join::Beside(rows) => beside(&read, rows),
            Join::Sum => read.pop().unwrap_or_else(|| Counts::with_genes(0)),
        };
        drop(read);
        joined.into_slabs().try_for_each(take)?;
        Ok(tally)
    }

    /// How the counts are recovered, where the values are not the counts themselves; `totals` as in [`Recovering::new`].
    pub fn recovering(&self, totals: Option<(String, Vec<f64>)>) -> Option<Recovering> {
        let verdict = self.verdict.as_ref()?;
        match verdict.content {
            Content::Recoverable(recovery) => Some(Recovering::new(recovery, verdict.text.clone(), totals)),
            _ => None,
        }
    }

    /// Decoded bytes that reading takes.
    pub fn work(&self) -> u64 {
        let parts = self.parts.as_ref().map(Vec::as_slice).unwrap_or_default();
        parts.iter().map(|part| part.work()).sum()
    }
}

fn rank(content: Content) -> u8 {
    match content {
        Content::Counts => 0,
        Content::Recoverable(recovery) if recovery.is_rounding() => 1,
        Content::Recoverable(_) => 2,
        Content::Estimates => 3,
        Content::Other => 4,
    }
}

/// Puts matrices of different genes side by side, each cell's row taken from where it stands in each.
fn beside(parts: &[Counts], rows: &[Vec<u32>]) -> Counts {
    let mut joined = Counts::with_genes(parts.iter().map(Counts::genes).sum());
    let cells = rows.first().map_or(0, Vec::len);
    let mut entries = Vec::new();
    for cell in 0..cells {
        entries.clear();
        let mut first = 0;
        for (part, rows) in parts.iter().zip(rows) {
            if let Some(&row) = rows.get(cell)
                && (row as usize) < part.cells()
            {
                entries.extend(part.row(row as usize).map(|(gene, count)| (gene + first, count)));
            }
            first += part.genes() as u32;
        }
        joined.push_row(entries.iter().copied());
    }
    joined
}

/// The matrix that is taken, with what there is to say about it.
///
/// The first matrix of whole numbers is taken; then the first of whole numbers but for rounding errors, then the first
/// from which whole numbers are recovered, since that they are whole proves that they are the counts; estimates come
/// last, unless they are of more genes than what can be recovered. `wanted` overrides that.
///
/// # Errors
/// When no matrix holds counts, or none is called `wanted`.
pub fn choose(choices: &mut [Choice], wanted: Option<&str>, warnings: &mut Vec<Warning>) -> Result<usize> {
    if let Some(wanted) = wanted {
        return choose_named(choices, wanted, warnings);
    }
    let mut best: Option<(u8, usize)> = None;
    let mut estimates = None;
    for (number, choice) in choices.iter_mut().enumerate() {
        let content = choice.verdict().content;
        if content == Content::Counts {
            warn_about_unreadable(choices, number, warnings);
            warn_about_more_genes(choices, number, warnings);
            return Ok(number);
        }
        if content == Content::Estimates && estimates.is_none() {
            estimates = Some(number);
        }
        if content != Content::Other && best.is_none_or(|(known, _)| rank(content) < known) {
            best = Some((rank(content), number));
        }
    }
    let Some((_, mut number)) = best else {
        return Err(no_counts(choices));
    };
    let genes = |number: usize| choices.get(number).and_then(Choice::shape).map(|[_, genes]| genes);
    if let Some(estimates) = estimates
        && genes(estimates) > genes(number)
    {
        number = estimates;
    }
    if estimates == Some(number) {
        warnings.push(estimates_warning(&mut choices[number]));
    }
    warn_about_unreadable(choices, number, warnings);
    Ok(number)
}

fn choose_named(choices: &mut [Choice], wanted: &str, warnings: &mut Vec<Warning>) -> Result<usize> {
    let bare = |path: &str| path.trim_matches('/').to_owned();
    let found = choices.iter().position(|choice| bare(&choice.path) == bare(wanted));
    let Some(number) = found else {
        let paths: Vec<_> = choices.iter().map(|choice| choice.path.as_str()).collect();
        return Err(Error::new(
            crate::error::Kind::Usage,
            format!("there is no matrix \"{wanted}\". The file has: {}.", paths.join(", ")),
        ));
    };
    let choice = &mut choices[number];
    let verdict = choice.verdict();
    if let Err(error) = &choice.parts {
        return Err(Error::input(error.message.clone()));
    }
    match verdict.content {
        Content::Counts | Content::Recoverable(_) => {}
        Content::Estimates => warnings.push(estimates_warning(choice)),
        Content::Other => warnings.push(Warning::new(
            "not_counts",
            format!(
                "The values of \"{}\", which was asked for, {}. Mapping expects raw counts; its results \
                 may be wrong.",
                choice.path, verdict.text
            ),
        )),
    }
    Ok(number)
}

fn estimates_warning(choice: &mut Choice) -> Warning {
    let text = choice.verdict().text;
    Warning::new(
        "fractions",
        format!(
            "The values of \"{}\" {text}. They were taken as estimated counts, as SoupX, RSEM or alevin \
             write them.",
            choice.path
        ),
    )
}

/// A matrix that would have come first but cannot be read is not passed over in silence.
fn warn_about_unreadable(choices: &[Choice], taken: usize, warnings: &mut Vec<Warning>) {
    for choice in choices.iter().take(taken) {
        if let Err(error) = &choice.parts {
            warnings.push(Warning::new("matrix_unreadable", error.message.clone()));
        }
    }
}

/// Counts of variable genes alone make a poor mapping when all genes are in the file.
fn warn_about_more_genes(choices: &mut [Choice], taken: usize, warnings: &mut Vec<Warning>) {
    let Some([_, genes]) = choices[taken].shape() else {
        return;
    };
    let path = choices[taken].path.clone();
    for choice in choices.iter_mut().skip(taken + 1) {
        let Some([_, more]) = choice.shape().filter(|[_, more]| *more > genes) else {
            continue;
        };
        if choice.verdict().content == Content::Counts {
            warnings.push(Warning::new(
                "more_genes",
                format!(
                    "\"{path}\" was taken, with {genes} genes; \"{}\" also has raw counts, of {more} genes, \
                     and may map better.",
                    choice.path
                ),
            ));
        }
    }
}

fn no_counts(choices: &mut [Choice]) -> Error {
    if choices.is_empty() {
        return Error::input(
            "there is no matrix in it. Sextant needs raw counts in \"X\", \"raw/X\" or \"layers/counts\".",
        );
    }
    if let Some(Err(error)) = choices.iter().map(|choice| &choice.parts).find(|p| p.is_err()) {
        return Error::input(error.message.clone());
    }
    let found: Vec<String> = choices
        .iter_mut()
        .map(|choice| {
            let text = choice.verdict().text;
            format!("the values of \"{}\" {text}", choice.path)
        })
        .collect();
    Error::input(format!(
        "no raw counts were found: {}. Sextant needs the counts as they were before normalisation (whole \
         numbers); save them in \"layers/counts\" or \"raw/X\", or load the file of the step before.",
        found.join("; ")
    ))
}
