#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sextant_fuzz::read(vec![("file".to_owned(), bytes.to_vec())]));
