//! The memory of a connection: the room for its future, and the record buffers. All that is unsafe about it is here.

use core::cell::UnsafeCell;
use core::future::Future;
use core::mem::MaybeUninit;
use core::pin::Pin;
use core::sync::atomic::{Ordering, compiler_fence};
use core::task::{Context, Poll, Waker};

/// Futures of connections need no more.
const ALIGNMENT: usize = 8;

/// Room for a future, whose type has no name. It is told by the function that makes it.
#[repr(C, align(8))]
pub(super) struct Storage<const SIZE: usize>(UnsafeCell<[MaybeUninit<u8>; SIZE]>);

/// How much room a future needs.
pub(super) const fn size_of_future<F, A, Future>(_: &F) -> usize
where
    F: Fn(A) -> Future,
{
    assert!(align_of::<Future>() <= ALIGNMENT);
    size_of::<Future>()
}

impl<const SIZE: usize> Storage<SIZE> {
    pub(super) const fn new() -> Self {
        Self(UnsafeCell::new([MaybeUninit::zeroed(); SIZE]))
    }

    /// Puts a future in place.
    ///
    /// # Safety
    /// The one before is not polled any more.
    #[inline(never)]
    pub(super) unsafe fn begin<A, F: Future>(&'static self, make: fn(A) -> F, argument: A) {
        const { assert!(size_of::<F>() <= SIZE && align_of::<F>() <= ALIGNMENT) };
        // SAFETY: there is room for it.
        unsafe { self.0.get().cast::<F>().write(make(argument)) }
    }

    /// Polls the future, on a stack of its own: [`wipe_stack`] can wipe all of that.
    ///
    /// # Safety
    /// It was begun with the same function, has not ended, and was not wiped.
    #[inline(never)]
    pub(super) unsafe fn poll<A, F: Future>(&'static self, _: fn(A) -> F) -> Poll<F::Output> {
        // SAFETY: as the caller promises; it stays where it is until it is wiped, after which nobody polls it.
        let future = unsafe { Pin::new_unchecked(&mut *self.0.get().cast::<F>()) };
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    /// Leaves no trace of the future. It holds nothing that would have to be given back.
    pub(super) fn wipe(&self) {
        // SAFETY: all of the array.
        unsafe { wipe(self.0.get().cast(), SIZE) }
    }
}

/// A buffer of the firmware for records.
#[derive(Clone, Copy)]
pub struct Buffer {
    start: *mut u8,
    length: u16,
}

impl Buffer {
    /// # Safety
    /// So many bytes can be read and written there, as long as the buffer is used.
    pub unsafe fn new(start: *mut u8, length: u16) -> Self {
        Self { start, length: if start.is_null() { 0 } else { length } }
    }

    pub(super) fn length(self) -> usize {
        self.length.into()
    }

    /// Whether a byte belongs to both.
    pub(super) fn overlaps(self, other: Self) -> bool {
        let end = |buffer: Self| buffer.start.wrapping_add(buffer.length());
        self.start < end(other) && other.start < end(self)
    }

    /// All of it.
    ///
    /// # Safety
    /// Nobody else uses it meanwhile.
    pub(super) unsafe fn whole(self) -> &'static mut [u8] {
        // SAFETY: as `new` was promised, and as the caller promises. It is not null: that is found when it is chosen.
        unsafe { core::slice::from_raw_parts_mut(self.start, self.length()) }
    }

    /// The byte at an offset; 0 where there is none.
    ///
    /// # Safety
    /// Nobody else uses it meanwhile.
    pub(super) unsafe fn byte(self, offset: usize) -> u8 {
        // SAFETY: it lies inside.
        if offset < self.length() { unsafe { self.start.add(offset).read() } } else { 0 }
    }

    /// Leaves no trace of what was in it.
    ///
    /// # Safety
    /// Nobody else uses it meanwhile.
    pub(super) unsafe fn wipe(self) {
        // SAFETY: as `new` was promised.
        unsafe { wipe(self.start, self.length()) }
    }
}

/// Words of the stack on which secrets lie while a connection is made, which is as deep as the making of a key goes, and while it is
/// open. What verifies the broker goes deeper, but all of that is public.
pub(super) const OPENING_STACK: usize = if cfg!(feature = "secure-mqtt") { 1808 } else { 1708 };
pub(super) const OPEN_STACK: usize = 1024;

/// Leaves no trace of what the functions that the caller has called before had on the stack.
#[inline(never)]
pub(super) fn wipe_stack<const WORDS: usize>() {
    let mut room = [const { MaybeUninit::<usize>::uninit() }; WORDS];
    for word in &mut room {
        // SAFETY: it is there to be written.
        unsafe { word.as_mut_ptr().write_volatile(0) }
    }
}

/// Clears bytes in a way that is not left out because nobody reads them.
///
/// # Safety
/// They can be written.
#[inline(never)]
unsafe fn wipe(start: *mut u8, length: usize) {
    for offset in 0..length {
        // SAFETY: as the caller promises.
        unsafe { start.add(offset).write_volatile(0) }
    }
    compiler_fence(Ordering::SeqCst);
}
