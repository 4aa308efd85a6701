//! Compressed streams: zlib, gzip, Zstandard, bzip2.

use super::Decoded;
use ruzstd::decoding::FrameDecoder;
use std::io::Read;
use zlib_rs::{Inflate, InflateFlush, Status};

/// The window of a Zstandard frame that is kept while it is decoded, in bytes, at most. Frames of chunks are
/// written with far less.
const LARGEST_WINDOW: u64 = 128 << 20;

/// Decoders of one thread, kept from chunk to chunk.
pub struct Streams {
    inflate: Inflate,
    zstandard: FrameDecoder,
}

impl Streams {
    pub fn new() -> Self {
        Streams { inflate: Inflate::new(true, 15), zstandard: FrameDecoder::new() }
    }

    /// Inflates a zlib stream; `expected` bytes of room are made at first, `limit` at most.
    pub fn zlib(&mut self, input: &[u8], output: &mut Vec<u8>, expected: usize, limit: usize) -> Decoded<()> {
        self.inflate.reset(true);
        self.inflate(input, output, expected, limit)
    }

    /// Inflates the first member of a gzip file.
    ///
    /// # Source
    /// RFC 1952, section 2.3.
    pub fn gzip(&mut self, input: &[u8], output: &mut Vec<u8>, expected: usize, limit: usize) -> Decoded<()> {
        const WHY: &str = "a gzip chunk does not decompress";
        let &[0x1f, 0x8b, 8, flags, _, _, _, _, _, _, ref rest @ ..] = input else {
            return Err(WHY);
        };
        let mut rest = rest;
        if flags & 4 != 0 {
            let &[low, high, ref extra @ ..] = rest else { return Err(WHY) };
            rest = extra.get(usize::from(u16::from_le_bytes([low, high]))..).ok_or(WHY)?;
        }
        // A name and a comment, each ended by a zero.
        for _ in 0..(flags >> 3 & 1) + (flags >> 4 & 1) {
            let end = rest.iter().position(|&byte| byte == 0).ok_or(WHY)?;
            rest = &rest[end + 1..];
        }
        if flags & 2 != 0 {
            rest = rest.get(2..).ok_or(WHY)?;
        }
        self.inflate.reset(false);
        self.inflate(rest, output, expected, limit)
    }

    fn inflate(&mut self, input: &[u8], output: &mut Vec<u8>, expected: usize, limit: usize) -> Decoded<()> {
        const WHY: &str = "a gzip chunk does not decompress";
        // No stream makes more than that of its bytes: room is not made for a mere claim.
        let most = limit.min(input.len().saturating_mul(super::EXPANSION as usize));
        output.clear();
        output.resize(expected.clamp(1, most.max(1)), 0);
        loop {
            let (read, written) = (self.inflate.total_in() as usize, self.inflate.total_out() as usize);
            let input = input.get(read..).ok_or(WHY)?;
            let room = output.get_mut(written..).ok_or(WHY)?;
            let status = self.inflate.decompress(input, room, InflateFlush::Finish);
            let done = self.inflate.total_out() as usize;
            match status {
                Ok(Status::StreamEnd) => {
                    output.truncate(done);
                    return Ok(());
                }
                Ok(Status::Ok | Status::BufError) if done == output.len() && done < most => {
                    output.resize(done.saturating_mul(2).min(most), 0);
                }
                _ => return Err(WHY),
            }
        }
    }

    /// Decodes Zstandard frames.
    pub fn zstandard(&mut self, input: &[u8], output: &mut Vec<u8>, expected: usize, limit: usize) -> Decoded<()> {
        const WHY: &str = "a Zstandard chunk does not decompress";
        let window = (limit as u64).next_power_of_two().clamp(1 << 20, LARGEST_WINDOW);
        self.zstandard.set_max_window_size(window);
        // Frames of strings mostly tell how much they hold.
        let mut room = expected.max(1);
        loop {
            output.clear();
            output.resize(room, 0);
            match self.zstandard.decode_all(input, output) {
                Ok(written) if written > 0 || input.is_empty() => {
                    output.truncate(written);
                    return if input.is_empty() { Err(WHY) } else { Ok(()) };
                }
                Err(ruzstd::decoding::errors::FrameDecoderError::TargetTooSmall) if room < limit => {
                    room = room.saturating_mul(4).min(limit);
                }
                _ => return Err(WHY),
            }
        }
    }

    /// Decodes Zstandard frames of a known size straight to their place.
    pub fn zstandard_into(&mut self, input: &[u8], output: &mut [u8]) -> Decoded<()> {
        self.zstandard.set_max_window_size((output.len() as u64).next_power_of_two().clamp(1 << 20, LARGEST_WINDOW));
        match self.zstandard.decode_all(input, output) {
            Ok(written) if written == output.len() => Ok(()),
            _ => Err("a Zstandard chunk does not decompress"),
        }
    }

    /// Inflates a zlib stream of a known size straight to its place.
    pub fn zlib_into(&mut self, input: &[u8], output: &mut [u8]) -> Decoded<()> {
        self.inflate.reset(true);
        match self.inflate.decompress(input, output, InflateFlush::Finish) {
            Ok(Status::StreamEnd) if self.inflate.total_out() == output.len() as u64 => Ok(()),
            _ => Err("a gzip chunk does not decompress"),
        }
    }
}

/// Decodes bzip2 streams.
pub fn bzip2(input: &[u8], output: &mut Vec<u8>, limit: usize) -> Decoded<()> {
    output.clear();
    let mut decoder = bzip2::read::MultiBzDecoder::new(input).take(limit as u64 + 1);
    match decoder.read_to_end(output) {
        Ok(_) if output.len() <= limit && !input.is_empty() => Ok(()),
        _ => Err("a bzip2 chunk does not decompress"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gzip_member_may_have_a_name_and_extra_fields() {
        // Stored, not compressed: "abc".
        let body = [1, 3, 0, 0xfc, 0xff, b'a', b'b', b'c'];
        let mut streams = Streams::new();
        for (flags, fields) in [(0u8, &[][..]), (8, b"name\0"), (4 | 8 | 16 | 2, &[2, 0, 9, 9, b'n', 0, b'c', 0, 7, 7])]
        {
            let mut member = vec![0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3];
            member.extend(fields);
            member.extend(body);
            let mut output = Vec::new();
            assert_eq!(streams.gzip(&member, &mut output, 1, 64), Ok(()), "flags {flags}");
            assert_eq!(output, b"abc");
            for end in 0..member.len() {
                assert!(streams.gzip(&member[..end], &mut output, 3, 64).is_err(), "{end} of flags {flags}");
            }
        }
    }
}
