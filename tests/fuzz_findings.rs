//! What fuzzing found stays found: every file in `tests/fuzz/found` is read again, and so are files of every kind with some
//! bytes changed, the same ones in every run.

#[path = "common/files.rs"]
mod files;
#[path = "common/watching.rs"]
mod watching;
#[path = "fuzz/lib.rs"]
mod fuzz;

use files::Random;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use watching::LARGEST;

/// One small file of each kind that is read: where it lies in `tests/data`, and the target that takes it.
const KINDS: [(&str, &str); 38] = [
    ("hdf5", "formats/tenx_v2.h5"),
    ("hdf5", "formats/tenx_v3.h5"),
    ("hdf5", "formats/dense_tenx.h5"),
    ("hdf5", "formats/anndata_07.h5ad"),
    ("hdf5", "formats/compressed_all.h5ad"),
    ("hdf5", "formats/columns.h5ad"),
    ("hdf5", "formats/small.h5seurat"),
    ("hdf5", "formats/layers.loom"),
    ("hdf5", "formats/small.h5mu"),
    ("hdf5", "formats/csr_latest.h5ad"),
    ("hdf5", "formats/counts_found/log1p.h5ad"),
    ("zarr", "formats/zarr2_codecs.zarr.tar"),
    ("zarr", "formats/zarr3_codecs.zarr.tar"),
    ("mex", "formats/text/mex_v2"),
    ("mex", "formats/text/kallisto"),
    ("archive", "formats/zarr2_stored.zarr.zip"),
    ("archive", "formats/zarr2_deflated.zarr.zip"),
    ("archive", "formats/zarr3_csr.zarr.tar"),
    ("archive", "formats/text/geo.tar"),
    ("archive", "formats/text/cellranger.tar.gz"),
    ("archive", "formats/text/stored.zip"),
    ("archive", "formats/text/zip64.zip"),
    ("table", "formats/text/genes.csv"),
    ("table", "formats/text/cells.tsv"),
    ("table", "formats/text/feature_counts.txt"),
    ("table", "formats/text/genes.csv.bz2"),
    ("table", "formats/text/genes.csv.xz"),
    ("table", "formats/text/genes.csv.zst"),
    ("archive", "formats/text/mex.tar.xz"),
    ("archive", "formats/text/pax.tar"),
    ("r", "formats/r/dgc_plain.rds"),
    ("r", "formats/r/dgc_ascii.rds"),
    ("r", "formats/r/dgc_gzip.rds"),
    ("r", "formats/r/ascii.rda"),
    ("bundle", "bundle/small.tar"),
    ("genes", "genes/small.sextant.table"),
    ("azimuth", "azimuth/spca_v2.Rds"),
    ("symphony", "symphony/plain.rds"),
];
/// Changed copies of each. Together they take some seconds.
const ROUNDS: usize = 120;
/// No file of this size may take longer, even in an unoptimised build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// The bytes of a file, or of a tar archive of the files in a folder.
fn content(path: &Path) -> Vec<u8> {
    const BLOCK: usize = 512;
    if path.is_file() {
        return std::fs::read(path).expect("a file");
    }
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(path).expect("a folder").map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut tar = Vec::new();
    for file in files {
        let bytes = std::fs::read(&file).expect("a file");
        let mut header = [0; BLOCK];
        let name = file.file_name().expect("a name").as_encoded_bytes();
        header[..name.len()].copy_from_slice(name);
        header[124..135].copy_from_slice(format!("{:011o}", bytes.len()).as_bytes());
        header[156] = b'0';
        tar.extend(header);
        tar.extend(&bytes);
        tar.resize(tar.len().next_multiple_of(BLOCK), 0);
    }
    tar
}

/// Reads bytes within time and memory.
#[allow(clippy::disallowed_methods)] // Only the clock can tell that it hangs.
fn run(target: &str, name: &str, bytes: &[u8]) -> bool {
    let start = Instant::now();
    let read = fuzz::run(target, bytes);
    assert!(start.elapsed() < PATIENCE, "{target} {name} took {:?}", start.elapsed());
    let largest = LARGEST.load(Ordering::Relaxed);
    assert!(largest < 256 << 20, "{largest} bytes were asked for at once by {target} {name}");
    read
}

/// A bit, some bytes, a run of bytes, a digit, a piece that is lost or twice there, or the end cut off.
fn mutant(whole: &[u8], round: usize, random: &mut Random) -> Vec<u8> {
    let mut mutant = whole.to_vec();
    let at = random.below(whole.len());
    let end = (at + 1 + random.below(12)).min(whole.len());
    match round % 7 {
        0 => mutant[at] ^= 1 << random.below(8),
        1 => (0..6).for_each(|_| mutant[random.below(whole.len())] = random.below(256) as u8),
        2 => mutant[at..end].fill([0xff, 0, 0x7f, 0x80][random.below(4)]),
        3 => mutant[at..end].fill(b"9-0 \n"[random.below(5)]),
        4 => drop(mutant.drain(at..end)),
        5 => drop(mutant.splice(at..at, whole[at..end].to_vec())),
        _ => mutant.truncate(at),
    }
    mutant
}

#[test]
fn what_was_found_is_read_again() {
    let mut count = 0;
    for target in fuzz::TARGETS {
        let Ok(found) = std::fs::read_dir(tests().join("fuzz/found").join(target)) else { continue };
        for entry in found {
            let path = entry.expect("an entry of the folder").path();
            let bytes = std::fs::read(&path).expect("a file");
            run(target, &path.display().to_string(), &bytes);
            count += 1;
        }
    }
    assert!(count > 0, "there are findings");
}

#[test]
fn changed_files_of_every_kind_are_read_or_explained() {
    for (target, name) in KINDS {
        let whole = content(&tests().join("data").join(name));
        assert!(run(target, name, &whole), "{name} can be read as it is");
        let mut random = Random(0x5eed_5eed_5eed);
        let read = (0..ROUNDS).filter(|&round| run(target, name, &mutant(&whole, round, &mut random))).count();
        assert!(read < ROUNDS, "no change was noticed in {name}");
    }
}
