//! Gene names: every way in which people's files name genes leads to the features of a reference, and nothing else does.
//!
//! `tests/data/genes/small.sextant.table` is a part of the table of gene names, cut out by `generate.py` beside it.

#[path = "golden/fixture.rs"]
#[allow(dead_code)]
mod fixture;
#[path = "golden/tables.rs"]
#[allow(dead_code)]
mod tables;

use sextant::formats::Feature;
use sextant::genes::{Fate, GeneMatch, GeneTable, Route, Species, match_genes};

fn table() -> GeneTable {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/genes/small.sextant.table");
    GeneTable::read(&std::fs::read(path).expect("the table")).expect("a table")
}

fn symbol(name: &str) -> Feature {
    Feature { id: None, symbol: name.into() }
}

fn with_id(id: &str, name: &str) -> Feature {
    Feature { id: Some(id.into()), symbol: name.into() }
}

/// Human id, human symbol, mouse id, mouse symbol of the genes of the table that have all four.
fn quadruples() -> Vec<[String; 4]> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/genes/small.sextant.table");
    let text = tables::text(std::path::Path::new(path));
    let (human, mouse) = text.split_once(">mouse").expect("two species");
    let columns = |line: &str| line.split('\t').map(str::to_owned).collect::<Vec<String>>();
    let mouse: Vec<Vec<String>> = mouse.lines().map(columns).collect();
    let id = |prefix: &str, number: &str| format!("{prefix}{:011}", number.parse::<u32>().expect("a number"));
    let of_human = human.lines().map(columns).filter(|line| line.len() > 4).filter_map(|line| {
        let partner = mouse.iter().find(|partner| partner[0] == line[4])?;
        Some([id("ENSG", &line[0]), line[1].clone(), id("ENSMUSG", &partner[0]), partner[1].clone()])
    });
    of_human.collect()
}

fn all(column: usize, change: impl Fn(&str) -> String) -> Vec<Feature> {
    quadruples().iter().map(|names| symbol(&change(&names[column]))).collect()
}

fn same(name: &str) -> String {
    name.to_owned()
}

/// Everything is matched, to the feature at the same place, and nearly all by one route.
fn whole(query: &[Feature], reference: &[Feature], table: Option<&GeneTable>, route: Route) -> GeneMatch {
    let matched = match_genes(query, reference, table);
    let wrong =
        (0..).zip(&matched.feature_of_gene).filter(|(row, found)| found.is_some_and(|found| found != *row)).count();
    assert_eq!(wrong, 0, "{route:?}");
    assert!(matched.matched * 1000 >= query.len() * 995, "{route:?}: {} of {}", matched.matched, query.len());
    assert!(matched.by(route) * 100 >= matched.matched * 99, "{route:?}: {:?}", matched.routes);
    matched
}

#[test]
fn damage_to_the_table_is_an_error_and_never_a_panic() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/genes/small.sextant.table");
    let packed = std::fs::read(path).expect("the table");
    for at in (0..packed.len()).step_by(499).chain(packed.len() - 8..packed.len()) {
        let mut changed = packed.clone();
        changed[at] ^= 0x5a;
        // The head of gzip has a time and a system, which nobody reads.
        assert!(GeneTable::read(&changed).is_err() || (4..10).contains(&at), "byte {at}");
        assert!(GeneTable::read(&packed[..at]).is_err());
    }
    // A server may have unpacked it on the way.
    let text = tables::text(std::path::Path::new(path));
    assert!(GeneTable::read(text.as_bytes()).is_ok());
    for at in (0..text.len()).step_by(997) {
        let mut changed = text.clone().into_bytes();
        changed[at] = b'\t';
        let _ = GeneTable::read(&changed);
    }
}

#[test]
fn no_ensembl_id_is_lost() {
    let table = table();
    let (ids, symbols) = (all(0, same), all(1, same));
    assert!(ids.len() > 1000);
    whole(&ids, &ids, None, Route::Id);
    whole(&all(0, |id| format!("{id}.12")), &ids, None, Route::Id);
    whole(&ids, &symbols, Some(&table), Route::Table);
    whole(&all(0, |id| format!("{id}.7_3")), &symbols, Some(&table), Route::Table);
    whole(&symbols, &ids, Some(&table), Route::Table);
    whole(&all(2, same), &all(3, same), Some(&table), Route::Table);
    assert_eq!(match_genes(&ids, &symbols, None).matched, 0, "without the table an id says nothing of symbols");
}

