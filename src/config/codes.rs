//! Every diagnostic code: its number, its title, and what `meshctl explain MC0012` says.
//!
//! A number is never given twice and never changes its meaning; what is gone stays a gap. A row
//! is one line, what to do in one more, and its text: what the code means, an example, what to do.
//!
//! MC0001 to MC0099 are about one document read alone (`decoding`), MC0100 and up about what
//! objects mean together, MC0300 and up about what `meshctl convert` reads.

mod converting;
mod decoding;
mod lowering;
mod sources;
#[cfg(test)]
mod tests;

pub use converting::*;
pub use decoding::*;
pub use lowering::*;
pub use sources::*;

use converting::TABLE as CONVERTING;
use decoding::TABLE as DECODING;
use lowering::TABLE as LOWERING;
use sources::TABLE as SOURCES;

use super::Code;

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Explanation {
    pub code: Code,
    /// A few words, no full stop.
    pub title: &'static str,
    /// What to do, in one line that holds wherever the code is reported. Who reports it and knows
    /// more says more.
    pub help: &'static str,
    pub text: &'static str,
}

/// All rows, ascending.
pub fn all() -> impl Iterator<Item = &'static Explanation> {
    TABLES.iter().copied().flatten()
}

const TABLES: &[&[Explanation]] = &[DECODING, LOWERING, SOURCES, CONVERTING];

pub fn explain(code: Code) -> Option<&'static Explanation> {
    all().find(|row| row.code == code)
}

/// The help line of a code; none of one that isn't in the table.
pub fn help(code: Code) -> &'static str {
    explain(code).map_or("", |row| row.help)
}

/// `MC0012`, `mc12` and `12` name the same row.
pub fn parse(text: &str) -> Option<Code> {
    let digits = text
        .get(..2)
        .filter(|prefix| prefix.eq_ignore_ascii_case("mc"))
        .map_or(text, |_| &text[2..]);
    let code = Code(digits.parse().ok()?);
    digits.bytes().all(|b| b.is_ascii_digit()).then_some(code)
}

/// `NAME = number "title" => "help" "text";` becomes a constant and a row.
macro_rules! table {
    ($($name:ident = $number:literal $title:literal => $help:literal $text:literal;)*) => {
        $(#[doc = $title] pub const $name: $crate::config::Code = $crate::config::Code($number);)*
        pub(super) const TABLE: &[super::Explanation] = &[$(super::Explanation {
            code: $name,
            title: $title,
            help: $help,
            text: $text,
        }),*];
    };
}
use table;
