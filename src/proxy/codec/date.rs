//! The `Date` of answers that come without one (RFC 9110 §6.6.1), written once a second.

use std::cell::RefCell;
use std::time::UNIX_EPOCH;

use crate::clock;

thread_local! {
    static DATE: RefCell<(u64, String)> = const { RefCell::new((0, String::new())) };
}

/// Gives `use_date` the date of now, as IMF-fixdate.
pub fn with<T>(use_date: impl FnOnce(&str) -> T) -> T {
    let now = clock::since_epoch();
    DATE.with_borrow_mut(|(second, text)| {
        if *second != now.as_secs() {
            *second = now.as_secs();
            *text = httpdate::fmt_http_date(UNIX_EPOCH + now);
        }
        use_date(text)
    })
}