#[test]
fn ids_and_symbols_may_be_mixed() {
    let mixed: Vec<Feature> =
        (0..).zip(quadruples()).map(|(row, names)| symbol(&names[usize::from(row % 2 == 0)])).collect();
    let matched = match_genes(&mixed, &all(1, same), Some(&table()));
    assert!(matched.matched * 1000 >= mixed.len() * 995);
    assert!(matched.by(Route::Symbol) > 400 && matched.by(Route::Table) > 400, "{:?}", matched.routes);
}

#[test]
fn genomes_in_front_of_names_are_taken_off() {
    let symbols = all(1, same);
    for prefix in ["GRCh38_", "hg19_", "GRCh38_______", "GRCh38-2020-A_", "hg19-"] {
        whole(&all(1, |name| format!("{prefix}{name}")), &symbols, None, Route::Genome);
    }
    whole(&all(3, |name| format!("mm10___{name}")), &all(3, same), None, Route::Genome);
    whole(&all(0, |id| format!("GRCh38_{id}")), &all(0, same), None, Route::Genome);
}

#[test]
fn of_two_species_in_one_file_only_that_of_the_reference_is_taken() {
    let (table, symbols) = (table(), all(1, same));
    let mut both = all(1, |name| format!("GRCh38_{name}"));
    both.extend(all(3, |name| format!("mm10___{name}")));
    // A mouse gene whose symbol is written like a human one stays a mouse gene.
    both.push(symbol("mm10___CD3E"));
    let matched = match_genes(&both, &symbols, Some(&table));
    assert_eq!(matched.by(Route::Genome), matched.matched);
    assert_eq!((matched.matched, matched.by(Route::Orthologue)), (symbols.len(), 0));
    assert_eq!(matched.other_species, symbols.len() + 1);
    let warnings = matched.check(&both, &symbols, "pbmc").expect("enough");
    assert_eq!(
        warnings.iter().map(|warning| warning.message.clone()).collect::<Vec<_>>(),
        [format!(
            "The file has genes of several species: {} that are not human were left out. Cells of another species get labels \
             that mean nothing; take them out before.",
            symbols.len() + 1
        )]
    );
    let matched = match_genes(&both, &all(3, same), Some(&table));
    assert_eq!((matched.matched, matched.other_species), (symbols.len(), symbols.len()));
}

#[test]
fn a_mouse_file_comes_to_a_human_reference_by_orthologues_and_back() {
    let table = table();
    for (from, to) in [(3, 1), (2, 1), (2, 0), (1, 3), (0, 3)] {
        whole(&all(from, same), &all(to, same), Some(&table), Route::Orthologue);
    }
    whole(&all(3, |name| format!("mm10_{name}")), &all(1, same), Some(&table), Route::Orthologue);
    let (mouse, human) = (all(3, same), all(1, same));
    let matched = match_genes(&mouse, &human, Some(&table));
    let warnings = matched.check(&mouse, &human, "pbmc").expect("enough");
    assert_eq!(
        warnings.iter().map(|warning| (warning.code, warning.message.clone())).collect::<Vec<_>>(),
        [(
            "orthologues",
            format!(
                "The file looks mouse, the reference is human: {} features were matched by one-to-one orthologues. Cell \
                 types differ between species; a reference of the same species is better where there is one.",
                matched.by(Route::Orthologue)
            )
        )]
    );
    // Without the table a mouse file is not taken for human.
    let error = match_genes(&mouse, &human, None).check(&mouse, &human, "pbmc").unwrap_err();
    assert!(
        error.message.ends_with("The file looks mouse, the reference is human: choose a reference of that species.")
    );
}

#[test]
fn ids_of_another_species_are_named() {
    let (table, human) = (table(), all(1, same));
    let macaque: Vec<Feature> =
        (0..).zip(&human).map(|(row, gene)| with_id(&format!("ENSMMUG{row:011}"), &gene.symbol)).collect();
    let reference: Vec<Feature> = quadruples().iter().map(|names| with_id(&names[0], &names[1])).collect();
    let error = match_genes(&macaque, &reference, Some(&table)).check(&macaque, &reference, "pbmc").unwrap_err();
    assert!(
        error.message.ends_with(
            "The file's Ensembl ids, such as ENSMMUG00000000000, are of another species; the reference is human."
        ),
        "{}",
        error.message
    );
    // A reference without ids cannot tell; then a warning does.
    let warnings = match_genes(&macaque, &human, Some(&table)).check(&macaque, &human, "pbmc").expect("enough");
    assert_eq!(
        warnings.iter().map(|warning| (warning.code, warning.message.as_str())).collect::<Vec<_>>(),
        [(
            "unknown_species",
            "The file's Ensembl ids, such as ENSMMUG00000000000, are neither human nor mouse. Genes were matched by equal \
             symbols; that these are the same genes is not known, and cell types differ between species."
        )]
    );
}

