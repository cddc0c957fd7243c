//! Where does Mbed TLS put what it allocates, and how much is that at most? In a static array, over `embedded-alloc`.
//!
//! Nothing else here allocates once the job has begun.

use core::{
    alloc::{GlobalAlloc, Layout},
    mem::MaybeUninit,
    sync::atomic::{AtomicUsize, Ordering},
};

use embedded_alloc::LlffHeap;
use static_cell::ConstStaticCell;

/// Bytes. What the cases take at most stands in the README; a longer chain takes more: some 2 KB for each certificate
/// besides its own length.
pub const CAPACITY: usize = 40 * 1024;

#[global_allocator]
static HEAP: Gauged = Gauged { heap: LlffHeap::empty(), peak: AtomicUsize::new(0) };

/// A heap that knows how full it has been.
struct Gauged {
    heap: LlffHeap,
    peak: AtomicUsize,
}

// SAFETY: every call goes to an allocator that keeps the promises of this trait; the count beside it touches no memory of
// it. Where there is no room left, that one answers null, and so does this.
unsafe impl GlobalAlloc for Gauged {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise about the layout is the one that is asked for.
        let allocated = unsafe { self.heap.alloc(layout) };
        self.peak.fetch_max(self.heap.used(), Ordering::Relaxed);
        allocated
    }

    unsafe fn dealloc(&self, allocated: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise about pointer and layout is the one that is asked for.
        unsafe { self.heap.dealloc(allocated, layout) };
    }
}

/// Makes room. Before this, there is no memory to allocate; later calls change nothing.
pub fn start() {
    static ROOM: ConstStaticCell<[MaybeUninit<u8>; CAPACITY]> = ConstStaticCell::new([MaybeUninit::uninit(); CAPACITY]);
    if let Some(room) = ROOM.try_take() {
        // SAFETY: the room is static, of this length, borrowed mutably by nobody else ever, and this happens once.
        unsafe { HEAP.heap.init(room.as_mut_ptr() as usize, room.len()) };
    }
}

/// Bytes in use.
#[must_use]
pub fn in_use() -> usize {
    HEAP.heap.used()
}

/// Bytes in use at the worst moment so far.
#[must_use]
pub fn high_water() -> usize {
    HEAP.peak.load(Ordering::Relaxed)
}
