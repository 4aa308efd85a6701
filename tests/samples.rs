//! Several files as samples of one query: each counts as it does alone, however it names its genes.

#[path = "golden/fixture.rs"]
#[allow(dead_code)]
mod fixture;
#[path = "golden/tables.rs"]
#[allow(dead_code)]
mod tables;

use sextant::formats::{Feature, Input, OpenFile};
use sextant::genes::GeneTable;
use sextant::progress::Progress;
use sextant::query::{Query, QueryOptions};
use sextant::reference::{Reference, VarianceFloor};
use std::fmt::Write;
use std::io::Cursor;

/// A sample as a file: genes × cells.
type Sample = (&'static str, Vec<u8>);

/// Human id, human symbol, mouse symbol of genes that have all of them.
fn genes() -> Vec<[String; 3]> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/genes/small.sextant.table");
    let text = tables::text(std::path::Path::new(path));
    let (human, mouse) = text.split_once(">mouse").expect("two species");
    let mouse: Vec<Vec<&str>> = mouse.lines().map(|line| line.split('\t').collect()).collect();
    let of_human = human.lines().map(|line| line.split('\t').collect::<Vec<&str>>()).filter(|line| line.len() > 4);
    let all = of_human.filter_map(|line| {
        let partner = mouse.iter().find(|partner| partner[0] == line[4])?;
        let id = format!("ENSG{:011}", line[0].parse::<u32>().expect("a number"));
        Some([id, line[1].to_owned(), partner[1].to_owned()])
    });
    all.collect()
}

fn table() -> GeneTable {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/genes/small.sextant.table");
    GeneTable::read(&std::fs::read(path).expect("the table")).expect("a table")
}

/// Only its features matter here.
fn reference() -> Reference {
    let mut reference = fixture::reference("reference_model.tsv.gz", VarianceFloor::None, "");
    reference.features = genes().into_iter().map(|[_, symbol, _]| Feature { id: None, symbol }).collect();
    reference
}

/// Five cells of genes that are named by `name`, in an order of the file's own, with counts that tell genes apart.
fn sample(file: &'static str, stride: usize, name: impl Fn(&[String; 3]) -> String) -> Sample {
    let genes = genes();
    let mut text = format!("gene,{file}1,{file}2,{file}3,{file}4,{file}5\n");
    for place in 0..genes.len() {
        let gene = place * stride % genes.len();
        let counts: String = (0..5).map(|cell| format!(",{}", (gene * gene + cell * 31 + stride) % 101)).collect();
        writeln!(text, "{}{counts}", name(&genes[gene])).expect("a line");
    }
    // Genes of no reference, one of them twice
    for (name, count) in [("LOCAL1", 2), ("LOCAL2", 3), ("LOCAL1", 4), (file, 5)] {
        writeln!(text, "{name},{count},{count},0,{count},1").expect("a line");
    }
    (file, text.into_bytes())
}

/// Samples that name the same genes in different ways.
fn samples() -> Vec<Sample> {
    vec![
        sample("plain.csv", 1, |gene| gene[1].clone()),
        sample("genome.csv", 7, |gene| format!("GRCh38_{}", gene[1])),
        sample("ids.csv", 11, |gene| format!("{}.3", gene[0])),
        sample("mouse.csv", 13, |gene| gene[2].clone()),
        sample(
            "mixed.csv",
            17,
            |gene| if gene[1].len() % 2 == 0 { gene[0].clone() } else { gene[1].replace('-', "_") },
        ),
    ]
}

fn open(files: &[Sample]) -> OpenFile {
    let input = |(name, bytes): &Sample| Input::new(*name, Box::new(Cursor::new(bytes.clone())));
    sextant::formats::open(files.iter().map(input).collect()).unwrap_or_else(|error| panic!("{error}"))
}

fn read(files: &[Sample], reference: &Reference, table: &GeneTable, only: bool) -> sextant::error::Result<Query> {
    let options = QueryOptions {
        reference: Some(reference),
        reference_genes_only: only,
        table: Some(table),
        ..Default::default()
    };
    Query::read(&mut open(files), &options, &Progress::silent())
}

/// The counts of each cell, as features of the reference.
fn of_features(query: &Query, reference: &Reference, table: &GeneTable) -> Vec<Vec<(u32, f32)>> {
    let (genes, _) = query.match_to(reference, Some(table)).expect("a match");
    let of_cell = |cell: usize| {
        let counts = query.counts.row(cell);
        let mut row: Vec<(u32, f32)> =
            counts.filter_map(|(gene, count)| Some((genes.feature_of_gene[gene as usize]?, count))).collect();
        row.sort_by_key(|entry| entry.0);
        row
    };
    (0..query.cells.len()).map(of_cell).collect()
}

