//! One spelling per path.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathError {
    NotAbsolute,
    Backslash,
    ControlByte,
    Fragment,
    BadEscape,
    NotAscii,
    AboveRoot,
    HiddenDots,
}

pub fn normalise(_raw: &[u8], _out: &mut String) -> Result<(), PathError> {
    Err(PathError::NotAbsolute)
}

pub fn check_query(_raw: &[u8]) -> Result<(), PathError> {
    Err(PathError::NotAbsolute)
}