#[test]
fn names_of_other_years_are_known() {
    let table = table();
    let routes = |query: &[&str], reference: &[&str]| {
        let query: Vec<Feature> = query.iter().map(|name| symbol(name)).collect();
        let reference: Vec<Feature> = reference.iter().map(|name| symbol(name)).collect();
        match_genes(&query, &reference, Some(&table)).fates
    };
    // Old in the file, old in the reference, and old in both.
    assert_eq!(
        routes(&["SEPT2", "CARS", "C1orf112"], &["SEPTIN2", "CARS1", "FIRRM"]),
        [0, 1, 2].map(|row| Fate::Matched(row, Route::Previous))
    );
    assert_eq!(
        routes(&["SEPTIN2", "CARS1", "FIRRM"], &["SEPT2", "CARS", "C1orf112"]),
        [0, 1, 2].map(|row| Fate::Matched(row, Route::Previous))
    );
    assert_eq!(routes(&["NEDD5", "ACTB"], &["SEPT2", "ACTB"])[0], Fate::Matched(0, Route::Previous));
    assert_eq!(routes(&["CD45", "B220"], &["PTPRC", "MS4A1"]), [Fate::Matched(0, Route::Previous), Fate::Duplicate(0)]);
    assert_eq!(routes(&["FMC7", "CD20"], &["CD3E", "MS4A1"])[1], Fate::Matched(1, Route::Previous));
    assert_eq!(routes(&["FMC7", "CD3E"], &["CD3E", "MS4A1"])[0], Fate::Matched(1, Route::Alias));
    // In mouse all other names are aliases.
    assert_eq!(routes(&["Sept2", "Cd3e"], &["Septin2", "Cd3e"])[0], Fate::Matched(0, Route::Alias));
    // Spelling
    assert_eq!(
        routes(&["HLA.A", "C1ORF112", "CD3E"], &["HLA-A", "C1orf112", "CD3E"])[..2],
        [Fate::Matched(0, Route::Spelling), Fate::Matched(1, Route::Spelling)]
    );
    // MARCH1 is a name that spreadsheets turn into a date: that is no name.
    assert_eq!(routes(&["1-Mar", "CD3E"], &["MARCHF1", "CD3E"])[0], Fate::NotFound);
}

#[test]
fn no_gene_takes_a_feature_from_one_with_a_better_name() {
    let table = table();
    let reference = [symbol("SEPTIN2"), symbol("MS4A1"), symbol("CD3E")];
    let query = ["KIAA0158", "SEPT2", "SEPTIN2", "FMC7", "CD20", "CD3E"].map(symbol);
    let fates = match_genes(&query, &reference, Some(&table)).fates;
    assert_eq!(
        fates,
        [
            Fate::Duplicate(0),
            Fate::Duplicate(0),
            Fate::Matched(0, Route::Symbol),
            Fate::Duplicate(1),
            Fate::Matched(1, Route::Previous),
            Fate::Matched(2, Route::Symbol),
        ]
    );
    // A name in use is never an old name of another gene.
    assert_eq!(
        table.gene_of_name(Species::Human, "TNF"),
        table.gene_of_id(Species::Human, "ENSG00000232810").map(|gene| { (gene, sextant::genes::Standing::Symbol) })
    );
}

#[test]
fn ids_decide_where_they_are_known() {
    let table = table();
    let reference =
        [with_id("ENSG00000284770", "TBCE"), with_id("ENSG00000206503", "HLA-A"), with_id("ENSG00000156738", "MS4A1")];
    let query = [
        // A retired id of the same gene, and another locus of the same gene
        with_id("ENSG00000116957", "TBCE"),
        with_id("ENSG00000223980", "HLA-A"),
        // Another gene under that symbol
        with_id("ENSG00000168385", "MS4A1"),
    ];
    let fates = match_genes(&query, &reference, Some(&table)).fates;
    assert_eq!(fates, [Fate::Matched(0, Route::Symbol), Fate::Matched(1, Route::Symbol), Fate::NotFound]);
    let strict = match_genes(&query, &reference, None).fates;
    assert_eq!(strict, [Fate::NotFound; 3]);
}

