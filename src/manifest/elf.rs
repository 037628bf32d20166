//! As much of an ELF file as tells what runs it: the machine, and whether it asks for a loader.

use std::fmt;

/// What a Linux binary says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elf {
    pub machine: Machine,
    /// It has a program header PT_INTERP: a loader links libraries to it when it starts.
    pub interpreter: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    X86_64,
    Aarch64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElfError {
    NotElf,
    /// 32 bits, or big-endian, or another machine.
    Machine,
    /// A table points outside of the file.
    Cut,
}

pub(super) const EM_X86_64: u16 = 62;
pub(super) const EM_AARCH64: u16 = 183;
const PT_INTERP: u32 = 3;
/// Bytes of a program header of 64 bits.
const PROGRAM_HEADER: usize = 56;

impl Elf {
    /// Offsets are those of elf(5), `Elf64_Ehdr` and `Elf64_Phdr`.
    pub fn read(file: &[u8]) -> Result<Self, ElfError> {
        if !file.starts_with(b"\x7fELF") {
            return Err(ElfError::NotElf);
        }
        // ELFCLASS64, ELFDATA2LSB
        if file.get(4..6) != Some(&[2, 1]) {
            return Err(ElfError::Machine);
        }
        let machine = match number(file, 18, 2)? {
            n if n == u64::from(EM_X86_64) => Machine::X86_64,
            n if n == u64::from(EM_AARCH64) => Machine::Aarch64,
            _ => return Err(ElfError::Machine),
        };
        let table = usize::try_from(number(file, 32, 8)?).map_err(|_| ElfError::Cut)?;
        let size = usize::try_from(number(file, 54, 2)?).map_err(|_| ElfError::Cut)?;
        let count = usize::try_from(number(file, 56, 2)?).map_err(|_| ElfError::Cut)?;
        if count > 0 && size < PROGRAM_HEADER {
            return Err(ElfError::Cut);
        }
        let mut interpreter = false;
        for position in 0..count {
            let at = table.checked_add(position * size).ok_or(ElfError::Cut)?;
            interpreter |= number(file, at, 4)? == u64::from(PT_INTERP);
        }
        Ok(Self { machine, interpreter })
    }
}

impl Machine {
    /// As images call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::Aarch64 => "arm64",
        }
    }
}

fn number(file: &[u8], at: usize, bytes: usize) -> Result<u64, ElfError> {
    let end = at.checked_add(bytes).ok_or(ElfError::Cut)?;
    let found = file.get(at..end).ok_or(ElfError::Cut)?;
    Ok(found.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

impl fmt::Display for ElfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotElf => "it is not an ELF file",
            Self::Machine => "it is for another machine than x86-64 or arm64",
            Self::Cut => "it is cut off",
        })
    }
}
