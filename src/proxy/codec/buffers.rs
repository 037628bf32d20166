//! Read and write buffers, given back while a connection is idle and reused by the next busy one.
//!
//! A worker is a thread, so the pool is the thread's own.

use std::cell::RefCell;

use bytes::BytesMut;

use crate::limits;

thread_local! {
    static POOL: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
    static OUTPUTS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Makes room for `room` more bytes; an empty buffer comes from the pool.
pub fn grow(buffer: &mut BytesMut, room: usize) {
    if buffer.is_empty() && buffer.capacity() < room {
        let pooled = POOL.with_borrow_mut(Vec::pop);
        *buffer = pooled.unwrap_or_else(|| BytesMut::with_capacity(limits::READ_BUFFER));
    }
    buffer.reserve(room);
}

/// Takes an empty buffer back. One whose memory is still shared (a replay, a mirror) is dropped,
/// and so is one that has grown.
pub fn give_back(buffer: &mut BytesMut) {
    debug_assert!(buffer.is_empty());
    if buffer.capacity() == 0 {
        return;
    }
    let mut buffer = std::mem::take(buffer);
    if !buffer.try_reclaim(limits::READ_BUFFER) || buffer.capacity() > 2 * limits::READ_BUFFER {
        return;
    }
    POOL.with_borrow_mut(|pool| {
        if pool.len() < limits::POOLED_BUFFERS {
            pool.push(buffer);
        }
    });
}

/// An empty buffer to write heads and small data to.
pub fn take_output() -> Vec<u8> {
    OUTPUTS.with_borrow_mut(Vec::pop).unwrap_or_else(|| Vec::with_capacity(1024))
}

/// Takes a written buffer back unless it has grown.
pub fn give_output_back(buffer: Vec<u8>) {
    if buffer.capacity() == 0 || buffer.capacity() > 2 * limits::READ_BUFFER {
        return;
    }
    OUTPUTS.with_borrow_mut(|pool| {
        if pool.len() < limits::POOLED_BUFFERS {
            pool.push(buffer);
        }
    });
}
