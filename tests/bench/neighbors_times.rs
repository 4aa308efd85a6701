//! How long exact neighbours take beside an index of the crate instant-distance, and what that finds of them.
//!
//!     cargo run --release --example neighbors_times -- BUNDLE [--threads N]
//!
//! Rows are drawn around the cells of the reference, as many as larger references have; 2,000 others look for their 30 nearest.
//! Everything is done five times and the fastest counts, but for the index, which is built once.

// The engine knows no clock; what measures it does.
#![allow(clippy::disallowed_methods)]

mod timing;

use instant_distance::{Builder, Point, Search};
use ndarray::Array2;
use sextant::map::neighbors::{Neighbors, nearest};
use sextant::map::project::normalize_rows;
use sextant::progress::Progress;
use sextant::random::Random;
use sextant::reference::bundle;
use std::time::Instant;
use timing::{Outcome, arguments, fastest};

const QUERIES: usize = 2_000;
const K: usize = 30;

#[derive(Clone)]
struct Row(Vec<f32>);

impl Point for Row {
    fn distance(&self, other: &Self) -> f32 {
        self.0.iter().zip(&other.0).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt()
    }
}

fn main() -> Outcome<()> {
    let (words, threads) = arguments()?;
    let reference = bundle::read(&std::fs::read(words.first().ok_or("name a reference")?)?)?;
    let embedding = &reference.embedding;
    println!(
        "| references | exact, s | build the index, s | search it, s | recall of {K} | share of the queries with all {K} |"
    );
    println!("|---:|---:|---:|---:|---:|---:|");
    let queries = around(embedding, QUERIES, 1);
    for size in [10_000, 40_000, 160_000] {
        let references = around(embedding, size, 2);
        let (exact_time, exact) = fastest(|| Ok(nearest(&queries, &references, K, "", &Progress::silent())))?;
        let begun = Instant::now();
        let points: Vec<Row> = references.rows().into_iter().map(|row| Row(row.to_vec())).collect();
        let (index, ids) = Builder::default().build_hnsw(points);
        let build_time = begun.elapsed().as_secs_f64();
        let mut row_of = vec![0; ids.len()];
        ids.iter().enumerate().for_each(|(row, id)| row_of[id.into_inner() as usize] = row as u32);
        let (index_time, found) = fastest(|| {
            use rayon::prelude::*;
            let search = |query: usize| {
                let mut search = Search::default();
                let point = Row(queries.row(query).to_vec());
                index.search(&point, &mut search).take(K).map(|item| row_of[item.pid.into_inner() as usize]).collect()
            };
            Ok((0..QUERIES).into_par_iter().map(search).collect::<Vec<Vec<u32>>>())
        })?;
        let (recall, complete) = compare(&exact, &found);
        println!("| {size} | {exact_time:.3} | {build_time:.1} | {index_time:.3} | {recall:.4} | {complete:.4} |");
    }
    println!("{threads} threads, {} dimensions", embedding.ncols());
    Ok(())
}

/// Rows near those of the embedding: each a cell with noise of half a standard deviation in every dimension.
fn around(embedding: &Array2<f32>, rows: usize, seed: u64) -> Array2<f32> {
    let mut random = Random::new(seed);
    let spread: Vec<f32> = embedding.columns().into_iter().map(|column| column.std(0.0)).collect();
    let mut drawn = Array2::zeros((rows, embedding.ncols()));
    for mut row in drawn.rows_mut() {
        let cell = embedding.row(random.below(embedding.nrows()));
        for ((value, &center), spread) in row.iter_mut().zip(cell).zip(&spread) {
            *value = center + 0.5 * spread * (random.uniform() + random.uniform() - 1.0) as f32;
        }
    }
    normalize_rows(&drawn)
}

/// Share of the exact neighbours that were found, and of the queries of which all were.
fn compare(exact: &Neighbors, found: &[Vec<u32>]) -> (f64, f64) {
    let (mut hits, mut complete) = (0, 0);
    for (query, found) in found.iter().enumerate() {
        let here = exact.of(query).iter().filter(|index| found.contains(index)).count();
        hits += here;
        complete += usize::from(here == K);
    }
    (hits as f64 / (K * found.len()) as f64, complete as f64 / found.len() as f64)
}
