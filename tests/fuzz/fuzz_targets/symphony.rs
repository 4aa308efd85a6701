#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    sextant_fuzz::run("symphony", bytes);
});
