//! What requests use in turn: heads, Records and deadlines whose memory stays with the worker.
//!
//! A request needs a few kilobytes of it for as long as it lasts. Made anew they would be
//! allocated, cleared and copied into each future that holds them; lent, a future holds a pointer.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

use super::deadline::Deadlines;
use super::message::{RequestHead, ResponseHead};
use crate::limits;
use crate::telemetry::Record;

/// What can be used again.
pub trait Spare: Default {
    /// Forgets the last use and keeps its memory. False where that is too much to keep.
    fn renew(&mut self) -> bool;
}

/// A worker's spares of one kind; the one that was used last is in the caches and lent first.
pub struct Spares<T: Spare>(Rc<RefCell<Vec<Box<T>>>>);

impl<T: Spare> Spares<T> {
    pub fn lend(&self) -> Lent<T> {
        let spare = self.0.borrow_mut().pop();
        Lent { item: Some(spare.unwrap_or_default()), home: Rc::clone(&self.0) }
    }
}

impl<T: Spare> Default for Spares<T> {
    fn default() -> Self {
        Self(Rc::default())
    }
}

/// Goes back, renewed, when it is dropped.
pub struct Lent<T: Spare> {
    /// `None` only while it is dropped.
    item: Option<Box<T>>,
    home: Rc<RefCell<Vec<Box<T>>>>,
}

impl<T: Spare> Deref for Lent<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.item.as_deref().expect("lent until it is dropped")
    }
}

impl<T: Spare> DerefMut for Lent<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.item.as_deref_mut().expect("lent until it is dropped")
    }
}

impl<T: Spare> Drop for Lent<T> {
    fn drop(&mut self) {
        let Some(mut item) = self.item.take() else { return };
        if !item.renew() {
            return;
        }
        let mut home = self.home.borrow_mut();
        if home.len() < limits::SPARES {
            home.push(item);
        }
    }
}

impl Spare for Record {
    fn renew(&mut self) -> bool {
        self.clear();
        true
    }
}

/// What a worker keeps.
#[derive(Default)]
pub struct Spared {
    pub requests: Spares<RequestHead>,
    pub responses: Spares<ResponseHead>,
    pub records: Spares<Record>,
    pub deadlines: Spares<Deadlines>,
}

#[cfg(test)]
mod tests;