#[test]
fn odd_names_are_taken_apart() {
    let reference = ["MS4A1", "CD3E", "ACTB", "PTPRC"].map(symbol);
    let query =
        ["ENSG00000156738_MS4A1", "CD3E_ENSG00000198851", "ACTB|ENSG00000075624.16", "ENSG00000081237.22_PAR_Y"];
    let matched = match_genes(&query.map(symbol), &reference, Some(&table()));
    assert_eq!(matched.feature_of_gene, [Some(0), Some(1), Some(2), Some(3)]);
    let gene_of = |id: &str| with_id(id, "");
    let ids = [gene_of("ENSG00000156738"), gene_of("ENSG00000198851")];
    let matched = match_genes(&["MS4A1_ENSG00000156738", "gene:ENSG00000198851"].map(symbol), &ids, None);
    assert_eq!(matched.by(Route::Id), 2);
}

#[cfg(feature = "cli")]
#[test]
fn the_command_finds_the_table_beside_the_reference_and_tells_of_every_gene() {
    use sextant::reference::{VarianceFloor, bundle};
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("genes");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(folder.join("genes")).expect("a folder");
    let mut reference = fixture::reference("reference_model.tsv.gz", VarianceFloor::None, "");
    let gene = reference.features.iter().position(|gene| gene.symbol == "MS4A1").expect("a feature of the reference");
    // A name of other years
    reference.features[gene].symbol = "CD20".into();
    let path = folder.join("golden.sextant.zip");
    std::fs::write(&path, bundle::write(&reference).expect("a bundle")).expect("written");
    let run = |out: &str, table: Option<&str>| {
        let out = folder.join(out);
        let query = fixture::folder().join("query.h5");
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sextant"));
        command.arg("map").arg(query).arg("--reference").arg(&path).arg("--out").arg(&out);
        command.args(table.iter().flat_map(|table| ["--genes", table]));
        let output = command.output().expect("the command runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let summary = std::fs::read_to_string(out.join("summary.json")).expect("a summary");
        let summary: serde_json::Value = serde_json::from_str(&summary).expect("JSON");
        (summary, std::fs::read_to_string(out.join("genes.tsv")).expect("a table of genes"))
    };
    let (summary, genes) = run("without", None);
    assert!(summary["gene_table"].is_null());
    assert!(genes.contains("\t\tCD20\tnot in the file\n"), "CD20 is not found");
    let unmatched = genes.lines().find(|line| line.starts_with("MS4A1\t")).unwrap_or_default();
    assert!(unmatched.ends_with("\t\tnot in the reference"), "{unmatched}");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/genes/small.sextant.table");
    let (named, _) = run("named", Some(source));
    std::fs::copy(source, folder.join("genes/genes.sextant.table")).expect("copied");
    assert!(run("none", Some("none")).0["gene_table"].is_null());
    let (summary, genes) = run("beside", None);
    assert_eq!(summary["gene_table"]["version"], "1");
    assert_eq!(summary["genes_matched"], named["genes_matched"]);
    assert_eq!(summary["genes_matched"]["routes"]["previous"], 1);
    let lines: Vec<&str> = genes.lines().collect();
    assert_eq!(lines[0], "gene\tid\tfeature\troute");
    assert!(lines.iter().any(|line| line.starts_with("MS4A1\t") && line.ends_with("\tCD20\tprevious")));
    assert_eq!(
        lines.iter().filter(|line| line.ends_with("\tnot in the file")).count()
            + summary["genes_in_common"].as_u64().expect("a number") as usize,
        reference.features.len()
    );
    let error = std::process::Command::new(env!("CARGO_BIN_EXE_sextant"))
        .args(["map", "x.h5", "--reference"])
        .arg(&path)
        .args(["--out", "x", "--genes"])
        .arg(&path)
        .output()
        .expect("the command runs");
    assert_eq!(error.status.code(), Some(4));
    assert_eq!(
        String::from_utf8_lossy(&error.stderr),
        "sextant: The table of gene names is damaged (it is no text). Download it again; its name ends in .sextant.table.\n"
    );
}
