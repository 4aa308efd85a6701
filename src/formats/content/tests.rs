//! Content of every layer, whole and cut.

use super::*;

fn content(bytes: Vec<u8>) -> Content {
    let cache = BlockCache::new(Box::new(Cursor::new(bytes))).unwrap();
    Content::of_source("f", Arc::new(cache))
}

fn all(content: &Content) -> Result<Vec<u8>> {
    Ok(content.read_all(1 << 24)?.unwrap())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut deflate =
        zlib_rs::Deflate::new_with_config(zlib_rs::DeflateConfig { window_bits: 31, ..zlib_rs::DeflateConfig::new(6) });
    let mut packed = vec![0; bytes.len() + 100];
    deflate.compress(bytes, &mut packed, zlib_rs::DeflateFlush::Finish).unwrap();
    packed.truncate(deflate.total_out() as usize);
    packed
}

fn text() -> Vec<u8> {
    (0..200_000u32).flat_map(|i| format!("{} ", i * 7 % 1013).into_bytes()).collect()
}

#[test]
fn gzip_of_one_and_of_several_streams() {
    let text = text();
    let half = text.len() / 2;
    let mut several = gzip(&text[..half]);
    several.extend(gzip(&[]));
    several.extend(gzip(&text[half..]));
    several.extend([0; 300]);
    for packed in [gzip(&text), several] {
        let content = content(packed).unpacked().unwrap();
        assert_eq!(all(&content).unwrap(), text);
        assert_eq!(all(&content).unwrap(), text, "a second time");
    }
    let plain = content(text.clone()).unpacked().unwrap();
    assert!(plain.window().is_some());
    assert_eq!(plain.read_all(1000).unwrap(), None);
    assert_eq!(all(&content(b"\x1f".to_vec()).unpacked().unwrap()).unwrap(), b"\x1f");
    assert_eq!(all(&content(gzip(&gzip(b"a"))).unpacked().unwrap()).unwrap(), gzip(b"a"), "one layer");
}

#[test]
fn content_becomes_a_source_of_its_own() {
    let text = text();
    let packed = content(gzip(&text)).unpacked().unwrap();
    for whole in [content(text.clone()), packed.clone(), content(text.clone()).part("p", 0, text.len() as u64)] {
        let source = whole.seekable().unwrap();
        let mut read = [0; 5];
        source.read_exact_at(70_000, &mut read).unwrap();
        assert_eq!((source.len(), &read[..]), (text.len() as u64, &text[70_000..70_005]));
    }
    let inner = content(text.clone()).part("p", 10, 20).seekable().unwrap();
    let mut read = [0; 20];
    inner.read_exact_at(0, &mut read).unwrap();
    assert_eq!((inner.len(), &read[..]), (20, &text[10..30]));
    assert_eq!(
        packed.seekable_within(500_000).err().map(|error| error.message).unwrap_or_default(),
        "\"f\" is compressed as a whole, and unpacked it has more than 0 MB, which have to be in memory. Unpack it first."
    );
    let cut = content(text.clone()).part("p", 0, 1 << 40);
    let tail = "The file is damaged or was not written completely; copy or download it again, or write it again from its \
                source.";
    let message = all(&cut).unwrap_err().message;
    assert_eq!(message, format!("\"p\" cannot be read: the archive ends before this member does. {tail}"));
    let behind = content(text).part("p", 1 << 40, 2);
    assert_eq!(
        all(&behind).unwrap_err().message,
        format!("\"f\" cannot be read: it ends before its data does. {tail}")
    );
}

#[test]
fn cut_and_changed_gzip_is_an_error() {
    let packed = gzip(&text());
    let message = |bytes: &[u8]| all(&content(bytes.to_vec()).unpacked().unwrap()).unwrap_err().message;
    let tail = "The file is damaged or was not written completely; copy or download it again, or write it \
                again from its source.";
    for length in [2, 9, 20, packed.len() / 2, packed.len() - 1] {
        let expected = format!("\"f\" cannot be read: its compressed data ends early. {tail}");
        assert_eq!(message(&packed[..length]), expected, "{length}");
    }
    let mut changed = packed.clone();
    let at = changed.len() - 6;
    changed[at] ^= 1;
    assert_eq!(message(&changed), format!("\"f\" cannot be read: its gzip compression is damaged. {tail}"));
}

#[test]
fn parts_of_plain_and_of_packed_content() {
    let text = text();
    let packed = content(gzip(&text)).unpacked().unwrap();
    for whole in [content(text.clone()), packed] {
        let part = whole.part("part", 1000, 500_000);
        assert_eq!(all(&part).unwrap(), text[1000..501_000]);
        let inner = part.part("inner", 10, 20);
        assert_eq!(all(&inner).unwrap(), text[1010..1030]);
        let mut reader = part.reader().unwrap();
        reader.skip(499_998).unwrap();
        let mut last = [0; 9];
        assert_eq!(reader.fill(&mut last).unwrap(), 2);
        assert!(all(&whole.part("beyond", 1000, u64::MAX)).is_err());
        assert!(all(&whole.part("beyond", u64::MAX, 2)).is_err());
    }
}

#[test]
fn what_expands_without_end_is_refused() {
    // Frames of Zstandard with one block of one byte that is repeated.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0x58];
    frame.extend(&((128 << 10 << 3) | 0b11u32).to_le_bytes()[..3]);
    frame.push(b'0');
    let bomb = content(frame.repeat(600)).unpacked().unwrap();
    let mut reader = bomb.reader().unwrap();
    reader.skip(60 << 20).unwrap();
    assert_eq!(
        reader.skip(18 << 20).unwrap_err().message,
        "\"f\" cannot be read: it expands to more than 73 MB, which the data of an experiment do not. The file is damaged or \
         was not written completely; copy or download it again, or write it again from its source."
    );
    assert_eq!((reader.passed(), bomb.work()), (6_000, 6_000));
}
