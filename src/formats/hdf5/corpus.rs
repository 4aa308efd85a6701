//! Reads files of every kind that h5py writes, and compares with what h5py reads from them.

use super::*;
use crate::formats::elements::IntoF64;
use std::io::Cursor;

fn open(name: &str) -> Hdf5 {
    let path = format!("{}/tests/data/hdf5/{name}", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let cache = BlockCache::new(Box::new(Cursor::new(bytes))).unwrap();
    Hdf5::open(Arc::new(cache)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn of_text(values: &[String]) -> Vec<u8> {
    values.iter().flat_map(|text| [text.as_bytes(), &[0]].concat()).collect()
}

fn of_numbers(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// All values of an array, row by row, by the way that matrices are read.
fn numbers(file: &Hdf5, path: &str) -> Result<Vec<f64>> {
    let array = file.array(path)?;
    if array.rank() < 2 {
        return array.read_f64();
    }
    let (rows, columns) = array.shape();
    let mut values = vec![f64::NAN; (rows * columns) as usize];
    let blocks = array.decode_bands(0..array.bands(), &mut |_| {}, |block| {
        let mut values = vec![Vec::new(); (block.rows.end - block.rows.start) as usize];
        for (row, values) in values.iter_mut().enumerate() {
            values.resize((block.columns.end - block.columns.start) as usize, 0.0);
            block.element.visit(block.row(row), IntoF64(values));
        }
        (block.rows.start, block.columns.start, values)
    })?;
    for (row, column, block) in blocks {
        for (row, part) in (row..).zip(block) {
            let start = (row * columns + column) as usize;
            values[start..start + part.len()].copy_from_slice(&part);
        }
    }
    Ok(values)
}

fn table(file: &Hdf5, path: &str) -> Result<(usize, Vec<u8>)> {
    let table = file.table(path)?;
    let mut bytes = of_text(&table.columns());
    for name in table.columns() {
        bytes.extend(match table.is_text(&name) {
            true => of_text(&table.strings(&name)?),
            false => of_numbers(&table.numbers(&name)?),
        });
    }
    Ok((table.rows(), bytes))
}

/// The number of values and their bytes.
fn values(file: &Hdf5, path: &str, kind: &str) -> Result<(usize, Vec<u8>)> {
    let of_texts = |values: Vec<String>| (values.len(), of_text(&values));
    if let Some(name) = kind.strip_prefix("text@") {
        return Ok(of_texts(file.attribute_texts(path, name)));
    }
    if let Some(name) = kind.strip_prefix("numbers@") {
        let values = file.attribute_numbers(path, name).unwrap_or_default();
        return Ok((values.len(), values.iter().flat_map(|value| value.to_le_bytes()).collect()));
    }
    match kind {
        "number" => numbers(file, path).map(|values| (values.len(), of_numbers(&values))),
        "text" => file.strings(path).map(of_texts),
        "members" => file.members(path).map(of_texts),
        _ => table(file, path),
    }
}

#[test]
fn everything_is_read_as_h5py_reads_it() {
    let path = format!("{}/tests/data/hdf5/expected.tsv", env!("CARGO_MANIFEST_DIR"));
    let expected = std::fs::read_to_string(path).unwrap();
    let mut file = (String::new(), None);
    let mut wrong = Vec::new();
    for line in expected.lines() {
        let [name, path, kind, count, checksum] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        if file.0 != name {
            file = (name.to_owned(), Some(open(name)));
        }
        let file = file.1.as_ref().unwrap();
        if kind == "refused" {
            for result in [values(file, path, "number"), values(file, path, "text")] {
                match result {
                    Ok(_) => wrong.push(format!("{line}: read")),
                    Err(error) if !error.message.contains(path) => wrong.push(format!("{line}: {error}")),
                    Err(_) => {}
                }
            }
            continue;
        }
        match values(file, path, kind) {
            Ok((found, bytes))
                if (found.to_string(), format!("{:08x}", crc32fast::hash(&bytes)))
                    == (count.into(), checksum.into()) => {}
            Ok((found, _)) => wrong.push(format!("{line}: {found} other values")),
            Err(error) => wrong.push(format!("{line}: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), expected.lines().count(), wrong.join("\n"));
    assert!(expected.lines().count() > 600);
}

#[test]
fn what_is_refused_is_named() {
    let file = open("earliest.h5");
    let message = |path: &str| file.array(path).err().map(|error| error.message).unwrap_or_default();
    let advice = "which Sextant does not read; it reads gzip, lzf, Zstandard, LZ4, Blosc, bitshuffle, bzip2 and uncompressed \
                  data. Re-save the file with gzip, for example in Python with \
                  `anndata.read_h5ad(\"in.h5ad\").write_h5ad(\"out.h5ad\", compression=\"gzip\")`, or in a shell with \
                  `h5repack -f GZIP=4 in.h5 out.h5`.";
    assert_eq!(
        message("/filters/refused_szip"),
        format!("\"/filters/refused_szip\" is compressed with szip (filter 4), {advice}")
    );
    assert_eq!(message("/refused/three"), "\"/refused/three\" should have one or two dimensions and has 3.");
    let plugins = open("plugins.h5");
    let zfp = plugins.array("plugins/refused_zfp").err().map(|error| error.message).unwrap_or_default();
    assert_eq!(zfp, format!("\"plugins/refused_zfp\" is compressed with ZFP (filter 32013), {advice}"));
}
