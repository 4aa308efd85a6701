//! gzip, member after member (RFC 1952), decoded as it is read.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read};
use zlib_rs::{Inflate, InflateFlush, Status};

/// A header of a member longer than this is not believed.
const LONGEST_HEADER: usize = 1 << 16;

/// Reads what gzip compressed; several members are read as one, as `pigz` and `cat` make them.
pub struct GzipReader<R> {
    source: BufReader<R>,
    inflate: Inflate,
    checksum: crc32fast::Hasher,
    state: State,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    First,
    Inside,
    Between,
    /// What came before was good.
    Broken,
    End,
}

fn invalid(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

impl<R: Read> GzipReader<R> {
    pub fn new(source: BufReader<R>) -> Self {
        GzipReader { source, inflate: Inflate::new(false, 15), checksum: crc32fast::Hasher::new(), state: State::First }
    }

    fn bytes<const COUNT: usize>(&mut self) -> std::io::Result<[u8; COUNT]> {
        let mut bytes = [0; COUNT];
        self.source.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn text(&mut self) -> std::io::Result<()> {
        for _ in 0..LONGEST_HEADER {
            if self.bytes::<1>()? == [0] {
                return Ok(());
            }
        }
        Err(invalid("a name in the header has no end"))
    }

    /// Begins a member; false when there is none. What follows the last member and is none, such as zeros that fill
    /// up a tape, is passed over as gzip itself does.
    fn begin(&mut self) -> std::io::Result<bool> {
        let ready = self.source.fill_buf()?;
        if self.state == State::Between && ready.first() != Some(&0x1f) {
            return Ok(false);
        }
        let [first, second, method, flags, ..] = self.bytes::<10>()?;
        if (first, second, method) != (0x1f, 0x8b, 8) {
            return if self.state == State::Between { Ok(false) } else { Err(invalid("no gzip header")) };
        }
        if flags & 4 != 0 {
            let length = u16::from_le_bytes(self.bytes()?);
            for _ in 0..length {
                self.bytes::<1>()?;
            }
        }
        for flag in [8, 16] {
            if flags & flag != 0 {
                self.text()?;
            }
        }
        if flags & 2 != 0 {
            self.bytes::<2>()?;
        }
        self.inflate.reset(false);
        self.checksum.reset();
        Ok(true)
    }

    /// Compares the checksum and the length behind a member.
    fn finish(&mut self) -> std::io::Result<()> {
        let checksum = u32::from_le_bytes(self.bytes()?);
        let length = u32::from_le_bytes(self.bytes()?);
        if checksum != self.checksum.clone().finalize() || length != self.inflate.total_out() as u32 {
            return Err(invalid("the checksum does not fit"));
        }
        Ok(())
    }
}

impl<R: Read> Read for GzipReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while !buffer.is_empty() {
            match self.state {
                State::End => return Ok(0),
                State::Broken => return Err(invalid("it does not decompress")),
                State::First | State::Between => {
                    self.state = if self.begin()? { State::Inside } else { State::End };
                }
                State::Inside => {
                    let input = self.source.fill_buf()?;
                    let ended = input.is_empty();
                    let (taken, given) = (self.inflate.total_in(), self.inflate.total_out());
                    let status = self.inflate.decompress(input, buffer, InflateFlush::NoFlush);
                    let taken = (self.inflate.total_in() - taken) as usize;
                    let given = (self.inflate.total_out() - given) as usize;
                    self.source.consume(taken);
                    self.checksum.update(&buffer[..given]);
                    match status {
                        Ok(Status::StreamEnd) => {
                            self.finish()?;
                            self.state = State::Between;
                        }
                        Ok(_) if given == 0 && ended => return Err(ErrorKind::UnexpectedEof.into()),
                        Ok(_) if given == 0 && taken == 0 => return Err(invalid("it does not go on")),
                        Ok(_) => {}
                        Err(_) => self.state = State::Broken,
                    }
                    if given > 0 {
                        return Ok(given);
                    }
                }
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A member with every field of the header, whose content is stored as it is.
    fn member(content: &[u8]) -> Vec<u8> {
        let mut member = vec![0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3];
        member.extend(b"\x03\0abcname\0comment\0\x12\x34\x01");
        member.extend((content.len() as u16).to_le_bytes());
        member.extend((!(content.len() as u16)).to_le_bytes());
        member.extend(content);
        member.extend(crc32fast::hash(content).to_le_bytes());
        member.extend((content.len() as u32).to_le_bytes());
        member
    }

    fn read(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut content = Vec::new();
        // Pieces of seven bytes, so that everything is cut somewhere.
        GzipReader::new(BufReader::with_capacity(7, bytes)).read_to_end(&mut content)?;
        Ok(content)
    }

    #[test]
    fn members_are_read_as_one() {
        let mut bytes = member(b"first, ");
        bytes.extend(member(b"second"));
        assert_eq!(read(&bytes).unwrap(), b"first, second");
        bytes.extend([0; 20]);
        assert_eq!(read(&bytes).unwrap(), b"first, second");
        assert_eq!(read(&bytes[..bytes.len() - 22]).unwrap_err().kind(), ErrorKind::UnexpectedEof);
        let checksum = bytes.len() - 28;
        bytes[checksum] ^= 1;
        assert_eq!(read(&bytes).unwrap_err().to_string(), "the checksum does not fit");
        assert_eq!(read(b"no gzip at all").unwrap_err().to_string(), "no gzip header");
        let endless = [&[0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3][..], &[b'n'; 1 << 17]].concat();
        assert_eq!(read(&endless).unwrap_err().to_string(), "a name in the header has no end");
        let noise = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &[0xff; 40]].concat();
        assert_eq!(read(&noise).unwrap_err().to_string(), "it does not decompress");
    }
}
