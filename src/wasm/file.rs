//! The browser's `File` as `Read + Seek`. It is read on the engine's own worker only.

use crate::formats::{self, Input, OpenFile};
use js_sys::Function;
use std::cell::RefCell;
use std::io::{Error, Read, Result, Seek, SeekFrom};
use wasm_bindgen::prelude::*;

/// Opens files together. `paths` are their names, or their paths in the folder that was dropped.
///
/// # Errors
/// As [`formats::open`].
pub fn open(files: Vec<web_sys::File>, paths: Vec<String>) -> crate::Result<OpenFile> {
    let input = |(file, path): (web_sys::File, String)| {
        Input::new(path, Box::new(BrowserFile::new(file)) as Box<dyn formats::Source>)
    };
    formats::open(files.into_iter().zip(paths).map(input).collect())
}

/// The stage of [`Watch`].
const LOOKING: &str = "Looking into the file";

thread_local! {
    /// JavaScript objects belong to one thread, while a source must be `Send`: so the files stay here.
    static FILES: RefCell<Files> = const { RefCell::new(Files { open: Vec::new(), free: Vec::new() }) };
    static WATCHED: RefCell<Option<Watched>> = const { RefCell::new(None) };
    /// Where buffers go that are no longer needed.
    static SINK: RefCell<Option<web_sys::MessagePort>> = const { RefCell::new(None) };
}

/// A folder may have a hundred thousand files, so the places of closed ones are listed and not looked for.
struct Files {
    open: Vec<Option<web_sys::File>>,
    free: Vec<usize>,
}

/// How far the files were read since a [`Watch`] began.
struct Watched {
    /// Bytes of all files.
    total: f64,
    /// The furthest byte of each file, added up.
    seen: f64,
    report: Function,
}

/// While it lives, a callback hears how much of the files was looked at, as the stage "Looking into the file": so the
/// page shows life while a file is opened that has to be read to its end for that.
pub struct Watch;

impl Watch {
    /// `total`: bytes of the files that are about to be opened.
    pub fn begin(total: f64, report: Function) -> Self {
        WATCHED.set(Some(Watched { total: total.max(1.0), seen: 0.0, report }));
        Watch::advance(0);
        Watch
    }

    fn advance(bytes: u64) {
        WATCHED.with_borrow_mut(|watched| {
            let Some(watched) = watched else {
                return;
            };
            watched.seen += bytes as f64;
            let share = (watched.seen / watched.total).min(1.0);
            // What the callback throws is of no concern to the engine.
            let _ = watched.report.call2(&JsValue::NULL, &LOOKING.into(), &share.into());
        });
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        WATCHED.set(None);
    }
}

/// A number in [`FILES`], with the file's length and the position of the next read.
pub struct BrowserFile {
    slot: usize,
    length: u64,
    position: u64,
    /// The end of what was read so far.
    furthest: u64,
}

impl BrowserFile {
    pub fn new(file: web_sys::File) -> Self {
        let length = file.size() as u64;
        let slot = FILES.with_borrow_mut(|files| {
            let slot = files.free.pop().unwrap_or_else(|| {
                files.open.push(None);
                files.open.len() - 1
            });
            files.open[slot] = Some(file);
            slot
        });
        BrowserFile { slot, length, position: 0, furthest: 0 }
    }
}

impl Drop for BrowserFile {
    fn drop(&mut self) {
        FILES.with_borrow_mut(|files| {
            if files.open.get_mut(self.slot).and_then(Option::take).is_some() {
                files.free.push(self.slot);
            }
        });
    }
}

impl Read for BrowserFile {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let end = self.position.saturating_add(buffer.len() as u64).min(self.length);
        if end <= self.position {
            return Ok(0);
        }
        let bytes = FILES.with_borrow(|files| {
            let file =
                files.open.get(self.slot).and_then(Option::as_ref).ok_or_else(|| Error::other("the file is closed"))?;
            read_slice(file, self.position, end)
        })?;
        let length = (bytes.length() as usize).min(buffer.len());
        bytes.subarray(0, length as u32).copy_to(&mut buffer[..length]);
        give_back(&bytes.buffer());
        self.position += length as u64;
        if self.position > self.furthest {
            Watch::advance(self.position - self.furthest);
            self.furthest = self.position;
        }
        Ok(length)
    }
}

/// Frees a buffer at once, by sending it to a port that nobody has: the pieces of a file of 5 GB would otherwise grow to
/// gigabytes, since the garbage collector has little reason to run while the engine works. (Neither
/// `ArrayBuffer.transfer(0)` nor detaching in another way within the language does that in Chromium: the browser's own
/// object goes on holding the bytes until it is collected.) Where it cannot be done, they are collected some time.
fn give_back(buffer: &js_sys::ArrayBuffer) {
    // A port may learn meanwhile that it is alone, and then it takes nothing more.
    for _ in 0..2 {
        let Some(port) = SINK.with_borrow_mut(|sink| sink.take().or_else(lonely_port)) else {
            return;
        };
        let sent = port.post_message_with_transferable(&JsValue::NULL, &js_sys::Array::of1(buffer));
        if sent.is_ok() && buffer.byte_length() == 0 {
            SINK.set(Some(port));
            return;
        }
    }
}

/// A port whose other end is closed.
fn lonely_port() -> Option<web_sys::MessagePort> {
    let channel = web_sys::MessageChannel::new().ok()?;
    channel.port2().close();
    Some(channel.port1())
}

fn read_slice(file: &web_sys::File, start: u64, end: u64) -> Result<js_sys::Uint8Array> {
    // The browser says why in its own words: "NotReadableError" when the file was changed or removed meanwhile.
    let said = |error: JsValue| {
        let message = error.dyn_ref::<js_sys::Error>().map_or_else(|| "unknown".into(), js_sys::Error::message);
        Error::other(format!("the browser cannot read the file any more ({})", String::from(message)))
    };
    let slice = file.slice_with_f64_and_f64(start as f64, end as f64).map_err(said)?;
    let buffer = web_sys::FileReaderSync::new().and_then(|reader| reader.read_as_array_buffer(&slice)).map_err(said)?;
    Ok(js_sys::Uint8Array::new(&buffer))
}

impl Seek for BrowserFile {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let position = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or_else(|| Error::other("a position before the start of the file"))?;
        Ok(self.position)
    }
}
