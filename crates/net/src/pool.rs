//! Buffers that belong to a thread and are lent to whichever connection has
//! something to do. Those that grew large are not kept.

use bytes::BytesMut;
use std::cell::RefCell;

/// What is read at once; also what a kept buffer may hold.
pub(crate) const READ_BYTES: usize = 16 << 10;
/// A larger output buffer is not kept.
const LARGE_BYTES: usize = 256 << 10;

thread_local! {
    static OUTPUT: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
    static INPUT: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
}

/// Enough for a connection that encrypts while another waits in the middle of
/// its work.
const KEPT: usize = 4;

/// An empty buffer to write into. Goes back when it is dropped.
#[derive(Debug)]
pub(crate) struct Buffer {
    bytes: BytesMut,
}

impl Buffer {
    pub(crate) fn borrow() -> Self {
        let kept = OUTPUT.with_borrow_mut(Vec::pop);
        Self {
            bytes: kept.unwrap_or_default(),
        }
    }

    pub(crate) fn bytes(&mut self) -> &mut BytesMut {
        &mut self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        if bytes.capacity() == 0 || bytes.capacity() > LARGE_BYTES {
            return;
        }
        bytes.clear();
        OUTPUT.with_borrow_mut(|kept| {
            if kept.len() < KEPT {
                kept.push(bytes);
            }
        });
    }
}

/// A buffer to read into that begins with `rest`, which is left empty.
pub(crate) fn input(rest: &mut BytesMut) -> BytesMut {
    if rest.len() > READ_BYTES / 2 {
        // More than half a buffer is waiting for the rest of something large:
        // it grows in place.
        let mut input = std::mem::take(rest);
        input.reserve(READ_BYTES);
        return input;
    }
    let kept = INPUT.with_borrow_mut(Vec::pop);
    let mut input = kept.unwrap_or_default();
    // Takes the old memory again unless somebody still holds a part of it.
    input.reserve(READ_BYTES);
    input.extend_from_slice(rest);
    *rest = BytesMut::new();
    input
}

/// Takes an input buffer back. What is left in it goes into `rest`.
pub(crate) fn take_back(mut input: BytesMut, rest: &mut BytesMut) {
    if input.len() > READ_BYTES / 2 {
        *rest = input;
        return;
    }
    *rest = BytesMut::from(&input[..]);
    input.clear();
    INPUT.with_borrow_mut(|kept| {
        if kept.len() < KEPT && input.capacity() <= LARGE_BYTES {
            kept.push(input);
        }
    });
}