#[test]
fn every_sample_counts_as_it_does_alone() {
    let (reference, table, samples) = (reference(), table(), samples());
    assert!(reference.features.len() > 1000);
    for only in [false, true] {
        let together = read(&samples, &reference, &table, only).expect("a query");
        let rows = of_features(&together, &reference, &table);
        assert_eq!(rows.len(), 5 * samples.len());
        for (number, one) in samples.iter().enumerate() {
            let alone = read(std::slice::from_ref(one), &reference, &table, only).expect("a query");
            let cells = 5 * number..5 * number + 5;
            let expected = of_features(&alone, &reference, &table);
            assert!(expected.iter().all(|row| row.len() > 800), "{}", one.0);
            assert!(rows[cells.clone()] == expected, "{}, only {only}", one.0);
            assert_eq!(together.metrics.counts[cells.clone()], alone.metrics.counts, "{}", one.0);
            assert_eq!(together.metrics.features[cells], alone.metrics.features, "{}", one.0);
        }
        let (genes, _) = together.match_to(&reference, Some(&table)).expect("a match");
        assert!(genes.matched * 1000 >= reference.features.len() * 995, "{}", genes.matched);
        assert_eq!(genes.feature_of_gene.len(), together.features.len());
        if only {
            assert_eq!((together.features.len(), genes.not_found), (genes.matched, 8));
        }
        // The features, LOCAL1 twice, LOCAL2, and one for each file's name
        assert_eq!(together.genes_in_file, genes.matched + 3 + samples.len());
    }
}

#[test]
fn a_sample_that_does_not_fit_is_named() {
    let (reference, table) = (reference(), table());
    let few: Sample = ("few.csv", b"gene,a,b,c,d\nACTB,1,2,0,3\nGAPDH,3,4,1,1\nCD3E,1,1,5,2\n".to_vec());
    let files = [samples().swap_remove(0), few];
    let expected = format!(
        "few: Only 3 of the {} features of the reference 'golden' are in this file; at least 250 are needed. The file's genes \
         are named like ACTB, GAPDH, CD3E; the reference expects names like {}. Gene symbols or Ensembl ids are needed; if \
         the file has them in another column, make it the index.",
        reference.features.len(),
        reference.features[..3].iter().map(|feature| feature.symbol.as_str()).collect::<Vec<_>>().join(", ")
    );
    let query = read(&files, &reference, &table, false).expect("a query");
    let error = query.match_to(&reference, Some(&table)).expect_err("too few");
    assert_eq!(error.message, expected);
    assert_eq!(read(&files, &reference, &table, true).expect_err("too few").message, expected);
}

#[test]
fn what_is_said_of_one_sample_names_it() {
    let (reference, table) = (reference(), table());
    let all = samples();
    let said = |files: &[Sample]| {
        let query = read(files, &reference, &table, false).expect("a query");
        let (_, warnings) = query.match_to(&reference, Some(&table)).expect("a match");
        warnings.into_iter().map(|warning| (warning.code, warning.message)).collect::<Vec<_>>()
    };
    let mouse = said(&all[3..4]);
    assert_eq!(mouse.iter().map(|warning| warning.0).collect::<Vec<_>>(), ["orthologues"]);
    assert_eq!(said(&all[2..4]), [("orthologues", format!("mouse: {}", mouse[0].1))]);
}

/// Its share of mitochondrial counts is not known, which is not none.
#[test]
fn a_sample_without_mitochondrial_genes_has_no_share_of_them() {
    let files = [
        ("a.csv", b"gene,a1,a2\nMT-CO1,1,0\nCD3E,3,2\n".to_vec()),
        ("b.csv", b"gene,b1,b2\nCD3E,1,2\nCD4,3,2\n".to_vec()),
    ];
    let query = Query::read(&mut open(&files), &QueryOptions::default(), &Progress::silent()).expect("a query");
    let percent = query.metrics.percent_mt.clone().expect("some genes are mitochondrial");
    assert_eq!(percent[..2], [25.0, 0.0]);
    assert!(percent[2].is_nan() && percent[3].is_nan());
    assert_eq!(query.summary().median_percent_mt, Some(12.5));
    assert_eq!(
        sextant::export::qc(&query),
        "cell\tcounts\tfeatures\tpercent_mt\tpercent_ribo\tpercent_hb\tkept\na1\t4\t2\t25\t\t\tTrue\na2\t2\t1\t0\t\t\tTrue\n\
         b1\t4\t2\t\t\t\tTrue\nb2\t4\t2\t\t\t\tTrue\n"
    );
}

/// The names of bins have the sample in front once they clash.
#[test]
fn bins_of_visium_hd_are_told_in_several_samples() {
    let file = |count: u32| {
        format!("gene,s_008um_00001_00002-1,s_008um_00001_00003-1\nCD3E,{count},2\nCD4,3,2\n").into_bytes()
    };
    let query = Query::read(
        &mut open(&[("a.csv", file(1)), ("b.csv", file(2))]),
        &QueryOptions::default(),
        &Progress::silent(),
    );
    let codes: Vec<&str> = query.expect("a query").warnings.iter().map(|warning| warning.code).collect();
    assert!(codes.contains(&"visium_hd_bins") && codes.contains(&"sample_prefix"), "{codes:?}");
}
