//! An allocator that refuses what a test names, so that the sentences of a full memory can be read.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Refusing;

thread_local! {
    /// Bytes of the requests of this thread that are refused.
    static REFUSED: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// Refuses requests for exactly so many bytes while `work` runs.
pub fn without<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    REFUSED.set(bytes);
    let done = work();
    REFUSED.set(usize::MAX);
    done
}

unsafe impl GlobalAlloc for Refusing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Only of bytes: the room for counts is asked for in bytes before they are read.
        if layout.align() == 1 && layout.size() == REFUSED.get() {
            return std::ptr::null_mut();
        }
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Refusing = Refusing;
