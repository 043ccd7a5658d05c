//! How often each contestant asks for memory: counted by the allocator itself, on this thread.
//!
//! What C code allocates by itself (the cryptography of `aws-lc-rs`, of ours and of others) is in nobody's numbers.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, counting.
pub struct Counting;

thread_local! {
    /// Requests, and bytes of them.
    static ASKED: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

fn count(bytes: usize) {
    // A thread that is ending has no count any more, and may still ask for memory.
    let _ = ASKED.try_with(|asked| {
        let (times, total) = asked.get();
        asked.set((times + 1, total + bytes as u64));
    });
}

// SAFETY: every call goes on to the system's allocator as it came; the counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// How often memory is asked for in one run, and how many bytes, on average of 16 after the first.
pub fn of(mut run: impl FnMut()) -> (u64, u64) {
    run();
    let before = ASKED.get();
    for _ in 0..16 {
        run();
    }
    let after = ASKED.get();
    ((after.0 - before.0) / 16, (after.1 - before.1) / 16)
}
